import { instantText } from '#model/instant.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import type { EnvironmentName } from '#model/names.ts';
import type { GateReading } from '#model/promotion.ts';
import type { ChangeSet, Move } from '#model/resolution.ts';
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
}

const OPEN = '<!-- capstan ';
const CLOSE = ' -->';

/** The same text until something happens: what passes by the minute is told as the time when it will have passed. */
export function bodyOf(facts: BodyFacts): string {
  const { environment, from, changeSet, risk, gates, notes } = facts;
  const origin = from === undefined ? 'released' : `verified in \`${from}\``;
  const moves = changeSet.moves.map(
    ({ instance, capsule, from: was, to }) =>
      `| ${cell(instance)} | ${cell(capsule)} | ${cell(was?.version ?? '–')} | ${cell(to?.version ?? 'leaves')} | ${to === undefined ? '–' : `\`${to.sha256.slice(0, 12)}\``} |`,
  );
  const rows = gates.map((gate) => {
    const detail = gate.until === undefined ? gate.detail : `until ${instantText(gate.until)}`;
    return `| ${cell(gate.name)} | ${gate.type} | ${gate.status} | ${cell(detail)} |`;
  });
  const back = changeSet.moves.flatMap(({ instance, from: was }) => (was === undefined ? [] : [`${instance} ${was.version}`]));
  return [
    `Moves ${changeSet.moves.length === 1 ? 'one capsule' : `${changeSet.moves.length} capsules`} in \`${environment}\`, ${origin}. Risk: **${risk}**.`,
    ['| instance | capsule | from | to | content |', '|---|---|---|---|---|', ...moves].join('\n'),
    gates.length === 0 ? 'No gates.' : ['| gate | type | status | detail |', '|---|---|---|---|', ...rows].join('\n'),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${cell(note)}`).join('\n')]),
    back.length === 0 ? 'There is nothing to go back to.' : `Going back means ${back.join(', ')}.`,
    `${OPEN}${hidden({ formatVersion: 1, environment, from: from ?? null, changeSet: changeSet.id, risk, moves: movesJson(changeSet) })}${CLOSE}`,
  ].join('\n\n');
}

function movesJson(changeSet: ChangeSet): Json {
  return changeSet.moves.map(({ instance, capsule, from, to }) => ({
    instance,
    capsule,
    from: from === undefined ? null : { ...from },
    to: to === undefined ? null : { ...to },
  }));
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

/** Text of strangers (logins, check names, sentences) in a table: no markup, no mention, no line break. */
function cell(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|#~]/g, '\\$&')
    .replaceAll('@', '@\u2060')
    .slice(0, 500);
}
