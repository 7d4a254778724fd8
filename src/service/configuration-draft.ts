import { valueAt, type Json } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';

/** What the parts of the reading share: the checked value, where it stands, and the problems found so far. */
export interface Draft {
  readonly value: Json;
  readonly at: (pointer: string) => Place;
  /** Of the file; relative paths begin here. */
  readonly directory: string;
  readonly problems: Problem[];
}

export function textAt(value: Json | undefined, pointer: string): string | undefined {
  const found = valueAt(value, pointer);
  return typeof found === 'string' ? found : undefined;
}

export function configurationProblem(code: string, place: Place, message: string, remedy: string): Problem {
  return { code, rule: undefined, severity: 'error', phase: 'validate', message, remedy, place, related: [] };
}
