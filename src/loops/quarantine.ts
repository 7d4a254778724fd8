import { parseInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import type { Declarations } from './reading.ts';

/** Why nothing may move to a version now; undefined where nothing speaks against it. */
export function quarantineOf(declarations: Declarations, capsule: string, version: string, at: Instant): string | undefined {
  const quarantine = declarations.state.project?.value.spec.quarantine ?? {};
  const release = `${capsule}@${version}`;
  const found = Object.hasOwn(quarantine, release) ? quarantine[release] : undefined;
  const until = found?.until === undefined ? undefined : parseInstant(found.until);
  return until !== undefined && until <= at ? undefined : found?.reason;
}

/** When the next quarantine ends. */
export function nextQuarantineEnd(declarations: Declarations, at: Instant): Instant | undefined {
  const ends = Object.values(declarations.state.project?.value.spec.quarantine ?? {})
    .flatMap((entry) => (entry.until === undefined ? [] : (parseInstant(entry.until) ?? [])))
    .filter((end) => end > at);
  return ends.length === 0 ? undefined : ends.reduce((a, b) => (a < b ? a : b));
}
