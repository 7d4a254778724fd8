import { listDigest, listLines, sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { pointerToken } from '#model/json.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { groupAndVersion, keyText, objectKey } from '#model/kubernetes-object.ts';
import type { EnvironmentName, InstanceName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import { compareText, placeInFile } from '#model/problem.ts';
import type { RenderedInstanceFacts, RenderedObject, RenderedUnit, Rendering, RenderTarget, TargetRendering } from '#model/rendering.ts';
import { RENDER_ENGINE } from '#model/rendering.ts';
import type { Configuration, Pin } from '#model/resolution.ts';
import type { Result } from '#model/result.ts';
import { accepted, refused } from '#model/result.ts';

/** A rendered unit with what render.metadata says of it. */
export interface UnitOfTarget {
  readonly pin: Pin;
  readonly configuration: Pick<Configuration, 'sha256'>;
  readonly wave: number;
  readonly rendered: RenderedUnit;
  readonly healthOf?: RenderedInstanceFacts['healthOf'] | undefined;
  readonly needs?: RenderedInstanceFacts['needs'] | undefined;
}

export function assemble(target: RenderTarget, units: readonly UnitOfTarget[]): Result<TargetRendering> {
  const known = units.map((unit) => ({ unit, texts: textsOf(unit.rendered) })).sort((a, b) => compareText(a.texts.folder, b.texts.folder));
  const problems = collisions(target, known);
  if (problems.length > 0) return refused(problems);
  let lines = '';
  const objects: RenderedObject[] = [];
  for (const { unit, texts } of known) {
    lines += texts.lines;
    for (const object of unit.rendered.objects) objects.push(object);
  }
  const ordered = (): readonly UnitOfTarget[] => [...units].sort((a, b) => compareText(a.pin.instance, b.pin.instance));
  let instances: TargetRendering['instances'] | undefined;
  let metadata: string | undefined;
  return accepted({
    target,
    digest: sha256Of(lines),
    objects,
    // Made when they are first wanted: a difference wants neither.
    get instances() {
      instances ??= new Map(ordered().map((unit): [InstanceName, RenderedInstanceFacts] => [unit.pin.instance, withNeeds(unit)]));
      return instances;
    },
    get metadata() {
      metadata ??= metadataText(target, ordered());
      return metadata;
    },
  });
}

interface UnitTexts {
  /** `<instance>/`, which its paths begin with: units by folder are objects by path. */
  readonly folder: string;
  /** What its objects add to the digest of a target. */
  readonly lines: string;
  readonly keys: readonly string[];
}

const kept = new WeakMap<RenderedUnit, UnitTexts>();

/** Worked out once per unit: a target of a thousand units is put together again when one of them moved. */
function textsOf(unit: RenderedUnit): UnitTexts {
  const known = kept.get(unit);
  if (known !== undefined) return known;
  const made = { folder: `${unit.instance}/`, lines: listLines(unit.objects), keys: unit.objects.map((object) => keyText(object.key)) };
  kept.set(unit, made);
  return made;
}

function factsOf(unit: UnitOfTarget): Omit<RenderedInstanceFacts, 'needs'> {
  const { capsule, version, gitTree, sha256 } = unit.pin;
  const facts = { capsule, version, gitTree, sha256, configSha256: unit.configuration.sha256, wave: unit.wave };
  return unit.healthOf === undefined ? facts : { ...facts, healthOf: unit.healthOf };
}

function withNeeds(unit: UnitOfTarget): RenderedInstanceFacts {
  return unit.needs === undefined ? factsOf(unit) : { ...factsOf(unit), needs: unit.needs };
}

/** V-55: an object belongs to one instance. Identity leaves the version out, so `v1` and `v1beta1` of a kind collide. */
function collisions(
  target: RenderTarget,
  units: readonly { readonly unit: UnitOfTarget; readonly texts: UnitTexts }[],
): readonly Problem[] {
  const keys = new Set<string>();
  let count = 0;
  for (const { texts } of units) {
    for (const key of texts.keys) keys.add(key);
    count += texts.keys.length;
  }
  if (keys.size === count) return [];
  const owners = new Map<string, RenderedObject>();
  const problems: Problem[] = [];
  for (const object of units.flatMap(({ unit }) => unit.rendered.objects)) {
    const key = keyText(object.key);
    const owner = owners.get(key);
    owners.set(key, owner ?? object);
    if (owner === undefined) continue;
    const { namespace, name } = object.key;
    problems.push({
      code: 'object-owned-twice',
      rule: 'V-55',
      severity: 'error',
      phase: 'render',
      message: `${object.object.apiVersion} ${object.key.kind} ${namespace === '' ? '' : `${namespace}/`}${name} is rendered by ${owner.instance} and ${object.instance} on ${target.environment}/${target.name}`,
      remedy: 'Rename the object in one of them, or remove it from one.',
      place: {
        ...placeInFile(`environments/${target.environment}/environment.yaml`),
        pointer: `/spec/capsules${pointerToken(object.instance)}`,
      },
      related: [],
    });
  }
  return problems;
}

/** declarations.md 3.8, byte for byte the same for the same input: instances by name, objects by path, inventory sorted. */
function metadataText(target: RenderTarget, units: readonly UnitOfTarget[]): string {
  const instances = units.map((unit): [string, JsonObject] => [
    unit.pin.instance,
    { ...factsOf(unit), objects: unit.rendered.objects.map(objectFacts) },
  ]);
  const inventory = units.flatMap((unit) => unit.rendered.objects.map((object) => inventoryLine(object.object))).sort(compareText);
  const metadata = {
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'RenderMetadata',
    environment: target.environment,
    target: target.name,
    engine: RENDER_ENGINE,
    instances: Object.fromEntries(instances),
    inventory,
  };
  return `${JSON.stringify(metadata, undefined, 2)}\n`;
}

function objectFacts({ path, sha256, wave = 0 }: RenderedObject): JsonObject {
  return wave === 0 ? { path, sha256 } : { path, sha256, wave };
}

function inventoryLine(object: KubernetesObject): string {
  const { group, version } = groupAndVersion(object.apiVersion);
  const key = objectKey(object);
  return [group || 'core', version, key.kind, key.namespace || '-', key.name].join('/');
}

/** Targets by name; the digest is over `digest␠␠target`. */
export function joinTargets(environment: EnvironmentName, targets: readonly TargetRendering[]): Rendering {
  const ordered = [...targets].sort((a, b) => compareText(a.target.name, b.target.name));
  const digest = listDigest(ordered.map((one) => ({ path: one.target.name, sha256: one.digest })));
  return { environment, digest, targets: ordered };
}

/** V-89: the first difference of two renderings of one unit; undefined when their bytes are equal. */
export function firstDifference(a: RenderedUnit, b: RenderedUnit): string | undefined {
  const other = new Map(b.objects.map((object) => [object.path, object]));
  for (const object of a.objects) {
    const twin = other.get(object.path);
    if (twin === undefined) return `${object.path} is in one rendering only`;
    if (twin.sha256 !== object.sha256 || sha256Of(twin.text) !== sha256Of(object.text))
      return `${object.path} differs at line ${firstLine(object.text, twin.text)}`;
    other.delete(object.path);
  }
  const [left] = other.keys();
  return left === undefined ? undefined : `${left} is in one rendering only`;
}

function firstLine(a: string, b: string): number {
  const left = a.split('\n');
  const right = b.split('\n');
  const at = left.findIndex((line, index) => line !== right[index]);
  return (at < 0 ? Math.min(left.length, right.length) : at) + 1;
}
