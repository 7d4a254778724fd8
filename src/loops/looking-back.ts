import type { DesiredEnvironment } from '#model/desired.ts';
import type { TreeId } from '#model/digest.ts';
import type { Json } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { Problem } from '#model/problem.ts';
import type { RenderedObject, Rendering } from '#model/rendering.ts';
import type { Pin } from '#model/resolution.ts';
import { judgeRendering, looksBack } from '#policy/policy.ts';
import { PortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import type { Reading } from './reading.ts';
import type { RenderedHead } from './rendered-branch.ts';
import type { World } from './world.ts';

type Question = Parameters<typeof judgeRendering>[1];

/** Policies that compare with what was there, judged against the last rendering of the environment. */
export async function refusedByComparison(
  world: Pick<World, 'repository' | 'reading' | 'clock'>,
  prepared: PreparedEnvironment,
  last: RenderedHead | undefined,
): Promise<readonly Problem[]> {
  const policies = prepared.declarations.state.policies.filter((policy) => looksBack(policy));
  if (!policies.some((policy) => policy.value.spec.on.some((on) => on === 'render' || on === 'reconcile'))) return [];
  const capsules = await declaredCapsules(world.reading, prepared.pins);
  const problems: Problem[] = [];
  for (const rendering of prepared.rendered.rendering.targets) {
    const previous = await lastObjects(world.repository, last, { target: rendering.target.name, objects: rendering.objects });
    const asked = { environment: prepared.environment, rendering, previous, at: world.clock.now(), capsules };
    for (const on of ['render', 'reconcile'] as const) problems.push(...judgeRendering(policies, { ...asked, on }));
  }
  return problems.filter((problem) => problem.severity === 'error');
}

export async function declaredCapsules(reading: Reading, pins: readonly Pin[]): Promise<NonNullable<Question['capsules']>> {
  const loaded = await reading.capsules(pins.map((pin) => ({ name: pin.capsule, tree: pin.gitTree })));
  return new Map(
    pins.flatMap((pin, at) => {
      const declared = loaded[at]?.source?.declared;
      return declared === undefined ? [] : [[pin.instance, declared] as const];
    }),
  );
}

/** What a rendering had, by key, for the same environment's target. */
export function objectsOf(rendering: Rendering | undefined, target: string): ReadonlyMap<string, Json> {
  const objects = rendering?.targets.find((item) => item.target.name === target)?.objects ?? [];
  return new Map(objects.map((object) => [keyText(object.key), object.object]));
}

/** Of the objects that are rendered now: what the last rendering had at their path. Only those whose bytes differ are read. */
async function lastObjects(
  reader: ObjectReader,
  last: RenderedHead | undefined,
  now: { readonly target: string; readonly objects: readonly RenderedObject[] },
): Promise<ReadonlyMap<string, Json>> {
  const before = last?.targets.get(now.target)?.objects;
  const found = new Map<string, Json>();
  if (last === undefined || before === undefined) return found;
  for (const object of now.objects) {
    const digest = before.get(object.path);
    if (digest === undefined) continue;
    const value = digest === object.sha256 ? object.object : await readObject(reader, last.tree, `${now.target}/${object.path}`);
    found.set(keyText(object.key), value);
  }
  return found;
}

async function readObject(reader: ObjectReader, root: TreeId, path: string): Promise<Json> {
  let tree = root;
  for (const name of path.split('/')) {
    const entry = (await reader.tree(tree)).find((item) => item.name === name);
    if (entry?.kind === 'tree') tree = entry.id;
    else if (entry?.kind === 'blob') {
      const read = readKubernetesYaml(Buffer.from(await reader.blob(entry.id)).toString('utf8'), path);
      const [document] = read.ok ? read.value : [];
      if (document !== undefined) return document.value;
    }
  }
  throw new PortError('invalid', `${path} of a rendered branch cannot be read`);
}

/** Objects that a rendering of another commit had, for every target of an environment. */
export function questionsAgainst(
  environment: DesiredEnvironment,
  rendered: { readonly now: Rendering; readonly before: Rendering | undefined },
): readonly Pick<Question, 'environment' | 'rendering' | 'previous'>[] {
  return rendered.now.targets.map((rendering) => ({
    environment,
    rendering,
    previous: objectsOf(rendered.before, rendering.target.name),
  }));
}
