import { parseTrailers } from '#ledger/ledger.ts';
import type { CommitId } from '#model/digest.ts';
import { isObjectId } from '#model/digest.ts';
import { branchRef, type EnvironmentName, type RefName } from '#model/names.ts';
import { NOWHERE, type Problem } from '#model/problem.ts';
import type { Ending } from '#model/receipt.ts';
import type { World } from './world.ts';

const LIMIT = 1_000_000;

/**
 * What was acted on before binds what is acted on next, also in a process that remembers nothing: the commit that the last rendering
 * came from must be in the history of `revision`. A default branch behind it is stale or was turned back, and is waited for;
 * one beside it was rewritten. Undefined where all is well.
 */
export async function judgeAcceptedHistory(
  world: Pick<World, 'repository' | 'settings'>,
  from: { readonly environment: EnvironmentName | string; readonly revision: CommitId; readonly refs: ReadonlyMap<RefName, CommitId> },
): Promise<Ending | undefined> {
  const { environment, revision, refs } = from;
  const head = refs.get(branchRef(`rendered/${environment}`));
  if (head === undefined) return undefined;
  const { message } = await world.repository.commit(head);
  const source = parseTrailers(message).find((trailer) => trailer.key === 'Source-Commit')?.value;
  if (source === undefined || !isObjectId(source) || source === revision) return undefined;
  const acted = source as CommitId;
  const isBelow = await reaches(world, acted, revision);
  if (isBelow && (await isFirstParent(world.repository, acted, revision))) return undefined;
  const branch = world.settings.branch;
  if (isBelow) return { kind: 'stuck', problems: [sidelined(branch, environment, acted)] };
  if (await reaches(world, revision, acted))
    return { kind: 'retry', because: `${branch} is behind ${acted}, which ${environment} was already rendered from` };
  return { kind: 'stuck', problems: [rewritten(branch, environment, acted)] };
}

/** A commit that is nowhere any more is in nobody's history. */
async function reaches(world: Pick<World, 'repository'>, ancestor: CommitId, descendant: CommitId): Promise<boolean> {
  const known = await Promise.all([ancestor, descendant].map((id) => world.repository.resolve(id)));
  return !known.includes(undefined) && (await world.repository.isAncestor(ancestor, descendant));
}

/** A merge that has it as another parent than the first lets an older policy judge what came instead. */
async function isFirstParent(repository: World['repository'], acted: CommitId, revision: CommitId): Promise<boolean> {
  const oldest = (await repository.firstParents(revision, acted, LIMIT)).at(-1);
  return oldest !== undefined && (await repository.commit(oldest)).parents[0] === acted;
}

function sidelined(branch: string, environment: string, acted: CommitId): Problem {
  return {
    ...rewritten(branch, environment, acted),
    message: `${branch} has ${acted}, which ${environment} was rendered from, as a merged branch only: accepted history was put aside for another`,
    remedy: `Put ${branch} back to ${acted} and merge the other branch into it (not the other way round); find out who pushed the merge.`,
  };
}

function rewritten(branch: string, environment: string, acted: CommitId): Problem {
  return {
    code: 'history-rewritten',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `${branch} does not contain ${acted} any more, which ${environment} was rendered from: accepted history was rewritten`,
    remedy: `Restore ${branch} (git push origin ${acted}:${branch}), merge what is to stay into it, and find out who rewrote it.`,
    place: NOWHERE,
    related: [],
  };
}
