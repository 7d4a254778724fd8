import type { CapsulePatch } from '#model/declarations.generated.ts';
import type { Json } from '#model/json.ts';
import { isJsonObject, pointerToken } from '#model/json.ts';
import { groupAndVersion } from '#model/kubernetes-object.ts';
import type { Place } from '#model/problem.ts';
import { placeInFile } from '#model/problem.ts';
import { applyPatch } from './json-patch.ts';
import type { RawObject } from './objects.ts';
import type { Scope } from './scope.ts';
import { filled, problemAt } from './scope.ts';

interface Patch {
  readonly target: CapsulePatch['target'];
  readonly ops: CapsulePatch['ops'];
  readonly place: Place;
}

/** The objects after the capsule's patches, then the environment's, each in its order. One that matches nothing is a mistake. */
export function patched(scope: Scope, raws: readonly RawObject[]): readonly RawObject[] {
  let here = raws;
  for (const patch of patchesOf(scope)) {
    const matching = new Set(here.filter((raw) => matches(patch.target, raw.value)));
    if (matching.size === 0) {
      scope.problems.push(
        problemAt(patch.place, {
          code: 'patch-unmatched',
          rule: undefined,
          message: `the patch matches no object of ${scope.unit.pin.instance}: ${targetText(patch.target)}`,
          remedy: 'Correct its target; `capstan render` shows kinds and names of the objects.',
        }),
      );
    }
    here = here.map((raw) => (matching.has(raw) ? patchOne(scope, patch, raw) : raw));
  }
  return here;
}

function patchesOf(scope: Scope): readonly Patch[] {
  const capsuleFile = `${scope.unit.capsule.directory}/capsule.yaml`;
  const own = (scope.capsule.spec.patches ?? []).map((patch, at): Patch => {
    const pointer = `/spec/patches/${at}`;
    const { name } = patch.target;
    return {
      target: { ...patch.target, ...(name === undefined ? {} : { name: filled(scope, name, `${pointer}/target/name`) }) },
      ops: patch.ops.map((op, index) =>
        op.value === undefined ? op : { ...op, value: filledDeep(scope, op.value, `${pointer}/ops/${index}/value`) },
      ),
      place: { ...placeInFile(capsuleFile), pointer },
    };
  });
  const { file, patches } = scope.unit.wishes;
  const wished = patches.map((patch, at): Patch => {
    const pointer = `/spec/capsules${pointerToken(scope.unit.pin.instance)}/patches/${at}`;
    return { target: patch.target, ops: patch.ops, place: { ...placeInFile(file), pointer } };
  });
  return [...own, ...wished];
}

function filledDeep(scope: Scope, value: Json, pointer: string): Json {
  if (typeof value === 'string') return filled(scope, value, pointer);
  if (Array.isArray(value)) return value.map((one: Json, at) => filledDeep(scope, one, `${pointer}/${at}`));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]): [string, Json] => [key, filledDeep(scope, one, `${pointer}${pointerToken(key)}`)]),
  );
}

function matches(target: CapsulePatch['target'], value: Json): boolean {
  if (!isJsonObject(value)) return false;
  const { apiVersion, kind, metadata } = value;
  if (target.kind !== undefined && target.kind !== kind) return false;
  if (target.group !== undefined && (typeof apiVersion !== 'string' || groupAndVersion(apiVersion).group !== target.group)) return false;
  return target.name === undefined || (isJsonObject(metadata) && metadata['name'] === target.name);
}

function patchOne(scope: Scope, patch: Patch, raw: RawObject): RawObject {
  const result = applyPatch(raw.value, patch.ops);
  const at = (where: string, what: string): RawObject => {
    scope.problems.push(
      problemAt(
        { ...patch.place, pointer: `${patch.place.pointer ?? ''}${where}` },
        {
          code: 'patch-failed',
          rule: undefined,
          message: `the patch of ${identity(raw.value)} of ${scope.unit.pin.instance} ${what}`,
          remedy: 'Correct the operation; paths are JSON pointers into the object as it is rendered.',
        },
      ),
    );
    return raw;
  };
  if (!result.ok) return at(`/ops/${result.at}`, result.message);
  if (identity(result.value) !== identity(raw.value)) return at('/ops', `makes it another object: ${identity(result.value)}`);
  const touched = patch.ops.map((op, index) => ({
    pointer: op.path,
    place: { ...patch.place, pointer: `${patch.place.pointer ?? ''}/ops/${index}` },
  }));
  return { ...raw, value: result.value, patches: [...(raw.patches ?? []), ...touched] };
}

function identity(value: Json): string {
  const { apiVersion, kind, metadata } = isJsonObject(value) ? value : {};
  const { name, namespace } = isJsonObject(metadata) ? metadata : {};
  return [apiVersion, kind, namespace, name]
    .filter((part) => part !== undefined)
    .map(String)
    .join(' ')
    .slice(0, 300);
}

function targetText(target: CapsulePatch['target']): string {
  return (['group', 'kind', 'name'] as const)
    .flatMap((field) => (target[field] === undefined ? [] : [`${field} ${JSON.stringify(target[field])}`]))
    .join(', ');
}
