import { createHash, type KeyObject, verify, X509Certificate } from 'node:crypto';

import type { Certificate, SignedAndUnsignedAttributes, SignerInfo } from 'pkijs';

import type { CommitSignatureCode } from '#model/commit-finding.ts';
import type { EmbeddedSignature } from '#model/signed-object.ts';
import { readArmour } from './armour.ts';

/** A certificate in both readings: for its parts, and for the mathematics. */
export interface Known {
  readonly parts: Certificate;
  readonly node: X509Certificate;
}

/** A detached CMS signature (RFC 5652) that fits its bytes and the certificate it names; nothing is said on who vouches for that one. */
export interface HeldCms {
  readonly signer: Known;
  /** Everything that came along, the signer's own included. */
  readonly pool: readonly Known[];
  /** The DER text that was signed: attributes, the digest of the payload among them. */
  readonly signedBytes: Buffer;
  readonly signature: Buffer;
  readonly hash: AcceptedHash;
  /** Octets of the unsigned attribute of this type; it may say anything. */
  unsigned(type: string): Buffer | undefined;
}

export type ReadCms =
  | { readonly ok: true; readonly value: HeldCms }
  | { readonly ok: false; readonly code: CommitSignatureCode; readonly reason: string };

export type AcceptedHash = 'sha256' | 'sha384' | 'sha512';

const HASHES: Readonly<Record<string, AcceptedHash>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
/** Signature algorithms, by what hash they name; undefined where the hash is named elsewhere (rsaEncryption, Ed25519). */
const ALGORITHMS: ReadonlyMap<string, { readonly type: string; readonly hash: AcceptedHash | undefined }> = new Map([
  ['1.2.840.113549.1.1.1', { type: 'rsa', hash: undefined }],
  ['1.2.840.113549.1.1.11', { type: 'rsa', hash: 'sha256' }],
  ['1.2.840.113549.1.1.12', { type: 'rsa', hash: 'sha384' }],
  ['1.2.840.113549.1.1.13', { type: 'rsa', hash: 'sha512' }],
  ['1.2.840.10045.4.3.2', { type: 'ec', hash: 'sha256' }],
  ['1.2.840.10045.4.3.3', { type: 'ec', hash: 'sha384' }],
  ['1.2.840.10045.4.3.4', { type: 'ec', hash: 'sha512' }],
  ['1.3.101.112', { type: 'ed25519', hash: undefined }],
]);
const WEAK: ReadonlySet<string> = new Set(['1.2.840.113549.1.1.5', '1.2.840.113549.1.1.4', '1.2.840.10045.4.1', '1.3.14.3.2.26']);
const DATA = '1.2.840.113549.1.7.1';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const CERTIFICATES = 16;
const SMALLEST_RSA = 2048;
const LARGEST_RSA = 16_384;
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
/** Depth and count of ASN.1 values, and bytes of one: far more than a chain needs. */
export const ASN1_LIMITS = { maxDepth: 40, maxNodes: 20_000, maxContentLength: 256 * 1024 } as const;

/** Reads and checks the signature; every mistake of its bytes is a refusal. */
export async function readCms({ armoured, payload }: EmbeddedSignature): Promise<ReadCms> {
  const blocks = readArmour(armoured, ['SIGNED MESSAGE'], 1);
  const [block] = blocks.ok ? blocks.value : [];
  if (block === undefined) return refusal('malformed-signature', 'it is not one armoured CMS block');
  const read = await parsed(block.bytes);
  if (read === undefined) return refusal('malformed-signature', 'it cannot be read as a CMS signature');
  const { info, certificates, content } = read;
  if (content !== 'detached') return refusal('malformed-signature', 'the CMS signature carries content of its own');
  const pool = certificates.slice(0, CERTIFICATES + 1);
  if (pool.length > CERTIFICATES) return refusal('malformed-signature', `the CMS signature brings more than ${CERTIFICATES} certificates`);
  const digest = info.digestAlgorithm.algorithmId;
  const hash = HASHES[digest];
  if (hash === undefined) return refusal('weak-hash', 'the CMS signature uses a hash that is not accepted');
  const attributes = info.signedAttrs;
  if (attributes === undefined) return refusal('malformed-signature', 'the CMS signature has no signed attributes');
  const asn1 = await import('asn1js');
  const [type, stated] = [onlyValue(attributes, CONTENT_TYPE), onlyValue(attributes, MESSAGE_DIGEST)];
  if (!(type instanceof asn1.ObjectIdentifier) || type.getValue() !== DATA || !(stated instanceof asn1.OctetString))
    return refusal('malformed-signature', 'the signed attributes do not name exactly one content type and digest');
  const signer = pool.find((one) => isNamed(info, one.parts));
  if (signer === undefined) return refusal('malformed-signature', 'the certificate of the signer did not come along');
  if (!createHash(hash).update(payload).digest().equals(stated.valueBlock.valueHexView))
    return refusal('bad-signature', 'the signature does not fit its bytes');
  const weak = weaknessOf(signer.node);
  if (weak !== undefined) return weak;
  const signedBytes = Buffer.from(attributes.encodedValue);
  const signature = Buffer.from(info.signature.valueBlock.valueHexView);
  const fits = holds(info.signatureAlgorithm.algorithmId, { key: signer.node.publicKey, hash, signedBytes, signature });
  if (fits !== true) return fits;
  return {
    ok: true,
    value: {
      signer,
      pool,
      signedBytes,
      signature,
      hash,
      unsigned(wanted) {
        const found = info.unsignedAttrs === undefined ? undefined : onlyValue(info.unsignedAttrs, wanted);
        return found instanceof asn1.OctetString ? Buffer.from(found.valueBlock.valueHexView) : undefined;
      },
    },
  };
}

/** RSA below 2048 bits, and keys of types that nobody here knows. */
export function weaknessOf(certificate: X509Certificate): Extract<ReadCms, { ok: false }> | undefined {
  const key = keyIn(certificate);
  if (key === undefined) return refusal('malformed-key', 'the key in the certificate cannot be read');
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    if (bits < SMALLEST_RSA) return refusal('weak-key', `an RSA key of ${bits} bits is too weak; ${SMALLEST_RSA} are needed`);
    return bits > LARGEST_RSA ? refusal('unsupported-key', `an RSA key of ${bits} bits is not accepted`) : undefined;
  }
  if (type === 'ec' && CURVES.has(details?.namedCurve ?? '')) return undefined;
  return type === 'ed25519' ? undefined : refusal('unsupported-key', `keys of type ${type ?? 'unknown'} are not accepted`);
}

/** Node reads the key when it is asked for, and throws then. */
function keyIn(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey;
  } catch {
    return undefined;
  }
}

/** Whether an algorithm that signs certificates is one of today's. */
export function certificateAlgorithm(id: string): 'accepted' | 'weak' | 'unknown' {
  if (WEAK.has(id)) return 'weak';
  return id !== '1.2.840.113549.1.1.1' && ALGORITHMS.has(id) ? 'accepted' : 'unknown';
}

interface Signed {
  readonly key: KeyObject;
  readonly hash: AcceptedHash;
  readonly signedBytes: Buffer;
  readonly signature: Buffer;
}

function holds(id: string, { key, hash, signedBytes, signature }: Signed): true | Extract<ReadCms, { ok: false }> {
  if (WEAK.has(id)) return refusal('weak-hash', 'the CMS signature uses SHA-1 or MD5');
  const algorithm = ALGORITHMS.get(id);
  if (algorithm === undefined) return refusal('unsupported-signature', 'the CMS signature uses an algorithm that is not accepted');
  if (algorithm.type !== key.asymmetricKeyType) return refusal('malformed-signature', 'the signature is of another kind than its key');
  const used = algorithm.type === 'ed25519' ? null : (algorithm.hash ?? hash);
  let fits = false;
  try {
    fits = verify(used, signedBytes, key, signature);
  } catch {
    // node:crypto's word for a signature that is none.
  }
  return fits ? true : refusal('bad-signature', 'the signature does not fit its bytes');
}

interface ParsedCms {
  readonly info: SignerInfo;
  readonly certificates: readonly Known[];
  readonly content: 'detached' | 'attached';
}

/** Undefined for anything but one ContentInfo with SignedData of one signer, and nothing behind it. */
async function parsed(bytes: Buffer): Promise<ParsedCms | undefined> {
  const [asn1, pki] = await Promise.all([import('asn1js'), import('pkijs')]);
  try {
    const { offset, result } = asn1.fromBER(bytes, ASN1_LIMITS);
    if (offset !== bytes.length) return undefined;
    const content = new pki.ContentInfo({ schema: result });
    if (content.contentType !== pki.ContentInfo.SIGNED_DATA) return undefined;
    const signed = new pki.SignedData({ schema: content.content });
    const [info, more] = signed.signerInfos;
    if (info === undefined || more !== undefined || signed.encapContentInfo.eContentType !== DATA) return undefined;
    const certificates: Known[] = [];
    for (const one of (signed.certificates ?? []).slice(0, CERTIFICATES + 1)) {
      if (!(one instanceof pki.Certificate)) return undefined;
      certificates.push({ parts: one, node: new X509Certificate(Buffer.from(one.toSchema().toBER())) });
    }
    return { info, certificates, content: signed.encapContentInfo.eContent === undefined ? 'detached' : 'attached' };
  } catch {
    // Whatever the libraries dislike about hostile bytes, these are no signature.
    return undefined;
  }
}

/** The one value of the one attribute of this type. */
function onlyValue({ attributes }: SignedAndUnsignedAttributes, type: string): unknown {
  const found = attributes.filter((attribute) => attribute.type === type);
  const values: readonly unknown[] = found[0]?.values ?? [];
  return found.length === 1 && values.length === 1 ? values[0] : undefined;
}

/** Whether the signer names this certificate, by issuer and serial number or by the identifier of its key. */
function isNamed(info: SignerInfo, certificate: Certificate): boolean {
  const sid: unknown = info.sid;
  if (typeof sid !== 'object' || sid === null) return false;
  if ('serialNumber' in sid && 'issuer' in sid)
    return certificate.serialNumber.isEqual(sid.serialNumber) && certificate.issuer.isEqual(sid.issuer);
  const identifier = certificate.extensions?.find((extension) => extension.extnID === '2.5.29.14')?.parsedValue;
  const [stated, own] = [octets(sid), octets(identifier)];
  return stated !== undefined && own !== undefined && stated.equals(own);
}

/** Of an ASN.1 string, whatever tag it has. */
function octets(value: unknown): Buffer | undefined {
  if (typeof value !== 'object' || value === null || !('valueBlock' in value)) return undefined;
  const block = value.valueBlock;
  if (typeof block !== 'object' || block === null || !('valueHexView' in block)) return undefined;
  return block.valueHexView instanceof Uint8Array ? Buffer.from(block.valueHexView) : undefined;
}

function refusal(code: CommitSignatureCode, reason: string): Extract<ReadCms, { ok: false }> {
  return { ok: false, code, reason };
}
