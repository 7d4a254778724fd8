import { countText, countsOf, dangersIn, groupsOf, shortDigest, type TargetGroup } from '#model/difference-summary.ts';
import { fieldLines } from '#model/field-lines.ts';
import { fenced } from '#model/markdown.ts';
import type { EnvironmentDifference, ObjectDifference } from '#model/rendered-diff.ts';
import { imageMoves, lockText, moveText, objectHead } from './diff-lines.ts';
import { countOf } from './output.ts';

/** A comment of the forge holds 65,536 characters; this leaves room for what stands around it. */
export const MARKDOWN_LIMIT = 60_000;

/** How much is told, most first: lines of fields for an object, objects for a target, places for a danger, environments in detail. */
interface Telling {
  readonly fields: number;
  readonly noise: boolean;
  readonly objects: number;
  readonly places: number;
  readonly environments: number;
}

const WHOLE: Telling = { fields: Infinity, noise: true, objects: Infinity, places: Infinity, environments: Infinity };

const LEAST: Telling = { fields: 0, noise: false, objects: 0, places: 0, environments: 20 };

const TELLINGS: readonly Telling[] = [
  WHOLE,
  { ...WHOLE, noise: false },
  { ...WHOLE, noise: false, fields: 20 },
  { ...WHOLE, noise: false, fields: 5 },
  { ...WHOLE, noise: false, fields: 0 },
  { fields: 0, noise: false, objects: 50, places: 50, environments: Infinity },
  { fields: 0, noise: false, objects: 0, places: 20, environments: Infinity },
  { fields: 0, noise: false, objects: 0, places: 3, environments: 100 },
  LEAST,
];

/** For a comment or a job summary: folds until it fits into `limit` characters, and says so; `whole` names a file that has all of it. */
export function differenceMarkdown(
  environments: readonly EnvironmentDifference[],
  { limit, whole }: { readonly limit: number; readonly whole: string | undefined },
): string {
  if (environments.length === 0) return 'Nothing rendered changes.\n';
  const grouped = environments.map((environment): Grouped => ({ ...environment, groups: groupsOf(environment.targets) }));
  for (const [step, telling] of TELLINGS.entries()) {
    const note = step === 0 ? '' : `\n${foldedText(whole)}\n`;
    const text = markdown(grouped, telling, limit - note.length);
    if (text !== undefined) return text + note;
  }
  const note = `\n\n${foldedText(whole)}\n`;
  return `${summary(grouped, LEAST).slice(0, Math.max(0, limit - note.length))}${note}`;
}

interface Grouped extends EnvironmentDifference {
  readonly groups: readonly TargetGroup[];
}

function foldedText(whole: string | undefined): string {
  const where = whole === undefined ? 'run `capstan diff` for all of it' : `all of it is in \`${whole}\``;
  return `_Not everything is shown here, it would be too long; ${where}._`;
}

/** Undefined as soon as it would be longer than `limit`. */
function markdown(environments: readonly Grouped[], telling: Telling, limit: number): string | undefined {
  let text = summary(environments, telling);
  for (const environment of environments.slice(0, telling.environments)) {
    if (text.length > limit) return undefined;
    text += `\n${section(environment, telling)}\n`;
  }
  return text.length > limit ? undefined : text;
}

function summary(environments: readonly Grouped[], telling: Telling): string {
  const told = environments.slice(0, telling.environments);
  const rest = environments.length - told.length;
  return `${[
    '| environment | created | updated | deleted | noise | danger | rendering |',
    '|---|---:|---:|---:|---:|---|---|',
    ...told.map(summaryRow),
    ...(rest === 0 ? [] : [`| … and ${countOf(rest, 'more environment')} | | | | | | |`]),
  ].join('\n')}\n`;
}

function summaryRow(environment: EnvironmentDifference): string {
  const counts = countsOf(environment);
  const dangers = [...dangersIn(environment)].map(([danger, places]) => `${danger} ${places.length}`).join(', ');
  const { base, head } = environment.digest;
  const digests = base === head ? 'stays' : `\`${shortDigest(base)}\` → \`${shortDigest(head)}\``;
  return `| ${environment.name} | ${counts.create} | ${counts.update} | ${counts.delete} | ${counts.noise} | ${dangers === '' ? '–' : `**${dangers}**`} | ${digests} |`;
}

function section(environment: Grouped, telling: Telling): string {
  const { name, moves, lock, groups } = environment;
  const facts = [...moves.map(moveText), ...lock.map(lockText), ...imageMoves(environment)];
  const dangers = [...dangersIn(environment)].map(([danger, places]) => dangerLine(danger, places, telling.places));
  const objects = telling.objects === 0 ? [] : groups.map((group) => groupText(group, telling));
  return [
    `### ${name}`,
    `${countText(countsOf(environment))}.`,
    ...(facts.length === 0 ? [] : [fenced('diff', clippedList(facts, telling.objects === 0 ? 20 : Infinity))]),
    ...(dangers.length === 0 ? [] : [fenced('diff', dangers)]),
    ...objects,
  ].join('\n\n');
}

function dangerLine(danger: string, places: readonly string[], limit: number): string {
  const shown = places.slice(0, limit).join('; ');
  const rest = places.length - Math.min(limit, places.length);
  return `! ${danger}: ${shown}${rest === 0 ? '' : `${shown === '' ? '' : '; '}${rest}${shown === '' ? '' : ' more'}`}`;
}

function clippedList(lines: readonly string[], limit: number): readonly string[] {
  return lines.length <= limit ? lines : [...lines.slice(0, limit), `… ${lines.length - limit} more`];
}

function groupText({ names, objects }: TargetGroup, telling: Telling): string {
  const telltale = telling.noise ? objects : objects.filter((object) => !object.noise);
  const told = telltale.slice(0, telling.objects);
  const rest = telltale.length - told.length;
  const lines = [
    ...told.flatMap((object) => objectLines(object, telling.fields)),
    ...(rest === 0 ? [] : [`… ${countOf(rest, 'more object')}`]),
  ];
  const body = lines.length === 0 ? 'Only versions and digests.' : fenced('diff', lines);
  return `<details><summary>${names.join(', ')}: ${countOf(objects.length, 'object')}</summary>\n\n${body}\n\n</details>`;
}

function objectLines(object: ObjectDifference, limit: number): readonly string[] {
  // GitHub colours lines that begin with "!" as it does + and -.
  const head = objectHead(object).replace(/^~/, '!');
  if (object.noise) return [`${head}  (only versions and digests)`];
  if (limit === 0) return [object.fields.length === 0 ? head : `${head}  (${countOf(object.fields.length, 'field')})`];
  return [head, ...fieldLines(object, limit)];
}
