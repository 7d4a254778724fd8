import type { CommitId, Sha256 } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import type { SignedApprovals } from '#model/promotion.ts';
import { visibleText } from '#model/quoted.ts';
import { APPROVAL_NAMESPACE, parseApproval, type ApprovalFact } from '#model/signed-approval.ts';
import type { TrustEntry, TrustPolicy } from '#model/trust-policy.ts';
import { isPortError } from '#ports/port-error.ts';
import { judgeFact, judgeFacts } from '#trust/trust.ts';
import type { World } from './world.ts';

export interface ApprovalsRequest {
  readonly head: CommitId | undefined;
  readonly environment: string;
  /** Of the change set as it stands now: an approval of an older one lies elsewhere, and names another. */
  readonly sha256: Sha256;
  readonly policy: TrustPolicy;
  readonly at: Instant;
}

/** Approvals that people signed with their SSH keys over exactly this change set for this environment; why others do not count. */
export async function signedApprovals(world: Pick<World, 'evidence'>, request: ApprovalsRequest): Promise<SignedApprovals> {
  const refused: string[] = [];
  const good: { readonly fact: ApprovalFact; readonly person: string }[] = [];
  try {
    const { bundles, isCut } = await world.evidence.of(request.head, request.sha256);
    for (const stored of bundles.filter(({ form }) => form === 'approval')) {
      const bytes = await world.evidence.bytes(stored.blob);
      const read = bytes === undefined ? { ok: false as const, reason: 'it is larger than an approval may be' } : parseApproval(bytes);
      const judged = read.ok ? judge(read.value, request) : read.reason;
      if (!read.ok || typeof judged === 'string') refused.push(visibleText(typeof judged === 'string' ? judged : '', 200));
      else good.push({ fact: read.value, person: judged.person });
    }
    const short = good.length === 0 ? undefined : shortOf(request, good);
    return {
      counted: short === undefined ? good.map(({ fact, person }) => ({ person, at: fact.at })) : [],
      refused: [...refused, ...(short === undefined ? [] : [short])],
      unread: isCut ? 'there are more approvals than are looked at' : undefined,
    };
  } catch (error) {
    if (!isPortError(error)) throw error;
    return { counted: [], refused, unread: error.message };
  }
}

/** The person, or why the signature does not count. */
function judge(read: ApprovalFact, request: ApprovalsRequest): { readonly person: string } | string {
  const { approved, sshKey, fact, at } = read;
  if (approved.sha256 !== request.sha256 || !request.sha256.startsWith(approved.changeSet.slice('cs-'.length)))
    return `it is an approval of another change set (${approved.changeSet})`;
  if (approved.environment !== request.environment) return `it is an approval for ${approved.environment}`;
  if (at > request.at) return 'it is dated ahead';
  const verdict = judgeFact(fact, knowing(request.policy, read), askedOf(request));
  if (verdict.kind !== 'accepted') return verdict.sentence;
  const entry = request.policy.entries.find(({ name }) => name === verdict.by);
  const namespaces = entry?.namespaces;
  if (namespaces !== undefined && !namespaces.includes(APPROVAL_NAMESPACE))
    return `trust entry ${verdict.by} does not allow the namespace ${APPROVAL_NAMESPACE} (${sshKey.split(' ')[0] ?? ''})`;
  return { person: verdict.person };
}

function askedOf({ environment, at }: ApprovalsRequest) {
  return { purpose: 'approval', path: `environments/${environment}/environment.lock.yaml`, firstSeen: at } as const;
}

/** Keys of security tokens sign nothing but SSH, so their entries have no digest to be found by: here they are found by the key itself. */
function knowing(policy: TrustPolicy, { fact: { signer }, sshKey }: ApprovalFact): TrustPolicy {
  if (signer.kind !== 'key') return policy;
  const { spkiSha256 } = signer;
  const entries = policy.entries.map((entry): TrustEntry => {
    const { credential } = entry;
    return credential.kind === 'ssh-key' && credential.key === sshKey ? { ...entry, credential: { ...credential, spkiSha256 } } : entry;
  });
  return { ...policy, entries };
}

/** A threshold for approvals that the signatures together do not reach. */
function shortOf(request: ApprovalsRequest, good: readonly { readonly fact: ApprovalFact }[]): string | undefined {
  let { policy } = request;
  for (const { fact } of good) policy = knowing(policy, fact);
  const verdict = judgeFacts(
    good.map(({ fact }) => fact.fact),
    policy,
    askedOf(request),
  );
  return verdict.kind === 'accepted' ? undefined : verdict.sentence;
}
