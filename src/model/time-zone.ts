import { DAY, midnightOf, type WallTime } from '#model/calendar.ts';
import { toInstant, type Instant } from '#model/instant.ts';

const HOUR = 3_600_000;
/** Making one takes longer than what it is made for. */
const formats = new Map<string, Intl.DateTimeFormat | undefined>();
const MOST_FORMATS = 100;

/** Whether the name is one of the IANA time zones (`Europe/Madrid`, `UTC`); offsets such as `+01:00` are not. */
export function isTimeZone(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name) && formatOf(name) !== undefined;
}

/** Names for suggestions; a zone has older names beside, which are understood as well. */
export function knownTimeZones(): readonly string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')];
}

/** When a wall clock of a zone shows this: the earlier of two, and in a gap what the clock before the change would say (RFC 5545). */
export function instantOfWall(wall: WallTime, zone: string): Instant {
  return wallClock(zone)(wall);
}

/** The same for many times of one zone: on days without a change of the clock it looks once. */
export function wallClock(zone: string): (wall: WallTime) => Instant {
  const quiet = new Map<number, number | undefined>();
  return (wall) => {
    const day = Math.floor(wall / DAY);
    const known = quiet.has(day) ? quiet.get(day) : quietOffset(day * DAY, zone);
    quiet.set(day, known);
    return toInstant(wall - (known ?? offsetOfWall(wall, zone)));
  };
}

/** The offset of a day around which the clock does not change. */
function quietOffset(midnight: WallTime, zone: string): number | undefined {
  const before = offsetAt(midnight - DAY, zone);
  return before === offsetAt(midnight + 2 * DAY, zone) ? before : undefined;
}

function offsetOfWall(wall: WallTime, zone: string): number {
  const before = offsetAt(wall - DAY, zone);
  const after = offsetAt(wall + DAY, zone);
  const isSecond = offsetAt(wall - before, zone) !== before && offsetAt(wall - after, zone) === after;
  return isSecond ? after : before;
}

/** What a wall clock of the zone shows then. */
export function wallOfInstant(at: Instant, zone: string): WallTime {
  return at + offsetAt(at, zone);
}

function offsetAt(at: number, zone: string): number {
  const format = formatOf(zone);
  if (format === undefined) return 0;
  const parts = new Map(format.formatToParts(at).map((part) => [part.type, Number(part.value)]));
  const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const date = midnightOf({ year: of('year'), month: of('month'), day: of('day') });
  const shown = date + of('hour') * HOUR + of('minute') * 60_000 + of('second') * 1000;
  return shown - Math.floor(at / 1000) * 1000;
}

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (formats.has(zone)) return formats.get(zone);
  const format = newFormat(zone);
  if (formats.size >= MOST_FORMATS) formats.delete(formats.keys().next().value ?? '');
  formats.set(zone, format);
  return format;
}

function newFormat(zone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
