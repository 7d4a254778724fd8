import type { Instant } from '#model/instant.ts';
import type { findFights } from '#plan/plan.ts';

type Correction = Parameters<typeof findFights>[0][number];

/**
 * Which drift was taken back in the last hour, in this process only: a restart forgets it, which costs one more allowance of
 * corrections before a fight is seen again.
 */
export interface Corrections {
  /** The oldest first. */
  of(environment: string, target: string): readonly Correction[];
  note(environment: string, target: string, made: readonly Correction[]): void;
}

const HOUR = 3_600_000;
/** Per target; where more is corrected, the oldest are forgotten first. */
const MOST = 20_000;

export function createCorrections(): Corrections {
  const known = new Map<string, readonly Correction[]>();
  return {
    of: (environment, target) => known.get(`${environment}/${target}`) ?? [],
    note(environment, target, made) {
      const latest = made.at(-1);
      if (latest === undefined) return;
      const place = `${environment}/${target}`;
      const recent = (known.get(place) ?? []).filter((correction) => isRecent(correction, latest.at));
      known.set(place, [...recent, ...made].slice(-MOST));
    },
  };
}

function isRecent(correction: Correction, now: Instant): boolean {
  return correction.at > now - HOUR;
}
