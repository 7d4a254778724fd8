import type { X509Certificate } from 'node:crypto';

import type { CommitFinding } from '#model/commit-finding.ts';
import { sha256Of } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import type { Credential } from '#model/trust-policy.ts';
import type { Bundles } from '#ports/bundles.ts';
import { fingerprintOf } from './certificates.ts';
import type { HeldCms, Known } from './cms.ts';
import { protobufFields, type ProtobufFields } from './protobuf.ts';

/** Unsigned attribute with a TransparencyLogEntry (sigstore_rekor.proto) whose body is left out: it follows from the signature. */
const LOG_ENTRY = '1.3.6.1.4.1.57264.3.1';
/** Extensions in which a Fulcio certificate names who told it whom it certifies. */
const ISSUERS: ReadonlySet<string> = new Set(['1.3.6.1.4.1.57264.1.1', '1.3.6.1.4.1.57264.1.8']);
const PROOF_HASHES = 64;

export interface Keyless {
  readonly credential: Extract<Credential, { kind: 'keyless' }>;
  readonly bundles: Bundles;
  readonly trustedRoot: Uint8Array | undefined;
}

/** Whether a certificate is one of a keyless authority: good for minutes, so that only a log can tell when it was used. */
export function isKeyless({ parts }: Known): boolean {
  return parts.extensions?.some((extension) => ISSUERS.has(extension.extnID)) === true;
}

/** Checks the embedded log entry offline, as the sigstore bundle that says the same. */
export function examineGitsign(cms: HeldCms, { credential, bundles, trustedRoot }: Keyless): CommitFinding {
  if (!isKeyless(cms.signer)) return { kind: 'other-key', key: fingerprintOf(cms.signer) };
  const attribute = cms.unsigned(LOG_ENTRY);
  if (attribute === undefined)
    return { kind: 'refused', code: 'no-log-proof', reason: 'the keyless signature carries no entry of a transparency log' };
  if (trustedRoot === undefined)
    return { kind: 'refused', code: 'untrusted-log', reason: 'no trusted root is given that names the log of the keyless signature' };
  const entry = logEntry(attribute, cms);
  if (entry === undefined) return { kind: 'refused', code: 'malformed-signature', reason: 'the embedded log entry cannot be read' };
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { certificate: { rawBytes: cms.signer.node.raw.toString('base64') }, tlogEntries: [entry] },
    messageSignature: {
      messageDigest: { algorithm: 'SHA2_256', digest: Buffer.from(sha256Of(cms.signedBytes), 'hex').toString('base64') },
      signature: cms.signature.toString('base64'),
    },
  };
  const finding = bundles.verify({
    bundle: Buffer.from(JSON.stringify(bundle)),
    subject: { kind: 'bytes', bytes: cms.signedBytes },
    credentials: [credential],
    trustedRoot,
  });
  if (finding.kind === 'refused') return finding;
  const { signer, signedAt } = finding.fact;
  if (signer.kind !== 'keyless' || signedAt === undefined)
    return { kind: 'refused', code: 'untrusted-time', reason: 'no log vouches for the time of the keyless signature' };
  const fingerprint = fingerprintOf(cms.signer);
  return {
    kind: 'holds',
    fact: {
      fingerprint,
      signedBy: fingerprint,
      identities: [signer.identity],
      issuer: signer.issuer,
      goodFrom: toInstant(cms.signer.node.validFromDate.getTime()),
      goodBefore: toInstant(cms.signer.node.validToDate.getTime() + 1000),
      provenAt: signedAt,
    },
  };
}

/** The entry in protobuf's JSON form, with the body that its log must have signed. */
function logEntry(bytes: Buffer, cms: HeldCms): Json | undefined {
  const entry = protobufFields(bytes);
  const proof = entry?.message(6);
  const [logId, version, promise, checkpoint] = [entry?.message(2), entry?.message(3), entry?.message(5), proof?.message(5)];
  if (entry === undefined || logId === undefined || proof === undefined || promise === undefined) return undefined;
  const hashes = proof.all(4);
  if (hashes.length > PROOF_HASHES || kindOf(version) !== 'hashedrekord 0.0.1') return undefined;
  return {
    logIndex: entry.number(1),
    logId: { keyId: logId.bytes(1).toString('base64') },
    kindVersion: { kind: 'hashedrekord', version: '0.0.1' },
    integratedTime: entry.number(4),
    inclusionPromise: { signedEntryTimestamp: promise.bytes(1).toString('base64') },
    inclusionProof: {
      logIndex: proof.number(1),
      rootHash: proof.bytes(2).toString('base64'),
      treeSize: proof.number(3),
      hashes: hashes.map((hash) => hash.toString('base64')),
      checkpoint: { envelope: checkpoint?.bytes(1).toString('utf8') ?? '' },
    },
    canonicalizedBody: Buffer.from(canonicalJson(hashedRekord(cms))).toString('base64'),
  };
}

function kindOf(version: ProtobufFields | undefined): string {
  return `${version?.bytes(1).toString('utf8') ?? ''} ${version?.bytes(2).toString('utf8') ?? ''}`;
}

/** What was logged: the digest of the signed attributes, the signature and the certificate. */
function hashedRekord({ signedBytes, signature, signer }: HeldCms): Json {
  return {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: sha256Of(signedBytes) } },
      signature: { content: signature.toString('base64'), publicKey: { content: Buffer.from(pemOf(signer.node)).toString('base64') } },
    },
  };
}

/** As Go writes it: 64 characters a line, a newline at the end. */
function pemOf({ raw }: X509Certificate): string {
  const lines = raw.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
