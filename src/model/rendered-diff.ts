import type { EnvironmentLock } from '#model/declarations.generated.ts';
import type { Sha256 } from '#model/digest.ts';
import { fieldChanges, type FieldDifference } from '#model/field-change.ts';
import type { Json } from '#model/json.ts';
import { compareKeys, keyText, type ObjectKey } from '#model/kubernetes-object.ts';
import { dangersOf, type Danger } from '#model/object-danger.ts';
import { compareText } from '#model/problem.ts';
import type { RenderedObject, Rendering, TargetRendering } from '#model/rendering.ts';

/** What would change in one object; `fields` of a Secret never carry values. */
export interface ObjectDifference {
  readonly key: ObjectKey;
  readonly instance: string;
  readonly change: 'create' | 'update' | 'delete';
  readonly fields: readonly FieldDifference[];
  /** Nothing but versions and digests moved: see `isNoise`. */
  readonly noise: boolean;
  /** What a reviewer must not miss. */
  readonly danger: readonly Danger[];
}

/** One instance as it is rendered before and after; null where it is not. */
export interface InstanceMove {
  readonly instance: string;
  readonly capsule: string;
  readonly from: { readonly version: string; readonly sha256: Sha256 } | null;
  readonly to: { readonly version: string; readonly sha256: Sha256 } | null;
}

export interface EnvironmentDifference {
  readonly name: string;
  readonly digest: { readonly base: Sha256 | null; readonly head: Sha256 | null };
  /** By instance. */
  readonly moves: readonly InstanceMove[];
  /** What else its lock says differently: who asks for an instance, its signer, holds. */
  readonly lock: readonly FieldDifference[];
  /** By name; those where nothing differs are left out. */
  readonly targets: readonly TargetDifference[];
}

export interface TargetDifference {
  readonly name: string;
  readonly objects: readonly ObjectDifference[];
}

/** An environment before or after the change. */
export interface Side {
  readonly rendering: Rendering | undefined;
  readonly lock: EnvironmentLock | undefined;
}

/** The difference of one environment; undefined when neither its rendering nor its lock moved. Equal targets are never opened. */
export function differenceOf(name: string, base: Side, head: Side): EnvironmentDifference | undefined {
  const lock = lockChanges(base.lock, head.lock);
  const moves = movesBetween(base.rendering, head.rendering);
  const digest = { base: base.rendering?.digest ?? null, head: head.rendering?.digest ?? null };
  if (digest.base === digest.head && moves.length === 0 && lock.length === 0) return undefined;
  const before = new Map(base.rendering?.targets.map((target) => [target.target.name, target]));
  const after = new Map(head.rendering?.targets.map((target) => [target.target.name, target]));
  const targets = [...new Set([...before.keys(), ...after.keys()])].sort(compareText).flatMap((target) => {
    const objects = targetDifference(before.get(target), after.get(target));
    return objects.length === 0 ? [] : [{ name: target, objects }];
  });
  return { name, digest, moves, lock, targets };
}

/** What a move changes in a lock entry, and the entry itself where an instance comes or goes: told as a move. */
const MOVED = /^\/capsules\/[^/]+(\/(capsule|version|commit|gitTree|sha256))?$/;

function lockChanges(before: EnvironmentLock | undefined, after: EnvironmentLock | undefined): readonly FieldDifference[] {
  if (before === undefined || after === undefined || before === after) return [];
  const stated = ({ capsules, holds }: EnvironmentLock): Json => ({ capsules, holds }) as unknown as Json;
  return fieldChanges(stated(before), stated(after)).filter(({ path }) => !MOVED.test(path));
}

function movesBetween(base: Rendering | undefined, head: Rendering | undefined): readonly InstanceMove[] {
  const before = instancesOf(base);
  const after = instancesOf(head);
  return [...new Set([...before.keys(), ...after.keys()])].sort(compareText).flatMap((instance) => {
    const from = before.get(instance);
    const to = after.get(instance);
    if (from?.sha256 === to?.sha256 && from?.version === to?.version) return [];
    return [{ instance, capsule: (to ?? from)?.capsule ?? '', from: from?.at ?? null, to: to?.at ?? null }];
  });
}

function instancesOf(rendering: Rendering | undefined) {
  return new Map(
    rendering?.targets.flatMap((target) =>
      [...target.instances].map(([instance, { capsule, version, sha256 }]) => [
        instance,
        { capsule, version, sha256, at: { version, sha256 } },
      ]),
    ),
  );
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
  const danger = dangersOf({ key: object.key, before: base?.object, after: head?.object, fields });
  return {
    key: object.key,
    instance: object.instance,
    change: base === undefined ? 'create' : head === undefined ? 'delete' : 'update',
    fields: object.key.kind === 'Secret' ? fields.map((field) => ({ ...field, before: '[secret]', after: '[secret]' })) : fields,
    noise: base !== undefined && head !== undefined && fields.every(isNoise) && danger.length === 0,
    danger,
  };
}

const METADATA =
  /^(\/spec(\/jobTemplate\/spec)?\/template|\/spec\/jobTemplate)?\/metadata\/(annotations\/(capstan\.dev~1|checksum~1)|labels\/(app\.kubernetes\.io~1version|helm\.sh~1chart)$)/;
const IMAGE = /\/(initContainers|containers|ephemeralContainers)\/\d+\/image$/;

/** Annotations of our own, checksums and version labels, and another tag or digest of the image that was there: what every release moves. */
export function isNoise(field: FieldDifference): boolean {
  return METADATA.test(field.path) || isImageMove(field);
}

/** Another tag or digest of the same repository; another repository is never taken for that. */
export function isImageMove({ path, before, after }: FieldDifference): boolean {
  return IMAGE.test(path) && typeof before === 'string' && typeof after === 'string' && repositoryOf(before) === repositoryOf(after);
}

function repositoryOf(image: string): string {
  const name = image.split('@')[0] ?? '';
  const slash = name.lastIndexOf('/');
  const colon = name.indexOf(':', slash + 1);
  return colon < 0 ? name : name.slice(0, colon);
}
