import { instantText } from '#model/instant.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import { cell } from '#model/markdown.ts';
import type { EnvironmentName } from '#model/names.ts';
import type { GateReading, PromotionEffect } from '#model/promotion.ts';
import type { ChangeSet, Move } from '#model/resolution.ts';
import { pictureOf, TELLINGS, upTo, WHOLE, type Telling } from './picture.ts';
import type { Risk } from './risk.ts';

/** `promote(prod): greeter 1.4.1 → 1.4.2`, at most 100 characters. */
export function titleOf(environment: EnvironmentName, moves: readonly Move[]): string {
  const head = `promote(${environment}): `;
  const words = moves.map(moveText);
  const whole = head + words.join(', ');
  if (whole.length <= 100) return whole;
  const first = `${head}${words[0] ?? ''} and ${moves.length - 1} more`;
  return moves.length > 1 && first.length <= 100 ? first : `${head}${moves.length} capsules`;
}

function moveText({ instance, from, to }: Move): string {
  if (to === undefined) return `${instance} ${from?.version ?? ''} leaves`;
  return from === undefined ? `${instance} → ${to.version}` : `${instance} ${from.version} → ${to.version}`;
}

export interface BodyFacts {
  readonly environment: EnvironmentName;
  readonly from: EnvironmentName | undefined;
  readonly changeSet: ChangeSet;
  readonly risk: Risk;
  readonly gates: readonly GateReading[];
  readonly notes: readonly string[];
  readonly effect: PromotionEffect;
}

const OPEN = '<!-- capstan ';
const CLOSE = ' -->';

/** A forge takes 65,536 characters. */
export const BODY_LIMIT = 60_000;

/**
 * The same text until something happens: what passes by the minute is told as the time when it will have passed. What would be too long is
 * folded in the order of `TELLINGS`, and said to be.
 */
export function bodyOf(facts: BodyFacts): string {
  let text = '';
  for (const telling of TELLINGS) {
    text = bodyAs(facts, telling);
    if (text.length <= BODY_LIMIT) return text;
  }
  return text;
}

function bodyAs(facts: BodyFacts, telling: Telling): string {
  const { environment, from, changeSet, risk, gates, notes, effect } = facts;
  const short = (text: string): string => cell(text, telling.cell);
  const origin = from === undefined ? 'released' : `verified in \`${from}\``;
  const moves = changeSet.moves.map(
    ({ instance, capsule, from: was, to }) =>
      `| ${short(instance)} | ${short(capsule)} | ${short(was?.version ?? '–')} | ${short(to?.version ?? 'leaves')} | ${to === undefined ? '–' : `\`${to.sha256.slice(0, 12)}\``} |`,
  );
  const rows = gates.map((gate) => {
    const detail = gate.until === undefined ? gate.detail : `until ${instantText(gate.until)}`;
    return `| ${short(gate.name)} | ${gate.type} | ${gate.status} | ${short(detail)} |`;
  });
  const back = changeSet.moves.flatMap(({ instance, from: was }) => (was === undefined ? [] : [`${instance} ${short(was.version)}`]));
  const shown = upTo(telling.rows);
  const record = { formatVersion: 1, environment, from: from ?? null, changeSet: changeSet.id, risk, ...recordOf(changeSet, telling) };
  return [
    `Moves ${changeSet.moves.length === 1 ? 'one capsule' : `${changeSet.moves.length} capsules`} in \`${environment}\`, ${origin}. Risk: **${risk}**.`,
    [
      '| instance | capsule | from | to | content |',
      '|---|---|---|---|---|',
      ...shown(moves, (rest) => `| … and ${rest} more | | | | |`),
    ].join('\n'),
    gates.length === 0
      ? 'No gates.'
      : ['| gate | type | status | detail |', '|---|---|---|---|', ...shown(rows, (rest) => `| … and ${rest} more | | | |`)].join('\n'),
    ...(notes.length === 0
      ? []
      : [
          shown(
            notes.map((note) => `- ${short(note)}`),
            (rest) => `- … and ${rest} more`,
          ).join('\n'),
        ]),
    ...pictureOf(environment, effect, telling),
    back.length === 0 ? 'There is nothing to go back to.' : `Going back means ${shown(back, (rest) => `${rest} more`).join(', ')}.`,
    ...(telling === WHOLE ? [] : [foldedText(environment)]),
    `${OPEN}${hidden(record)}${CLOSE}`,
  ].join('\n\n');
}

function foldedText(environment: EnvironmentName): string {
  return `_Not everything is shown here, it would be too long; \`capstan promote ${environment} --dry-run -o json\` has all of it, and \`capstan diff\` every field._`;
}

function recordOf({ moves }: ChangeSet, telling: Telling): { readonly moves: Json; readonly more?: number } {
  const told = moves.slice(0, telling.rows).map(({ instance, capsule, from, to }) => ({
    instance,
    capsule,
    from: from === undefined ? null : { ...from },
    to: to === undefined ? null : { ...to },
  }));
  return told.length === moves.length ? { moves: told } : { moves: told, more: moves.length - told.length };
}

/** JSON that cannot end an HTML comment. */
function hidden(value: Json): string {
  return canonicalJson(value).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('--', '-\\u002d');
}

/** The change set that a body of ours names; undefined for any other text. */
export function changeSetIn(body: string): string | undefined {
  const start = body.lastIndexOf(OPEN);
  const end = body.indexOf(CLOSE, start);
  if (start < 0 || end < 0) return undefined;
  return /"changeSet":"(cs-[0-9a-f]{16})"/.exec(body.slice(start, end))?.[1];
}
