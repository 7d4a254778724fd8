import type { Policy } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import type { Instant } from '#model/instant.ts';
import { parseInstant } from '#model/instant.ts';
import { compilePolicy } from './compiled.ts';

export type JudgedOn = Policy['spec']['on'][number];

/** A policy is in force in the environments that its `match` selects (nothing said: all), and in those that name it. */
export function isInForce(policy: Policy, environment: DesiredEnvironment): boolean {
  const { metadata, spec } = environment.declared.value;
  if ((spec.policies ?? []).some(({ ref }) => ref === policy.metadata.name)) return true;
  return hasLabels(metadata.labels ?? {}, policy.spec.match?.environments?.matchLabels);
}

export function hasLabels(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>> | undefined): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}

type Exception = NonNullable<Policy['spec']['exceptions']>[number];

/** What an exception is compared with. */
export interface Exceptional {
  readonly environment: string;
  /** Name of the capsule or of its instance; undefined where none is judged. */
  readonly capsules: readonly string[];
  readonly change: string | undefined;
}

/** The exception that lets this through at this time; one that names nothing lets nothing through. */
export function exceptionFor(policy: Policy, about: Exceptional, at: Instant): Exception | undefined {
  return (policy.spec.exceptions ?? []).find((exception) => {
    const { match } = exception;
    if (!isAboutSomething(exception) || !isActive(exception, at)) return false;
    if (match.environment !== undefined && match.environment !== about.environment) return false;
    if (match.capsule !== undefined && !about.capsules.includes(match.capsule)) return false;
    return match.change === undefined || match.change === about.change;
  });
}

export function isAboutSomething({ match }: Exception): boolean {
  return match.change !== undefined || match.environment !== undefined || match.capsule !== undefined;
}

/** Until the moment it names; a date is its first moment in UTC. */
export function isActive(exception: Exception, at: Instant): boolean {
  const until = parseInstant(exception.until);
  return until !== undefined && at < until;
}

/** Changes whenever a verdict of these policies may change although neither they nor what they judge did. */
export function timeKey(policies: readonly Declared<Policy>[], at: Instant): string {
  return policies
    .map(({ value }) => {
      const active = (value.spec.exceptions ?? []).map((exception) => (isActive(exception, at) ? '1' : '0')).join('');
      return compilePolicy(value).names.has('now') ? `${active}@${at}` : active;
    })
    .join(' ');
}
