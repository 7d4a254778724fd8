import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { parseRecurrence, recurrencesBetween } from '#model/recurrence.ts';

type Case = readonly [rule: string, start: string, from: string, to: string, count: number, first: readonly string[], last: string];

/** Made with python-dateutil 2.9.0: rules at random, how often each holds in a span, its first three times there and the last one. */
const CASES = JSON.parse(readFileSync(new URL('recurrences.json', import.meta.url), 'utf8')) as readonly Case[];

function times(rule: string, start: string, span: readonly [string, string]): readonly string[] {
  const parsed = parseRecurrence(rule);
  if (!parsed.ok) throw new Error(`${rule} ${parsed.message}`);
  const range = { from: Date.parse(span[0]), to: Date.parse(span[1]) };
  return recurrencesBetween(parsed.value, Date.parse(`${start}Z`), range).map((time) => new Date(time).toISOString().slice(0, 16));
}

test('rules at random give what another implementation gives', () => {
  expect(CASES).toHaveLength(175);
  const wrong = CASES.filter(([rule, start, from, to, count, first, last]) => {
    const found = times(rule, start, [from, to]);
    return (
      found.length !== count ||
      found
        .slice(0, 3)
        .map((time) => time.slice(5))
        .join(' ') !== first.join(' ') ||
      (found.at(-1) ?? '') !== last
    );
  });
  expect(wrong).toEqual([]);
});

test('a rule that never comes true ends', () => {
  expect(times('FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', '0001-01-01T00:00', ['2026-01-01', '2027-01-01'])).toEqual([]);
  expect(times('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=5', '0001-01-01T00:00', ['2026-01-01', '9999-12-31'])).toEqual([]);
  expect(times('FREQ=YEARLY;INTERVAL=100000', '2026-01-01T00:00', ['2027-01-01', '9999-12-31'])).toEqual([]);
});

test('a year without the day has no time', () => {
  expect(times('FREQ=YEARLY', '2024-02-29T09:00', ['2024-01-01', '2033-01-01'])).toEqual([
    '2024-02-29T09:00',
    '2028-02-29T09:00',
    '2032-02-29T09:00',
  ]);
});

describe('a rule is refused', () => {
  test.each([
    ['', 'has an empty part'],
    ['FREQ=HOURLY', 'needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY'],
    ['FREQ=DAILY;FREQ=DAILY', 'has FREQ twice'],
    ['FREQ=DAILY;BYSECOND=1', 'has BYSECOND, which is not supported here'],
    ['FREQ=DAILY;INTERVAL=0', 'has a INTERVAL that is no whole number from 1 to 100000'],
    ['FREQ=DAILY;COUNT=-1', 'has a COUNT below 1'],
    ['FREQ=DAILY;COUNT=1;UNTIL=20270101', 'has both COUNT and UNTIL'],
    ['FREQ=DAILY;UNTIL=20270230', 'has an UNTIL that is no date such as 20270131 or 20270131T220000Z'],
    ['FREQ=DAILY;BYHOUR=24', 'has a BYHOUR that is no whole number from 0 to 23'],
    ['FREQ=DAILY;BYMONTH=-1', 'has a BYMONTH below 1'],
    ['FREQ=WEEKLY;BYDAY=2MO', 'counts days of the week, which only MONTHLY and YEARLY can'],
    ['FREQ=MONTHLY;BYDAY=0MO', 'has a BYDAY that is no day such as MO or 2TU'],
    ['FREQ=MONTHLY;BYSETPOS=1', 'has BYSETPOS and nothing that it chooses from'],
    ['FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7;BYMINUTE=1,2,3,4,5,6,7', 'has more than 24 times a day'],
    ['FREQ=WEEKLY;WKST=XX', 'has a WKST that is no day of the week'],
    [`FREQ=DAILY;BYHOUR=${'1,'.repeat(300)}1`, 'is longer than 500 characters'],
  ])('%s', (rule, message) => {
    expect(parseRecurrence(rule)).toEqual({ ok: false, message });
  });
});
