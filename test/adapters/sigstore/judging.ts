import { generateKeyPairSync, sign } from 'node:crypto';

import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';

import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import type { SignatureFinding } from '#model/signature-finding.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import { ADA, base64, ISSUER, jsonBytes, pair, sha256 } from '#test/sigstore-authorities.ts';
import type { Authorities, Loose } from '#test/sigstore-authorities.ts';

export const bundles = sigstoreBundles();
export const CONTENT = Buffer.from('what was built');
export const OTHER = Buffer.from('something else');
const KEYLESS: BundleQuestion['credentials'] = [{ kind: 'keyless', issuer: ISSUER, identity: { kind: 'exact', identity: ADA } }];

export function judgedBy(acme: Authorities, bundle: Loose, more: Partial<BundleQuestion> = {}): SignatureFinding {
  return bundles.verify({
    bundle: jsonBytes(bundle),
    subject: { kind: 'bytes', bytes: CONTENT },
    credentials: KEYLESS,
    trustedRoot: jsonBytes(acme.root),
    ...more,
  });
}

/** The code, or `verified`. */
export function outcome(finding: SignatureFinding): string {
  return finding.kind === 'verified' ? 'verified' : finding.code;
}

/** What the library alone says, used as its documentation shows: where it accepts, the refusal is ours. */
export function libraryAccepts(acme: Authorities, bundle: Loose, pem?: string): boolean {
  try {
    const keys = pem === undefined ? undefined : { [bundle.verificationMaterial.publicKey.hint]: { rawBytes: derOf(pem) } };
    const material = toTrustMaterial(TrustedRoot.fromJSON(acme.root), keys as Loose);
    const options = pem === undefined ? {} : { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 };
    new Verifier(material, options).verify(toSignedEntity(bundleFromJSON(bundle), Buffer.from(CONTENT)));
    return true;
  } catch {
    return false;
  }
}

export function derOf(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[A-Z ]+-----|\s/g, ''), 'base64');
}

export interface KeySigned {
  readonly bundle: Loose;
  readonly pem: string;
}

export function signedByKey(type: 'P-256' | 'P-384' | 'P-521' | 'rsa' | 'ed25519', bits = 2048): KeySigned {
  const keys =
    type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: bits }) : type === 'ed25519' ? generateKeyPairSync('ed25519') : pair(type);
  const hash = { 'P-256': 'sha256', 'P-384': 'sha384', 'P-521': 'sha512', rsa: 'sha256', ed25519: null }[type];
  const signature = sign(hash, CONTENT, keys.privateKey);
  return {
    pem: keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    bundle: {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: 'release' } },
      messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: base64(sha256(CONTENT)) }, signature: base64(signature) },
    },
  };
}

export function byKey({ bundle, pem }: KeySigned, more: Partial<BundleQuestion> = {}): SignatureFinding {
  return bundles.verify({
    bundle: jsonBytes(bundle),
    subject: { kind: 'bytes', bytes: CONTENT },
    credentials: [{ kind: 'public-key', pem }],
    trustedRoot: undefined,
    ...more,
  });
}

export const BY_DIGEST: Partial<BundleQuestion> = {
  subject: { kind: 'digest', algorithm: 'sha256', hex: sha256(CONTENT).toString('hex') },
};
