import type { Brand } from '#model/names.ts';

/** Milliseconds since 1970-01-01T00:00:00Z. Time is a value here: it always comes in from outside. */
export type Instant = Brand<number, 'Instant'>;

export function toInstant(milliseconds: number): Instant {
  return milliseconds as Instant;
}

/** RFC 3339 in UTC with milliseconds. */
export function instantText(at: Instant): string {
  return new Date(at).toISOString();
}

export function parseInstant(text: string): Instant | undefined {
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : toInstant(at);
}

const UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const DURATION = /^([0-9]+(ms|s|m|h|d|w))+$/;

/** `1h30m` -> milliseconds; undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+)(ms|s|m|h|d|w)/g)) {
    total += Number(amount) * UNIT[unit as keyof typeof UNIT];
  }
  return total;
}

/** Milliseconds -> the two largest units, for people (`1h30m`, `45s`, `0s`). */
export function durationText(milliseconds: number): string {
  let rest = Math.max(0, Math.round(milliseconds / 1000)) * 1000;
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const amount = Math.floor(rest / UNIT[unit]);
    rest -= amount * UNIT[unit];
    if (amount > 0 && parts.length < 2) parts.push(`${amount}${unit}`);
  }
  return parts.join('') || '0s';
}
