import { dsse } from '@sigstore/core';

import { LARGEST_BUNDLE } from '#model/signature-finding.ts';
import type { BundleDraft } from '#ports/bundles.ts';
import { PortError } from '#ports/port-error.ts';
import { readPublicKey } from './public-key.ts';
import type { SigningKey } from './public-key.ts';
import { checkSignature, digestOf } from './signed-bytes.ts';

const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const ALGORITHMS = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' } as const;

/** A DSSE envelope signed with a key, as a bundle of version 0.3. Its key hint is cosign's: base64 of the key's sha256. */
export async function signBundle({ payloadType, payload, key }: BundleDraft): Promise<Uint8Array> {
  const signer = signerOf(key.publicKeyPem);
  const encoded = dsse.preAuthEncoding(payloadType, Buffer.from(payload));
  const sig = await signatureOver(encoded, signer, key.sign);
  return bundleText(signer, { dsseEnvelope: { payload: base64(payload), payloadType, signatures: [{ sig }] } });
}

/** A signature over plain bytes, as `cosign sign-blob` makes it. */
export async function signBytes(bytes: Uint8Array, key: BundleDraft['key']): Promise<Uint8Array> {
  const signer = signerOf(key.publicKeyPem);
  const hash = signer.scheme.kind === 'ed25519' ? 'sha512' : signer.scheme.hash;
  const messageDigest = { algorithm: ALGORITHMS[hash], digest: base64(digestOf(hash, bytes)) };
  return bundleText(signer, { messageSignature: { messageDigest, signature: await signatureOver(bytes, signer, key.sign) } });
}

function signerOf(pem: string): SigningKey {
  const signer = readPublicKey(pem);
  if (signer === undefined) throw new PortError('invalid', 'the public key is of no kind that bundles are signed with');
  return signer;
}

/** A key port whose public part is another's would make bundles that nobody accepts: found here, not by who reads them. */
async function signatureOver(bytes: Uint8Array, signer: SigningKey, sign: BundleDraft['key']['sign']): Promise<string> {
  const signature = await sign(bytes);
  if (checkSignature(signer, { kind: 'bytes', bytes }, signature) !== 'valid')
    throw new PortError('invalid', 'the key made a signature that does not belong to its public part');
  return base64(signature);
}

function bundleText({ spkiSha256 }: SigningKey, content: object): Uint8Array {
  const publicKey = { hint: base64(Buffer.from(spkiSha256, 'hex')) };
  const bytes = Buffer.from(JSON.stringify({ mediaType: MEDIA_TYPE, verificationMaterial: { publicKey }, ...content }), 'utf8');
  if (bytes.length > LARGEST_BUNDLE) throw new PortError('invalid', `the bundle would have more than ${LARGEST_BUNDLE} bytes`);
  return bytes;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
