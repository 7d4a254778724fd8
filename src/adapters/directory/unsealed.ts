import { join } from 'node:path';

import { sha256Of } from '#model/digest.ts';
import type { Sha256 } from '#model/digest.ts';
import type { InventoryObject, TargetPlan } from '#model/plan.ts';
import { unsealedText } from '#model/sealed.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import type { Digests } from './digests.ts';

/** A sealed object as it is put down: its bytes, and their digest, by which they are known again. */
export interface Unsealed {
  readonly text: () => string;
  readonly applied: Sha256;
}

/** By path; a failure is kept until the turn of its step. */
export type UnsealedSteps = ReadonlyMap<string, Unsealed | PortError>;

const NOTHING: UnsealedSteps = new Map();

/** Opens what the plan writes and git has encrypted: here, and nowhere before. */
export async function unseal(
  secrets: SealedSecrets | undefined,
  plan: TargetPlan,
  signal: AbortSignal | undefined,
): Promise<UnsealedSteps> {
  const opened = new Map<string, Unsealed | PortError>();
  for (const step of plan.steps) {
    if (!('text' in step) || step.sealed === undefined) continue;
    try {
      if (secrets === undefined) throw new PortError('unsupported', 'this process opens no encrypted files');
      const text = unsealedText(step.text, await secrets.open(step.sealed, signal));
      if (text === undefined) throw new PortError('invalid', 'the object has no placeholders for what the encrypted file holds');
      opened.set(step.path, { text, applied: sha256Of(text()) });
    } catch (error) {
      if (!isPortError(error) || error.kind === 'transient') throw error;
      opened.set(step.path, error);
    }
  }
  return opened.size === 0 ? NOTHING : opened;
}

/** Rows that say what bytes stand for them: of this run, or as they were held. */
export function withApplied(
  rows: readonly InventoryObject[],
  from: { readonly plan: TargetPlan; readonly opened: UnsealedSteps; readonly held: readonly InventoryObject[] },
): readonly InventoryObject[] {
  const held = from.held.filter((row) => row.applied !== undefined);
  if (from.opened.size === 0 && held.length === 0) return rows;
  const written = new Map(from.plan.steps.flatMap((step) => ('text' in step ? [[step.path, step.sha256] as const] : [])));
  return rows.map((row) => {
    const own = written.get(row.path) === row.sha256 ? from.opened.get(row.path) : undefined;
    if (own !== undefined && !isPortError(own)) return { ...row, applied: own.applied };
    const before = held.find((one) => one.path === row.path && one.sha256 === row.sha256)?.applied;
    return before === undefined ? row : { ...row, applied: before };
  });
}

/** The digest by which the rest of the engine knows the bytes at a path: that of the rendered text, where they are what it was opened to. */
export function asRendered(rows: readonly InventoryObject[], path: string, found: Sha256): Sha256 {
  return rows.find((row) => row.path === path && row.applied === found)?.sha256 ?? found;
}

export function renderedDigests(digests: Digests, base: string, rows: readonly InventoryObject[]): Digests {
  const sealed = rows.filter((row) => row.applied !== undefined);
  if (sealed.length === 0) return digests;
  const paths = new Map(sealed.map((row) => [join(base, row.path), row.path]));
  return {
    async of(file) {
      const found = await digests.of(file);
      const path = paths.get(file);
      return found === undefined || path === undefined ? found : asRendered(sealed, path, found);
    },
    counts: () => digests.counts(),
  };
}
