import { checkDesiredState } from '#desired/desired.ts';
import type { CapsuleName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import { checkPolicies } from '#policy/policy.ts';
import { checkCapsuleTemplates } from '#render/render.ts';
import { checkLock, pinsOfLock } from '#resolve/resolve.ts';
import type { Snapshot } from './reading.ts';
import { resolvePins } from './render-environment.ts';
import { indexFor, renderAt } from './rendered-difference.ts';
import type { ReadingWorld } from './world.ts';

export interface ValidationResult {
  readonly problems: readonly Problem[];
  readonly documents: number;
}

type Facts = Parameters<typeof checkDesiredState>[1];

/** Every problem of a snapshot at once: documents, rules across them, locks, templates, policies, and a rendering of every environment. */
export async function validateSnapshot(world: ReadingWorld, at: Snapshot, signal?: AbortSignal): Promise<ValidationResult> {
  const { state, problems } = await world.reading.desiredState(at);
  const declarations = await world.reading.declarations(at);
  const index = await indexFor(world, at);
  const found: Problem[] = [...problems];
  found.push(
    ...checkDesiredState(state, {
      unreadable: problems.flatMap((problem) => problem.place.file ?? []),
      released: new Set<string>(index.releases.keys()),
      history: await historyFacts(
        world,
        at,
        state.capsules.map((capsule) => ({
          name: capsule.name,
          version: capsule.declared.value.metadata.version,
          gitTree: capsule.gitTree,
        })),
      ),
      engineVersion: world.settings.version,
    }),
  );
  for (const capsule of state.capsules) found.push(...checkCapsuleTemplates(capsule));
  found.push(...checkPolicies(state.policies));
  for (const environment of state.environments) {
    signal?.throwIfAborted();
    if (environment.lock === undefined) {
      found.push(
        ...checkLock(environment, { index, loaded: () => undefined, expected: undefined, text: undefined, reachable: () => undefined }),
      );
    } else {
      const pins = pinsOfLock(environment.lock.value);
      await world.reading.capsules(pins.map((pin) => ({ name: pin.capsule, tree: pin.gitTree })));
      const resolved = await resolvePins(world.reading, { state, environment, pins, index });
      const expected = resolved.ok ? resolved.value.instances.map((instance) => instance.pin) : undefined;
      found.push(
        ...checkLock(environment, {
          index,
          expected,
          loaded: (release) => world.reading.loaded(release),
          text: undefined,
          reachable: () => undefined,
        }),
      );
    }
    const rendered = await renderAt(world, declarations, environment.name, signal);
    if (rendered === undefined) continue;
    found.push(...(rendered.result.ok ? rendered.result.value.warnings : rendered.result.problems));
  }
  return { problems: unique(found), documents: documentsOf(state) };
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
  const base = at.commit === undefined || main === undefined ? head : await world.repository.mergeBase(head, main);
  const old = base === undefined || base === head ? undefined : (await world.history.upTo(base)).capsules;
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

/** The same mistake seen from two sides counts once. */
function unique(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify([problem.code, problem.place, problem.message]), problem])).values()];
}
