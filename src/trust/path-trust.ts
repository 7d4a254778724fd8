import type { CommitId, ObjectId } from '#model/digest.ts';
import type { TrustPolicy } from '#model/trust-policy.ts';
import type { AcceptedContent, HeldContent, Seal, TrustRoot, TrustState, TrustStep, UnitChange } from '#model/trust.ts';
import type { PathVerdict, Vouching } from '#model/verdict.ts';
import { type Judgement, purposeOf, signatureJudge, stepJudge } from './judge-step.ts';
import { entriesOn, firstShortage, thresholdsOn } from './people.ts';
import { readPolicy } from './policy-entries.ts';
import { endorsedBy, sealReason } from './trailers.ts';

/** The files whose content decides who may sign. */
const PROJECTS = ['environments/project.yaml', 'environments/project.yml'];
const NOTHING: ReadonlyMap<ObjectId, AcceptedContent> = new Map();
const NOT_ENFORCED: PathVerdict = { kind: 'not-enforced' };

/** What a step works on: copies of the state it goes out from. */
interface Draft {
  readonly units: Map<string, PathVerdict>;
  readonly accepted: Map<string, ReadonlyMap<ObjectId, AcceptedContent>>;
  readonly held: Map<string, HeldContent>;
  policy: TrustPolicy;
  project: TrustState['project'];
  head: CommitId;
  seal: Seal | undefined;
  openSeal: TrustState['openSeal'];
}

export function startState(root: TrustRoot): TrustState {
  const by = { by: 'the trust root', commit: root.commit.id };
  const policy = root.policy ?? readPolicy(undefined, new Map()).policy;
  return {
    root: root.commit.id,
    head: root.commit.id,
    policy,
    project: root.project,
    units: new Map(
      root.units.map(({ path }) => [path, policy.enforced.has(purposeOf(policy, path)) ? { kind: 'accepted', ...by } : NOT_ENFORCED]),
    ),
    accepted: new Map(root.units.flatMap(({ path, id }) => (id === undefined ? [] : [[path, new Map([[id, { ...by, signed: [] }]])]]))),
    held: new Map(),
    seal: undefined,
    openSeal: undefined,
    rewrittenBy: undefined,
  };
}

/** What judges the next commit: what its first parent declares, if all of that was itself accepted, else what judged before. */
export function judgingPolicy(state: Pick<TrustState, 'units' | 'policy'>, declared: TrustPolicy | undefined): TrustPolicy {
  if (declared === undefined) return state.policy;
  const files = [...PROJECTS, ...declared.files];
  return files.every((file) => pathsUpFrom(file).every((path) => isHonoured(state.units.get(path)))) ? declared : state.policy;
}

export function advance(state: TrustState, steps: readonly TrustStep[]): TrustState {
  const draft: Draft = {
    units: new Map(state.units),
    accepted: new Map(state.accepted),
    held: new Map(state.held),
    policy: state.policy,
    project: state.project,
    head: state.head,
    seal: state.seal,
    openSeal: state.openSeal,
  };
  let { rewrittenBy } = state;
  for (const step of steps) {
    if (rewrittenBy !== undefined) break;
    if (step.commit.parents[0] !== draft.head) {
      rewrittenBy = step.commit.id;
      break;
    }
    const policy = judgingPolicy(draft, step.policy);
    beginOrEndEnforcing(draft, policy);
    draft.policy = policy;
    if (policy === step.policy) draft.project = step.project;
    takeStep(draft, step);
    draft.head = step.commit.id;
  }
  return { root: state.root, ...draft, rewrittenBy };
}

function takeStep(draft: Draft, step: TrustStep): void {
  const { policy } = draft;
  const judge = stepJudge(step, policy, draft.project?.value);
  for (const change of step.changes) {
    const judgement = policy.enforced.has(purposeOf(policy, change.path))
      ? judge(change, repairOf(draft, change.path))
      : { verdict: NOT_ENFORCED, vouching: [] };
    note(draft, { change, judgement, commit: step.commit.id });
  }
  if (step.isEmpty && endorsedBy(step.commit) !== undefined) addEndorsement(draft, step);
  else draft.openSeal = step.isEmpty ? sealBy(draft, step) : undefined;
  if (draft.openSeal !== undefined) closeSeal(draft, draft.openSeal);
}

/** A signature more under whatever is held as it stands, and under a seal right before. */
function addEndorsement(draft: Draft, step: TrustStep): void {
  const { policy, openSeal } = draft;
  const signatureFor = signatureJudge(step, policy);
  for (const [path, held] of draft.held) {
    const wanted = { purpose: purposeOf(policy, path), path };
    const signature = signatureFor(step.commit, [wanted.purpose], path);
    if (signature.kind !== 'accepted') continue;
    // Whoever signed before must still be somebody who may.
    const known = new Set(entriesOn(policy, wanted).map((entry) => entry.name));
    const vouching = [...held.vouching.filter((one) => known.has(one.by)), { by: signature.signer, commit: step.commit.id }];
    const thresholds = thresholdsOn(policy, wanted);
    const missing = firstShortage(policy, thresholds, vouching);
    if (missing === undefined) accept(draft, path, { content: held.content, vouching, commit: step.commit.id });
    else {
      draft.held.set(path, { ...held, vouching });
      const sentence = `${path} was changed by ${held.commit.slice(0, 10)}: ${missing}`;
      draft.units.set(path, { kind: 'refused', commit: held.commit, sentence });
    }
  }
  if (openSeal === undefined) return;
  const signature = signatureFor(step.commit, ['policy'], undefined);
  if (signature.kind !== 'accepted') return;
  draft.openSeal = { ...openSeal, vouching: [...openSeal.vouching, { by: signature.signer, commit: step.commit.id }] };
}

/** Only an entry for policy that counts everywhere seals: what a seal accepts may be anything. */
function sealBy({ policy }: Draft, step: TrustStep): TrustState['openSeal'] {
  const reason = sealReason(step.commit);
  if (reason === undefined || !policy.enforced.has('policy')) return undefined;
  const signature = signatureJudge(step, policy)(step.commit, ['policy'], undefined);
  if (signature.kind !== 'accepted') return undefined;
  return { commit: step.commit.id, by: signature.signer, reason, vouching: [{ by: signature.signer, commit: step.commit.id }] };
}

/** Wherever a threshold for policy holds, it holds for a seal. */
function closeSeal(draft: Draft, { commit, by, reason, vouching }: NonNullable<TrustState['openSeal']>): void {
  const thresholds = draft.policy.thresholds.filter((threshold) => threshold.purposes.includes('policy'));
  if (firstShortage(draft.policy, thresholds, vouching) !== undefined) return;
  for (const [path, { content }] of draft.held) accept(draft, path, { content, vouching, commit });
  draft.seal = { commit, by, reason };
  draft.openSeal = undefined;
}

interface Acceptance {
  readonly content: ObjectId | undefined;
  readonly vouching: readonly Vouching[];
  readonly commit: CommitId;
}

function accept({ units, accepted, held }: Draft, path: string, { content, vouching, commit }: Acceptance): void {
  held.delete(path);
  if (content === undefined) {
    units.delete(path);
    accepted.delete(path);
    return;
  }
  const by = vouching[0]?.by ?? '';
  units.set(path, { kind: 'accepted', by, commit, ...(vouching.length > 1 ? { vouching } : {}) });
  accepted.set(path, new Map([[content, { by, commit, signed: vouching.map((one) => one.commit) }]]));
}

export function isHonoured(verdict: PathVerdict | undefined): boolean {
  return verdict === undefined || verdict.kind === 'accepted' || verdict.kind === 'not-enforced';
}

/** A folder that cannot be walked is one unit, and stands for the files in it. */
function pathsUpFrom(file: string): readonly string[] {
  const segments = file.split('/');
  return segments.map((_, index) => segments.slice(0, index + 1).join('/'));
}

/** What was in place when trust was declared stays accepted, until it changes; and what nobody judges any more is not held. */
function beginOrEndEnforcing({ units, accepted, held, policy, head }: Draft, now: TrustPolicy): void {
  if (policy === now || (isSameSet(policy.enforced, now.enforced) && isSameSet(policy.files, now.files))) return;
  for (const [unit, verdict] of units) {
    if (!now.enforced.has(purposeOf(now, unit))) {
      const stands = held.get(unit);
      if (stands?.content !== undefined) accepted.set(unit, new Map([[stands.content, nobody(stands.commit)]]));
      held.delete(unit);
      units.set(unit, NOT_ENFORCED);
    } else if (verdict.kind === 'not-enforced') units.set(unit, { kind: 'accepted', by: 'the commit that declared trust', commit: head });
  }
}

function isSameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((item) => other.has(item));
}

function nobody(commit: CommitId): AcceptedContent {
  return { by: 'nobody, before trust was declared', commit, signed: [] };
}

interface Judged {
  readonly change: UnitChange;
  readonly judgement: Judgement;
  readonly commit: CommitId;
}

/**
 * Content that a change may bring back without anybody's key: the last accepted one of a unit that was broken since. What stands
 * accepted is turned back to something older only by a signature, else whoever may push could downgrade.
 */
function repairOf({ units, accepted }: Draft, path: string): ReadonlyMap<ObjectId, AcceptedContent> {
  return isHonoured(units.get(path)) ? NOTHING : (accepted.get(path) ?? NOTHING);
}

function note({ units, accepted, held }: Draft, { change, judgement, commit }: Judged): void {
  const { path, after } = change;
  const { verdict, vouching } = judgement;
  const wasRefused = !isHonoured(units.get(path)) && !accepted.has(path);
  held.delete(path);
  if (after === undefined && isHonoured(verdict)) {
    units.delete(path);
    accepted.delete(path);
    return;
  }
  // What was never accepted may go without anybody's word; what was accepted may not.
  if (after === undefined && wasRefused) {
    units.delete(path);
    return;
  }
  units.set(path, verdict);
  if (!isHonoured(verdict)) held.set(path, { content: after, commit, vouching });
  if (after === undefined || !isHonoured(verdict)) return;
  const signed = vouching.map((one) => one.commit);
  // What was only put right is as old as it was.
  if (signed.length === 0 && accepted.get(path)?.has(after) === true) return;
  accepted.set(path, new Map([[after, verdict.kind === 'accepted' ? { by: verdict.by, commit, signed } : nobody(commit)]]));
}
