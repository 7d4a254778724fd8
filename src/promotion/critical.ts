import type { DesiredEnvironment } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import type { Risk } from './risk.ts';

export interface CriticalFacts {
  readonly risk: Risk;
  /** Persons whose approval counts. */
  readonly approvals: number;
  /** What of the change cannot be taken back, each as a sentence. */
  readonly irreversible: readonly string[];
}

export const CRITICAL_APPROVALS = 2;

/** V-58: a critical change has two approvals and a way back. */
export function criticalProblems(environment: DesiredEnvironment, { risk, approvals, irreversible }: CriticalFacts): readonly Problem[] {
  if (risk !== 'critical') return [];
  const missing = [
    ...(approvals < CRITICAL_APPROVALS ? [`two approvals (${approvals} of ${CRITICAL_APPROVALS} count)`] : []),
    ...(irreversible.length > 0 ? [`a way back: ${irreversible.join('; ')}`] : []),
  ];
  return missing.map((what) => ({
    code: 'critical-unguarded',
    rule: 'V-58',
    severity: 'error',
    phase: 'promote',
    message: `critical change without ${what}`,
    remedy: 'Let two persons approve who did not write it, and split what cannot be taken back from the rest.',
    place: environment.declared.at('/spec/approvals'),
    related: [],
  }));
}
