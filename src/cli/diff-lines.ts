import { imageMovesIn, shortImage } from '#model/difference-summary.ts';
import type { FieldDifference } from '#model/field-change.ts';
import { keyText } from '#model/kubernetes-object.ts';
import { isNoise } from '#model/rendered-diff.ts';
import type { EnvironmentDifference, InstanceMove, ObjectDifference } from '#model/rendered-diff.ts';
import { textPatch } from '#model/text-patch.ts';
import { countOf, printable } from './output.ts';

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
export function imageMoves(environment: EnvironmentDifference): readonly string[] {
  return imageMovesIn(environment)
    .map(({ from, to, containers }) => `image: ${imageText(from)} -> ${imageText(to)} (${countOf(containers, 'container')})`)
    .sort();
}

function imageText(image: string): string {
  return printable(shortImage(image));
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
