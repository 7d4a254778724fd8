import type { JsonObject } from '#model/json.ts';
import { jsonText } from '#model/json.ts';
import { childMap } from './answers.ts';

export interface Termination {
  /** As the server writes it. */
  readonly since: string;
  readonly finalizers: readonly string[];
}

/** Of an object that was removed and that something still holds. */
export function terminationOf(object: JsonObject): Termination | undefined {
  const metadata = childMap(object, 'metadata');
  const since = jsonText(metadata['deletionTimestamp']);
  if (since === '') return undefined;
  const { finalizers } = metadata;
  return { since, finalizers: Array.isArray(finalizers) ? finalizers.map(String) : [] };
}
