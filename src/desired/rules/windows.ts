import type { RuleContext } from '#desired/facts.ts';
import { problemOf } from '#desired/finding.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { instantText, toInstant, type Instant } from '#model/instant.ts';
import type { Problem } from '#model/problem.ts';
import { quoted, visibleText } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { knownTimeZones } from '#model/time-zone.ts';
import { isEndless, readWindow, spansOf, without, type DeclaredWindow, type Span, type WindowTimes } from '#model/window.ts';

const DAY = 86_400_000;
const MOST_WINDOWS = 32;

/** V-91: windows can be read, an allow window opens soon, and no deny window closes for good. */
export function windowProblems(context: RuleContext): readonly Problem[] {
  return context.state.environments.flatMap((environment) => ofEnvironment(environment, context.facts.now));
}

interface Read {
  readonly window: DeclaredWindow;
  readonly index: number;
  readonly times: WindowTimes;
}

function ofEnvironment(environment: DesiredEnvironment, now: Instant | undefined): readonly Problem[] {
  const windows = environment.declared.value.spec.windows ?? [];
  const problems: Problem[] = [];
  if (windows.length > MOST_WINDOWS)
    return [
      problemOf({
        code: 'window-invalid',
        rule: 'V-91',
        place: environment.declared.at('/spec/windows'),
        message: `${environment.name} has ${windows.length} windows; at most ${MOST_WINDOWS} are read`,
        remedy: 'Join those that recur alike: one rule can have several days and times.',
      }),
    ];
  const read: Read[] = [];
  for (const [index, window] of windows.entries()) {
    const found = readWindow(window);
    if (found.ok) read.push({ window, index, times: found.value });
    else {
      problems.push(
        ...found.mistakes.map(({ field, message }) => {
          const value = field === '' ? '' : (window[field] ?? '');
          return problemOf({
            code: 'window-invalid',
            rule: 'V-91',
            place: environment.declared.at(`/spec/windows/${index}${field === '' ? '' : `/${field}`}`),
            message: `window ${quoted(window.name)} of ${environment.name}: ${field}${value === '' ? '' : ` ${visibleText(value, 80)}`} ${message}${field === 'timeZone' ? didYouMean(value, knownTimeZones()) : ''}`,
            remedy: 'Write start with duration or end, and for what recurs rrule with start and duration; see docs/declarations.md.',
          });
        }),
      );
    }
  }
  return [...problems, ...endlessDenials(environment, read, now), ...(problems.length > 0 ? [] : neverOpen(environment, read, now))];
}

/** Judged on its own time where no other is known: a denial that covers a year without a gap covers all of them. */
function endlessDenials(environment: DesiredEnvironment, read: readonly Read[], now: Instant | undefined): readonly Problem[] {
  return read.flatMap(({ window, index, times }) => {
    if (window.kind !== 'deny' || !isEndless(times)) return [];
    const own = times.kind === 'once' ? times.from : toInstant(times.start + 2 * DAY);
    const from = toInstant(Math.max(own ?? 0, now ?? 0));
    // Nearly every window has a gap in its first weeks already.
    if (![35, 366].every((days) => coversAll(times, { from, to: toInstant(from + days * DAY) }))) return [];
    return [
      problemOf({
        code: 'window-denies-forever',
        rule: 'V-91',
        place: environment.declared.at(`/spec/windows/${index}`),
        message: `window ${quoted(window.name)} denies everything forever; nothing would ever move into ${environment.name}`,
        remedy: 'Give it an end, or write a freeze with its reason.',
      }),
    ];
  });
}

function coversAll(times: WindowTimes, within: Span): boolean {
  const [first, ...others] = spansOf([times], within);
  return first !== undefined && others.length === 0 && first.from <= within.from && first.to >= within.to;
}

/** Denials that end some day only shift the opening; those that recur without an end may take it away. */
function neverOpen(environment: DesiredEnvironment, read: readonly Read[], now: Instant | undefined): readonly Problem[] {
  const allowed = read.filter(({ window }) => window.kind === 'allow').map(({ times }) => times);
  if (now === undefined || allowed.length === 0) return [];
  const within = { from: now, to: toInstant(now + 30 * DAY) };
  const denied = read.filter(({ window, times }) => window.kind === 'deny' && times.kind === 'recurring' && isEndless(times));
  const open = without(
    spansOf(allowed, within),
    spansOf(
      denied.map(({ times }) => times),
      within,
    ),
  );
  if (open.length > 0) return [];
  return [
    problemOf({
      code: 'window-never-opens',
      rule: 'V-91',
      place: environment.declared.at('/spec/windows'),
      message: `windows of ${environment.name} never open in the next 30 days (from ${instantText(now)})`,
      remedy: 'Correct the recurrence or its end, or take the windows away. With --now another instant is looked at.',
    }),
  ];
}
