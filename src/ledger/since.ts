import type { Instant } from '#model/instant.ts';
import type { EnvironmentName, InstanceName, TargetName } from '#model/names.ts';
import type { InstanceState, Ledger } from './state.ts';

/** Unbroken health of one content in one target; `until` is when another content took its place, undefined while it runs. */
export interface HealthyPeriod {
  readonly since: Instant;
  readonly until: Instant | undefined;
}

export interface Place {
  readonly environment: EnvironmentName;
  readonly target: TargetName;
}

export interface Content {
  readonly instance: InstanceName;
  readonly version: string;
  /** Undefined: whatever content this version had. */
  readonly sha256: string | undefined;
}

/**
 * The last unbroken health of a content in a target. One that moved on while it was healthy keeps what it reached; one that left in another
 * health, or was taken out, has none.
 */
export function periodOf(ledger: Ledger, place: Place, what: Content): HealthyPeriod | undefined {
  const key = `${place.environment}/${place.target}`;
  const state = ledger.instances.get(key)?.get(what.instance);
  if (state === undefined) return undefined;
  if (isContent(state, what)) {
    if (state.health !== 'healthy' || ledger.targets.get(key)?.health === 'unknown') return undefined;
    return { since: state.since, until: undefined };
  }
  const past = state.past.findLast((period) => isContent(period, what));
  return past && { since: past.since, until: past.until };
}

/** Since when an instance has been healthy with exactly this content in every one of the targets; undefined if it is not, or nobody could look. */
export function healthyEverywhere(
  ledger: Ledger,
  where: { readonly environment: EnvironmentName; readonly targets: readonly TargetName[] },
  what: Content,
): Instant | undefined {
  let since: Instant | undefined;
  for (const target of where.targets) {
    const period = periodOf(ledger, { environment: where.environment, target }, what);
    if (period === undefined || period.until !== undefined) return undefined;
    if (since === undefined || period.since > since) since = period.since;
  }
  return since;
}

function isContent(state: Pick<InstanceState, 'version' | 'sha256'>, what: Content): boolean {
  return state.version === what.version && (what.sha256 === undefined || state.sha256 === what.sha256);
}
