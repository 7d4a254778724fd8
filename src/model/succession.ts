import type { Capsule } from './declarations.generated.ts';
import { parseInstant, type Instant } from './instant.ts';
import { quoted, visibleText } from './quoted.ts';

/** What V-24 says of a version that somebody uses. */
export interface RetirementFinding {
  readonly code: 'retired-in-use' | 'deprecated-in-use' | 'sunset-passed';
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly remedy: string;
}

/** A version and what its declaration says of its end. */
export interface Ending {
  readonly capsule: string;
  readonly version: string;
  readonly spec: Capsule['spec'];
}

/** V-24: retired versions and versions past their sunset must not be used, deprecated ones should not; `user` is a capsule or an environment. */
export function retirementOf(user: string, used: Ending, now: Instant | undefined): RetirementFinding | undefined {
  const { lifecycle, deprecation } = used.spec;
  const text = `${user} depends on ${used.capsule}@${used.version}`;
  const { replacedBy, sunset, note } = deprecation ?? {};
  const instead = [
    ...(replacedBy === undefined ? [] : [`replaced by ${replacedBy}`]),
    ...(note === undefined ? [] : [visibleText(note, 200)]),
  ].join('; ');
  const more = instead === '' ? '' : `; ${instead}`;
  const remedy = replacedBy === undefined ? `Do without ${used.capsule}.` : `Use ${replacedBy} instead.`;
  const end = sunset === undefined ? undefined : lastMoment(sunset);
  if (lifecycle === 'retired')
    return {
      code: 'retired-in-use',
      severity: 'error',
      message: `${text}, retired${sunset === undefined ? '' : ` since ${sunset}`}${more}`,
      remedy,
    };
  if (end !== undefined && now !== undefined && now > end)
    return { code: 'sunset-passed', severity: 'error', message: `${text}, whose sunset was ${quoted(sunset ?? '')}${more}`, remedy };
  if (lifecycle !== 'deprecated') return undefined;
  const until = sunset === undefined ? '' : ` until ${sunset}`;
  return { code: 'deprecated-in-use', severity: 'warning', message: `${text}, deprecated${until}${more}`, remedy };
}

/** A date lasts until its end, in UTC; so does a time without a zone stand in UTC. */
function lastMoment(text: string): Instant | undefined {
  if (!text.includes('T')) return parseInstant(`${text}T23:59:59.999Z`);
  return parseInstant(/(Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`);
}
