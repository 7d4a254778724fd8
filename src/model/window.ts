import { DAY, parseDate, type WallTime } from '#model/calendar.ts';
import type { Environment } from '#model/declarations.generated.ts';
import { parseDuration, parseInstant, toInstant, type Instant } from '#model/instant.ts';
import { parseRecurrence, recurrencesBetween, type Recurrence } from '#model/recurrence.ts';
import { instantOfWall, isTimeZone, wallClock, wallOfInstant } from '#model/time-zone.ts';

export type DeclaredWindow = NonNullable<Environment['spec']['windows']>[number];

/** From one instant to another; the end is no part of it. */
export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/** When a window holds. An end that is undefined never comes. */
export type WindowTimes =
  | { readonly kind: 'once'; readonly from: Instant | undefined; readonly to: Instant | undefined }
  | {
      readonly kind: 'recurring';
      readonly rule: Recurrence;
      readonly start: WallTime;
      readonly duration: number;
      readonly zone: string;
    };

export type ReadWindow =
  | { readonly ok: true; readonly value: WindowTimes }
  | {
      readonly ok: false;
      /** `field` is the key of the window that is to blame; empty for the window as a whole. */
      readonly mistakes: readonly { readonly field: '' | 'rrule' | 'timeZone' | 'duration' | 'start' | 'end'; readonly message: string }[];
    };

const LONGEST = 366 * DAY;

/** Times without a zone of their own are those of `timeZone`, by default UTC. */
export function readWindow(window: DeclaredWindow): ReadWindow {
  const { rrule, timeZone = 'UTC' } = window;
  const mistakes: Extract<ReadWindow, { ok: false }>['mistakes'][number][] = [];
  const isZone = isTimeZone(timeZone);
  if (!isZone) mistakes.push({ field: 'timeZone', message: 'is no time zone such as Europe/Madrid or UTC' });
  const zone = isZone ? timeZone : 'UTC';
  const [start, end] = (['start', 'end'] as const).map((field) => {
    const text = window[field];
    const wall = text === undefined ? undefined : wallOf(text, zone);
    if (text !== undefined && wall === undefined) mistakes.push({ field, message: 'is no date and time' });
    return wall;
  });
  const duration = window.duration === undefined ? undefined : parseDuration(window.duration);
  if (duration === 0) mistakes.push({ field: 'duration', message: 'must be longer than nothing' });
  // All that may still hold is looked at, so what lasts for a century would be looked at a million times.
  if (rrule !== undefined && duration !== undefined && duration > LONGEST)
    mistakes.push({ field: 'duration', message: 'is longer than 366 days, and what recurs is shorter' });
  if (window.duration !== undefined && window.end !== undefined)
    mistakes.push({ field: 'end', message: 'and duration say the same; one of them is too many' });
  if (rrule === undefined) {
    const from = start === undefined ? undefined : instantOfWall(start, zone);
    const to = end === undefined ? undefined : instantOfWall(end, zone);
    if (window.duration !== undefined && from === undefined) mistakes.push({ field: 'duration', message: 'needs a start' });
    if (from !== undefined && to !== undefined && to <= from) mistakes.push({ field: 'end', message: 'must come after start' });
    if (mistakes.length > 0) return { ok: false, mistakes };
    return { ok: true, value: { kind: 'once', from, to: from === undefined || duration === undefined ? to : toInstant(from + duration) } };
  }
  const rule = parseRecurrence(rrule);
  if (!rule.ok) mistakes.push({ field: 'rrule', message: rule.message });
  if (window.start === undefined) mistakes.push({ field: 'rrule', message: 'needs a start, which says the time of the day' });
  if (window.duration === undefined) mistakes.push({ field: 'rrule', message: 'needs a duration' });
  if (mistakes.length > 0 || !rule.ok || start === undefined || duration === undefined) return { ok: false, mistakes };
  return { ok: true, value: { kind: 'recurring', rule: rule.value, start, duration, zone } };
}

function wallOf(text: string, zone: string): WallTime | undefined {
  const match = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(:\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, date = '', minutes = '00:00', seconds = ':00', offset] = match;
  // The parser of instants turns 30 February into 2 March.
  const wall = parseDate(date) === undefined ? undefined : parseInstant(`${date}T${minutes}${seconds}${offset ?? 'Z'}`);
  return wall === undefined || offset === undefined ? wall : wallOfInstant(wall, zone);
}

/** Whether it comes again and again without an end. */
export function isEndless(times: WindowTimes): boolean {
  return times.kind === 'once' ? times.to === undefined : times.rule.count === undefined && times.rule.until === undefined;
}

/** The parts of a span in which any of the windows holds, in order, without overlaps. */
export function spansOf(windows: readonly WindowTimes[], within: Span): readonly Span[] {
  const spans = windows.flatMap((times) => ownSpans(times, within));
  return merged(spans.map(({ from, to }) => ({ from: later(from, within.from), to: earlier(to, within.to) })));
}

function ownSpans(times: WindowTimes, within: Span): readonly Span[] {
  if (times.kind === 'once') return [{ from: times.from ?? within.from, to: times.to ?? within.to }];
  const { rule, start, duration, zone } = times;
  // A zone is at most a day away from UTC, and a change of the clock moves by less.
  const range = { from: within.from - duration - 2 * DAY, to: within.to + 2 * DAY };
  const last = rule.until?.isInstant === true ? rule.until.at : Number.POSITIVE_INFINITY;
  return recurrencesBetween(rule, start, range)
    .map(wallClock(zone))
    .filter((from) => from <= last)
    .map((from) => ({ from, to: toInstant(from + duration) }));
}

function merged(spans: readonly Span[]): readonly Span[] {
  const out: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (span.to <= span.from) continue;
    if (last === undefined || span.from > last.to) out.push(span);
    else out[out.length - 1] = { from: last.from, to: later(last.to, span.to) };
  }
  return out;
}

/** What of the first spans the second ones leave; both in order and without overlaps. */
export function without(spans: readonly Span[], taken: readonly Span[]): readonly Span[] {
  return spans.flatMap((span) => {
    const left: Span[] = [];
    let { from } = span;
    for (const gone of taken) {
      if (gone.to <= from || gone.from >= span.to) continue;
      if (gone.from > from) left.push({ from, to: gone.from });
      from = later(from, gone.to);
    }
    return from < span.to ? [...left, { from, to: span.to }] : left;
  });
}

function later(a: Instant, b: Instant): Instant {
  return a > b ? a : b;
}

function earlier(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}
