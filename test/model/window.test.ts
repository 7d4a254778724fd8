import { describe, expect, test } from 'vitest';

import { instantText, toInstant } from '#model/instant.ts';
import { instantOfWall, isTimeZone, wallOfInstant } from '#model/time-zone.ts';
import { readWindow, spansOf, without, type DeclaredWindow } from '#model/window.ts';

function spans(window: Omit<DeclaredWindow, 'name' | 'kind'>, from: string, to: string): readonly string[] {
  const read = readWindow({ name: 'w', kind: 'allow', ...window });
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  const within = { from: toInstant(Date.parse(from)), to: toInstant(Date.parse(to)) };
  return spansOf([read.value], within).map((span) => `${instantText(span.from)} ${instantText(span.to)}`.replaceAll(':00.000Z', ''));
}

describe('a recurring window keeps to the wall clock of its zone', () => {
  test('over the end of summer time', () => {
    const window = { rrule: 'FREQ=DAILY', start: '2026-01-05T09:00', duration: '7h', timeZone: 'Europe/Madrid' };
    expect(spans(window, '2026-10-24T00:00Z', '2026-10-26T00:00Z')).toEqual([
      '2026-10-24T07:00 2026-10-24T14:00',
      '2026-10-25T08:00 2026-10-25T15:00',
    ]);
  });

  test('where the clock jumps over its start, it opens as late as before', () => {
    const window = { rrule: 'FREQ=DAILY', start: '2026-01-05T02:30', duration: '1h', timeZone: 'Europe/Madrid' };
    expect(spans(window, '2026-03-28T12:00Z', '2026-03-30T12:00Z')).toEqual([
      '2026-03-29T01:30 2026-03-29T02:30',
      '2026-03-30T00:30 2026-03-30T01:30',
    ]);
  });

  test('where the clock shows its start twice, it opens the first time', () => {
    const window = { rrule: 'FREQ=DAILY', start: '2026-01-05T02:30', duration: '1h', timeZone: 'Europe/Madrid' };
    expect(spans(window, '2026-10-25T00:00Z', '2026-10-25T12:00Z')).toEqual(['2026-10-25T00:30 2026-10-25T01:30']);
  });

  test('an UNTIL in UTC is compared there', () => {
    const window = {
      rrule: 'FREQ=DAILY;UNTIL=20261025T080000Z',
      start: '2026-10-24T09:00',
      duration: '1h',
      timeZone: 'Europe/Madrid',
    };
    expect(spans(window, '2026-10-24T00:00Z', '2026-10-30T00:00Z')).toEqual([
      '2026-10-24T07:00 2026-10-24T08:00',
      '2026-10-25T08:00 2026-10-25T09:00',
    ]);
  });

  test('one that began before the span is cut to it, and those that touch are one', () => {
    const window = { rrule: 'FREQ=DAILY', start: '2026-01-05T00:00', duration: '1d' };
    expect(spans(window, '2026-02-01T12:00Z', '2026-02-03T06:00Z')).toEqual(['2026-02-01T12:00 2026-02-03T06:00']);
  });
});

test('what is taken from a span leaves its rest', () => {
  const at = (hour: number) => toInstant(hour * 3_600_000);
  expect(
    without(
      [
        { from: at(0), to: at(10) },
        { from: at(20), to: at(30) },
      ],
      [
        { from: at(2), to: at(3) },
        { from: at(9), to: at(25) },
      ],
    ),
  ).toEqual([
    { from: at(0), to: at(2) },
    { from: at(3), to: at(9) },
    { from: at(25), to: at(30) },
  ]);
});

test('zones have names, and offsets are none', () => {
  expect(['UTC', 'Europe/Madrid', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'].filter((zone) => !isTimeZone(zone))).toEqual([]);
  expect(['', 'Madrid', '+01:00', 'Europe/Madrid ', '../etc/passwd', '__proto__'].filter(isTimeZone)).toEqual([]);
});

test('every hour of a year comes back from the wall clock of a zone with half hours, but for the one that is shown twice', () => {
  const zone = 'Australia/Lord_Howe';
  const start = Date.UTC(2026, 0, 1);
  const hours = Array.from({ length: 24 * 365 }, (_, hour) => toInstant(start + hour * 3_600_000));
  expect(hours.filter((at) => instantOfWall(wallOfInstant(at, zone), zone) !== at).map(instantText)).toEqual(['2026-04-04T15:00:00.000Z']);
});
