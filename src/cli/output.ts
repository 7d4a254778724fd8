import type { Json } from '#model/json.ts';
import { compareProblems } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import { didYouMean } from '#model/suggest.ts';
import { UsageError } from './exit-code.ts';
import type { Terminal } from './powers.ts';

/** JSON on stdout: always with apiVersion, kind and formatVersion. */
export function printDocument(terminal: Terminal, kind: string, body: object): void {
  terminal.out(documentText(kind, body));
}

export function documentText(kind: string, body: object): string {
  return `${JSON.stringify({ apiVersion: 'capstan.dev/v1alpha1', kind, formatVersion: 1, ...body }, jsonValue, 2)}\n`;
}

function jsonValue(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value as Map<string, unknown>) : value;
}

/** `-o` as given, or a usage error that lists what there is. */
export function outputFormat<T extends string>(given: string | undefined, known: readonly [T, ...T[]]): T {
  const wanted = given === 'yml' ? 'yaml' : (given ?? known[0]);
  const found = known.find((format) => format === wanted);
  if (found === undefined)
    throw new UsageError(`unknown output format "${wanted}"; this command writes ${known.join(', ')}${didYouMean(wanted ?? '', known)}`);
  return found;
}

/** Control and direction characters never reach a terminal or a CI log raw. */
export function printable(text: string): string {
  return text.replaceAll(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}

/** Problems in the JSON shape of contracts.md. */
export function problemDocument(problem: Problem): Json {
  const { place } = problem;
  return {
    code: problem.code,
    ...(problem.rule === undefined ? {} : { rule: problem.rule }),
    severity: problem.severity,
    phase: problem.phase,
    message: problem.message,
    remedy: problem.remedy,
    file: place.file ?? null,
    line: place.line ?? null,
    column: place.column ?? null,
    pointer: place.pointer ?? null,
    related: problem.related.map((item) => ({ file: item.file, line: item.line ?? null, note: item.note })),
  };
}

export function problemText(problem: Problem): string {
  const { file, line, column } = problem.place;
  const where = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}${column === undefined ? '' : `:${column}`}`}: `;
  const name = problem.rule === undefined ? problem.code : `${problem.rule} ${problem.code}`;
  const related = problem.related
    .map((item) => `    ${item.file}${item.line === undefined ? '' : `:${item.line}`}: ${item.note}\n`)
    .join('');
  return `${printable(`${where}${problem.severity}: ${problem.message} [${name}]`)}\n${related}    ${printable(problem.remedy)}\n`;
}

export function printProblems(terminal: Terminal, problems: readonly Problem[]): void {
  for (const problem of [...problems].sort(compareProblems)) terminal.err(problemText(problem));
}

/** Columns padded to their widest cell; the last column is left as it is. */
export function tableText(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows].map((row) => row.map(printable));
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) => `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('   ')}\n`)
    .join('');
}

export function countOf(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
