import type { Outcome } from '#model/evidence.ts';
import { type Instant, parseInstant } from '#model/instant.ts';
import type { Json } from '#model/json.ts';
import { listed, visibleText } from '#model/quoted.ts';
import { SEVERITIES, type Severity, weaknessesIn } from '#model/weaknesses.ts';

export interface Bearable {
  /** The worst that may be known; undefined asks only for a scan. */
  readonly maxSeverity: Severity | undefined;
  /** Weaknesses accepted until a time, by identifier. */
  readonly allow: readonly { readonly id: string; readonly until: string }[];
}

/** What a scan found, against what may be known. A severity that nobody gave counts as the worst: undecided is not allowed. */
export function judgeWeaknesses(predicate: Json | undefined, { maxSeverity, allow }: Bearable, at: Instant): Outcome {
  const found = weaknessesIn(predicate);
  if (found === undefined) return { kind: 'unclear', detail: 'is of a form that is not understood' };
  if (maxSeverity === undefined) return { kind: 'passed', detail: `${found.length} known` };
  const accepted = new Set(allow.flatMap(({ id, until }) => (at < (parseInstant(until) ?? at) ? [id] : [])));
  const worse = found.filter(({ id, severity }) => !accepted.has(id) && rank(severity) > SEVERITIES.indexOf(maxSeverity));
  const most = `at most ${maxSeverity} is allowed`;
  if (worse.length === 0) return { kind: 'passed', detail: `${found.length} known, ${most}` };
  const names = worse.map(({ id, severity }) => `${visibleText(id, 40)} (${severity})`);
  return { kind: 'failed', detail: `${worse.length} too grave: ${listed(names, 3)}; ${most}` };
}

function rank(severity: Severity | 'unknown'): number {
  return severity === 'unknown' ? SEVERITIES.length : SEVERITIES.indexOf(severity);
}
