import type { Problem } from '#model/problem.ts';
import { printable, problemText } from './output.ts';

/** Lines shown above the one that is meant. */
const BEFORE = 2;
/** Columns shown of a line. */
const WIDTH = 120;

/** What a file says, for people: undefined where it cannot be shown. */
export type Sources = ReadonlyMap<string, string | undefined>;

/** Files whose lines help to understand the problems. One in which a secret was found is never shown: logs are copied and kept. */
export function filesToShow(problems: readonly Problem[]): readonly string[] {
  const secret = new Set(problems.flatMap(({ rule, place }) => (rule === 'V-80' ? [place.file] : [])));
  return [...new Set(problems.flatMap(({ place: { file, line } }) => (file === undefined || line === undefined ? [] : [file])))].filter(
    (file) => !secret.has(file),
  );
}

/** A problem as text, with the lines it speaks of between what is wrong and what to do. */
export function problemWithExcerpt(problem: Problem, sources: Sources): string {
  const { file, line, column } = problem.place;
  const source = file === undefined ? undefined : sources.get(file);
  const text = problemText(problem);
  const shown = source === undefined || line === undefined ? '' : excerptOf(source, line, column);
  const end = text.indexOf('\n') + 1;
  return `${text.slice(0, end)}${shown}${text.slice(end)}`;
}

function excerptOf(source: string, line: number, column: number | undefined): string {
  const lines = source.split(/\r?\n/);
  const meant = lines[line - 1];
  if (meant === undefined) return '';
  const first = Math.max(1, line - BEFORE);
  const digits = String(line).length;
  // A line too long to show is shown around the column.
  const from = column === undefined || column <= WIDTH - 20 ? 0 : column - WIDTH / 2;
  const rows = lines.slice(first - 1, line).map((text, index) => {
    const number = String(first + index).padStart(digits);
    const isMeant = first + index === line;
    return `    ${number} | ${shownLine(text, isMeant ? from : 0)}`.trimEnd();
  });
  if (column !== undefined) rows.push(`    ${' '.repeat(digits)} | ${' '.repeat(widthOf(shownLine(meant.slice(0, column - 1), from)))}^`);
  return `${rows.join('\n')}\n`;
}

function shownLine(text: string, from: number): string {
  const part = text.slice(from, from + WIDTH).replaceAll('\t', ' ');
  return printable(`${from > 0 ? '…' : ''}${part}`) + (text.length > from + WIDTH ? '…' : '');
}

/** Columns of a terminal: East Asian letters and pictures take two, marks that combine none. */
function widthOf(text: string): number {
  const wide =
    text.match(
      /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu,
    )?.length ?? 0;
  const none = text.match(/\p{Mn}/gu)?.length ?? 0;
  const pairs = text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0;
  return text.length - pairs + wide - none;
}
