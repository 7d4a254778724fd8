import type { Instant } from '#model/instant.ts';
import { parseInstant } from '#model/instant.ts';
import type { Place, Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';

/** A comment that silences a warning, as it stands in a file. */
export interface Suppression {
  readonly place: Place;
  /** `V-14` or a problem code. */
  readonly names: string;
  /** The line whose warnings it silences; undefined for the whole file. */
  readonly line: number | undefined;
  readonly until: Instant;
  /** As it was written. */
  readonly day: string;
}

export interface FoundSuppressions {
  readonly suppressions: readonly Suppression[];
  readonly problems: readonly Problem[];
}

export interface JudgedProblems {
  readonly problems: readonly Problem[];
  readonly suppressed: readonly Problem[];
}

const WORD = 'capstan-ignore';
/** The one error that is a guess. Nothing but `validate` looks for it, so a comment cannot make it say what the engine will not do. */
const GUESSED = 'secret-suspected';
/** Of one file. */
const MOST = 200;
/** What comments begin with, right before the word. */
const OPENING = /(?:(?<=^|\s)(?:#|\/\/)|\{\{!(?:--)?|<!--)$/;
const SENTENCE = /^ (V-\d{2,3}|[a-z0-9]+(?:-[a-z0-9]+)*): (\S.{2,500}?), until (\d{4}-\d{2}-\d{2})$/;

/** All that it takes but for the length of the reason. */
const WITH_ANY_REASON = /^ (?:V-\d{2,3}|[a-z0-9]+(?:-[a-z0-9]+)*): (\S.*), until \d{4}-\d{2}-\d{2}$/;

/** Comments in any text of a repository. What looks like one inside a text of several lines counts, too: it can only silence a warning. */
export function findSuppressions(bytes: Uint8Array, file: string): FoundSuppressions {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!content.includes(WORD)) return { suppressions: [], problems: [] };
  const lines = content.toString('utf8').split(/\r?\n/);
  const suppressions: Suppression[] = [];
  const problems: Problem[] = [];
  const next = nextLines(lines);
  for (const [index, text] of lines.entries()) {
    if (text.length > 2000 || !text.includes(WORD) || suppressions.length + problems.length >= MOST) continue;
    const comment = commentIn(text);
    if (comment === undefined) continue;
    const { before, isWholeFile, rest } = comment;
    const place: Place = { file, line: index + 1, column: before.length + 1, pointer: undefined };
    const [, names = '', , day = ''] = SENTENCE.exec(rest) ?? [];
    const until = parseInstant(`${day}T23:59:59Z`);
    if (until === undefined) {
      problems.push({ ...problemAt(place, 'suppression-malformed'), ...(day === '' ? wordsOfReason(rest) : {}) });
      continue;
    }
    const line = isWholeFile ? undefined : before.trim() === '' ? (next[index] ?? index + 1) : index + 1;
    suppressions.push({ place, names, line, until, day });
  }
  return { suppressions, problems };
}

interface Words {
  readonly message: string;
  readonly remedy: string;
}

/** Undefined where more is wrong than the length of the reason. */
function wordsOfReason(rest: string): Words | undefined {
  const [, reason] = WITH_ANY_REASON.exec(rest) ?? [];
  if (reason === undefined) return undefined;
  const [is, wanted] = reason.length < 3 ? ['short', 'at least 3'] : ['long', 'at most 500'];
  return {
    message: `this comment silences nothing: its reason is too ${is}`,
    remedy: `Write why in ${wanted} characters.`,
  };
}

interface Comment {
  readonly before: string;
  readonly isWholeFile: boolean;
  /** What follows the word, up to the end of the comment. */
  readonly rest: string;
}

/** Without a pattern that would try every way to share blanks: lines are written by anybody. */
function commentIn(text: string): Comment | undefined {
  for (let at = text.indexOf(WORD); at >= 0; at = text.indexOf(WORD, at + 1)) {
    const head = text.slice(0, at).trimEnd();
    const opening = OPENING.exec(head);
    if (opening === null) continue;
    const after = text.slice(at + WORD.length);
    const isWholeFile = /^-file\b/.test(after);
    const rest = isWholeFile ? after.slice('-file'.length) : after;
    if (/^\w/.test(rest)) continue;
    return { before: head.slice(0, opening.index), isWholeFile, rest: withoutEnd(rest.trimEnd()).trimEnd() };
  }
  return undefined;
}

function withoutEnd(text: string): string {
  const end = ['--}}', '}}', '-->'].find((one) => text.endsWith(one));
  return end === undefined ? text : text.slice(0, -end.length);
}

/** For each line the next one, from 1, that is neither empty nor a comment of its own; itself where there is none. */
function nextLines(lines: readonly string[]): readonly number[] {
  let found: number | undefined;
  const next = lines.map((_, at) => at + 1);
  for (let at = lines.length - 1; at >= 0; at -= 1) {
    next[at] = found ?? at + 1;
    if (!isIdle((lines[at] ?? '').trim())) found = at + 1;
  }
  return next;
}

function isIdle(text: string): boolean {
  return (
    text === '' ||
    text.startsWith('#') ||
    text.startsWith('//') ||
    (text.startsWith('{{!') && text.endsWith('}}')) ||
    (text.startsWith('<!--') && text.endsWith('-->'))
  );
}

/** What is left when warnings are silenced where somebody wrote why; an error is never silenced. `at` is the day. */
export function judgeSuppressions(problems: readonly Problem[], found: readonly Suppression[], at: Instant): JudgedProblems {
  const suppressed = new Set<Problem>();
  const own: Problem[] = [];
  for (const suppression of found) {
    const meant = problems.filter((problem) => covers(suppression, problem));
    const warnings = meant.filter((problem) => problem.severity === 'warning' || problem.code === GUESSED);
    if (at > suppression.until) own.push(problemAt(suppression.place, 'suppression-expired', suppression));
    else if (warnings.length < meant.length) own.push(problemAt(suppression.place, 'suppression-refused', suppression));
    else if (meant.length === 0) own.push(problemAt(suppression.place, 'suppression-unused', suppression));
    else for (const problem of warnings) suppressed.add(problem);
  }
  return { problems: [...problems.filter((problem) => !suppressed.has(problem)), ...own], suppressed: [...suppressed] };
}

function covers({ place, line, names }: Suppression, problem: Problem): boolean {
  const isThere = problem.place.file === place.file && (line === undefined || problem.place.line === line);
  return isThere && (problem.rule === names || problem.code === names);
}

type SuppressionCode = 'suppression-malformed' | 'suppression-expired' | 'suppression-refused' | 'suppression-unused';

function problemAt(place: Place, code: SuppressionCode, from?: Suppression): Problem {
  const named = quoted(from?.names ?? '');
  return { code, rule: undefined, severity: 'warning', phase: 'validate', place, related: [], ...wordsOf(code, named, from?.day ?? '') };
}

function wordsOf(code: SuppressionCode, named: string, day: string): Words {
  switch (code) {
    case 'suppression-malformed':
      return {
        message: 'this comment silences nothing: it does not say what, why and until when',
        remedy: 'Write `capstan-ignore V-14: why, until 2027-01-31` in it.',
      };
    case 'suppression-expired':
      return {
        message: `this comment silenced ${named} until ${day}`,
        remedy: 'Mend what the warning says and remove the comment, or agree on a later day.',
      };
    case 'suppression-refused':
      return { message: `${named} is an error here, and errors are never silenced`, remedy: 'Mend the error, and remove the comment.' };
    case 'suppression-unused':
      return { message: `there is no warning ${named} here that this comment could silence`, remedy: 'Remove the comment.' };
  }
}
