import type { Bundle, TransparencyLogEntry } from '@sigstore/bundle';
import { RFC3161Timestamp } from '@sigstore/core';
import { toSignedEntity, VerificationError, Verifier } from '@sigstore/verify';
import type { TrustMaterial } from '@sigstore/verify';

import { toInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import type { Content } from './content.ts';
import { namesAnother } from './log-entry.ts';
import type { Signatory } from './log-entry.ts';
import type { SigningKey } from './public-key.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import type { Material } from './trusted-root.ts';

/** When, and by whose word; nobody's for a key that needs none. */
export interface Witnessed {
  readonly at: Instant | undefined;
  readonly by: readonly string[];
}

export interface Looked {
  readonly signatory: Signatory;
  /** Undefined: the certificate's, which then needs all witnesses. */
  readonly key: SigningKey | undefined;
  readonly material: Material;
}

/** Log entries, timestamps and the certificate's chain. */
export function lookAtWitnesses(bundle: Bundle, content: Content, { signatory, key, material }: Looked): Witnessed | Refusal {
  if (namesAnother(bundle.verificationMaterial.tlogEntries, signatory))
    return refuse('untrusted-log', 'a log entry names another key or certificate than the one that signed');
  try {
    const considered = key === undefined ? bundle : onlyKnown(bundle, material);
    const trusted: TrustMaterial = { ...material, publicKey: () => ({ publicKey: fromKey(key), validFor: () => true }) };
    const verifier = new Verifier(trusted, key === undefined ? ALL : NONE);
    verifier.verify({ ...toSignedEntity(considered, Buffer.alloc(0)), signature: content.compared });
    const at = earliest(considered);
    if (at !== undefined && outsideLog(considered, material, at))
      return refuse('untrusted-log', 'the log was not trusted any more when this was signed');
    return { at, by: namesOf(considered, material) };
  } catch (error) {
    return refusalOf(error);
  }
}

const ALL = { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 };
const NONE = { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 };

function fromKey(key: SigningKey | undefined): SigningKey['key'] {
  if (key === undefined) throw new Error('a certificate brings its own key');
  return key.key;
}

/** What the root's logs and authorities made; a witness it does not know says nothing about a key that is trusted anyway. */
function onlyKnown(bundle: Bundle, { tlogs, timestampAuthorities }: Material): Bundle {
  const { tlogEntries, timestampVerificationData, ...material } = bundle.verificationMaterial;
  const entries: readonly TransparencyLogEntry[] = tlogEntries;
  const stamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  return {
    ...bundle,
    verificationMaterial: {
      ...material,
      tlogEntries: entries.filter((entry) => tlogs.some((log) => log.logID.equals(entry.logId.keyId))),
      timestampVerificationData: {
        rfc3161Timestamps: stamps.filter(({ signedTimestamp }) => {
          const stamp = RFC3161Timestamp.parse(Buffer.from(signedTimestamp));
          return timestampAuthorities.some((authority) => isOf(stamp, authority));
        }),
      },
    },
  };
}

/** The first moment at which somebody saw the signature; only for a bundle whose witnesses were found to be right. */
function earliest({ verificationMaterial: { tlogEntries, timestampVerificationData } }: Bundle): Instant | undefined {
  const logged = tlogEntries.flatMap((entry) => (entry.inclusionPromise === undefined ? [] : [Number(entry.integratedTime) * 1000]));
  const stamped = (timestampVerificationData?.rfc3161Timestamps ?? []).map(({ signedTimestamp }) =>
    RFC3161Timestamp.parse(Buffer.from(signedTimestamp)).signingTime.getTime(),
  );
  const times = [...logged, ...stamped];
  return times.length === 0 ? undefined : toInstant(Math.min(...times));
}

function namesOf({ verificationMaterial: { tlogEntries, timestampVerificationData } }: Bundle, material: Material): readonly string[] {
  const entries: readonly TransparencyLogEntry[] = tlogEntries;
  const logs = entries.flatMap((entry) =>
    material.tlogs.filter((log) => log.logID.equals(entry.logId.keyId)).map(({ baseURL }) => baseURL),
  );
  const authorities = (timestampVerificationData?.rfc3161Timestamps ?? []).flatMap(({ signedTimestamp }) => {
    const stamp = RFC3161Timestamp.parse(Buffer.from(signedTimestamp));
    return material.timestampNames.filter((_, index) => isOf(stamp, material.timestampAuthorities[index]));
  });
  return [...new Set([...logs, ...authorities])].filter((name) => name !== '');
}

function isOf(
  { signerIssuer, signerSerialNumber }: RFC3161Timestamp,
  authority: Material['timestampAuthorities'][number] | undefined,
): boolean {
  const [signer] = authority?.certChain ?? [];
  return signer !== undefined && signer.issuer.equals(signerIssuer) && signer.serialNumber.equals(signerSerialNumber);
}

/** An entry without a promise has no time of its own: the log's key must have been trusted at the time that others vouch for. */
function outsideLog({ verificationMaterial: { tlogEntries } }: Bundle, { tlogs }: Material, at: Instant): boolean {
  const entries: readonly TransparencyLogEntry[] = tlogEntries;
  return entries.some((entry) => {
    const logs = tlogs.filter((log) => log.logID.equals(entry.logId.keyId));
    return !logs.some(({ validFor }) => validFor.start.getTime() <= at && at <= validFor.end.getTime());
  });
}

/** Every throw is a refusal, not only those that the library means. */
function refusalOf(error: unknown): Refusal {
  if (!(error instanceof VerificationError))
    return refuse('malformed-bundle', 'the bundle holds a log entry, timestamp or certificate that cannot be read');
  const { code, message } = error;
  if (code === 'TIMESTAMP_ERROR') return refuse('untrusted-time', message);
  if (code === 'CERTIFICATE_ERROR') return refuse('untrusted-certificate', message);
  if (code === 'SIGNATURE_ERROR') return refuse('bad-signature', message);
  return refuse('untrusted-log', message);
}
