import type { Sha256 } from '#model/digest.ts';
import type { Inventory, InventoryObject, Outcome, Step, TargetPlan } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';

/** Everything held, and pending everything this run is about to write or remove. Written before the first step. */
export function announce(plan: TargetPlan, held: Inventory | undefined): readonly InventoryObject[] {
  const removed = new Map(plan.steps.flatMap((step) => removals(step)));
  const stays = (held?.objects ?? []).map((row): InventoryObject => {
    const basis = removed.get(row.path);
    return basis === undefined ? row : { ...row, sha256: basis, pending: true };
  });
  const known = new Set(stays.map(rowText));
  const coming = plan.steps.flatMap((step): readonly InventoryObject[] =>
    'text' in step ? [{ key: step.key, path: step.path, sha256: step.sha256, pending: true }] : [],
  );
  return [...stays, ...coming.filter((row) => !known.has(rowText(row)))].toSorted(byPath);
}

/** `next` for what was done, what was held where a step was refused, what was announced where one failed half way. Written last. */
export function whatIsThere(
  next: Inventory,
  before: { readonly held: Inventory | undefined; readonly announced: readonly InventoryObject[] },
  outcomes: ReadonlyMap<Step, Outcome>,
): readonly InventoryObject[] {
  const refused = pathsWith(outcomes, 'refused');
  const failed = pathsWith(outcomes, 'failed');
  const held = (before.held?.objects ?? []).filter((row) => refused.has(row.path) && !failed.has(row.path));
  const kept = new Set(held.map((row) => row.path));
  return [
    ...next.objects.filter((row) => !refused.has(row.path) && !failed.has(row.path)),
    ...held,
    ...before.announced.filter((row) => (refused.has(row.path) || failed.has(row.path)) && !kept.has(row.path)),
  ].toSorted(byPath);
}

function pathsWith(outcomes: ReadonlyMap<Step, Outcome>, result: Outcome['result']): ReadonlySet<string> {
  return new Set([...outcomes].filter(([, became]) => became.result === result).flatMap(([step]) => pathsOf(step)));
}

export function pathsOf(step: Step): readonly string[] {
  return [step.path, ...removals(step).map(([path]) => path)];
}

/** Path and basis of each file the step takes away. */
export function removals(step: Step): readonly (readonly [string, Sha256])[] {
  if (step.action === 'prune') return [[step.path, step.basis]];
  return 'leaves' in step ? step.leaves.map((left) => [left.path, left.basis] as const) : [];
}

function rowText(row: InventoryObject): string {
  return `${row.pending} ${row.sha256} ${row.path}`;
}

function byPath(a: InventoryObject, b: InventoryObject): number {
  return compareText(a.path, b.path) || Number(a.pending) - Number(b.pending);
}
