/** Milliseconds of a wall clock, as if it stood in UTC. */
export type WallTime = number;

export const DAY = 86_400_000;

export interface CalendarDate {
  readonly year: number;
  /** 1 is January; what is beyond December counts on. */
  readonly month: number;
  /** 0 is the last day of the month before. */
  readonly day: number;
}

export function midnightOf({ year, month, day }: CalendarDate): WallTime {
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

/** The date that a wall clock shows. */
export function dateOf(wall: WallTime): CalendarDate {
  const date = new Date(wall);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

/** 0 is Monday. */
export function weekDayOf(wall: WallTime): number {
  return (new Date(wall).getUTCDay() + 6) % 7;
}

/** `2026-02-28`, or undefined for a date that no calendar has. */
export function parseDate(text: string): WallTime | undefined {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  const wall = midnightOf({ year: Number(year), month: Number(month), day: Number(day) });
  return Number.isNaN(wall) || dateText(wall) !== text ? undefined : wall;
}

function dateText(wall: WallTime): string {
  return new Date(wall).toISOString().slice(0, 10);
}
