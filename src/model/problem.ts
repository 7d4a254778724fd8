import { plainWords } from '#model/quoted.ts';

/** Bad news for a person: what is wrong, where, and what to do next. Never holds a secret. */

export type Severity = 'error' | 'warning';
export type Phase = 'validate' | 'resolve' | 'render' | 'promote' | 'sync';

/** A position in a file; `line` and `column` count from 1, `pointer` is an RFC 6901 JSON pointer. All but `file` may be unknown. */
export interface Place {
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly pointer: string | undefined;
}

export interface Related {
  readonly file: string;
  readonly line: number | undefined;
  readonly note: string;
}

export interface Problem {
  /** Stable, kebab-case; each has an entry in the catalogue that `capstan explain` reads. */
  readonly code: string;
  /** "V-07", or absent for problems without a rule number. */
  readonly rule: string | undefined;
  readonly severity: Severity;
  readonly phase: Phase;
  readonly message: string;
  readonly remedy: string;
  readonly place: Place;
  readonly related: readonly Related[];
}

export const NOWHERE: Place = { file: undefined, line: undefined, column: undefined, pointer: undefined };

export function placeInFile(file: string): Place {
  return { file, line: undefined, column: undefined, pointer: undefined };
}

/** The same with nothing in its words that a terminal, a log or a page would take for more than text. */
export function plainProblem(problem: Problem): Problem {
  const message = plainWords(problem.message);
  const remedy = plainWords(problem.remedy);
  return message === problem.message && remedy === problem.remedy ? problem : { ...problem, message, remedy };
}

/** The order in which people see problems: file, line (absent first), code. */
export function compareProblems(a: Problem, b: Problem): number {
  return (
    compareText(a.place.file ?? '', b.place.file ?? '') ||
    (a.place.line ?? 0) - (b.place.line ?? 0) ||
    compareText(a.code, b.code) ||
    (a.place.column ?? 0) - (b.place.column ?? 0) ||
    compareText(a.message, b.message)
  );
}

/** Bytewise order of UTF-16 code units; never the locale's. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
