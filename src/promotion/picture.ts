import { countText, countsOf, dangersIn, groupsOf, imageMovesIn, shortDigest, shortImage } from '#model/difference-summary.ts';
import { fieldLines } from '#model/field-lines.ts';
import { keyText } from '#model/kubernetes-object.ts';
import { cell, clipped, fenced } from '#model/markdown.ts';
import type { Changelog, KeyChange, PromotionEffect, SchemaDifference } from '#model/promotion.ts';
import type { EnvironmentDifference, ObjectDifference } from '#model/rendered-diff.ts';

/** How much of each part is told. */
export interface Telling {
  /** Of tables and lists. */
  readonly rows: number;
  /** Characters of a stranger's text in a table. */
  readonly cell: number;
  /** Of one danger. */
  readonly places: number;
  /** Of one group of targets. */
  readonly objects: number;
  /** Lines of what differs in one object. */
  readonly fields: number;
  /** Changes of configuration, of one instance. */
  readonly keys: number;
  /** Characters of one capsule's changelog. */
  readonly changelog: number;
}

export const WHOLE: Telling = { rows: 200, cell: 500, places: 100, objects: 200, fields: 40, keys: 100, changelog: 8000 };

/** Most first; the last one fits whatever it is given. */
export const TELLINGS: readonly Telling[] = [
  WHOLE,
  { ...WHOLE, fields: 8 },
  { ...WHOLE, fields: 0, objects: 50, changelog: 2000 },
  { rows: 100, cell: 300, places: 50, objects: 20, fields: 0, keys: 30, changelog: 500 },
  { rows: 50, cell: 200, places: 20, objects: 0, fields: 0, keys: 10, changelog: 0 },
  { rows: 10, cell: 100, places: 3, objects: 0, fields: 0, keys: 0, changelog: 0 },
];

/** Cuts a list and says in `more` how much is left out. */
export function upTo(limit: number): (lines: readonly string[], more: (rest: number) => string) => readonly string[] {
  return (lines, more) => (lines.length <= limit ? lines : [...lines.slice(0, limit), more(lines.length - limit)]);
}

const LONGEST_LINE = 200;

/** The parts of a body that say what is rendered otherwise, what configuration is accepted otherwise, and what the authors say of it. */
export function pictureOf(environment: string, effect: PromotionEffect, telling: Telling): readonly string[] {
  return [
    ...renderedParts(environment, effect, telling),
    ...(effect.schemas === undefined ? [] : schemaParts(effect.schemas, telling)),
    ...changelogParts(effect.changelogs, telling),
  ];
}

function renderedParts(environment: string, { rendered }: PromotionEffect, telling: Telling): readonly string[] {
  switch (rendered.kind) {
    case 'unknown': {
      const what = rendered.side === 'now' ? `What is declared in \`${environment}\` now` : 'This change';
      const reasons = rendered.reasons.map((reason) => `- ${cell(reason, telling.cell)}`);
      return [
        [
          `${what} could not be rendered, so its effect on objects is not known:`,
          ...upTo(10)(reasons, (rest) => `- … and ${rest} more`),
        ].join('\n'),
      ];
    }
    case 'rendered':
      return rendered.difference === undefined ? ['Nothing rendered changes.'] : differenceParts(rendered.difference, telling);
  }
}

function differenceParts(difference: EnvironmentDifference, telling: Telling): readonly string[] {
  const { base, head } = difference.digest;
  if (difference.targets.length === 0 && base === head) return [`No object changes: the rendering stays \`${shortDigest(head)}\`.`];
  const shown = upTo(telling.rows);
  const rows = difference.targets.map((target) => {
    const counts = countsOf({ targets: [target] });
    const dangers = [...dangersIn({ targets: [target] })].map(([danger, places]) => `${danger} ${places.length}`).join(', ');
    return `| ${cell(target.name, telling.cell)} | ${counts.create} | ${counts.update} | ${counts.delete} | ${counts.noise} | ${dangers === '' ? '–' : `**${dangers}**`} |`;
  });
  const table = ['| target | created | updated | deleted | noise | danger |', '|---|---:|---:|---:|---:|---|'];
  return [
    `Objects: ${countText(countsOf(difference))}. Rendering: \`${shortDigest(base)}\` → \`${shortDigest(head)}\`.`,
    [...table, ...shown(rows, (rest) => `| … and ${rest} more | | | | | |`)].join('\n'),
    ...dangerPart(difference, telling),
    ...imagePart(difference, telling),
    ...(telling.objects === 0 ? [] : objectPart(difference, telling)),
  ];
}

function dangerPart(difference: EnvironmentDifference, telling: Telling): readonly string[] {
  const lines = [...dangersIn(difference)].flatMap(([danger, places]) =>
    upTo(telling.places)(
      places.map((place) => `! ${danger}: ${lineOf(place)}`),
      (rest) => `! ${danger}: … and ${rest} more`,
    ),
  );
  return lines.length === 0 ? [] : [fenced('diff', lines)];
}

function imagePart(difference: EnvironmentDifference, telling: Telling): readonly string[] {
  const moves = imageMovesIn(difference).map(
    ({ from, to, containers }) =>
      `${lineOf(shortImage(from))} -> ${lineOf(shortImage(to))} (${containers} container${containers === 1 ? '' : 's'})`,
  );
  if (moves.length === 0) return [];
  return [
    folded(
      `Images: ${moves.length} moved`,
      fenced(
        '',
        upTo(telling.rows)(moves, (rest) => `… and ${rest} more`),
      ),
    ),
  ];
}

const SIGN = { create: '+', update: '!', delete: '-' } as const;

function objectPart({ targets }: EnvironmentDifference, telling: Telling): readonly string[] {
  const lines = groupsOf(targets).flatMap(({ names, objects }) => [
    `# ${lineOf(names.join(', '))}`,
    ...objects.slice(0, telling.objects).flatMap((object) => objectLines(object, telling.fields)),
    ...(objects.length <= telling.objects ? [] : [`… and ${objects.length - telling.objects} more`]),
  ]);
  const shown = upTo(MOST_LINES)(lines, (rest) => `… and ${rest} more lines`);
  return lines.length === 0 ? [] : [folded('Objects by target', fenced('diff', shown))];
}

const MOST_LINES = 1000;

function objectLines(object: ObjectDifference, limit: number): readonly string[] {
  const { key, change, danger, noise, fields } = object;
  const dangers = danger.length === 0 ? '' : `  [${danger.join(', ')}]`;
  const head = `${SIGN[change]} ${lineOf(keyText(key))}${dangers}`;
  if (noise) return [`${head}  (only versions and digests)`];
  if (change !== 'update') return [head];
  return limit === 0
    ? [`${head}  (${fields.length} field${fields.length === 1 ? '' : 's'})`]
    : [head, ...fieldLines(object, limit).map(lineOf)];
}

function schemaParts(schemas: readonly SchemaDifference[], telling: Telling): readonly string[] {
  if (schemas.length === 0) return [];
  const amount = schemas.reduce((sum, { keys }) => sum + keys.length, 0);
  const summary = `Configuration: ${amount} key${amount === 1 ? '' : 's'} accepted otherwise`;
  if (telling.keys === 0) return [`${summary}.`];
  const lines = schemas.flatMap(({ instance, keys }) => [
    `# ${lineOf(instance)}`,
    ...upTo(telling.keys)(keys.map(keyLine), (rest) => `… and ${rest} more`),
  ]);
  return [
    folded(
      summary,
      fenced(
        'diff',
        upTo(telling.rows)(lines, (rest) => `… and ${rest} more lines`),
      ),
    ),
  ];
}

const KEY_SIGN = { added: '+', removed: '-', changed: '!' } as const;

function keyLine({ key, change, keywords }: KeyChange): string {
  const words = keywords.map(({ field, before, after }) => {
    if (change === 'added') return `${field} ${valueOf(after)}`;
    return change === 'removed' ? `${field} ${valueOf(before)}` : `${field} ${valueOf(before)} -> ${valueOf(after)}`;
  });
  return lineOf(`${KEY_SIGN[change]} ${key === '' ? '(the whole)' : key}${words.length === 0 ? '' : `: ${words.join(', ')}`}`);
}

function valueOf(value: unknown): string {
  return value === undefined ? '(absent)' : clipped(JSON.stringify(value), LONGEST_LINE);
}

function changelogParts(changelogs: readonly Changelog[], telling: Telling): readonly string[] {
  if (telling.changelog === 0) return [];
  const most = Math.min(telling.rows, 20);
  const parts = changelogs.slice(0, most).map(({ instance, sections, cut }) => {
    const whole = sections.flatMap(({ version, text }) => [`## ${version}`, ...(text === '' ? [] : text.split('\n')), '']).join('\n');
    const text = clipped(whole.trimEnd(), telling.changelog);
    const isCut = cut || text.length < whole.trimEnd().length;
    return folded(`Changelog of ${cell(instance, telling.cell)}`, fenced('', [...text.split('\n'), ...(isCut ? ['…'] : [])]));
  });
  return changelogs.length <= most ? parts : [...parts, `… and changelogs of ${changelogs.length - most} more.`];
}

function folded(summary: string, block: string): string {
  return `<details><summary>${summary}</summary>\n\n${block}\n\n</details>`;
}

function lineOf(text: string): string {
  const line = text.replaceAll(/[\r\n]+/g, ' ');
  return line.length <= LONGEST_LINE ? line : `${clipped(line, LONGEST_LINE)}…`;
}
