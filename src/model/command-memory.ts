import { readCanonicalJson } from '#model/canonical-text.ts';
import { type Instant, toInstant } from '#model/instant.ts';
import { canonicalJson, isJsonObject } from '#model/json.ts';

/** How far the clocks of a sender and an agent may be apart, in milliseconds. */
export const CLOCK_SKEW = 60_000;

/**
 * What an agent remembers of commands, as a value. It is kept in a file (`encodeCommandMemory`): the floor of the clock must outlive a
 * restart. A memory that was lost and begun anew refuses what was issued before, so nothing that it forgot is done twice.
 */
export interface CommandMemory {
  /** Since when it misses nothing. */
  readonly begun: Instant;
  /** The latest time that was ever seen: a clock that says less is wrong. */
  readonly floor: Instant;
  /** Nonce -> until when its command could have come again. */
  readonly nonces: ReadonlyMap<string, Instant>;
}

/** Commands of fifteen minutes; more at once are no honest sender's. */
export const MOST_NONCES = 20_000;

/** `floor`: the latest time known from elsewhere (a signed bundle, a build), for the case that the clock is wrong and the memory was lost. */
export function beginMemory(now: Instant, floor: Instant): CommandMemory {
  const begun = toInstant(Math.max(now, floor));
  return { begun, floor: begun, nonces: new Map() };
}

const VERSION = 1;

export function encodeCommandMemory({ begun, floor, nonces }: CommandMemory): string {
  return canonicalJson({ version: VERSION, begun, floor, nonces: Object.fromEntries(nonces) });
}

/** Undefined for anything else than what `encodeCommandMemory` wrote: begin anew then. */
export function parseCommandMemory(text: string): CommandMemory | undefined {
  const value = readCanonicalJson(text, 4);
  if (!isJsonObject(value)) return undefined;
  const { version, begun, floor, nonces } = value;
  if (version !== VERSION || !isTime(begun) || !isTime(floor) || floor < begun || !isJsonObject(nonces)) return undefined;
  const known = new Map<string, Instant>();
  for (const [nonce, until] of Object.entries(nonces)) {
    if (!isTime(until)) return undefined;
    known.set(nonce, toInstant(until));
  }
  return known.size > MOST_NONCES ? undefined : { begun: toInstant(begun), floor: toInstant(floor), nonces: known };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= 8_640_000_000_000_000;
}
