import type { DesiredEnvironment } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import { NOWHERE, compareProblems, placeInFile } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { Ending } from '#model/receipt.ts';
import type { Pin, ReleaseIndex } from '#model/resolution.ts';
import { didYouMean } from '#model/suggest.ts';
import { checkLock, notYetLocked, pinsOfLock } from '#resolve/resolve.ts';
import { loadReleases } from './check-environments.ts';
import { differingBranch } from './default-branch.ts';
import type { Declarations, Snapshot } from './reading.ts';
import { resolvePins } from './render-environment.ts';
import type { RenderedEnvironment } from './render-environment.ts';
import type { TrustOf } from './trust-of.ts';
import { capsuleBlockers, unhonouredOf } from './undeclared-gates.ts';
import type { ReadingWorld } from './world.ts';

/** An environment that may be acted on: declared without mistakes, honoured, trusted, locked and rendered. */
export interface PreparedEnvironment {
  readonly environment: DesiredEnvironment;
  readonly revision: CommitId;
  readonly declarations: Declarations;
  readonly pins: readonly Pin[];
  readonly index: ReleaseIndex;
  readonly rendered: RenderedEnvironment;
  /** Sentences that must stand in status and receipts: trust that is not enforced, a root that is not pinned. */
  readonly notices: readonly string[];
  /** What resolving, configuring, rendering and the policies found, although it stops nothing. */
  readonly warnings: readonly Problem[];
}

export type Preparation =
  | { readonly kind: 'ready'; readonly prepared: PreparedEnvironment }
  | { readonly kind: 'ended'; readonly ending: Ending; readonly notices: readonly string[] };

/** Rows 1 to 6 of the path (architecture.md section 3): the same code for a run, a plan, a check and a status. */
export async function prepareEnvironment(
  world: ReadingWorld,
  name: string,
  revision: CommitId,
  signal?: AbortSignal,
): Promise<Preparation> {
  const snapshot: Snapshot = await world.reading.at(revision);
  const declarations = await world.reading.declarations(snapshot);
  const environment = declarations.state.environments.find((item) => item.name === name);
  const broken = problemsOfEnvironment(declarations, name);
  if (broken.length > 0) return stuck(broken);
  if (environment === undefined) return stuck([unknownEnvironment(name, declarations)]);

  const otherBranch = differingBranch(declarations, world.settings);
  if (otherBranch !== undefined) return stuck([otherBranch]);
  const { index, trust, problems: historical } = await world.history.upTo(revision);
  const notices = [...trust.notices(environment)];
  const refusedHistory = historical.filter((problem) => problem.place.file === undefined || isOf(problem, name));
  if (refusedHistory.length > 0) return stuck(refusedHistory, notices);
  const wrongRules = world.reading.environmentProblems(declarations, name, {
    released: index.releases,
    engineVersion: world.settings.version,
  });
  if (wrongRules.length > 0) return stuck(wrongRules, notices);
  const blocking = unhonouredOf(declarations, environment).filter((problem) => problem.effect === 'stuck');
  if (blocking.length > 0) return stuck(blocking, notices);
  const untrusted = trust.problemsOf(environment);
  if (untrusted.length > 0) return ended(toEnding(untrusted, trust), notices);
  if (environment.lock === undefined) return stuck([missingLock(environment)], notices);

  const pins = pinsOfLock(environment.lock.value);
  await loadReleases(world, index, pins);
  const leaveOut = notYetLocked(environment, pins);
  if (leaveOut.size > 0)
    notices.push(`${[...leaveOut].join(', ')}: declared in ${environment.name}, but not in its lock until a promotion brings it`);
  const resolved = await resolvePins(world.reading, { state: declarations.state, environment, pins, index, leaveOut });
  const expected = resolved.ok ? resolved.value.instances.map((instance) => instance.pin) : undefined;
  const wrong = checkLock(environment, {
    index,
    expected,
    loaded: (release) => world.reading.loaded(release),
    text: undefined,
    reachable: () => undefined,
  });
  const errors = [...wrong.filter((problem) => problem.severity === 'error'), ...(resolved.ok ? [] : resolved.problems)];
  if (errors.length > 0 || !resolved.ok) return stuck(errors, notices);
  const released = await world.reading.capsules(pins.map((pin) => ({ name: pin.capsule, tree: pin.gitTree })));
  const unsupported = capsuleBlockers(released);
  if (unsupported.length > 0) return stuck(unsupported, notices);
  const unreleased = pins.flatMap((pin) => trust.problemOfRelease(environment, pin) ?? []);
  if (unreleased.length > 0) return ended(toEnding(unreleased, trust), notices);
  const unsigned = await world.capsuleSignatures.problems({ pins, trust });
  if (unsigned.length > 0) return ended(toEnding(unsigned, trust), notices);

  const rendered = await world.environments.render(
    { state: declarations.state, environment, resolution: resolved.value, occasion: 'reconcile' },
    signal,
  );
  if (!rendered.ok) return stuck(rendered.problems, notices);
  const warnings = [...resolved.value.warnings, ...rendered.value.warnings].sort(compareProblems);
  return {
    kind: 'ready',
    prepared: { environment, revision, declarations, pins, index, rendered: rendered.value, notices, warnings },
  };
}

/** Problems that stop this environment: its own files, the project and the policies; never another environment's. */
export function problemsOfEnvironment(declarations: Declarations, name: string): readonly Problem[] {
  return declarations.problems.filter((problem) => problem.severity === 'error' && isOf(problem, name));
}

const ROOTS: ReadonlySet<string> = new Set(['environments', 'policies', 'capsules']);

function isOf(problem: Problem, name: string): boolean {
  const { file } = problem.place;
  if (file === undefined || ROOTS.has(file)) return true;
  if (file.startsWith(`environments/${name}/`) || file === `environments/${name}`) return true;
  return file.startsWith('policies/') || /^environments\/[^/]+\.ya?ml$/.test(file);
}

function toEnding(problems: readonly Problem[], trust: TrustOf): Ending {
  const unreadable = problems.find((problem) => trust.isCouldNotLook(problem));
  return unreadable === undefined ? { kind: 'stuck', problems } : { kind: 'retry', because: unreadable.message };
}

function stuck(problems: readonly Problem[], notices: readonly string[] = []): Preparation {
  return ended({ kind: 'stuck', problems: [...problems].sort(compareProblems) }, notices);
}

function ended(ending: Ending, notices: readonly string[]): Preparation {
  return { kind: 'ended', ending, notices };
}

export function unknownEnvironment(name: string, declarations: Declarations): Problem {
  const names = declarations.state.environments.map((item) => item.name);
  return {
    code: 'unknown-environment',
    rule: undefined,
    severity: 'error',
    phase: 'validate',
    message: `there is no environment "${name}" (known: ${names.join(', ') || 'none'})${didYouMean(name, names)}`,
    remedy: `Declare it in environments/${name}/environment.yaml, or name one that is.`,
    place: NOWHERE,
    related: [],
  };
}

function missingLock(environment: DesiredEnvironment): Problem {
  return {
    code: 'lock-missing',
    rule: 'V-47',
    severity: 'error',
    phase: 'validate',
    message: `environment ${environment.name} has no lock, so no version is chosen`,
    remedy: `Run 'capstan lock ${environment.name}' and commit environments/${environment.name}/environment.lock.yaml.`,
    place: placeInFile(`environments/${environment.name}/environment.yaml`),
    related: [],
  };
}
