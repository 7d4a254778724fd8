import type { Sha256 } from '#model/digest.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { LeftPath, Step } from '#model/plan.ts';
import type { Problem } from '#model/problem.ts';
import type { RenderedObject } from '#model/rendering.ts';
import { fightText } from './fights.ts';
import { foreignObject } from './foreign.ts';
import { isOurs } from './ground.ts';
import type { Ground } from './ground.ts';

/** What becomes of one rendered object: a step, or the problem why there is none (then `stays` keeps what is ours of it elsewhere). */
export interface Placing {
  readonly step?: Step;
  readonly stays?: readonly Step[];
  readonly drifted?: ObjectKey;
  readonly problem?: Problem;
}

export function planObject(object: RenderedObject, ground: Ground): Placing {
  const found = ground.found.get(object.path);
  if (found !== undefined && !isOurs(ground, object.path, found)) return planForeign(object, found, ground);
  if (!ground.complete && found === undefined) return planUnseen(object, ground);

  const leaves = leftPaths(object, ground);
  const drift = driftOf(object, found, ground);
  const left = drift === undefined || isNewInGit(object, ground) ? undefined : whyLeft(object, found, ground);
  if (left !== undefined) return { step: keep(object, `${drift}; ${left}`), drifted: object.key };
  const drifted = drift === undefined ? {} : { drifted: object.key };
  if (found === undefined)
    return { step: write('create', object, { basis: undefined, leaves, reason: drift ?? newReason(leaves) }), ...drifted };
  if (found === object.sha256 && leaves.length === 0) return { step: keep(object, 'as it should be'), ...drifted };
  const reason = drift ?? (found === object.sha256 ? 'moved from another path' : 'the rendering changed');
  return { step: write('update', object, { basis: found, leaves, reason }), ...drifted };
}

function planForeign(object: RenderedObject, found: Sha256, ground: Ground): Placing {
  const equal = found === object.sha256;
  if (!ground.adopt.has(keyText(object.key))) {
    const stays = leftPaths(object, ground).map((left) =>
      keep({ ...object, path: left.path, sha256: left.basis }, 'its new path is taken'),
    );
    return { problem: foreignObject(ground, object, equal), stays };
  }
  const reason = equal ? 'adopted as it is' : 'adopted, and brought to what git says';
  return { step: write('adopt', object, { basis: found, leaves: leftPaths(object, ground), reason }) };
}

/** Not seen in a partial view: what we own there stays ours, what is new waits for a whole view. */
function planUnseen(object: RenderedObject, ground: Ground): Placing {
  const last = ground.owned.get(object.path)?.at(-1);
  if (last !== undefined) return { step: keep({ ...object, sha256: last.sha256 }, 'not looked at: the target answered in part') };
  return { step: write('create', object, { basis: undefined, leaves: [], reason: 'new' }) };
}

function driftOf(object: RenderedObject, found: Sha256 | undefined, ground: Ground): string | undefined {
  const rows = ground.owned.get(object.path);
  if (rows === undefined) return undefined;
  if (found === undefined) return rows.some((row) => !row.pending) ? 'was removed outside git' : undefined;
  return rows.some((row) => row.sha256 === found) ? undefined : 'was changed outside git';
}

/** Why drift is not taken back, where git wants nothing new. */
function whyLeft(object: RenderedObject, found: Sha256 | undefined, ground: Ground): string | undefined {
  const fight = ground.fights.get(keyText(object.key));
  if (fight?.sha256 === object.sha256) return fightText(fight, ground.changedBy.get(object.path) ?? []);
  const { path } = object;
  if (ground.selfHeal || (ground.reverted.has(path) && ground.reverted.get(path) === found)) return undefined;
  return 'reported only (sync.selfHeal, sync.drift.onDetect)';
}

function isNewInGit(object: RenderedObject, ground: Ground): boolean {
  return !(ground.owned.get(object.path) ?? []).some((row) => row.sha256 === object.sha256);
}

function leftPaths(object: RenderedObject, ground: Ground): readonly LeftPath[] {
  const paths = ground.ownedPaths.get(keyText(object.key)) ?? [];
  return paths.flatMap((path) => {
    const basis = ground.found.get(path);
    return ground.wantedPaths.has(path) || basis === undefined || !isOurs(ground, path, basis) ? [] : [{ path, basis }];
  });
}

function newReason(leaves: readonly LeftPath[]): string {
  return leaves.length === 0 ? 'new' : 'moved from another path';
}

function write(
  action: 'create' | 'update' | 'adopt',
  object: RenderedObject,
  rest: { readonly basis: Sha256 | undefined; readonly leaves: readonly LeftPath[]; readonly reason: string },
): Step {
  const { key, path, sha256, text, sealed } = object;
  return { action, key, path, sha256, text, ...(sealed === undefined ? {} : { sealed }), ...rest };
}

function keep(object: Pick<RenderedObject, 'key' | 'path' | 'sha256'>, reason: string): Step {
  const { key, path, sha256 } = object;
  return { action: 'keep', key, path, sha256, reason };
}
