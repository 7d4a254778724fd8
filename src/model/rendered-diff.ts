import type { Sha256 } from '#model/digest.ts';
import { isJsonObject, pointerToken } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import { compareKeys, keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { FieldChange } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';
import type { RenderedObject, Rendering, TargetRendering } from '#model/rendering.ts';

/** What would change in one object; `fields` of a Secret never carry values. */
export interface ObjectDifference {
  readonly key: ObjectKey;
  readonly change: 'create' | 'update' | 'delete';
  readonly fields: readonly FieldChange[];
  /** Only labels and annotations of our own moved. */
  readonly noise: boolean;
  /** What a reviewer must not miss: `delete`, `rbac`, `crd`, `replicas-to-zero`, `namespace`, `storage`. */
  readonly danger: readonly string[];
}

export interface EnvironmentDifference {
  readonly name: string;
  readonly digest: { readonly base: Sha256 | null; readonly head: Sha256 | null };
  readonly targets: readonly { readonly name: string; readonly objects: readonly ObjectDifference[] }[];
}

/** The rendered difference of one environment; undefined when nothing rendered moved. Equal targets are never opened. */
export function differenceOf(base: Rendering | undefined, head: Rendering | undefined): EnvironmentDifference | undefined {
  const name = head?.environment ?? base?.environment;
  if (name === undefined || base?.digest === head?.digest) return undefined;
  const before = new Map(base?.targets.map((target) => [target.target.name, target]));
  const after = new Map(head?.targets.map((target) => [target.target.name, target]));
  const names = [...new Set([...before.keys(), ...after.keys()])].sort(compareText);
  const targets = names.flatMap((target) => {
    const objects = targetDifference(before.get(target), after.get(target));
    return objects.length === 0 ? [] : [{ name: target, objects }];
  });
  return { name, digest: { base: base?.digest ?? null, head: head?.digest ?? null }, targets };
}

function targetDifference(base: TargetRendering | undefined, head: TargetRendering | undefined): readonly ObjectDifference[] {
  if (base?.digest === head?.digest) return [];
  const { old, fresh } = withoutSame(base?.objects ?? [], head?.objects ?? []);
  const before = new Map(old.map((object) => [object.path, object]));
  const moved = fresh.filter((object) => before.get(object.path)?.sha256 !== object.sha256);
  const kept = new Set(fresh.map((object) => object.path));
  const gone = old.filter((object) => !kept.has(object.path));
  const goneByKey = new Map(gone.map((object) => [keyText(object.key), object]));
  const differences: ObjectDifference[] = [];
  for (const object of moved) {
    const last = before.get(object.path) ?? goneByKey.get(keyText(object.key));
    if (last !== undefined) goneByKey.delete(keyText(object.key));
    differences.push(objectDifference(last, object));
  }
  for (const object of goneByKey.values()) differences.push(objectDifference(object, undefined));
  return differences.sort((a, b) => compareKeys(a.key, b.key));
}

/** Both sides without the objects that are the very same, which is most of a target where one instance moved: one walk, as both are by path. */
function withoutSame(
  before: readonly RenderedObject[],
  after: readonly RenderedObject[],
): { readonly old: readonly RenderedObject[]; readonly fresh: readonly RenderedObject[] } {
  const old: RenderedObject[] = [];
  const fresh: RenderedObject[] = [];
  let at = 0;
  let other = 0;
  for (;;) {
    const left = before[at];
    const right = after[other];
    if (left === undefined && right === undefined) return { old, fresh };
    const order = left === right ? 0 : left === undefined ? 1 : right === undefined ? -1 : compareText(left.path, right.path);
    if (left !== undefined && order <= 0) {
      at += 1;
      if (left !== right) old.push(left);
    }
    if (right !== undefined && order >= 0) {
      other += 1;
      if (left !== right) fresh.push(right);
    }
  }
}

function objectDifference(base: RenderedObject | undefined, head: RenderedObject | undefined): ObjectDifference {
  const object = head ?? base;
  if (object === undefined) throw new Error('a difference needs one side');
  const fields = base === undefined || head === undefined ? [] : fieldChanges(base.object, head.object);
  const shown =
    object.key.kind === 'Secret' ? fields.map((field) => ({ path: field.path, before: '[secret]', after: '[secret]' })) : fields;
  const change = base === undefined ? 'create' : head === undefined ? 'delete' : 'update';
  return {
    key: object.key,
    change,
    fields: shown,
    noise: change === 'update' && fields.every(isNoise),
    danger: dangersOf(change, object.key, fields),
  };
}

/** Leaf changes between two JSON values as RFC 6901 pointers, in key order; arrays compare element by element. */
export function fieldChanges(before: Json, after: Json, pointer = ''): readonly FieldChange[] {
  if (before === after) return [];
  if (isJsonObject(before) && isJsonObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(compareText);
    return keys.flatMap((key) => childChanges(before[key], after[key], pointer + pointerToken(key)));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) =>
      childChanges(before[index] as Json | undefined, after[index] as Json | undefined, pointer + pointerToken(index)),
    ).flat();
  }
  return [{ path: pointer, before, after }];
}

function childChanges(before: Json | undefined, after: Json | undefined, pointer: string): readonly FieldChange[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ path: pointer, before: undefined, after }];
  if (after === undefined) return [{ path: pointer, before, after: undefined }];
  return fieldChanges(before, after, pointer);
}

const OWN_METADATA = /^(\/spec\/template)?\/metadata\/(annotations\/capstan\.dev~1|labels\/app\.kubernetes\.io~1version)/;

function isNoise(field: FieldChange): boolean {
  return OWN_METADATA.test(field.path);
}

function dangersOf(change: ObjectDifference['change'], key: ObjectKey, fields: readonly FieldChange[]): readonly string[] {
  const dangers: string[] = [];
  if (change === 'delete') dangers.push('delete');
  if (key.group === 'rbac.authorization.k8s.io') dangers.push('rbac');
  if (key.group === 'apiextensions.k8s.io') dangers.push('crd');
  if (key.kind === 'Namespace') dangers.push('namespace');
  if (key.kind === 'PersistentVolumeClaim' || key.kind === 'PersistentVolume') dangers.push('storage');
  if (fields.some((field) => field.path === '/spec/replicas' && field.after === 0)) dangers.push('replicas-to-zero');
  return dangers;
}
