import type { Policy } from '#model/declarations.generated.ts';
import type { Declared } from '#model/desired.ts';
import type { Instant } from '#model/instant.ts';
import type { Problem } from '#model/problem.ts';
import type { Violation } from './compiled.ts';
import type { Exceptional } from './in-force.ts';
import { exceptionFor } from './in-force.ts';

/** What is wrong with what, for people. */
export interface Judged {
  /** `apps/Deployment/web of web on prod/eu-1` */
  readonly subject: string;
  readonly about: Exceptional;
  readonly at: Instant;
  readonly phase: Problem['phase'];
  readonly remedy: string;
  /** Where the thing that is judged is declared. */
  readonly related: Problem['related'];
}

/** A violation as people see it: an error, a warning, or a note of the exception that let it through. */
export function problemOf(policy: Declared<Policy>, violation: Violation, judged: Judged): Problem {
  const { enforcement = 'deny' } = policy.value.spec;
  const said = `policy ${policy.value.metadata.name}: ${violation.message} (${judged.subject})`;
  const exception = enforcement === 'deny' ? exceptionFor(policy.value, judged.about, judged.at) : undefined;
  const problem = { rule: undefined, phase: judged.phase, place: policy.at(violation.pointer), related: judged.related };
  if (exception !== undefined) {
    const by = [exception.ticket, exception.approvedBy === undefined ? undefined : `approved by ${exception.approvedBy}`];
    const why = by.filter((part) => part !== undefined).join(', ');
    return {
      ...problem,
      code: 'policy-excepted',
      severity: 'warning',
      message: `${said}; let through until ${exception.until}${why === '' ? '' : ` (${why})`}`,
      remedy: 'Make it hold before the exception ends.',
    };
  }
  if (enforcement === 'deny') return { ...problem, code: 'policy-denied', severity: 'error', message: said, remedy: judged.remedy };
  return {
    ...problem,
    code: enforcement === 'warn' ? 'policy-warned' : 'policy-audited',
    severity: 'warning',
    message: said,
    remedy: judged.remedy,
  };
}
