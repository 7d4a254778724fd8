import type { Sha256 } from '#model/digest.ts';
import { instantText, toInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';

/** One time that drift of an object was taken back. */
export interface Correction {
  /** `keyText` of the object. */
  readonly key: string;
  /** What git wants of it. */
  readonly sha256: Sha256;
  readonly at: Instant;
}

/** Somebody sets back what the engine writes. */
export interface Fight {
  readonly sha256: Sha256;
  readonly count: number;
  /** From then on one more correction is within the allowance. */
  readonly until: Instant;
}

const HOUR = 3_600_000;

export function fightsAmong(corrections: readonly Correction[], now: Instant, maxPerHour: number): ReadonlyMap<string, Fight> {
  const recent = corrections.filter((correction) => correction.at > now - HOUR && correction.at <= now);
  const fights = new Map<string, Fight>();
  for (const [key, own] of Map.groupBy(recent, (correction) => correction.key)) {
    const last = own.at(-1);
    if (last === undefined) continue;
    const same = own.filter((correction) => correction.sha256 === last.sha256);
    const first = same.at(-maxPerHour);
    if (same.length < maxPerHour || first === undefined) continue;
    fights.set(key, { sha256: last.sha256, count: same.length, until: toInstant(first.at + HOUR) });
  }
  return fights;
}

export function fightText(fight: Fight, changedBy: readonly string[]): string {
  const who = changedBy.length === 0 ? 'something else' : changedBy.join(', ');
  return `corrected ${fight.count} times within an hour, and ${who} sets it back: left alone until ${instantText(fight.until)} or a change in git`;
}
