import { bundleFromJSON } from '@sigstore/bundle';
import type { Bundle } from '@sigstore/bundle';

import { readHostileJson, shapeMistake } from '#model/hostile-json.ts';
import type { Shape } from '#model/hostile-json.ts';
import type { JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import { LARGEST_BUNDLE } from '#model/signature-finding.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';

const LIMITS = { bytes: LARGEST_BUNDLE, depth: 16 };
/** Log entries, timestamps and certificates of one bundle: real ones have one or two. */
const MOST_WITNESSES = 16;
const MOST_HASHES = 64;

const MEDIA_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.dev.sigstore.bundle+json;version=0.1',
  'application/vnd.dev.sigstore.bundle+json;version=0.2',
  'application/vnd.dev.sigstore.bundle+json;version=0.3',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
]);

/** Stands for a digest that is not stated, where the library wants one; nothing is ever compared with it. */
const UNSTATED = { algorithm: 'SHA2_256', digest: 'AA==' };

/** Structures of ASN.1 with many parts take long to read: real certificates and timestamps have 2 to 8 KiB. */
const LONGEST_DER = 64 * 1024;

const CERTIFICATE: Shape = { fields: { rawBytes: { base64: LONGEST_DER } } };

const LOG_ENTRY: Shape = {
  fields: {
    logIndex: 'natural',
    logId: { fields: { keyId: 'base64' } },
    kindVersion: { fields: { kind: 'text', version: 'text' } },
    integratedTime: 'natural',
    inclusionPromise: { fields: { signedEntryTimestamp: 'base64' } },
    inclusionProof: {
      fields: {
        logIndex: 'natural',
        rootHash: 'base64',
        treeSize: 'natural',
        hashes: { list: 'base64', most: MOST_HASHES },
        checkpoint: { fields: { envelope: 'text' } },
      },
    },
    canonicalizedBody: 'base64',
  },
};

/** sigstore_bundle.proto of sigstore/protobuf-specs, in its JSON form. */
const BUNDLE: Shape = {
  fields: {
    mediaType: 'text',
    verificationMaterial: {
      fields: {
        publicKey: { fields: { hint: 'text' } },
        x509CertificateChain: { fields: { certificates: { list: CERTIFICATE, most: MOST_WITNESSES } } },
        certificate: CERTIFICATE,
        tlogEntries: { list: LOG_ENTRY, most: MOST_WITNESSES },
        timestampVerificationData: {
          fields: { rfc3161Timestamps: { list: { fields: { signedTimestamp: { base64: LONGEST_DER } } }, most: MOST_WITNESSES } },
        },
      },
    },
    messageSignature: { fields: { messageDigest: { fields: { algorithm: 'text', digest: 'base64' } }, signature: 'base64' } },
    dsseEnvelope: {
      fields: {
        payload: 'base64',
        payloadType: 'text',
        signatures: { list: { fields: { keyid: 'text', sig: 'base64' } }, most: MOST_WITNESSES },
      },
    },
  },
};

export interface ReadBundle {
  readonly bundle: Bundle;
  /** cosign leaves the digest of what an ed25519 key signed empty; a library fills in for it. */
  readonly statesDigest: boolean;
}

/** A bundle of a version that is known, with exactly one content and one kind of key material. */
export function readBundle(bytes: Uint8Array): ReadBundle | Refusal {
  const read = readHostileJson(bytes, LIMITS);
  if (!read.ok) return refuse('malformed-bundle', `the bundle cannot be read: ${read.reason}`);
  const { value } = read;
  if (!isJsonObject(value)) return refuse('malformed-bundle', 'the bundle is not a JSON object');
  if (Object.hasOwn(value, 'base64Signature') || Object.hasOwn(value, 'rekorBundle'))
    return refuse('unsupported-bundle', "this is the older bundle of cosign; sign with '--new-bundle-format' or with cosign 3");
  const { mediaType } = value;
  if (typeof mediaType !== 'string') return refuse('malformed-bundle', 'the bundle has no mediaType');
  if (!MEDIA_TYPES.has(mediaType)) return refuse('unsupported-bundle', `bundles of type "${mediaType.slice(0, 100)}" are not known`);
  const mistake = shapeMistake(value, BUNDLE);
  if (mistake !== undefined) return refuse('malformed-bundle', `the bundle is malformed: ${mistake.pointer} ${mistake.reason}`);
  const contents = present(value, ['messageSignature', 'dsseEnvelope']);
  if (contents.length !== 1)
    return refuse(
      'malformed-bundle',
      contents.length === 0 ? 'the bundle holds no signature' : 'the bundle carries a message and an envelope',
    );
  const material = isJsonObject(value['verificationMaterial'])
    ? present(value['verificationMaterial'], ['publicKey', 'x509CertificateChain', 'certificate'])
    : [];
  if (material.length !== 1)
    return refuse('malformed-bundle', material.length === 0 ? 'the bundle names no key' : 'the bundle carries more than one kind of key');
  try {
    const message = value['messageSignature'];
    const statesDigest = !isJsonObject(message) || jsonText(valueAt(message, '/messageDigest/digest')) !== '';
    const whole = statesDigest ? value : { ...value, messageSignature: { ...message, messageDigest: UNSTATED } };
    return { bundle: bundleFromJSON(whole), statesDigest };
  } catch (error) {
    return refuse('malformed-bundle', `the bundle is malformed: ${error instanceof Error ? error.message : 'it cannot be read'}`);
  }
}

function present(value: JsonObject, names: readonly string[]): readonly string[] {
  return names.filter((name) => Object.hasOwn(value, name) && value[name] !== null);
}
