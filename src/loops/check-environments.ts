import type { Capsule } from '#model/declarations.generated.ts';
import type { CapsuleSource, DesiredEnvironment, DesiredState } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import type { InstanceName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { Rendering } from '#model/rendering.ts';
import type { Pin, ReleaseIndex, Resolution } from '#model/resolution.ts';
import { isPortError } from '#ports/port-error.ts';
import { overTenantQuota, sharedObjects } from '#render/render.ts';
import { checkLock, checkRetirement, checkSecretSources, lockText, pinsOfLock } from '#resolve/resolve.ts';
import type { Affected } from './affected.ts';
import { bundleVerdicts } from './bundles.ts';
import { composedSources } from './composed.ts';
import { imageProblems } from './images.ts';
import { declaredIn, withLines } from './lines.ts';
import { ofReleases } from './locked-files.ts';
import type { Declarations } from './reading.ts';
import { resolvePins } from './render-environment.ts';
import { missingCapsule } from './unreadable.ts';
import type { ReadingWorld } from './world.ts';

interface Checked {
  readonly world: ReadingWorld;
  readonly declarations: Declarations;
  /** With the capsules of the snapshot itself. */
  readonly state: DesiredState;
  readonly index: ReleaseIndex;
  /** Only the environments of a change are looked at; undefined for all. */
  readonly affected: Affected | undefined;
  /** Problems found before: the same mistake seen again is not told twice. */
  readonly findings: readonly Problem[];
}

/** Locks, resolution and rendering of every environment: what is locked, and what the newest versions in range would bring. */
export async function checkEnvironments(
  checked: Checked,
  signal?: AbortSignal,
): Promise<{ readonly problems: readonly Problem[]; readonly unjudged: ReadonlyMap<string, number>; readonly notes: readonly string[] }> {
  const found: Problem[] = [];
  const unjudged = new Map<string, number>();
  const renderings: { environment: DesiredEnvironment; rendering: Rendering }[] = [];
  for (const environment of checked.state.environments) {
    signal?.throwIfAborted();
    if (checked.affected?.environments.has(environment.name) === false) continue;
    // A range that cannot be read was told already; nothing can be resolved with it.
    if (checked.findings.some(({ code, place }) => code === 'range-invalid' && place.file === environment.declared.file)) continue;
    const pins = environment.lock === undefined ? [] : pinsOfLock(environment.lock.value);
    // V-89 was asked of what did not move when it did.
    const twice = checked.affected?.lockedAsBefore.has(environment.name) !== true;
    const locked = await renderPins(checked, { environment, pins, move: new Map(), twice }, signal);
    found.push(...(await lockProblems(checked, environment, locked.pins)), ...locked.problems);
    if (locked.rendering !== undefined) renderings.push({ environment, rendering: locked.rendering });
    const move = environment.lock === undefined ? new Map<InstanceName, string>() : unlocked(checked, pins);
    const newest =
      move.size > 0 && locked.pins !== undefined ? await renderPins(checked, { environment, pins, move, twice: true }, signal) : undefined;
    found.push(...(newest?.problems ?? []), ...secretProblems(checked, environment, [...locked.sources, ...(newest?.sources ?? [])]));
    for (const kind of new Set([...locked.unjudged.keys(), ...(newest?.unjudged.keys() ?? [])])) {
      const count = Math.max(locked.unjudged.get(kind) ?? 0, newest?.unjudged.get(kind) ?? 0);
      unjudged.set(kind, (unjudged.get(kind) ?? 0) + count);
    }
  }
  const bundles = renderings.map(({ environment, rendering }) => bundleVerdicts(environment, rendering));
  found.push(...sharedObjects(renderings), ...overTenantQuota(checked.state.project, renderings));
  found.push(...bundles.flatMap(({ problems }) => problems));
  const problems = found.filter((problem) => !isKnown(checked.findings, problem) && !isMissedBefore(checked.findings, problem));
  return { problems, unjudged, notes: bundles.flatMap(({ notes }) => notes) };
}

interface Wanted {
  /** Compare with a second rendering. */
  readonly twice: boolean;
  readonly environment: DesiredEnvironment;
  readonly pins: readonly Pin[];
  readonly move: ReadonlyMap<InstanceName, string>;
}

interface Outcome {
  /** Undefined when they could not be resolved. */
  readonly pins: readonly Pin[] | undefined;
  /** What would run, with what it inherits. */
  readonly sources: ReadonlyMap<InstanceName, CapsuleSource>;
  readonly rendering: Rendering | undefined;
  readonly problems: readonly Problem[];
  /** Objects of the rendering that no schema judged: API version and kind -> how many. */
  readonly unjudged: ReadonlyMap<string, number>;
}

async function renderPins(checked: Checked, wanted: Wanted, signal: AbortSignal | undefined): Promise<Outcome> {
  const { world, declarations, index } = checked;
  const resolved = await resolvePins(world.reading, { state: declarations.state, index, ...wanted });
  if (!resolved.ok) return { pins: undefined, sources: new Map(), rendering: undefined, problems: resolved.problems, unjudged: new Map() };
  const pins = resolved.value.instances.map((instance) => instance.pin);
  const ending = endingVersions(checked, wanted.environment, resolved.value);
  const rendered = await world.environments.render(
    {
      state: declarations.state,
      environment: wanted.environment,
      resolution: resolved.value,
      occasion: 'pullRequest',
      twice: wanted.twice,
    },
    signal,
  );
  const rendering = rendered.ok ? rendered.value.rendering : undefined;
  const sources = await composedSources(world.reading, resolved.value.instances);
  const unpinned = imageProblems({ environment: wanted.environment, sources: [...sources.values()], rendering });
  // What a file of the snapshot shares with one of the release is told of the snapshot's.
  const ofRendering = [...(rendered.ok ? rendered.value.warnings : rendered.problems), ...unpinned].filter(
    (problem) => !isKnown(checked.findings, problem),
  );
  const runs = {
    state: checked.state,
    environment: wanted.environment.name,
    locked: wanted.pins,
    instances: resolved.value.instances,
  };
  return {
    pins,
    sources,
    rendering,
    problems: [...ending, ...untold(checked, resolved.value.warnings), ...ofReleases(ofRendering, runs)],
    unjudged: rendered.ok ? rendered.value.unjudged : new Map(),
  };
}

/** V-81. */
function secretProblems(
  { state }: Checked,
  environment: DesiredEnvironment,
  resolved: readonly (readonly [InstanceName, CapsuleSource])[],
): readonly Problem[] {
  // Of what could not be resolved nobody knows what it needs.
  if (resolved.length === 0) return [];
  const ahead = new Map<string, Capsule>(state.capsules.map((capsule) => [capsule.name, capsule.declared.value]));
  const users = resolved.flatMap(([instance, { name, own, declared }]) => {
    const next = ahead.get(name);
    return [
      { instance, capsule: declared.value, isDeployed: true },
      ...(next === undefined || next === (own ?? declared).value ? [] : [{ instance, capsule: next, isDeployed: false }]),
    ];
  });
  return checkSecretSources(environment, users);
}

/** V-24. */
function endingVersions({ world, index, state }: Checked, environment: DesiredEnvironment, resolution: Resolution): readonly Problem[] {
  const found = checkRetirement(environment, resolution.instances, {
    declaration: ({ pin }) => {
      const release = index.releases.get(pin.capsule)?.get(pin.version);
      return release === undefined ? undefined : world.reading.loaded(release)?.declaration;
    },
    now: world.clock.now(),
  });
  return withLines(found, declaredIn(state));
}

/** A cycle that the declarations themselves show was told where they are. */
function untold({ findings }: Checked, warnings: readonly Problem[]): readonly Problem[] {
  const told = new Set(findings.map((problem) => problem.code));
  return warnings.filter((warning) => !told.has(warning.code));
}

/** V-46 to V-49. */
async function lockProblems(
  checked: Checked,
  environment: DesiredEnvironment,
  expected: readonly Pin[] | undefined,
): Promise<readonly Problem[]> {
  const { world, index } = checked;
  const { lock } = environment;
  if (lock === undefined)
    return checkLock(environment, { index, loaded: () => undefined, expected: undefined, text: undefined, reachable: () => undefined });
  const pins = pinsOfLock(lock.value);
  const reached = await reachedCommits(checked, pins);
  await loadReleases(world, index, pins);
  const actual = await world.reading.text(lock.blob);
  return checkLock(environment, {
    index,
    expected,
    loaded: (release) => world.reading.loaded(release),
    text: expected === undefined ? undefined : { actual, expected: lockText(environment.name, expected, actual) },
    reachable: (commit) => reached.get(commit),
  });
}

/** Loads what history released under the locked versions; a lock that names another tree is V-48, and that tree may not even exist. */
export async function loadReleases(world: ReadingWorld, index: ReleaseIndex, pins: readonly Pin[]): Promise<void> {
  const releases = pins.flatMap((pin) => index.releases.get(pin.capsule)?.get(pin.version) ?? []);
  await world.reading.capsules(releases.map((release) => ({ name: release.capsule, tree: release.gitTree })));
}

/** Only commits that are not the release itself are looked for; one that the repository does not have lies on no branch. */
async function reachedCommits({ world, index }: Checked, pins: readonly Pin[]): Promise<ReadonlyMap<string, boolean>> {
  const reached = new Map<string, boolean>();
  for (const { capsule, version, commit } of pins) {
    if (index.releases.get(capsule)?.get(version)?.commit === commit || reached.has(commit)) continue;
    reached.set(commit, await isOnBranch(world, commit, [...index.tips.values()]));
  }
  return reached;
}

async function isOnBranch({ repository }: ReadingWorld, commit: CommitId, tips: readonly CommitId[]): Promise<boolean> {
  try {
    await repository.commit(commit);
  } catch (error) {
    if (isPortError(error) && (error.kind === 'missing' || error.kind === 'invalid')) return false;
    throw error;
  }
  for (const tip of tips) if (await repository.isAncestor(commit, tip)) return true;
  return false;
}

/** Instances of capsules whose version in the snapshot is not the locked one; of a capsule with mistakes nothing new could be said. */
function unlocked({ state, findings }: Checked, pins: readonly Pin[]): Map<InstanceName, string> {
  // A version that ought to be higher, and one with a secret in it, resolves and renders all the same.
  const wrong = findings
    .filter((problem) => problem.severity === 'error' && problem.rule !== 'V-22' && problem.rule !== 'V-80')
    .map((problem) => `${problem.place.file ?? ''}/`);
  const sound = state.capsules.filter((capsule) => !wrong.some((file) => file.startsWith(`${capsule.directory}/`)));
  const versions = new Map(sound.map((capsule) => [capsule.name, capsule.declared.value.metadata.version]));
  const moving = pins.filter((pin) => versions.has(pin.capsule) && versions.get(pin.capsule) !== pin.version);
  return new Map(moving.map((pin) => [pin.instance, 'newest']));
}

/** The same rule at the same place, found without an environment, says it better. */
/**
 * Of a capsule that nothing could read, or that was called missing where it is named, nobody needs to hear that it is missing; nor of an import
 * that cannot be fetched that it is not here; nor of a secret in a file that it is in what is rendered from it.
 */
function isMissedBefore(findings: readonly Problem[], problem: Problem): boolean {
  const { code, message, place } = problem;
  if (code === 'import-missing') {
    const name = / imports ([\w-]+) from /u.exec(message)?.[1] ?? '';
    return findings.some(
      (other) =>
        other.code === 'import-address' &&
        other.place.file === place.file &&
        other.place.pointer?.startsWith(`/spec/imports/${name}/`) === true,
    );
  }
  if (code === 'rendered-secret') {
    const type = / with (an? .+)$/u.exec(message)?.[1];
    return (
      type !== undefined && findings.some((other) => other.code === 'secret-in-file' && other.message.includes(` looks like ${type};`))
    );
  }
  const name = missingCapsule(problem);
  if (name === undefined) return false;
  return findings.some((other) => missingCapsule(other) === name || other.place.file === `capsules/${name}/capsule.yaml`);
}

function isKnown(findings: readonly Problem[], { rule, place }: Problem): boolean {
  if (rule === undefined || place.line === undefined) return false;
  return findings.some(
    (other) =>
      other.rule === rule && other.place.file === place.file && other.place.line === place.line && other.place.column === place.column,
  );
}
