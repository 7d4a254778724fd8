import type { ArtifactFacts } from '#model/capsule-artifact.ts';
import { statementMistake } from '#model/capsule-statement.ts';
import type { CapsuleSignatureVerdict } from '#model/capsule-verdict.ts';
import type { Instant } from '#model/instant.ts';
import { visibleText } from '#model/quoted.ts';
import type { SignatureFact, SignatureFinding } from '#model/signature-finding.ts';
import type { TrustPolicy } from '#model/trust-policy.ts';
import { judgeCapsule } from '#promotion/promotion.ts';
import { judgeFact, judgeFacts } from '#trust/trust.ts';

type Standing = Parameters<typeof judgeCapsule>[0]['signatures'][number]['standing'];

export interface CapsuleFindings {
  readonly facts: Pick<ArtifactFacts, 'name' | 'version' | 'sha256' | 'gitTree'>;
  /** What the mathematics say of each bundle that was found. */
  readonly findings: readonly SignatureFinding[];
  readonly isCut: boolean;
  /** Why a place could not be looked at. */
  readonly unread: string | undefined;
}

export interface CapsuleJudge {
  readonly policy: TrustPolicy;
  /** `security.signatures.identities` of the capsule. */
  readonly allowed: readonly string[];
  /** Counts where no log or authority vouches for a time. */
  readonly firstSeen: Instant;
}

/** What the signatures of a capsule come to under a project's policy: mathematics, then subject, then who may. */
export function judgeByPolicy(found: CapsuleFindings, judge: CapsuleJudge): CapsuleSignatureVerdict {
  const { policy, allowed, firstSeen } = judge;
  const { name, version } = found.facts;
  const asked = { purpose: 'capsule', path: `capsules/${name}`, firstSeen } as const;
  const meant = allowed.length === 0 ? policy : { ...policy, entries: policy.entries.filter((entry) => allowed.includes(entry.name)) };
  const own: SignatureFact[] = [];
  const signatures = found.findings.map((finding): { readonly standing: Standing } => {
    const standing = standingOf(finding, found.facts);
    if (standing !== undefined || finding.kind !== 'verified') return { standing: standing ?? MALFORMED };
    own.push(finding.fact);
    // One key may have several entries; the one that the capsule allows counts.
    const narrow = judgeFact(finding.fact, meant, asked);
    const verdict = narrow.kind === 'accepted' ? narrow : judgeFact(finding.fact, policy, asked);
    switch (verdict.kind) {
      case 'accepted':
        return { standing: { kind: 'allowed', by: verdict.by } };
      case 'not-enforced':
        return { standing: { kind: 'refused', code: 'unknown-key', reason: `must be signed, but ${verdict.sentence}` } };
      case 'refused':
        return { standing: { kind: 'refused', code: verdict.code, reason: verdict.sentence.replace(/^it /, '') } };
    }
  });
  const together = judgeFacts(own, meant, asked);
  const shortage = together.kind === 'refused' && together.code === 'too-few-signatures' ? together.sentence : undefined;
  return judgeCapsule({ capsule: name, version, allowed, signatures, isCut: found.isCut, shortage, unread: found.unread });
}

/** The same where keys or identities were given by hand: whoever of them signed may. */
export function judgeByCredential(found: CapsuleFindings, by: string): CapsuleSignatureVerdict {
  const { name, version } = found.facts;
  const signatures = found.findings.map((finding) => ({ standing: standingOf(finding, found.facts) ?? { kind: 'allowed' as const, by } }));
  return judgeCapsule({ capsule: name, version, allowed: [], signatures, isCut: found.isCut, shortage: undefined, unread: found.unread });
}

const MALFORMED: Standing = { kind: 'refused', code: 'malformed-bundle', reason: 'has a signature that cannot be read' };

/** Undefined: it holds, and is about exactly this content. */
function standingOf(finding: SignatureFinding, facts: CapsuleFindings['facts']): Standing | undefined {
  if (finding.kind === 'refused' && finding.code === 'unknown-key')
    return { kind: 'refused', code: finding.code, reason: 'is signed by nobody whose key is trusted' };
  if (finding.kind === 'refused')
    return { kind: 'refused', code: finding.code, reason: `has a signature that does not count: ${visibleText(finding.reason, 160)}` };
  const mistake = statementMistake(finding.fact, facts);
  if (mistake === undefined) return undefined;
  return { kind: 'refused', code: mistake.code, reason: visibleText(mistake.reason, 200) };
}
