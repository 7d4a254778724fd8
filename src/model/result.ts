import { plainProblem, type Problem } from '#model/problem.ts';

/** What a parser or judgement answers: a value, or every problem found. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly Problem[] };

export function accepted<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refused(problems: readonly Problem[]): Result<never> {
  return { ok: false, problems: problems.map(plainProblem) };
}
