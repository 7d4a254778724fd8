import type { CommitId } from '#model/digest.ts';
import { parseDuration } from '#model/instant.ts';
import { branchRef, toEnvironmentName } from '#model/names.ts';
import type { EnvironmentName, RefName } from '#model/names.ts';
import type { Ending, Trigger } from '#model/receipt.ts';
import { VALIDATE_CHECK } from './check-change.ts';
import { strangerAt } from './engine-branches.ts';
import { problemsOfEnvironment } from './prepare-environment.ts';
import type { Declarations } from './reading.ts';
import { releaseTips } from './release-branches.ts';
import { retryRule } from './sync-rules.ts';
import { upstreamNames } from './upstream.ts';
import type { World } from './world.ts';

export interface LookedEnvironment {
  readonly environment: EnvironmentName;
  /** `sync.interval` in milliseconds. */
  readonly interval: number | undefined;
  /** `sync.retryInterval` and `sync.retryBudget`, in milliseconds. */
  readonly retry: ReturnType<typeof retryRule>;
  readonly upstreams: readonly EnvironmentName[];
}

/** What a look at the repository found to do. */
export interface LookResult {
  readonly ending: Ending;
  readonly environments: readonly LookedEnvironment[];
  /** Environments whose declarations, policies or rendered branch moved since the last look. */
  readonly reconcile: readonly EnvironmentName[];
  /** Environments to which something new may move. */
  readonly promote: readonly EnvironmentName[];
  /** Pull requests whose head moved. */
  readonly check: readonly number[];
  /** Branches of the engine's own that somebody else moved. */
  readonly alarms: readonly string[];
}

/** Remembers the last look, so that the next one names only what moved. Losing it costs one look at everything. */
export interface Looker {
  /** A poll fetches only if there is something to fetch: mostly there is not, and nobody said so. */
  look(signal?: AbortSignal, trigger?: Trigger): Promise<LookResult>;
}

export function createLooker(world: World): Looker {
  let last: { readonly main: CommitId; readonly declarations: Declarations; readonly released: string } | undefined;

  async function look(signal?: AbortSignal, trigger?: Trigger): Promise<LookResult> {
    if (last === undefined || trigger !== 'poll' || (await world.repository.hasNews(signal))) await world.repository.fetch(signal);
    const arrivals = world.arrivals.waiting();
    const refs = await world.repository.refs();
    // Where they stand now: what stood there in between may be gone.
    const moved = new Map([...arrivals.keys()].map((ref) => [ref, refs.get(ref)]));
    const main = refs.get(branchRef(world.settings.branch));
    if (main === undefined) return nothing({ kind: 'retry', because: `the repository has no branch ${world.settings.branch} yet` });
    const promotions = new Set([...moved.keys()].flatMap((ref) => /^refs\/heads\/promote\/([^/]+)\//.exec(ref)?.[1] ?? []));
    const check = [...moved]
      .flatMap(([ref, after]) => (after === undefined ? [] : (/^refs\/pull\/(\d{1,9})\/head$/.exec(ref)?.[1] ?? [])))
      .map(Number);
    if (last === undefined) check.push(...(await uncheckedChanges(world)));
    const alarms = await alarmsOf(world, main, last === undefined ? refs : moved);
    const released = (declarations: Declarations): string =>
      releaseTips(refs, declarations.state.project?.value.spec.branches?.release ?? [], world.settings.branch);
    if (last?.main === main && promotions.size === 0 && released(last.declarations) === last.released) {
      world.arrivals.seen(moved);
      return { ...nothing({ kind: 'settled' }), environments: known(last.declarations), check: unique(check), alarms };
    }

    const declarations = await world.reading.declarations(await world.reading.at(main));
    const changed = changedEnvironments(last?.declarations, declarations);
    const isRelease = last === undefined || !sameTrees(last.declarations, declarations) || released(declarations) !== last.released;
    const environments = known(declarations);
    const downstream = environments
      .filter((item) =>
        item.upstreams.length === 0
          ? isRelease || changed.has(item.environment)
          : changed.has(item.environment) || promotions.has(item.environment),
      )
      .map((item) => item.environment);
    last = { main, declarations, released: released(declarations) };
    world.arrivals.seen(moved);
    return { ending: { kind: 'settled' }, environments, reconcile: [...changed], promote: downstream, check: unique(check), alarms };
  }

  return { look };
}

/** Branches of the engine's that somebody else moved. Whatever depends on one is stuck when it runs next; here it is said at once. */
async function alarmsOf(world: World, main: CommitId, moved: ReadonlyMap<RefName, CommitId | undefined>): Promise<readonly string[]> {
  const own = [...moved].filter(([ref]) => /^refs\/heads\/(rendered\/|audit$)/.test(ref));
  if (own.length === 0) return [];
  const { trust } = await world.history.upTo(main);
  const found = await Promise.all(own.map(([ref, after]) => strangerAt(world, trust, ref.slice('refs/heads/'.length), after)));
  return found.flatMap((problem) => problem?.message ?? []);
}

/** Open pull requests whose head nobody checked: a look that saw them move may have died before their check. */
async function uncheckedChanges(world: Pick<World, 'forge' | 'clock'>): Promise<readonly number[]> {
  if (world.forge === undefined) return [];
  const found: number[] = [];
  for (const change of await world.forge.list('', world.clock.now())) {
    if (change.state !== 'open') continue;
    const checks = await world.forge.checks(change.headCommit);
    if (!checks.some((reading) => reading.name === VALIDATE_CHECK)) found.push(change.number);
  }
  return found;
}

function unique(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)];
}

/** One that cannot be read is known all the same: its run says what is wrong with it. */
function known(declarations: Declarations): readonly LookedEnvironment[] {
  const readable = declarations.state.environments.map((item) => ({
    environment: item.name,
    interval: parseDuration(item.declared.value.spec.sync?.interval ?? ''),
    retry: retryRule(item),
    upstreams: upstreamNames(item),
  }));
  const broken = [...declarations.environmentTrees.keys()].filter(
    (name) => !readable.some((item) => item.environment === name) && problemsOfEnvironment(declarations, name).length > 0,
  );
  return [
    ...readable,
    ...broken.map((name) => ({ environment: toEnvironmentName(name), interval: undefined, retry: undefined, upstreams: [] })),
  ];
}

function changedEnvironments(before: Declarations | undefined, after: Declarations): ReadonlySet<EnvironmentName> {
  const isShared = before === undefined || before.sharedKey !== after.sharedKey;
  return new Set(
    known(after)
      .map((item) => item.environment)
      .filter((name) => isShared || before.environmentTrees.get(name) !== after.environmentTrees.get(name)),
  );
}

function sameTrees(before: Declarations, after: Declarations): boolean {
  return (
    before.capsuleTrees.size === after.capsuleTrees.size &&
    [...after.capsuleTrees].every(([name, tree]) => before.capsuleTrees.get(name) === tree)
  );
}

function nothing(ending: Ending): LookResult {
  return { ending, environments: [], reconcile: [], promote: [], check: [], alarms: [] };
}
