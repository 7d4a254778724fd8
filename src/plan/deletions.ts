import type { Sha256 } from '#model/digest.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { DeletionBudget } from '#model/plan.ts';
import { compareText, placeInFile } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';

export interface Deletions {
  readonly environment: EnvironmentName;
  readonly target: TargetName;
  /** Digest of the target rendering that deletes: what `sync.confirm` has to name. */
  readonly rendering: Sha256;
  /** How many objects there were. */
  readonly before: number;
  readonly deleted: readonly ObjectKey[];
  /** What stands there afterwards; absent: nothing that is known. */
  readonly placed?: readonly ObjectKey[];
  readonly budget: DeletionBudget;
  /** Git confirms exactly this rendering. */
  readonly confirmed: boolean;
  /** Every deletion wants a confirmation (`sync.prune: confirm`). */
  readonly always?: boolean;
}

/** Losing one of these loses what is in it, which no later run brings back. In lower case, as file names have them. */
const PROTECTED_KINDS: ReadonlySet<string> = new Set([
  'namespace',
  'customresourcedefinition',
  'persistentvolume',
  'persistentvolumeclaim',
]);
const SHOWN = 10;

export function deletionProblems(deletions: Deletions): readonly Problem[] {
  const { before, confirmed, target, always } = deletions;
  const deleted = [...new Map(deletions.deleted.map((key) => [keyText(key), key])).values()];
  if (deleted.length === 0 || confirmed) return [];
  const count = deleted.length;
  if (count >= before) {
    return [
      problem(
        deletions,
        'target-emptied',
        `would delete everything, ${count} of ${before} objects, of target ${target}: ${listed(deleted)}`,
      ),
    ];
  }
  const precious = deleted.filter((key) => PROTECTED_KINDS.has(key.kind.toLowerCase()));
  return [
    ...overBudget({ ...deletions, deleted }),
    ...(precious.length === 0
      ? []
      : [problem(deletions, 'protected-kind', `would delete from target ${target} what holds data or other objects: ${listed(precious)}`)]),
    ...(always === true
      ? [
          problem(
            deletions,
            'deletion-unconfirmed',
            `would delete ${count} of ${before} objects of target ${target}, and sync.prune is confirm: ${listed(deleted)}`,
          ),
        ]
      : []),
  ];
}

function overBudget(deletions: Deletions): readonly Problem[] {
  const { before, budget, target } = deletions;
  const successors = new Set((deletions.placed ?? []).map(stemOf));
  const deleted = deletions.deleted.filter((key) => !DIGEST.test(key.name) || !successors.has(stemOf(key)));
  const allowed = Math.min(budget.count, Math.floor((before * budget.percent) / 100));
  if (deleted.length <= allowed) return [];
  const sentence =
    `would delete ${deleted.length} of ${before} objects of target ${target}; its deletion budget is ${allowed} ` +
    `(the smaller of ${budget.count} and ${budget.percent} % of ${before}): ${listed(deleted)}`;
  return [problem(deletions, 'deletion-budget-exceeded', sentence)];
}

const DIGEST = /-[0-9a-f]{8}$/;

/** A name that ends in a digest of its content is another one after each change: its successor replaces it, and nothing is lost. */
function stemOf(key: ObjectKey): string {
  return DIGEST.test(key.name) ? keyText({ ...key, name: key.name.replace(DIGEST, '') }).toLowerCase() : '';
}

function problem(deletions: Deletions, code: string, sentence: string): Problem {
  const { environment, rendering } = deletions;
  return {
    code,
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `${environment} ${sentence}`,
    remedy:
      'If this is meant, say so in git for exactly this rendering: ' +
      `sync.confirm: [{ rendering: ${rendering}, reason: "..." }] in environment ${environment}. If not, bring back what was removed.`,
    place: { ...placeInFile(`environments/${environment}/environment.yaml`), pointer: '/spec/sync/confirm' },
    related: [],
  };
}

function listed(keys: readonly ObjectKey[]): string {
  const names = keys.map((key) => keyText(key)).toSorted(compareText);
  const more = names.length - SHOWN;
  return more > 0 ? `${names.slice(0, SHOWN).join(', ')} and ${more} more` : names.join(', ');
}
