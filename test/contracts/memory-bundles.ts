import { createPublicKey, verify } from 'node:crypto';

import { sha256Of, type Sha256 } from '#model/digest.ts';
import type { Json } from '#model/json.ts';
import type { SignatureCode, SignatureFinding } from '#model/signature-finding.ts';
import type { BundleQuestion, Bundles } from '#ports/bundles.ts';

/** A subset of sigstore bundles (DSSE, ed25519 keys) without the packages of sigstore: for stories, where nobody is hostile to the format. */
export function memoryBundles(): Bundles & { counts(): { readonly verified: number } } {
  let verified = 0;
  return {
    verify(question) {
      verified += 1;
      try {
        return findingOf(question);
      } catch {
        return refused('malformed-bundle', 'it cannot be read');
      }
    },
    sign: async ({ payloadType, payload, key }) => {
      const signature = await key.sign(preAuthentication(payloadType, payload));
      const bundle = {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: { publicKey: { hint: Buffer.from(digestOf(key.publicKeyPem) ?? '', 'hex').toString('base64') } },
        dsseEnvelope: {
          payload: Buffer.from(payload).toString('base64'),
          payloadType,
          signatures: [{ sig: Buffer.from(signature).toString('base64') }],
        },
      };
      return Buffer.from(JSON.stringify(bundle), 'utf8');
    },
    signBytes: () => Promise.reject(new Error('stories sign statements')),
    readRoot: () => ({ ok: true, witnesses: [] }),
    keyDigest: digestOf,
    counts: () => ({ verified }),
  };
}

interface Envelope {
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly [{ readonly sig: string }];
  };
}

interface Statement {
  readonly subject: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[];
  readonly predicateType: string;
  readonly predicate: Json;
}

function findingOf({ bundle, subject, credentials }: BundleQuestion): SignatureFinding {
  const { dsseEnvelope } = JSON.parse(Buffer.from(bundle).toString('utf8')) as Envelope;
  const payload = Buffer.from(dsseEnvelope.payload, 'base64');
  const signature = Buffer.from(dsseEnvelope.signatures[0].sig, 'base64');
  const signed = preAuthentication(dsseEnvelope.payloadType, payload);
  const key = credentials.find((one) => one.kind === 'public-key' && verify(null, signed, createPublicKey(one.pem), signature));
  if (key?.kind !== 'public-key') return refused('unknown-key', 'no key that was given signed it');
  const { subject: subjects, predicateType, predicate } = JSON.parse(payload.toString('utf8')) as Statement;
  const hex = subject.kind === 'digest' ? subject.hex : sha256Of(subject.bytes);
  const spkiSha256 = digestOf(key.pem);
  if (spkiSha256 === undefined || !subjects.some(({ digest }) => digest['sha256'] === hex))
    return refused('wrong-digest', 'it is about another content');
  return {
    kind: 'verified',
    fact: {
      subjects,
      predicateType,
      predicate,
      signer: { kind: 'key', spkiSha256 },
      signedAt: undefined,
      annotations: {},
      bundle: sha256Of(bundle),
    },
  };
}

/** PAE of the DSSE protocol. */
function preAuthentication(type: string, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.byteLength} `), payload]);
}

function digestOf(pem: string): Sha256 | undefined {
  try {
    return sha256Of(createPublicKey(pem).export({ format: 'der', type: 'spki' }));
  } catch {
    return undefined;
  }
}

function refused(code: SignatureCode, reason: string): SignatureFinding {
  return { kind: 'refused', code, reason };
}
