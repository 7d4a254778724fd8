import { sha256Of, type Sha256 } from '#model/digest.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import { compareText } from '#model/problem.ts';
import type { ChangeSet, Move, Pin } from '#model/resolution.ts';

/** Instances whose capsule, version or content differs, by instance name. */
export function differences(before: readonly Pin[], after: readonly Pin[]): readonly Move[] {
  const old = new Map(before.map((pin) => [pin.instance, pin]));
  const now = new Map(after.map((pin) => [pin.instance, pin]));
  const moves: Move[] = [];
  for (const pin of after) {
    const was = old.get(pin.instance);
    if (was?.version === pin.version && was.sha256 === pin.sha256 && was.capsule === pin.capsule) continue;
    moves.push({ instance: pin.instance, capsule: pin.capsule, from: was && facts(was), to: facts(pin) });
  }
  for (const pin of before) {
    if (!now.has(pin.instance)) moves.push({ instance: pin.instance, capsule: pin.capsule, from: facts(pin), to: undefined });
  }
  return moves.sort((a, b) => compareText(a.instance, b.instance));
}

function facts(pin: Pin): NonNullable<Move['to']> {
  return { version: pin.version, sha256: pin.sha256 };
}

/** What the id is the digest of: `[{instance,capsule,version,sha256}]` by instance; null where an instance leaves. */
export function changeSetText(moves: readonly Move[]): string {
  const rows = [...moves].sort((a, b) => compareText(a.instance, b.instance));
  return canonicalJson(
    rows.map(({ instance, capsule, to }): Json => ({ instance, capsule, version: to?.version ?? null, sha256: to?.sha256 ?? null })),
  );
}

/** The whole digest that the id begins with: what approvals are bound to. */
export function digestOfMoves(moves: readonly Move[]): Sha256 {
  return sha256Of(changeSetText(moves));
}

export function identified(moves: readonly Move[]): ChangeSet {
  const sorted = [...moves].sort((a, b) => compareText(a.instance, b.instance));
  return { id: `cs-${sha256Of(changeSetText(sorted)).slice(0, 16)}`, moves: sorted };
}
