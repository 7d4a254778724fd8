import { createPublicKey } from 'node:crypto';

import type { Bundle } from '@sigstore/bundle';
import { X509Certificate } from '@sigstore/core';

import { signingKeyOf } from './public-key.ts';
import type { SigningKey } from './public-key.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';

/** What a signing certificate says, before anybody vouches for it. */
export interface SigningCertificate {
  readonly der: Buffer;
  readonly parsed: X509Certificate;
  readonly key: SigningKey;
  readonly issuer: string;
  readonly identity: string;
}

const EXTENDED_KEY_USAGE = '2.5.29.37';
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const ALTERNATIVE_NAME = '2.5.29.17';
/** Fulcio's extensions (docs/oid-info.md of sigstore/fulcio): the issuer, of old as bare bytes, now as a string of ASN.1. */
const ISSUER_BARE = '1.3.6.1.4.1.57264.1.1';
const ISSUER = '1.3.6.1.4.1.57264.1.8';
const USER_NAME = '1.3.6.1.4.1.57264.1.7';
const NAME_KINDS = { otherName: 0, email: 1, uri: 6 };
const PLAIN = /^[\x20-\x7e]{1,2048}$/;

/** Certificates of a bundle; the first is the signer's. */
export function certificatesOf({ verificationMaterial: { content } }: Bundle): readonly Buffer[] {
  switch (content.$case) {
    case 'certificate':
      return [Buffer.from(content.certificate.rawBytes)];
    case 'x509CertificateChain':
      return content.x509CertificateChain.certificates.map(({ rawBytes }) => Buffer.from(rawBytes));
    case 'publicKey':
      return [];
  }
}

/** The signer's certificate: for signing code, of exactly one name and one issuer, with a key that counts. */
export function readCertificate(chain: readonly Buffer[]): SigningCertificate | Refusal {
  const [der] = chain;
  if (der === undefined) return refuse('malformed-bundle', 'the bundle has no certificate');
  try {
    const certificate = settled(X509Certificate.parse(Buffer.from(der)));
    if (!certificate.root.toDER().equals(der)) return refuse('malformed-bundle', 'the certificate is not in DER');
    if (certificate.isCA || !isForCode(certificate)) return refuse('untrusted-certificate', 'the certificate is not one for signing code');
    // RFC 6962 section 2.1.4: a certificate log signs with SHA-256; the library takes the hash that the timestamp names.
    if (certificate.extSCT?.signedCertificateTimestamps.some(({ algorithm }) => algorithm !== 'sha256') === true)
      return refuse('untrusted-certificate', 'a certificate log signed with another hash than SHA-256');
    if (chain.slice(1).some(isRoot)) return refuse('untrusted-certificate', 'the bundle carries a root certificate of its own');
    const key = signingKeyOf(createPublicKey({ key: certificate.publicKey, format: 'der', type: 'spki' }));
    if (key === undefined) return refuse('untrusted-certificate', 'the certificate is for a kind of key that does not count');
    const identity = identityIn(certificate);
    if (identity === undefined) return refuse('wrong-identity', 'the certificate does not name exactly one identity');
    const issuer = issuerIn(certificate);
    if (issuer === undefined) return refuse('wrong-identity', 'the certificate does not say who vouched for its identity');
    return { der, parsed: certificate, key, issuer, identity };
  } catch {
    return refuse('malformed-bundle', 'the certificate cannot be read');
  }
}

/** A certificate of which is worked out once what follows from its bytes alone: checking a chain asks for it again and again. */
export function settled(certificate: X509Certificate): X509Certificate {
  for (const part of [certificate.root, certificate.tbsCertificate]) {
    const der = part.toDER();
    part.toDER = () => der;
  }
  const { publicKey } = certificate;
  Object.defineProperty(certificate, 'publicKey', { value: publicKey });
  const verify = certificate.verify.bind(certificate);
  const known = new WeakMap<X509Certificate, boolean>();
  certificate.verify = (issuer = certificate) => {
    const found = known.get(issuer) ?? verify(issuer);
    known.set(issuer, found);
    return found;
  };
  return certificate;
}

function isRoot(der: Buffer): boolean {
  const certificate = X509Certificate.parse(Buffer.from(der));
  return certificate.subject.equals(certificate.issuer);
}

function isForCode(certificate: X509Certificate): boolean {
  const usages = certificate.extension(EXTENDED_KEY_USAGE)?.valueObj.subs[0]?.subs ?? [];
  return usages.some((usage) => usage.toOID() === CODE_SIGNING) && certificate.extKeyUsage?.digitalSignature !== false;
}

function identityIn(certificate: X509Certificate): string | undefined {
  const names = certificate.extension(ALTERNATIVE_NAME)?.valueObj.subs[0]?.subs ?? [];
  const [name] = names;
  if (name === undefined || names.length !== 1) return undefined;
  if (name.tag.isContextSpecific(NAME_KINDS.uri) || name.tag.isContextSpecific(NAME_KINDS.email)) return plain(name.value);
  const [kind, value] = name.subs;
  const isUserName = name.tag.isContextSpecific(NAME_KINDS.otherName) && kind?.toOID() === USER_NAME;
  return isUserName ? plain(value?.subs[0]?.value) : undefined;
}

function issuerIn(certificate: X509Certificate): string | undefined {
  const bare = certificate.extension(ISSUER_BARE);
  const encoded = certificate.extension(ISSUER);
  const first = encoded === undefined ? undefined : plain(encoded.valueObj.subs[0]?.value);
  const second = bare === undefined ? undefined : plain(bare.value);
  if (encoded !== undefined && bare !== undefined && first !== second) return undefined;
  return first ?? second;
}

function plain(bytes: Buffer | undefined): string | undefined {
  const text = bytes?.toString('latin1') ?? '';
  return PLAIN.test(text) ? text : undefined;
}
