import type { FieldDifference } from '#model/field-change.ts';
import { visibleText } from '#model/quoted.ts';
import { isNoise, type ObjectDifference } from '#model/rendered-diff.ts';
import { textPatch } from '#model/text-patch.ts';

/** The fields of one object as lines with `-` and `+`, at most `limit` of them; what is noise is only counted. */
export function fieldLines(object: Pick<ObjectDifference, 'fields'>, limit: number): readonly string[] {
  const told = object.fields.filter((field) => !isNoise(field));
  const lines = told.flatMap(linesOf);
  const quiet = object.fields.length - told.length;
  const more = lines.length > limit ? [`  … ${countOf(lines.length - limit, 'more line')}`] : [];
  return [...lines.slice(0, limit), ...more, ...(quiet === 0 ? [] : [`  (and ${countOf(quiet, 'field')} of versions and digests)`])];
}

function linesOf({ field, before, after }: FieldDifference): readonly string[] {
  const name = visibleText(field, Infinity);
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
  return visibleText(text.length > 160 ? `${text.slice(0, 159)}…` : text, Infinity);
}

function countOf(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
