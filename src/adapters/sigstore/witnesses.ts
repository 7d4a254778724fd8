import type { Bundle, TransparencyLogEntry } from '@sigstore/bundle';
import { RFC3161Timestamp } from '@sigstore/core';
import type { X509Certificate } from '@sigstore/core';
import { VerificationError, Verifier } from '@sigstore/verify';
import type { SignedEntity } from '@sigstore/verify';

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
  /** The key that is trusted, or the certificate, which needs all witnesses. */
  readonly by: { readonly kind: 'key'; readonly key: SigningKey } | { readonly kind: 'certificate'; readonly certificate: X509Certificate };
  readonly material: Material;
}

interface Witnesses {
  readonly entries: readonly TransparencyLogEntry[];
  readonly stamps: readonly RFC3161Timestamp[];
}

/** Log entries, timestamps and the certificate's chain. */
export function lookAtWitnesses(bundle: Bundle, content: Content, { signatory, by, material }: Looked): Witnessed | Refusal {
  if (namesAnother(bundle.verificationMaterial.tlogEntries, signatory))
    return refuse('untrusted-log', 'a log entry names another key or certificate than the one that signed');
  try {
    const all = witnessesIn(bundle);
    const witnesses = by.kind === 'key' ? onlyKnown(all, material) : all;
    const publicKey = () => ({ publicKey: keyOf(by), validFor: () => true });
    const verifier = new Verifier({ ...material, publicKey }, by.kind === 'key' ? NONE : ALL);
    verifier.verify(entityOf(witnesses, content, by));
    const at = earliest(witnesses);
    if (at !== undefined && outsideLog(witnesses, material, at))
      return refuse('untrusted-log', 'the log was not trusted any more when this was signed');
    return { at, by: namesOf(witnesses, material) };
  } catch (error) {
    return refusalOf(error);
  }
}

const ALL = { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 };
const NONE = { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 };

function witnessesIn({ verificationMaterial: { tlogEntries, timestampVerificationData } }: Bundle): Witnesses {
  const stamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  return { entries: tlogEntries, stamps: stamps.map(({ signedTimestamp }) => RFC3161Timestamp.parse(Buffer.from(signedTimestamp))) };
}

/** What the library would make of the bundle, with the certificate parsed once and the signature found to hold before. */
function entityOf({ entries, stamps }: Witnesses, { compared }: Content, by: Looked['by']): SignedEntity {
  return {
    signature: compared,
    key: by.kind === 'key' ? { $case: 'public-key', hint: '' } : { $case: 'certificate', certificate: by.certificate },
    tlogEntries: [...entries],
    timestamps: [
      ...entries.filter(hasTime).map((tlogEntry) => ({ $case: 'transparency-log' as const, tlogEntry })),
      ...stamps.map((timestamp) => ({ $case: 'timestamp-authority' as const, timestamp })),
    ],
  };
}

/** Only a promise of the log vouches for the time of an entry. */
function hasTime({ inclusionPromise, integratedTime }: TransparencyLogEntry): boolean {
  return inclusionPromise !== undefined && integratedTime !== '' && integratedTime !== '0';
}

function keyOf(by: Looked['by']): SigningKey['key'] {
  if (by.kind === 'certificate') throw new Error('a certificate brings its own key');
  return by.key.key;
}

/** What the root's logs and authorities made; a witness it does not know says nothing about a key that is trusted anyway. */
function onlyKnown({ entries, stamps }: Witnesses, { tlogs, timestampAuthorities }: Material): Witnesses {
  return {
    entries: entries.filter((entry) => tlogs.some((log) => log.logID.equals(entry.logId.keyId))),
    stamps: stamps.filter((stamp) => timestampAuthorities.some((authority) => isOf(stamp, authority))),
  };
}

/** The first moment at which somebody saw the signature; only for witnesses that were found to be right. */
function earliest({ entries, stamps }: Witnesses): Instant | undefined {
  const logged = entries.filter(hasTime).map(({ integratedTime }) => Number(integratedTime) * 1000);
  const times = [...logged, ...stamps.map(({ signingTime }) => signingTime.getTime())];
  return times.length === 0 ? undefined : toInstant(Math.min(...times));
}

function namesOf({ entries, stamps }: Witnesses, { tlogs, timestampAuthorities, timestampNames }: Material): readonly string[] {
  const logs = entries.flatMap((entry) => tlogs.filter((log) => log.logID.equals(entry.logId.keyId)).map(({ baseURL }) => baseURL));
  const authorities = stamps.flatMap((stamp) => timestampNames.filter((_, index) => isOf(stamp, timestampAuthorities[index])));
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
function outsideLog({ entries }: Witnesses, { tlogs }: Material, at: Instant): boolean {
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
