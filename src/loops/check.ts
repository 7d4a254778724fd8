import { checkDesiredState, notHonoured, withoutSuppressed } from '#desired/desired.ts';
import type { DesiredState } from '#model/desired.ts';
import type { CapsuleName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import { checkPolicies, findLapsedExceptions } from '#policy/policy.ts';
import { checkCapsuleTemplates } from '#render/render.ts';
import { affectedSince, isIn, wordsOfProblem } from './affected.ts';
import type { Affected } from './affected.ts';
import { checkEnvironments } from './check-environments.ts';
import { codeOwnersAt } from './code-owners.ts';
import { composedSnapshot, inheritedLines, inPlace, toldOnce } from './composed.ts';
import { differingBranch } from './default-branch.ts';
import { declaredIn, withLines } from './lines.ts';
import { previousReleases } from './previous-releases.ts';
import type { ReadState, Snapshot } from './reading.ts';
import { indexFor } from './rendered-difference.ts';
import { withUnreleased } from './unreleased.ts';
import type { ReadingWorld } from './world.ts';

export interface ValidationResult {
  readonly problems: readonly Problem[];
  /** Warnings that a comment silences. */
  readonly suppressed: readonly Problem[];
  readonly documents: number;
  /** Objects of kinds that neither Kubernetes nor a definition of their environment knows: API version and kind -> how many. */
  readonly unjudged: ReadonlyMap<string, number>;
  /** What could not be judged to the end here, each as a sentence. */
  readonly notes: readonly string[];
  /** What was looked at more closely, where a base was given. */
  readonly affected: Affected | undefined;
}

type Facts = Parameters<typeof checkDesiredState>[1];

/**
 * Every problem of a snapshot at once: documents, rules across them, locks, templates, policies, and a rendering of every environment.
 * Given a base, those of what moved since then and of what follows from it; environments that nothing moved for are not rendered.
 */
export async function validateSnapshot(
  world: ReadingWorld,
  at: Snapshot,
  signal?: AbortSignal,
  base?: Snapshot,
): Promise<ValidationResult> {
  const declarations = await world.reading.declarations(at);
  const affected = base === undefined ? undefined : affectedSince(declarations, await world.reading.declarations(base));
  const { state, problems, suppressions } = await world.reading.desiredState(at);
  const index = await indexFor(world, at);
  const found = [...(await declaredProblems(world, at, { state, problems, suppressions }))];
  const unreleased = await withUnreleased(world, { at, index, state });
  const composed = await composedSnapshot(world.reading, state.capsules, unreleased);
  const looked = composed.filter((capsule) =>
    [capsule, ...(capsule.parents ?? [])].some(({ name }) => affected?.capsules.has(name) !== false),
  );
  const ofTemplates = looked.flatMap((capsule) => checkCapsuleTemplates(capsule));
  found.push(...toldOnce(inPlace(ofTemplates, looked), looked));
  const checked = {
    world,
    declarations,
    state,
    index: unreleased,
    affected,
    findings: [...found],
  };
  const { problems: ofEnvironments, unjudged, notes } = await checkEnvironments(checked, signal);
  found.push(...ofEnvironments);
  const told = unique(withLines(counted(found), declaredIn(state)), state);
  const comments = suppressions.flatMap((item) => item.suppressions);
  const judged = withoutSuppressed([...told, ...suppressions.flatMap((item) => item.problems)], comments, world.clock.now());
  const documents = documentsOf(state);
  if (affected === undefined || base === undefined) return { ...judged, documents, unjudged, notes, affected };
  const problemsSince = await broughtAbout(world, base, { problems: judged.problems, affected });
  return { ...judged, problems: problemsSince, documents, unjudged, notes, affected };
}

/** What stands where nothing moved and was there before is somebody else's; the base is judged only if there is such a thing. */
async function broughtAbout(
  world: ReadingWorld,
  base: Snapshot,
  { problems, affected }: { readonly problems: readonly Problem[]; readonly affected: Affected },
): Promise<readonly Problem[]> {
  if (problems.every((problem) => isIn(affected, problem))) return problems;
  const before = await declaredProblems(world, base, await world.reading.desiredState(base));
  const old = new Set([...before].map(wordsOfProblem));
  return problems.filter((problem) => isIn(affected, problem) || !(old.has(wordsOfProblem(problem)) || isAboutComments(problem)));
}

/** A comment may speak of what was not looked at. */
function isAboutComments({ code }: Problem): boolean {
  return code.startsWith('suppression-');
}

async function trustProblems({ reading }: ReadingWorld, at: Snapshot): Promise<readonly Problem[]> {
  const root = await reading.tree(at.tree);
  const folder = (name: string): Snapshot['tree'] | undefined =>
    root.flatMap((entry) => (entry.kind === 'tree' && entry.name === name ? [entry.id] : []))[0];
  return (await reading.trust.at({ environments: folder('environments'), policies: folder('policies') })).problems;
}

/** What documents and the rules across them say, without resolving or rendering anything. */
async function declaredProblems(world: ReadingWorld, at: Snapshot, { state, problems }: ReadState): Promise<readonly Problem[]> {
  const declarations = await world.reading.declarations(at);
  const index = await indexFor(world, at);
  const capsules = state.capsules.map(({ name, declared, gitTree }) => ({ name, version: declared.value.metadata.version, gitTree }));
  const found: Problem[] = [...problems];
  const composed = await composedSnapshot(world.reading, state.capsules, await withUnreleased(world, { at, index, state }));
  const offline = checkDesiredState(
    { ...state, capsules: composed },
    {
      unreadable: problems.flatMap((problem) => problem.place.file ?? []),
      released: index.releases,
      history: await historyFacts(world, at, capsules),
      previous: await previousReleases(world, { at, index, capsules: state.capsules }),
      engineVersion: world.settings.version,
      now: world.clock.now(),
      codeOwners: await codeOwnersAt(world, at),
    },
  );
  found.push(...toldOnce(withLines(offline, inheritedLines(composed)), composed));
  found.push(...notHonoured(state), ...(await trustProblems(world, at)));
  const otherBranch = differingBranch(declarations, world.settings);
  // The declaration may well be the right one: that stops whoever runs it with such a configuration, not whoever declares it.
  if (otherBranch !== undefined) found.push({ ...otherBranch, severity: 'warning' });
  found.push(...checkPolicies(state.policies), ...findLapsedExceptions(state.policies, world.clock.now()));
  found.push(...(await world.reading.secretProblems(at, state.capsules)));
  return found;
}

/** A policy that cannot be relied on is one mistake, however many objects it therefore refuses. */
function counted(problems: readonly Problem[]): readonly Problem[] {
  const unsound = new Set(problems.flatMap((problem) => (problem.code === 'policy-invalid' ? [problem.place.file] : [])));
  return problems.filter((problem) => problem.code !== 'policy-denied' || !unsound.has(problem.place.file));
}

async function historyFacts(
  world: ReadingWorld,
  at: Snapshot,
  capsules: readonly { readonly name: CapsuleName; readonly version: string; readonly gitTree: string }[],
): Promise<Facts['history']> {
  if (await world.repository.isShallow()) return { kind: 'shallow' };
  const head = at.commit ?? (await world.repository.resolve('HEAD'));
  if (head === undefined) return undefined;
  const view = await world.history.upTo(head);
  const main = await world.repository.resolve(world.settings.branch);
  const fork = main === undefined ? head : await world.repository.mergeBase(head, main);
  const merged = fork === undefined ? undefined : (await world.history.upTo(fork)).capsules;
  const base = at.commit === undefined ? head : fork;
  const old = base === undefined || base === head ? undefined : merged;
  return {
    kind: 'complete',
    branch: world.settings.branch,
    capsules: capsules.map(({ name, version, gitTree }) => {
      const steps = view.capsules.get(name) ?? [];
      const last = steps.at(-1);
      const isDirty = last?.gitTree !== gitTree;
      const observations = steps.map((step) => ({ commit: step.commit, version: step.version, gitTree: step.gitTree }));
      const newFrom = at.commit === undefined ? observations.length : (old?.get(name)?.length ?? (base === head ? 0 : observations.length));
      return {
        capsule: name,
        observations: isDirty
          ? [...observations, { commit: at.commit, version, gitTree: gitTree as (typeof observations)[number]['gitTree'] }]
          : observations,
        newFrom,
        merged: merged?.get(name)?.length ?? 0,
      };
    }),
  };
}

function documentsOf(state: Awaited<ReturnType<ReadingWorld['reading']['desiredState']>>['state']): number {
  const perEnvironment = state.environments.map(
    (item) => 1 + (item.lock === undefined ? 0 : 1) + item.configs.size + item.fleets.length + item.devices.length,
  );
  return (
    (state.project === undefined ? 0 : 1) +
    state.policies.length +
    state.capsules.length +
    perEnvironment.reduce((sum, count) => sum + count, 0)
  );
}

/** The same mistake seen from two sides counts once; seen in several targets it names the others. */
function unique(problems: readonly Problem[], state: DesiredState): readonly Problem[] {
  const targets = state.environments.flatMap(({ name, targets: own }) => own.map((target) => `${name}/${target.name}`));
  const found = new Map<string, { readonly first: Problem; readonly others: Set<string> }>();
  for (const problem of problems) {
    const where = targets.find((target) => isNamed(problem.message, target));
    const text = where === undefined ? problem.message : problem.message.replace(where, '');
    // A patch names the object that it was meant for, and each environment has its own.
    const key = JSON.stringify([problem.code, problem.place, problem.code.startsWith('patch-') ? '' : text]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { first: problem, others: new Set() });
    else if (where !== undefined && !isNamed(known.first.message, where)) known.others.add(where);
  }
  return [...found.values()].map(({ first, others }) =>
    others.size === 0 ? first : { ...first, message: `${first.message}; the same in ${[...others].sort().join(', ')}` },
  );
}

function isNamed(message: string, target: string): boolean {
  return ` ${message} `.includes(` ${target} `) || message.includes(` ${target})`);
}
