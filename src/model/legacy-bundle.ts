import { Buffer } from 'node:buffer';

import { sha256Of } from '#model/digest.ts';
import { isJsonObject } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { parseBoundedJson } from '#model/oci-manifest.ts';

/** One layer below an older tag of cosign: `sha256-<hex>.sig` holds payloads with the signature beside them, `.att` holds envelopes. */
export interface LegacyLayer {
  readonly kind: 'signature' | 'attestation';
  readonly bytes: Uint8Array;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Wrong {
  readonly wrong: string;
}
type Piece = { readonly json: JsonObject } | Wrong;

const BY_KEY = 'application/vnd.dev.sigstore.bundle.v0.3+json';
/** The one version in which a log's promise alone is enough, as older signatures have it. */
const KEYLESS = 'application/vnd.dev.sigstore.bundle+json;version=0.1';
const DEEPEST = 16;

/**
 * The same signature as a sigstore bundle, so that one verifier judges both; or what is wrong with it (finishes "the older signature ...").
 * Nothing is believed on the way: what is put together here is checked as if it had come like that.
 */
export function legacyBundle(layer: LegacyLayer): Uint8Array | Wrong {
  const material = materialOf(layer.annotations);
  if ('wrong' in material) return material;
  const content = layer.kind === 'signature' ? messageOf(layer) : envelopeOf(layer.bytes);
  if ('wrong' in content) return content;
  const mediaType = Object.hasOwn(material.json, 'publicKey') ? BY_KEY : KEYLESS;
  return Buffer.from(JSON.stringify({ mediaType, verificationMaterial: material.json, ...content.json }));
}

function messageOf({ bytes, annotations }: LegacyLayer): Piece {
  const signature = annotations['dev.cosignproject.cosign/signature'] ?? '';
  if (signature === '') return { wrong: 'has no signature beside it' };
  const digest = Buffer.from(sha256Of(bytes), 'hex').toString('base64');
  return { json: { messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest }, signature } } };
}

function envelopeOf(bytes: Uint8Array): Piece {
  const envelope = parseBoundedJson(bytes, DEEPEST);
  if (!isJsonObject(envelope)) return { wrong: 'is no envelope' };
  const { payload = null, payloadType = null, signatures = null } = envelope;
  if (!Array.isArray(signatures)) return { wrong: 'is no envelope' };
  const kept = (signatures as readonly Json[]).map((item) =>
    isJsonObject(item) ? { sig: item['sig'] ?? null, keyid: item['keyid'] ?? '' } : null,
  );
  return { json: { dsseEnvelope: { payload, payloadType, signatures: kept } } };
}

/** A key is whoever's the verifier was given. Of a certificate's chain nothing is taken: which authorities count, the trusted root says. */
function materialOf(annotations: LegacyLayer['annotations']): Piece {
  const certificate = annotations['dev.sigstore.cosign/certificate'] ?? '';
  if (certificate === '') return { json: { publicKey: { hint: '' } } };
  const rawBytes = certificateIn(certificate);
  if (rawBytes === undefined) return { wrong: 'has a certificate that cannot be read' };
  const entry = logEntryOf(annotations['dev.sigstore.cosign/bundle'] ?? '');
  if (entry === undefined) return { wrong: 'was made with a certificate and has no log entry beside it' };
  const stamp = stampOf(annotations['dev.sigstore.cosign/rfc3161timestamp'] ?? '');
  const stamps = stamp === undefined ? {} : { timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: stamp }] } };
  return {
    json: { x509CertificateChain: { certificates: [{ rawBytes }] }, tlogEntries: [entry], ...stamps },
  };
}

function certificateIn(pem: string): string | undefined {
  const [, body] = /^\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/.exec(pem) ?? [];
  return body?.replaceAll(/\s/g, '');
}

function logEntryOf(text: string): JsonObject | undefined {
  const bundle = parseBoundedJson(Buffer.from(text), DEEPEST);
  const payload = isJsonObject(bundle) ? bundle['Payload'] : undefined;
  if (!isJsonObject(bundle) || !isJsonObject(payload)) return undefined;
  const { body, integratedTime, logIndex, logID } = payload;
  const { SignedEntryTimestamp: promise } = bundle;
  if (typeof body !== 'string' || typeof logID !== 'string' || typeof promise !== 'string') return undefined;
  if (!isNatural(integratedTime) || !isNatural(logIndex) || !/^[0-9a-f]{64}$/.test(logID)) return undefined;
  const entry = parseBoundedJson(Buffer.from(body, 'base64'), DEEPEST);
  const { kind = null, apiVersion = null } = isJsonObject(entry) ? entry : {};
  return {
    logIndex: String(logIndex),
    logId: { keyId: Buffer.from(logID, 'hex').toString('base64') },
    kindVersion: { kind, version: apiVersion },
    integratedTime: String(integratedTime),
    inclusionPromise: { signedEntryTimestamp: promise },
    canonicalizedBody: body,
  };
}

function stampOf(text: string): string | undefined {
  const stamp = text === '' ? undefined : parseBoundedJson(Buffer.from(text), DEEPEST);
  const signed = isJsonObject(stamp) ? stamp['SignedRFC3161Timestamp'] : undefined;
  return typeof signed === 'string' ? signed : undefined;
}

function isNatural(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
