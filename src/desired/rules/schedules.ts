import type { RuleContext } from '#desired/facts.ts';
import { type Finding, problemOf } from '#desired/finding.ts';
import { cronMistake } from '#model/cron.ts';
import { pointerToken } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { isTimeZone, knownTimeZones } from '#model/time-zone.ts';

/** Times at which components run or grow are ones that a calendar has. */
export function scheduleProblems(context: RuleContext): readonly Problem[] {
  return context.state.capsules.flatMap(({ declared }) =>
    Object.entries(declared.value.spec.components ?? {}).flatMap(([name, { schedule, scaling }]) => {
      const base = `/spec/components${pointerToken(name)}`;
      const all = [
        ...(schedule === undefined ? [] : [{ pointer: `${base}/schedule`, ...schedule }]),
        ...(scaling?.schedule ?? []).map((entry, at) => ({ pointer: `${base}/scaling/schedule/${at}`, ...entry })),
      ];
      return all.flatMap(({ pointer, cron, timeZone }): readonly Problem[] => {
        const mistake = cronMistake(cron);
        const found: Finding[] = [];
        if (mistake !== undefined)
          found.push({
            code: 'schedule-invalid',
            place: declared.at(`${pointer}/cron`),
            message: `cron of component ${name}: ${mistake}`,
            remedy: 'Write minute, hour, day of the month, month and day of the week, such as 0 7 * * 1-5 (Sunday is 0).',
          });
        if (timeZone !== undefined && !isTimeZone(timeZone))
          found.push({
            code: 'schedule-invalid',
            place: declared.at(`${pointer}/timeZone`),
            message: `timeZone of component ${name}: ${quoted(timeZone)} is no time zone${didYouMean(timeZone, knownTimeZones())}`,
            remedy: 'Write an IANA name such as Europe/Madrid or UTC.',
          });
        return found.map(problemOf);
      });
    }),
  );
}
