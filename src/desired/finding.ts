import type { Phase, Place, Problem, Related, Severity } from '#model/problem.ts';

/** What a rule found; error and validate unless said otherwise. */
export interface Finding {
  readonly code: string;
  readonly rule?: string;
  readonly severity?: Severity;
  readonly phase?: Phase;
  readonly place: Place;
  readonly message: string;
  readonly remedy: string;
  readonly related?: readonly Related[];
}

export function problemOf(finding: Finding): Problem {
  return {
    code: finding.code,
    rule: finding.rule,
    severity: finding.severity ?? 'error',
    phase: finding.phase ?? 'validate',
    message: finding.message,
    remedy: finding.remedy,
    place: finding.place,
    related: finding.related ?? [],
  };
}

export function relatedTo(place: Place, note: string): readonly Related[] {
  return place.file === undefined ? [] : [{ file: place.file, line: place.line, note }];
}
