import type { CommitFinding, CommitFindings, LookedUpCredential } from '#model/commit-finding.ts';
import { findingKey, NO_FINDINGS } from '#model/commit-finding.ts';
import type { Commit } from '#model/git-objects.ts';
import { createMemo } from '#model/memo.ts';
import { findSignature, type SignedObject } from '#model/signed-object.ts';
import type { Credential, TrustedRootFile, TrustPolicy } from '#model/trust-policy.ts';
import type { AllowedSigner } from '#model/verdict.ts';
import type { CommitSignatures } from '#ports/commit-signatures.ts';

export interface Candidates {
  readonly signers: readonly Pick<AllowedSigner, 'credential'>[];
  readonly trustedRoot: Pick<TrustedRootFile, 'text' | 'sha256'> | undefined;
}

/** Gathers what the judges of trust need to know about OpenPGP and X.509 signatures. */
export interface CommitFindingsReader {
  /** Nothing is read or loaded where no signer has such a key; each pair of object and key is looked at once. */
  of(objects: readonly Omit<SignedObject, 'kind'>[], candidates: Candidates, kind?: SignedObject['kind']): Promise<CommitFindings>;
  /** The same for commits that one of these policies will judge. */
  ofCommits(commits: readonly Commit[], policies: readonly (TrustPolicy | undefined)[]): Promise<CommitFindings>;
}

const REMEMBERED = 50_000;
const FORM = { 'openpgp-key': 'openpgp', 'x509-root': 'x509', keyless: 'x509' } as const;

/** The port is asked for when the first such signature is met. */
export function createCommitFindings(signatures: () => Promise<CommitSignatures>): CommitFindingsReader {
  const known = createMemo<CommitFinding>(REMEMBERED);

  async function look(object: SignedObject, { signers, trustedRoot }: Candidates, into: Map<string, CommitFinding>): Promise<void> {
    const found = findSignature(object);
    if (found.kind !== 'signed' || found.signature.form === 'ssh') return;
    const { signature } = found;
    for (const { credential } of signers) {
      if (!isLookedUp(credential) || FORM[credential.kind] !== signature.form) continue;
      const key = findingKey(object.id, credential, trustedRoot?.sha256);
      const root = trustedRoot === undefined ? undefined : Buffer.from(trustedRoot.text);
      const finding = known.get(key) ?? (await (await signatures()).examine({ signature, credential, trustedRoot: root }));
      into.set(key, known.set(key, finding));
    }
  }

  async function of(
    objects: readonly Omit<SignedObject, 'kind'>[],
    candidates: Candidates,
    kind: SignedObject['kind'] = 'commit',
  ): Promise<CommitFindings> {
    if (!candidates.signers.some(({ credential }) => isLookedUp(credential))) return NO_FINDINGS;
    const findings = new Map<string, CommitFinding>();
    for (const { id, raw } of objects) await look({ kind, id, raw }, candidates, findings);
    return findings;
  }

  return {
    of,
    async ofCommits(commits, policies) {
      const [first, ...others] = policies.flatMap((policy) => policy ?? []);
      const findings = first === undefined ? NO_FINDINGS : await of(commits, asCandidates(first));
      const more: CommitFindings[] = [];
      for (const policy of others) if (policy !== first) more.push(await of(commits, asCandidates(policy)));
      return more.every((one) => one.size === 0) ? findings : new Map([findings, ...more].flatMap((one) => [...one]));
    },
  };
}

function asCandidates({ entries, trustedRoot }: TrustPolicy): Candidates {
  return { signers: entries, trustedRoot };
}

function isLookedUp(credential: Credential): credential is LookedUpCredential {
  switch (credential.kind) {
    case 'openpgp-key':
    case 'x509-root':
    case 'keyless':
      return true;
    case 'ssh-key':
    case 'public-key':
      return false;
  }
}
