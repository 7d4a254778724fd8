import type { FieldDifference } from '#model/field-change.ts';
import { keyText } from '#model/kubernetes-object.ts';
import { isImageMove, isNoise } from '#model/rendered-diff.ts';
import type { EnvironmentDifference, InstanceMove, ObjectDifference, TargetDifference } from '#model/rendered-diff.ts';
import { textPatch } from '#model/text-patch.ts';
import { countOf, printable } from './output.ts';

/** Targets that change alike, told once. */
export interface TargetGroup {
  readonly names: readonly string[];
  readonly objects: readonly ObjectDifference[];
}

export function groupsOf(targets: readonly TargetDifference[]): readonly TargetGroup[] {
  const groups = new Map<string, { readonly names: string[]; readonly objects: readonly ObjectDifference[] }>();
  for (const { name, objects } of targets) {
    const same = JSON.stringify(objects);
    const group = groups.get(same);
    if (group === undefined) groups.set(same, { names: [name], objects });
    else group.names.push(name);
  }
  return [...groups.values()];
}

export interface Counts {
  readonly create: number;
  readonly update: number;
  readonly delete: number;
  readonly noise: number;
}

/** Over all targets; `update` counts those that are more than noise. */
export function countsOf({ targets }: EnvironmentDifference): Counts {
  const objects = targets.flatMap((target) => target.objects);
  const of = (change: ObjectDifference['change'], noise: boolean): number =>
    objects.filter((object) => object.change === change && object.noise === noise).length;
  return { create: of('create', false), update: of('update', false), delete: of('delete', false), noise: of('update', true) };
}

export function countText(counts: Counts): string {
  const noise = counts.noise === 0 ? '' : `, ${counts.noise} with nothing but versions and digests`;
  return `${counts.create} created, ${counts.update} updated, ${counts.delete} deleted${noise}`;
}

/** `danger -> objects`, most telling first in each. */
export function dangersIn({ targets }: EnvironmentDifference): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const target of targets)
    for (const object of target.objects)
      for (const danger of object.danger) {
        const places = found.get(danger) ?? [];
        places.push(`${target.name}: ${keyText(object.key)}`);
        found.set(danger, places);
      }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function moveText({ instance, capsule, from, to }: InstanceMove): string {
  const name = instance === capsule ? instance : `${instance} (${capsule})`;
  if (to === null) return `${name} ${from?.version ?? ''} leaves`;
  if (from === null) return `${name} ${to.version} arrives`;
  return from.version === to.version ? `${name} ${to.version}, other content` : `${name} ${from.version} -> ${to.version}`;
}

export function lockText({ field, before, after }: FieldDifference): string {
  return `lock: ${printable(field)}: ${valueText(before)} -> ${valueText(after)}`;
}

/** Images that only got another tag or digest, each told once with the number of containers. */
export function imageMoves({ targets }: EnvironmentDifference): readonly string[] {
  const counts = new Map<string, number>();
  for (const { objects } of targets)
    for (const { fields } of objects)
      for (const field of fields.filter(isImageMove)) {
        const text = `${imageText(field.before)} -> ${imageText(field.after)}`;
        counts.set(text, (counts.get(text) ?? 0) + 1);
      }
  return [...counts].map(([text, count]) => `image: ${text} (${countOf(count, 'container')})`).sort();
}

function imageText(image: unknown): string {
  return printable(typeof image === 'string' ? image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+$/, '$1…') : '');
}

const SIGN = { create: '+', update: '~', delete: '-' } as const;

export function objectHead(object: ObjectDifference): string {
  const danger = object.danger.length === 0 ? '' : `  [${object.danger.join(', ')}]`;
  return `${SIGN[object.change]} ${printable(keyText(object.key))}${danger}`;
}

/** The fields of one object as lines with `-` and `+`, at most `limit` of them; what is noise is only counted. */
export function fieldLines(object: ObjectDifference, limit: number): readonly string[] {
  const told = object.fields.filter((field) => !isNoise(field));
  const lines = told.flatMap(linesOf);
  const quiet = object.fields.length - told.length;
  const more = lines.length > limit ? [`  … ${countOf(lines.length - limit, 'more line')}`] : [];
  return [...lines.slice(0, limit), ...more, ...(quiet === 0 ? [] : [`  (and ${countOf(quiet, 'field')} of versions and digests)`])];
}

function linesOf({ field, before, after }: FieldDifference): readonly string[] {
  const name = printable(field);
  if (isText(before) && isText(after) && (before.includes('\n') || after.includes('\n')))
    return [`  ${name}:`, ...textLines(before, after).map((line) => `  ${line}`)];
  return [
    ...(before === undefined ? [] : [`- ${name}: ${valueText(before)}`]),
    ...(after === undefined ? [] : [`+ ${name}: ${valueText(after)}`]),
  ];
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

const LONGEST_TEXT = 2000;

function textLines(before: string, after: string): readonly string[] {
  const old = before.split('\n').length;
  const fresh = after.split('\n').length;
  if (old > LONGEST_TEXT || fresh > LONGEST_TEXT) return [`- ${countOf(old, 'line')}`, `+ ${countOf(fresh, 'line')}`];
  return textPatch('', before, after).split('\n').slice(2, -1).map(clipped);
}

/** A value on one line, cut at 120 characters. */
export function valueText(value: unknown): string {
  return value === undefined ? '(absent)' : clipped(JSON.stringify(value));
}

function clipped(text: string): string {
  return printable(text.length > 160 ? `${text.slice(0, 159)}…` : text);
}

export function shortDigest(digest: string | null): string {
  return digest === null ? '(none)' : digest.slice(0, 12);
}
