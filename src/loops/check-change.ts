import { branchRef, toRefName } from '#model/names.ts';
import type { Ending } from '#model/receipt.ts';
import { validateSnapshot } from './check.ts';
import { renderedDifference } from './rendered-difference.ts';
import type { World } from './world.ts';

/** The status that the check of a pull request publishes on its head. */
export const VALIDATE_CHECK = 'capstan/validate';

/** Rows 1 to 6 for a proposal: what a reviewer sees is what will run. Publishes one status on the head. */
export async function checkChange(world: World, number: number, signal?: AbortSignal): Promise<Ending> {
  const refs = await world.repository.refs();
  const head = refs.get(toRefName(`refs/pull/${number}/head`));
  const main = refs.get(branchRef(world.settings.branch));
  if (head === undefined || main === undefined || world.forge === undefined) return { kind: 'settled' };
  // What is merged already shapes the default branch; there is nothing left to review.
  if (await world.repository.isAncestor(head, main)) return { kind: 'settled' };
  const base = (await world.repository.mergeBase(main, head)) ?? main;
  const at = await world.reading.at(head);
  const report = await validateSnapshot(world, at, signal);
  const errors = report.problems.filter((problem) => problem.severity === 'error');
  const difference = errors.length > 0 ? undefined : await renderedDifference(world, await world.reading.at(base), at, signal);
  const all = [...errors, ...(difference?.problems ?? [])];
  const [first] = all;
  const digests = (difference?.environments ?? []).map((item) => `${item.name} ${item.digest.head?.slice(0, 12) ?? 'gone'}`);
  const detail =
    first === undefined
      ? digests.length === 0
        ? 'valid; nothing rendered changes'
        : `valid; renders ${digests.join(', ')}`
      : `${all.length} errors; ${first.place.file ?? ''}:${first.place.line ?? ''} ${first.message}`;
  await world.forge.publish(head, {
    name: VALIDATE_CHECK,
    state: first === undefined ? 'success' : 'failure',
    detail: detail.length > 140 ? `${detail.slice(0, 139)}…` : detail,
  });
  return { kind: 'settled' };
}
