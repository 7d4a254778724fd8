import type { Bundle, TransparencyLogEntry } from '@sigstore/bundle';
import { RFC3161Timestamp } from '@sigstore/core';
import { toSignedEntity, VerificationError, Verifier } from '@sigstore/verify';
import type { TrustMaterial } from '@sigstore/verify';

import { sha256Of } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import type { SignatureCode, SignatureFinding, SignatureSigner } from '#model/signature-finding.ts';
import type { Credential } from '#model/trust-policy.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import { readBundle } from './bundle-text.ts';
import { certificatesOf, isIdentity, readCertificate } from './certificate.ts';
import { readContent } from './content.ts';
import type { Content } from './content.ts';
import { namesAnother } from './log-entry.ts';
import type { Signatory } from './log-entry.ts';
import type { SigningKey } from './public-key.ts';
import { readPublicKey } from './public-key.ts';
import { isRefusal, refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { checkSignature } from './signed-bytes.ts';
import type { ReadRoot } from './trusted-root.ts';

type Material = Omit<TrustMaterial, 'publicKey'>;

interface Signed {
  readonly signer: SignatureSigner;
  readonly signedAt: Instant | undefined;
}

/**
 * The mathematics are those of @sigstore/verify; around them stands what it leaves to its callers: what a statement is about, whom a log
 * entry names, identities and issuers in full, formats and limits before anything is parsed.
 */
export function verifyBundle(question: BundleQuestion, openRoot: (bytes: Uint8Array) => ReadRoot): SignatureFinding {
  const bundle = readBundle(question.bundle);
  if (isRefusal(bundle)) return bundle;
  const content = readContent(bundle, question.subject);
  if (isRefusal(content)) return content;
  const root = question.trustedRoot === undefined ? undefined : openRoot(question.trustedRoot);
  if (root !== undefined && !root.ok) {
    const [mistake] = root.mistakes;
    return refuse('could-not-look', `the trusted root cannot be used: ${mistake?.pointer ?? ''} ${mistake?.reason ?? ''}`);
  }
  const chain = certificatesOf(bundle);
  const signed =
    chain.length === 0
      ? byKey(bundle, content, { question, material: root?.material })
      : keyless(bundle, content, { question, material: root?.material });
  if (isRefusal(signed)) return signed;
  const { subjects, predicateType, predicate, annotations } = content;
  const { signer, signedAt } = signed;
  return {
    kind: 'verified',
    fact: { subjects, predicateType, predicate, signer, signedAt, annotations, bundle: sha256Of(question.bundle) },
  };
}

interface Given {
  readonly question: BundleQuestion;
  readonly material: Material | undefined;
}

/** A key needs nobody's word for it: log entries and timestamps count if the trusted root knows who made them, and then they must be right. */
function byKey(bundle: Bundle, content: Content, { question, material }: Given): Signed | Refusal {
  const keys = question.credentials.flatMap((credential) => (credential.kind === 'public-key' ? [readPublicKey(credential.pem)] : []));
  const known = keys.filter((key) => key !== undefined);
  if (known.length === 0)
    return refuse(
      'unknown-key',
      keys.length === 0 ? 'it was signed with a key, and no key is trusted here' : 'the trusted key is of no kind that counts',
    );
  const key = signerAmong(known, bundle, content);
  if (isRefusal(key)) return key;
  const witnessed = witnesses(bundle, content, { signatory: { kind: 'key', der: key.spki }, key, material: material ?? NOBODY });
  if (isRefusal(witnessed)) return witnessed;
  return { signer: { kind: 'key', spkiSha256: key.spkiSha256 }, signedAt: witnessed.at };
}

const NOBODY: Material = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };

/** The hint in a bundle is only that: whichever key made the signature signed. */
function signerAmong(keys: readonly SigningKey[], bundle: Bundle, content: Content): SigningKey | Refusal {
  for (const key of keys) {
    const check = checkSignature(key, content.signed, content.signature);
    if (check === 'valid') return key;
    if (check !== 'invalid' && keys.length === 1) return insufficient(check);
  }
  const { content: named } = bundle.verificationMaterial;
  const hint = named.$case === 'publicKey' ? named.publicKey.hint : '';
  const isNamed = keys.some((key) => Buffer.from(key.spkiSha256, 'hex').toString('base64') === hint);
  return isNamed
    ? refuse('bad-signature', 'the signature is not over this content')
    : refuse('unknown-key', 'no trusted key made the signature');
}

function insufficient(check: string): Refusal {
  return check === 'needs-bytes'
    ? refuse('unsupported-bundle', 'an ed25519 signature over plain bytes cannot be checked against a digest alone; give the file')
    : refuse('unsupported-bundle', `this key signs ${check.slice('needs-'.length)} digests; give that digest, or the file`);
}

/** A certificate needs three witnesses: a certificate log, a signature log, and somebody's word for the time. */
function keyless(bundle: Bundle, content: Content, { question, material }: Given): Signed | Refusal {
  const accepted = question.credentials.filter((credential) => credential.kind === 'keyless');
  const certificate = readCertificate(certificatesOf(bundle));
  if (isRefusal(certificate)) return certificate;
  if (accepted.length === 0) return refuse('unknown-key', 'it was signed with a certificate, and only keys are trusted here');
  if (material === undefined) return refuse('untrusted-certificate', 'it was signed with a certificate, and no trusted root is given');
  const check = checkSignature(certificate.key, content.signed, content.signature);
  if (check === 'invalid') return refuse('bad-signature', 'the signature is not over this content');
  if (check !== 'valid') return insufficient(check);
  const witnessed = witnesses(bundle, content, { signatory: { kind: 'certificate', der: certificate.der }, key: undefined, material });
  if (isRefusal(witnessed)) return witnessed;
  const { issuer, identity } = certificate;
  if (!accepted.some((credential) => isAccepted(credential, issuer, identity)))
    return refuse('wrong-identity', `it was signed by ${identity} (vouched for by ${issuer}), who is not trusted here`);
  return { signer: { kind: 'keyless', issuer, identity }, signedAt: witnessed.at };
}

function isAccepted(credential: Extract<Credential, { kind: 'keyless' }>, issuer: string, identity: string): boolean {
  return credential.issuer !== '' && credential.issuer === issuer && isIdentity(identity, credential.identity);
}

interface Looked {
  readonly signatory: Signatory;
  /** Undefined: the certificate's, which then needs all witnesses. */
  readonly key: SigningKey | undefined;
  readonly material: Material;
}

function witnesses(bundle: Bundle, content: Content, { signatory, key, material }: Looked): { readonly at: Instant | undefined } | Refusal {
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
    return { at };
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
          const { signerIssuer, signerSerialNumber } = RFC3161Timestamp.parse(Buffer.from(signedTimestamp));
          return timestampAuthorities.some(
            ({ certChain: [signer] }) => signer?.issuer.equals(signerIssuer) === true && signer.serialNumber.equals(signerSerialNumber),
          );
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

/** An entry without a promise has no time of its own: the log's key must have been trusted at the time that others vouch for. */
function outsideLog({ verificationMaterial: { tlogEntries } }: Bundle, { tlogs }: Material, at: Instant): boolean {
  const entries: readonly TransparencyLogEntry[] = tlogEntries;
  return entries.some((entry) => {
    const logs = tlogs.filter((log) => log.logID.equals(entry.logId.keyId));
    return !logs.some(({ validFor }) => validFor.start.getTime() <= at && at <= validFor.end.getTime());
  });
}

const CODES: ReadonlyMap<string, SignatureCode> = new Map([
  ['TIMESTAMP_ERROR', 'untrusted-time'],
  ['CERTIFICATE_ERROR', 'untrusted-certificate'],
  ['SIGNATURE_ERROR', 'bad-signature'],
  ['PUBLIC_KEY_ERROR', 'unknown-key'],
]);

/** Every throw is a refusal, not only those that the library means. */
function refusalOf(error: unknown): Refusal {
  if (!(error instanceof VerificationError))
    return refuse('malformed-bundle', 'the bundle holds a log entry, timestamp or certificate that cannot be read');
  return refuse(CODES.get(error.code) ?? 'untrusted-log', error.message);
}
