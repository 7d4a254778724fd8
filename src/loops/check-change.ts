import type { CommitId } from '#model/digest.ts';
import { branchRef, toRefName } from '#model/names.ts';
import type { RefName } from '#model/names.ts';
import type { Ending } from '#model/receipt.ts';
import { validateSnapshot } from './check.ts';
import { PROMOTE_CHECK } from './gate-evidence.ts';
import { fetchProposedImports, noteFailed } from './imports.ts';
import { judgeProposal } from './proposal-policies.ts';
import { renderedDifference } from './rendered-difference.ts';
import type { World } from './world.ts';

/** The status that the check of a pull request publishes on its head. */
export const VALIDATE_CHECK = 'capstan/validate';

/**
 * Rows 1 to 6 for a proposal: what a reviewer sees is what will run. Publishes one status on the head, and the promotion's status, too,
 * unless the head is a promotion: that status is required on the default branch, and nobody else would give it.
 */
export async function checkChange(world: World, number: number, signal?: AbortSignal): Promise<Ending> {
  const ref = toRefName(`refs/pull/${number}/head`);
  let refs = await world.repository.refs();
  if (!refs.has(ref)) {
    // A webhook can be faster than the next look.
    await world.repository.fetch(signal);
    refs = await world.repository.refs();
  }
  const head = refs.get(ref);
  const main = refs.get(branchRef(world.settings.branch));
  if (head === undefined || main === undefined || world.forge === undefined) return { kind: 'settled' };
  // What is merged already shapes the default branch; there is nothing left to review.
  if (await world.repository.isAncestor(head, main)) return { kind: 'settled' };
  const base = (await world.repository.mergeBase(main, head)) ?? main;
  noteFailed(world, await fetchProposedImports(world, { head, main }, signal));
  const at = await world.reading.at(head);
  const report = await validateSnapshot(world, at, signal);
  const errors = report.problems.filter((problem) => problem.severity === 'error');
  const difference =
    errors.length > 0 ? undefined : await renderedDifference(world, { base: await world.reading.at(base), head: at, only: [] }, signal);
  const proposal = { number, base: await world.reading.at(base), head: { ...at, commit: head }, main: await world.reading.at(main) };
  const judged = errors.length > 0 ? [] : await judgeProposal(world, proposal, signal);
  const all = [...errors, ...(difference?.problems ?? []), ...judged.filter((problem) => problem.severity === 'error')];
  const [first] = all;
  const digests = (difference?.environments ?? [])
    .filter(({ digest }) => digest.base !== digest.head)
    .map((item) => `${item.name} ${item.digest.head?.slice(0, 12) ?? 'gone'}`);
  const rendered = digests.length === 0 ? 'nothing rendered changes' : `renders ${digests.join(', ')}`;
  const detail =
    first === undefined
      ? `valid; ${rendered}${await lackingWords(world, refs, { main, head })}`
      : `${all.length} errors; ${first.place.file ?? ''}:${first.place.line ?? ''} ${first.message}`;
  // The status whose absence makes a look ask for this check again comes last.
  await publishPromoteCheck(world, refs, { base, head });
  await world.forge.publish(head, {
    name: VALIDATE_CHECK,
    state: first === undefined ? 'success' : 'failure',
    detail: detail.length > 140 ? `${detail.slice(0, 139)}…` : detail,
  });
  return { kind: 'settled' };
}

/**
 * Who must sign still, by the policy of the default branch: a forge merges with a key of its own, which never suffices. No failure, for
 * whoever merges may sign, or endorse first.
 */
async function lackingWords(
  world: World,
  refs: ReadonlyMap<RefName, CommitId>,
  { main, head }: { readonly main: CommitId; readonly head: CommitId },
): Promise<string> {
  if ([...refs].some(([name, id]) => id === head && MOVES_LOCKS.test(name))) return '';
  const held = await world.history.ifMerged(main, head);
  const [first] = held;
  return first === undefined ? '' : `; not signed yet (${held.length}): ${first.sentence}`;
}

/** A branch that only the engine writes, and whose status the promotion publishes. */
const MOVES_LOCKS = /^refs\/heads\/(promote|rollback)\//;

async function publishPromoteCheck(
  world: World,
  refs: ReadonlyMap<RefName, CommitId>,
  change: { readonly base: CommitId; readonly head: CommitId },
): Promise<void> {
  if ([...refs].some(([name, id]) => id === change.head && MOVES_LOCKS.test(name))) return;
  const moved = await changedLocks(world, change);
  const detail =
    moved.length === 0
      ? 'moves no lock'
      : `changes the lock of ${moved.join(', ')} by hand; close this and run: capstan promote ${moved[0] ?? ''}`;
  await world.forge?.publish(change.head, {
    name: PROMOTE_CHECK,
    state: moved.length === 0 ? 'success' : 'failure',
    detail: detail.length > 140 ? `${detail.slice(0, 139)}…` : detail,
  });
}

/** Environments whose lock was there before and is another one now; a first lock moves nothing. */
async function changedLocks(world: World, change: { readonly base: CommitId; readonly head: CommitId }): Promise<readonly string[]> {
  const [before, after] = await Promise.all(
    [change.base, change.head].map(async (commit) => (await world.reading.declarations(await world.reading.at(commit))).state.environments),
  );
  const locks = new Map(after?.map((environment) => [environment.name, environment.lock?.blob]));
  return (before ?? []).flatMap(({ name, lock }) => {
    const now = locks.get(name);
    return lock === undefined || now === undefined || now === lock.blob ? [] : [name];
  });
}
