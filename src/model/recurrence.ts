import { DAY, dateOf, midnightOf, parseDate, weekDayOf, type WallTime } from '#model/calendar.ts';

const DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const;
const UNIT_DAYS = { DAILY: 1, WEEKLY: 7, MONTHLY: 31, YEARLY: 366 } as const;
const HOUR = 3_600_000;
const MINUTE = 60_000;
/** Of one day. */
const MOST_TIMES = 24;
/** How far a rule is followed, in periods and in days looked at: more than a hundred years. */
const MOST_PERIODS = 200_000;
const MOST_DAYS = 40_000;

type Frequency = keyof typeof UNIT_DAYS;

interface WeekDay {
  /** 0 is Monday. */
  readonly day: number;
  /** `2` of `2TU`, `-1` of `-1FR`; undefined is every one. */
  readonly nth: number | undefined;
}

/** A recurrence rule of RFC 5545, without the parts that nobody plans changes by: SECONDLY to HOURLY, BYSECOND, BYYEARDAY, BYWEEKNO. */
export interface Recurrence {
  readonly frequency: Frequency;
  readonly interval: number;
  readonly count: number | undefined;
  readonly until: { readonly at: number; readonly isInstant: boolean } | undefined;
  readonly months: readonly number[];
  readonly monthDays: readonly number[];
  readonly weekDays: readonly WeekDay[];
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
  readonly positions: readonly number[];
  readonly weekStart: number;
}

export type ParsedRecurrence =
  | { readonly ok: true; readonly value: Recurrence }
  | {
      readonly ok: false;
      /** What is wrong, to be put after the rule. */
      readonly message: string;
    };

/** `FREQ=WEEKLY;BYDAY=MO,TU`, with or without `RRULE:` before it. */
export function parseRecurrence(text: string): ParsedRecurrence {
  const wrong = (message: string): ParsedRecurrence => ({ ok: false, message });
  if (text.length > 500) return wrong('is longer than 500 characters');
  const parts = new Map<string, string>();
  for (const part of text.replace(/^RRULE:/i, '').split(';')) {
    const match = /^([A-Za-z]+)=([A-Za-z0-9+,:-]+)$/.exec(part);
    if (match === null) return wrong(part === '' ? 'has an empty part' : `has a part that is no NAME=value`);
    const name = (match[1] ?? '').toUpperCase();
    if (!KNOWN.has(name)) return wrong(`has ${name}, which is not supported here`);
    if (parts.has(name)) return wrong(`has ${name} twice`);
    parts.set(name, (match[2] ?? '').toUpperCase());
  }
  return readParts(parts);
}

const KNOWN: ReadonlySet<string> = new Set('FREQ INTERVAL COUNT UNTIL WKST BYMONTH BYMONTHDAY BYDAY BYHOUR BYMINUTE BYSETPOS'.split(' '));

function readParts(parts: ReadonlyMap<string, string>): ParsedRecurrence {
  const mistakes: string[] = [];
  const numbers = (name: string, [low, high]: readonly [number, number]): readonly number[] => {
    const values = parts.get(name)?.split(',').map(Number) ?? [];
    if (values.some((value) => !Number.isInteger(value) || Math.abs(value) < low || Math.abs(value) > high || (value < 0 && low === 0)))
      mistakes.push(`has a ${name} that is no whole number from ${low} to ${high}`);
    return [...new Set(values)];
  };
  const one = (name: string): number | undefined => {
    if ((parts.get(name) ?? '').includes(',')) mistakes.push(`has more than one ${name}`);
    const [value] = numbers(name, [1, 100_000]);
    if (value !== undefined && value < 1) mistakes.push(`has a ${name} below 1`);
    return value;
  };
  const frequency = parts.get('FREQ') ?? '';
  if (!isFrequency(frequency)) return { ok: false, message: 'needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY' };
  const until = parts.get('UNTIL');
  const end = until === undefined ? undefined : untilOf(until);
  if (until !== undefined && end === undefined) mistakes.push('has an UNTIL that is no date such as 20270131 or 20270131T220000Z');
  if (until !== undefined && parts.has('COUNT')) mistakes.push('has both COUNT and UNTIL');
  const weekStart = parts.has('WKST') ? DAYS.findIndex((day) => day === parts.get('WKST')) : 0;
  if (weekStart < 0) mistakes.push('has a WKST that is no day of the week');
  const weekDays = (parts.get('BYDAY')?.split(',') ?? []).map(dayOf);
  if (weekDays.includes(undefined)) mistakes.push('has a BYDAY that is no day such as MO or 2TU');
  const days = weekDays.flatMap((day) => day ?? []);
  if (days.some((day) => day.nth !== undefined) && frequency !== 'MONTHLY' && frequency !== 'YEARLY')
    mistakes.push('counts days of the week, which only MONTHLY and YEARLY can');
  const months = numbers('BYMONTH', [1, 12]);
  if (months.some((month) => month < 1)) mistakes.push('has a BYMONTH below 1');
  const value: Recurrence = {
    frequency,
    interval: one('INTERVAL') ?? 1,
    count: one('COUNT'),
    until: end,
    months,
    monthDays: numbers('BYMONTHDAY', [1, 31]),
    weekDays: days,
    hours: numbers('BYHOUR', [0, 23]),
    minutes: numbers('BYMINUTE', [0, 59]),
    positions: numbers('BYSETPOS', [1, 366]),
    weekStart,
  };
  if (value.positions.length > 0 && days.length + value.monthDays.length + months.length + value.hours.length + value.minutes.length === 0)
    mistakes.push('has BYSETPOS and nothing that it chooses from');
  if (Math.max(value.hours.length, 1) * Math.max(value.minutes.length, 1) > MOST_TIMES)
    mistakes.push(`has more than ${MOST_TIMES} times a day`);
  const [mistake] = mistakes;
  return mistake === undefined ? { ok: true, value } : { ok: false, message: mistake };
}

function isFrequency(text: string): text is Frequency {
  return Object.hasOwn(UNIT_DAYS, text);
}

function dayOf(text: string): WeekDay | undefined {
  const match = /^([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)$/.exec(text);
  const day = DAYS.findIndex((name) => name === match?.[2]);
  if (match === null || day < 0) return undefined;
  const nth = match[1] === undefined ? undefined : Number(match[1]);
  return nth === 0 || Math.abs(nth ?? 1) > 53 ? undefined : { day, nth };
}

/** A date alone is its last moment. */
function untilOf(text: string): Recurrence['until'] {
  const match = /^(\d{4})(\d\d)(\d\d)(?:T([01]\d|2[0-3])([0-5]\d)([0-5]\d)(Z)?)?$/.exec(text);
  const [, year, month, day, hour, minute, second, zulu] = match ?? [];
  const date = parseDate(`${year ?? ''}-${month ?? ''}-${day ?? ''}`);
  if (date === undefined) return undefined;
  if (hour === undefined) return { at: date + DAY - 1, isInstant: false };
  return { at: date + Number(hour) * HOUR + Number(minute) * MINUTE + Number(second) * 1000, isInstant: zulu !== undefined };
}

/**
 * Starts within [from, to] of a rule that begins at `start`, in order. What `start` itself shows counts only if the rule gives it. An
 * UNTIL in UTC is left to who knows the zone. Time and answer are bounded: a rule that never comes true gives nothing.
 */
export function recurrencesBetween(
  rule: Recurrence,
  start: WallTime,
  range: { readonly from: WallTime; readonly to: WallTime },
): WallTime[] {
  const end = rule.until === undefined || rule.until.isInstant ? range.to : Math.min(range.to, rule.until.at);
  const times = timesOf(rule, start);
  const found: WallTime[] = [];
  const first = rule.count === undefined ? skipped(rule, start, range.from) : 0;
  let counted = 0;
  let looked = 0;
  for (let period = first; period < first + MOST_PERIODS; period += 1) {
    const days = daysOf(rule, start, period);
    looked += (days.to - days.from) / DAY;
    if (!(days.from <= end) || looked > MOST_DAYS) break;
    for (const time of chosen(rule, matching(rule, start, days), times)) {
      if (time < start) continue;
      counted += 1;
      if (time > end || (rule.count !== undefined && counted > rule.count)) return found;
      if (time >= range.from) found.push(time);
    }
  }
  return found;
}

/** Periods that surely end before `from`. */
function skipped(rule: Recurrence, start: WallTime, from: WallTime): number {
  const length = UNIT_DAYS[rule.frequency] * rule.interval * DAY;
  return Math.max(0, Math.floor((from - start) / length) - 2);
}

function timesOf(rule: Recurrence, start: WallTime): readonly number[] {
  const time = start - midnightOf(dateOf(start));
  const hours = rule.hours.length > 0 ? rule.hours : [Math.floor(time / HOUR)];
  const minutes = rule.minutes.length > 0 ? rule.minutes : [Math.floor((time % HOUR) / MINUTE)];
  return hours.flatMap((hour) => minutes.map((minute) => hour * HOUR + minute * MINUTE + (time % MINUTE))).sort((a, b) => a - b);
}

interface Days {
  /** Midnight of the first day, and of the day after the last. */
  readonly from: WallTime;
  readonly to: WallTime;
}

function daysOf(rule: Recurrence, start: WallTime, period: number): Days {
  const step = period * rule.interval;
  const { year, month, day } = dateOf(start);
  const midnight = midnightOf({ year, month, day });
  switch (rule.frequency) {
    case 'DAILY':
      return { from: midnight + step * DAY, to: midnight + (step + 1) * DAY };
    case 'WEEKLY': {
      const first = midnight - ((weekDayOf(midnight) - rule.weekStart + 7) % 7) * DAY;
      return { from: first + step * 7 * DAY, to: first + (step + 1) * 7 * DAY };
    }
    case 'MONTHLY':
      return { from: midnightOf({ year, month: month + step, day: 1 }), to: midnightOf({ year, month: month + step + 1, day: 1 }) };
    case 'YEARLY':
      return { from: midnightOf({ year: year + step, month: 1, day: 1 }), to: midnightOf({ year: year + step + 1, month: 1, day: 1 }) };
  }
}

/** The days of a period that the rule means. A rule that names no days takes those like its start. */
function matching(rule: Recurrence, start: WallTime, days: Days): readonly WallTime[] {
  const isBare = rule.weekDays.length === 0 && rule.monthDays.length === 0;
  const months = isBare && rule.frequency === 'YEARLY' && rule.months.length === 0 ? [dateOf(start).month] : rule.months;
  const isDated = isBare && (rule.frequency === 'YEARLY' || rule.frequency === 'MONTHLY');
  const monthDays = isDated ? [dateOf(start).day] : rule.monthDays;
  const weekDays = isBare && rule.frequency === 'WEEKLY' ? [{ day: weekDayOf(start), nth: undefined }] : rule.weekDays;
  const found: WallTime[] = [];
  for (let midnight = days.from; midnight < days.to; midnight += DAY) {
    const { month, day } = dateOf(midnight);
    if (months.length > 0 && !months.includes(month)) continue;
    if (monthDays.length > 0 && !monthDays.includes(day) && !monthDays.includes(fromEnd(midnight))) continue;
    if (weekDays.length > 0 && !weekDays.some((wanted) => isWeekDay(rule, wanted, midnight))) continue;
    found.push(midnight);
  }
  return found;
}

/** -1 on the last day of a month. */
function fromEnd(midnight: WallTime): number {
  const { year, month, day } = dateOf(midnight);
  return day - dateOf(midnightOf({ year, month: month + 1, day: 0 })).day - 1;
}

/** `2TU` counts in the month, or in the year where a yearly rule names no month. */
function isWeekDay(rule: Recurrence, { day: wanted, nth }: WeekDay, midnight: WallTime): boolean {
  if (weekDayOf(midnight) !== wanted) return false;
  if (nth === undefined) return true;
  const { year, month } = dateOf(midnight);
  const inYear = rule.frequency === 'YEARLY' && rule.months.length === 0;
  const from = midnightOf({ year, month: inYear ? 1 : month, day: 1 });
  const to = midnightOf({ year, month: inYear ? 13 : month + 1, day: 1 });
  return nth > 0 ? Math.floor((midnight - from) / (7 * DAY)) + 1 === nth : -(Math.floor((to - midnight - DAY) / (7 * DAY)) + 1) === nth;
}

function chosen(rule: Recurrence, days: readonly WallTime[], times: readonly number[]): readonly WallTime[] {
  const all = days.flatMap((day) => times.map((time) => day + time));
  if (rule.positions.length === 0) return all;
  const kept = rule.positions.flatMap((position) => all[position > 0 ? position - 1 : all.length + position] ?? []);
  return [...new Set(kept)].sort((a, b) => a - b);
}
