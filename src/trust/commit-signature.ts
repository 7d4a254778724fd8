import type { CommitFact, CommitFindings, LookedUpCredential } from '#model/commit-finding.ts';
import { findingKey, NO_FINDINGS } from '#model/commit-finding.ts';
import { toCommitId, type Sha256 } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import { matchesIdentity } from '#model/identity-match.ts';
import type { Instant } from '#model/instant.ts';
import { namesOfSshKey, type RevokedKeys } from '#model/revoked-keys.ts';
import { type EmbeddedSignature, findSignature, type SignedObject } from '#model/signed-object.ts';
import { sshFingerprint, sshPublicKeyText } from '#model/ssh-key.ts';
import { parseSshSignature, verifySshSignature } from '#model/ssh-signature.ts';
import type { AllowedSigner, SignatureVerdict, TrustPurpose } from '#model/verdict.ts';
import { isInWindow } from './signers.ts';

export interface Judged {
  readonly signers: readonly AllowedSigner[];
  /** One of these suffices. */
  readonly purposes: readonly TrustPurpose[];
  readonly firstSeen: Instant;
  /** What was looked up about OpenPGP and X.509 signatures; without it, such a signature could not be looked at. */
  readonly findings?: CommitFindings | undefined;
  /** Digest of the trusted root that keyless signatures were compared with. */
  readonly trustedRoot?: Sha256 | undefined;
  /** Fingerprints of keys and certificates that no longer count, whatever else speaks for them. */
  readonly revoked?: RevokedKeys | undefined;
}

/** Stricter than `git verify-commit`: see the clarifications on trust. The author's name and dates play no part. */
export function judgeSignature(commit: Commit, judged: Judged): SignatureVerdict {
  return judgeObject({ kind: 'commit', id: commit.id, raw: commit.raw }, judged);
}

/** The same for an annotated tag, which vouches for itself only, not for what it names. */
export function judgeObject(object: SignedObject, judged: Judged): SignatureVerdict {
  const called = `${object.kind} ${object.id.slice(0, 10)}`;
  const commit = toCommitId(object.id);
  const found = findSignature(object);
  const judgement: Judgement =
    found.kind === 'signed'
      ? judgeEmbedded(object, found.signature, judged)
      : found.kind === 'refused'
        ? refusal(found.code, found.reason)
        : { kind: 'unsigned' };
  switch (judgement.kind) {
    case 'accepted':
      return {
        kind: 'accepted',
        commit,
        signer: judgement.signer,
        fingerprint: judgement.fingerprint,
        identity: judgement.identity,
        sentence: `${called} is signed by ${judgement.identity === undefined ? '' : `${judgement.identity}, allowed by `}${judgement.signer}`,
      };
    case 'unsigned':
      return { kind: 'unsigned', commit, sentence: `${called} is not signed` };
    case 'refused':
      return {
        kind: 'refused',
        commit,
        code: judgement.code,
        sentence: `the signature of ${called} does not count: ${judgement.reason}`,
      };
    case 'could-not-look':
      return { kind: 'could-not-look', commit, sentence: `the signature of ${called} could not be looked at: ${judgement.reason}` };
  }
}

type Judgement =
  | { readonly kind: 'accepted'; readonly signer: string; readonly fingerprint: string; readonly identity: string | undefined }
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string }
  | { readonly kind: 'could-not-look'; readonly reason: string };

function judgeEmbedded(object: SignedObject, signature: EmbeddedSignature, judged: Judged): Judgement {
  switch (signature.form) {
    case 'ssh':
      return judgeSsh(signature, judged);
    case 'openpgp':
    case 'x509':
      return judgeLookedUp(object, signature.form, judged);
  }
}

function judgeSsh({ armoured, payload }: EmbeddedSignature, judged: Judged): Judgement {
  const read = parseSshSignature(armoured);
  if (!read.ok) return refusal(read.code, read.reason);
  const fingerprint = sshFingerprint(read.value.publicKey.blob);
  const text = sshPublicKeyText(read.value.publicKey);
  const owners = judged.signers.filter(({ credential }) => credential.kind === 'ssh-key' && credential.key === text);
  if (owners.length === 0) return refusal('unknown-key', `no trust entry names the key ${fingerprint} that signed it`);
  if (!verifySshSignature(read.value, payload)) return refusal('bad-signature', 'the signature does not fit its bytes');
  const forGit = owners.filter(({ namespaces }) => namespaces?.includes(NAMESPACE) !== false);
  if (forGit.length === 0)
    return refusal('wrong-namespace', `the key of ${owners[0]?.name ?? 'nobody'} is not for the namespace ${NAMESPACE}`);
  const names = namesOfSshKey(read.value.publicKey.blob);
  return judgeOwners(forGit, { fingerprint, names, identity: undefined }, judged);
}

interface KnownKey {
  readonly fingerprint: string;
  /** Everything that a revocation may call it. */
  readonly names: readonly string[];
  /** Whom a certificate names. */
  readonly identity: string | undefined;
}

/** Owners of the key that signed: not revoked, meant for this, and lent at this time. */
function judgeOwners(owners: readonly AllowedSigner[], key: KnownKey, { purposes, firstSeen, revoked }: Judged): Judgement {
  const { fingerprint, identity } = key;
  const names = owners.map((owner) => owner.name);
  if (key.names.some((name) => revoked?.has(name)))
    return refusal('revoked-key', `the key ${fingerprint} of ${names[0] ?? 'nobody'} was revoked`);
  const meant = owners.filter((signer) => signer.purposes.some((purpose) => purposes.includes(purpose)));
  if (meant.length === 0) return refusal('wrong-purpose', `${names[0] ?? 'nobody'} may not sign for ${purposes.join(' or ')}`);
  const signer = meant.find((owner) => isInWindow(owner, firstSeen));
  if (signer === undefined) return refusal('outside-window', `the key of ${names[0] ?? 'nobody'} was not valid when it was first seen`);
  return { kind: 'accepted', signer: signer.name, fingerprint, identity };
}

/** Said of a credential that has nothing to do with the signature. */
const FAR: ReadonlySet<string> = new Set(['unknown-key', 'untrusted-certificate']);
/** What commits and tags are signed for. */
const NAMESPACE = 'git';
const FORMS = { openpgp: 'an OpenPGP', x509: 'an X.509' } as const;

/** Each entry that could have made such a signature is asked; one that vouches suffices, else the most telling word counts. */
function judgeLookedUp(object: SignedObject, form: 'openpgp' | 'x509', judged: Judged): Judgement {
  const judgements = judged.signers.flatMap((signer) => {
    const credential = candidateFor(form, signer);
    return credential === undefined ? [] : [judgeCandidate(object, { signer, credential }, judged)];
  });
  return (
    judgements.find((one) => one.kind === 'accepted') ??
    judgements.find((one) => one.kind === 'refused' && !FAR.has(one.code)) ??
    judgements.find((one) => one.kind === 'could-not-look') ??
    judgements.find((one) => one.kind === 'refused' && one.code !== 'unknown-key') ??
    judgements[0] ??
    refusal('unknown-key', `no trust entry names a key for ${FORMS[form]} signature`)
  );
}

interface Candidate {
  readonly signer: AllowedSigner;
  readonly credential: LookedUpCredential;
}

function judgeCandidate(object: SignedObject, { signer, credential }: Candidate, judged: Judged): Judgement {
  const finding = (judged.findings ?? NO_FINDINGS).get(findingKey(object.id, credential, judged.trustedRoot));
  if (finding === undefined) return { kind: 'could-not-look', reason: `nobody compared it with the key of ${signer.name}` };
  switch (finding.kind) {
    case 'other-key':
      return refusal('unknown-key', `no trust entry names the key ${finding.key === undefined ? '' : `${finding.key} `}that signed it`);
    case 'refused':
      return finding.code === 'could-not-look' ? { kind: 'could-not-look', reason: finding.reason } : refusal(finding.code, finding.reason);
    case 'holds':
      return judgeFact(finding.fact, { signer, credential }, judged);
  }
}

/** The key must have been good when the commit was first seen here, or when a log vouches that it was signed; its own date is nobody's word. */
function judgeFact(fact: CommitFact, { signer, credential }: Candidate, judged: Judged): Judgement {
  if (!isMeant(fact, credential)) return refusal('wrong-identity', `it was signed by ${namesOf(fact)}, and ${signer.name} is another`);
  const at = fact.provenAt ?? judged.firstSeen;
  const when = fact.provenAt === undefined ? 'it was first seen' : 'it was signed';
  if (at < fact.goodFrom) return refusal('key-not-yet-valid', `the key of ${signer.name} was not valid yet when ${when}`);
  if (fact.goodBefore !== undefined && at >= fact.goodBefore)
    return refusal('expired-key', `the key of ${signer.name} had expired when ${when}`);
  return judgeOwners([signer], { ...fact, names: [fact.fingerprint, fact.signedBy], identity: identityIn(fact) }, judged);
}

function isMeant(fact: CommitFact, credential: LookedUpCredential): boolean {
  switch (credential.kind) {
    case 'openpgp-key':
      return true;
    case 'x509-root': {
      const { identity } = credential;
      return identity === undefined || fact.identities.some((one) => matchesIdentity(identity, one));
    }
    case 'keyless':
      return fact.issuer === credential.issuer && fact.identities.some((one) => matchesIdentity(credential.identity, one));
  }
}

/** The one that a certificate names first. */
function identityIn({ identities }: CommitFact): string | undefined {
  return identities[0];
}

function namesOf({ identities, issuer }: CommitFact): string {
  const names = identities.length === 0 ? 'a certificate that names nobody' : identities.slice(0, 3).join(', ');
  return issuer === undefined ? names : `${names} (${issuer})`;
}

function candidateFor(form: 'openpgp' | 'x509', { credential }: AllowedSigner): LookedUpCredential | undefined {
  switch (credential.kind) {
    case 'openpgp-key':
      return form === 'openpgp' ? credential : undefined;
    case 'x509-root':
    case 'keyless':
      return form === 'x509' ? credential : undefined;
    case 'ssh-key':
    case 'public-key':
      return undefined;
  }
}

function refusal(code: string, reason: string): Extract<Judgement, { kind: 'refused' }> {
  return { kind: 'refused', code, reason };
}
