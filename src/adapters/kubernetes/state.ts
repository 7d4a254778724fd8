import { sha256Of } from '#model/digest.ts';
import type { Sha256 } from '#model/digest.ts';
import { appliedDigest } from './body.ts';
import type { Marks } from './body.ts';
import type { Found } from './cluster.ts';
import type { Row } from './inventory-rows.ts';

/**
 * Whose an object is, and which text it was made from. `own`: ours, as the server answered it. `unconfirmed`: ours, written by a run of
 * which the inventory knows nothing: it is written again. `changed`: ours, and somebody else changed it. `foreign`: somebody else's.
 */
export type ObjectState =
  | { readonly kind: 'own'; readonly sha256: Sha256 }
  | { readonly kind: 'unconfirmed'; readonly sha256: Sha256 }
  | { readonly kind: 'changed'; readonly sha256: Sha256 }
  | { readonly kind: 'foreign'; readonly sha256: Sha256 };

/** The digests of all but `own` are of what is there now, and of nothing that git could want. */
export function stateOf(found: Found, row: Row | undefined, marks: Marks): ObjectState {
  const applied = found.owned === undefined ? undefined : appliedDigest(marks, found.applied);
  if (row !== undefined && !row.pending && row.uid === found.uid) {
    if (row.owned === found.owned || isOtherwiseRead(found, row, applied)) return { kind: 'own', sha256: row.sha256 };
    // A mark of another text than the row's: we wrote after the inventory did.
    if (applied === undefined || applied === row.sha256) return { kind: 'changed', sha256: digestOf('changed', found) };
  }
  return applied === undefined
    ? { kind: 'foreign', sha256: digestOf('foreign', found) }
    : { kind: 'unconfirmed', sha256: digestOf('unconfirmed', found) };
}

/** In another version than before the fields of one and the same object differ in name: its mark has to do until it is noted anew. */
function isOtherwiseRead({ version }: Found, row: Row, applied: string | undefined): boolean {
  return version !== undefined && version !== row.version && applied === row.sha256;
}

function digestOf(kind: string, { uid, owned, holders }: Found): Sha256 {
  return sha256Of(`\0capstan: ${kind}\n${uid}\n${owned ?? ''}\n${holders ?? ''}`);
}
