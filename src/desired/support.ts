import type { Json } from '#model/json.ts';

/** `holds`: promotions wait, what runs stays. `stuck`: nothing of it is synced or promoted until it is taken out. */
export type Effect = 'holds' | 'stuck';

/** A field whose other values than `harmless` this version does not act on; absent, null, false, and empty never count. */
export interface Unsupported {
  readonly pointer: string;
  readonly effect: Effect;
  readonly harmless: readonly Json[];
  /** Only where the environment has a target of this driver. */
  readonly driver?: string;
}

/**
 * Which fields of the schemas this version acts on. Pointers are of the schema: `*` is any name or index, a final `/**` the whole subtree.
 * Every schema field stands in exactly one of the lists (test/desired/honoured.test.ts).
 */
export interface Support {
  /** Acted on, or checked. */
  readonly honoured: readonly string[];
  /** Says something to people and other tools; nothing that is deployed or allowed depends on it. */
  readonly descriptive: readonly string[];
  readonly unsupported: readonly Unsupported[];
}

export function stuck(pointer: string, ...harmless: readonly Json[]): Unsupported {
  return { pointer, effect: 'stuck', harmless };
}

export function holds(pointer: string, ...harmless: readonly Json[]): Unsupported {
  return { pointer, effect: 'holds', harmless };
}

export function stuckOn(driver: string, pointer: string, ...harmless: readonly Json[]): Unsupported {
  return { pointer, effect: 'stuck', harmless, driver };
}
