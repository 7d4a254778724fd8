import type { CapsulePatch } from '#model/declarations.generated.ts';
import { isJsonObject, pointerKeys, pointerToken, valueAt } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import type { FieldChange } from '#model/plan.ts';
import type { RenderedObject } from '#model/rendering.ts';
import { blockPairs, splice } from '#model/yaml-splice.ts';
import { parseYamlText } from '#model/yaml-text.ts';

type Operation = CapsulePatch['ops'][number];

/** The patch that makes what is rendered equal to what is there in the changed fields; undefined where none can. */
export function adoptingPatch({ key, object }: RenderedObject, changes: readonly FieldChange[]): CapsulePatch | undefined {
  const ops: Operation[] = [];
  for (const change of changes) {
    const op = operationFor(object, change);
    if (op === undefined) return undefined;
    ops.push(op);
  }
  return { target: { kind: key.kind, name: key.name, ...(key.group === '' ? {} : { group: key.group }) }, ops };
}

function operationFor(object: Json, { path, before, after }: FieldChange): Operation | undefined {
  const parent = valueAt(object, path.slice(0, path.lastIndexOf('/')));
  const there = valueAt(object, path);
  if (pointerKeys(path).length === 0 || parent === undefined) return undefined;
  if (before === undefined) return isJsonObject(parent) && isJson(after) ? { op: 'add', path, value: after } : undefined;
  // An element that somebody put in front of it moved it: then another one stands there in git.
  if (there === undefined || (isInList(object, path) && !sameJson(there, before))) return undefined;
  return isJson(after) ? { op: 'replace', path, value: after } : { op: 'remove', path };
}

function isInList(object: Json, path: string): boolean {
  const keys = pointerKeys(path);
  return keys.some((_, depth) =>
    isList(
      valueAt(
        object,
        keys
          .slice(0, depth)
          .map((key) => pointerToken(key))
          .join(''),
      ) ?? null,
    ),
  );
}

function isJson(value: unknown): value is Json {
  return value !== undefined;
}

/**
 * The text of an environment with patches added to one of its instances, all other bytes as they were; undefined where it is written in a
 * way that cannot be added to.
 */
export function withPatches(text: string, instance: string, patches: readonly CapsulePatch[]): string | undefined {
  const edited = editedText(text, wayTo(instance), patches);
  return edited !== undefined && isAsMeant(text, edited, { instance, patches }) ? edited : undefined;
}

/** `web` stands under capsules, `web.cache` under the instances of web. */
function wayTo(instance: string): readonly string[] {
  const dot = instance.indexOf('.');
  const own = ['spec', 'capsules'];
  return dot < 0 ? [...own, instance] : [...own, instance.slice(0, dot), 'instances', instance.slice(dot + 1)];
}

function editedText(text: string, way: readonly string[], patches: readonly CapsulePatch[]): string | undefined {
  const read = blockPairs(text);
  const parent = read?.(way.slice(0, -1))?.find((pair) => pair.key === way.at(-1));
  if (read === undefined || parent === undefined) return undefined;
  if (parent.kind === 'flow') return inFlow(text, parent, `"patches": ${JSON.stringify(patches)}`);
  const column = parent.valueStart - (text.lastIndexOf('\n', parent.valueStart - 1) + 1);
  const pairs = read(way);
  const last = pairs?.at(-1);
  if (last === undefined) return undefined;
  const there = pairs?.find((pair) => pair.key === 'patches');
  if (there?.kind === 'flow') return inFlow(text, there, patches.map((patch) => JSON.stringify(patch)).join(', '));
  if (there !== undefined && there.kind !== 'seq') return undefined;
  const indent = there === undefined ? column + 2 : there.valueStart - (text.lastIndexOf('\n', there.valueStart - 1) + 1);
  const items = patches.flatMap((patch) => patchLines(patch, ' '.repeat(indent)));
  const lines = there === undefined ? [`${' '.repeat(column)}patches:`, ...items] : items;
  const at = (there ?? last).end;
  const before = at > 0 && text[at - 1] !== '\n' ? '\n' : '';
  return splice(text, [{ start: at, end: at, text: `${before}${lines.join('\n')}\n` }]);
}

function inFlow(text: string, at: { readonly valueStart: number; readonly valueEnd: number }, more: string): string {
  const end = at.valueEnd - 1;
  const isEmpty = text.slice(at.valueStart + 1, end).trim() === '';
  return splice(text, [{ start: end, end, text: isEmpty ? more : `, ${more}` }]);
}

function patchLines({ target, ops }: CapsulePatch, indent: string): readonly string[] {
  const facts = (['kind', 'name', 'group'] as const).flatMap((field) =>
    target[field] === undefined ? [] : [`${indent}    ${field}: ${scalar(target[field])}`],
  );
  const operations = ops.flatMap(({ op, path, value }) => [
    `${indent}    - op: ${op}`,
    `${indent}      path: ${scalar(path)}`,
    ...(value === undefined ? [] : [`${indent}      value: ${JSON.stringify(value)}`]),
  ]);
  return [`${indent}- target:`, ...facts, `${indent}  ops:`, ...operations];
}

function scalar(text: string): string {
  return /^[A-Za-z/][A-Za-z0-9/_.~-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n|~)$/i.test(text) ? text : JSON.stringify(text);
}

/** Whoever wrote the file, nothing but the patches may have changed. */
function isAsMeant(
  before: string,
  after: string,
  meant: { readonly instance: string; readonly patches: readonly CapsulePatch[] },
): boolean {
  const [old, now] = [before, after].map((text) => parseYamlText(Buffer.from(text, 'utf8'), 'environment.yaml'));
  if (old?.ok !== true || now?.ok !== true) return false;
  const pointer = wayTo(meant.instance)
    .map((key) => pointerToken(key))
    .join('');
  const listed = valueAt(now.value.value, `${pointer}/patches`) ?? [];
  const earlier = valueAt(old.value.value, `${pointer}/patches`) ?? [];
  if (!isList(listed) || !isList(earlier)) return false;
  const added = listed.slice(earlier.length);
  return (
    sameJson(added, meant.patches) &&
    sameJson(listed.slice(0, earlier.length), earlier) &&
    sameJson(without(now.value.value, wayTo(meant.instance)), without(old.value.value, wayTo(meant.instance)))
  );
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function sameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** A value without the patches of one instance. */
function without(value: Json | undefined, way: readonly string[]): Json | undefined {
  const [key, ...rest] = way;
  if (!isJsonObject(value)) return value;
  if (key === undefined) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'patches'));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, name === key ? (without(inner, rest) ?? null) : inner]));
}
