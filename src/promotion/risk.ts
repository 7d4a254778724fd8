import type { Move } from '#model/resolution.ts';
import { majorOf } from '#model/version.ts';

export type Risk = 'low' | 'medium' | 'high' | 'critical';

const LEVELS: readonly Risk[] = ['low', 'medium', 'high', 'critical'];

/** What is known of one moved instance. */
export interface MoveFacts {
  readonly capsuleRisk: Risk | undefined;
  /** A migration on the way that cannot be taken back. */
  readonly irreversible: boolean;
  /** RBAC, custom resource definitions or cluster-scoped objects that were not there. */
  readonly newClusterObjects: boolean;
}

/**
 * declarations.md 3.7: the higher of the environment's floor and the capsules' own risk; one level more for each of a major version, an
 * irreversible migration, new cluster-scoped objects; one less for a change of dynamic configuration alone (then nothing moves).
 */
export function riskOf(floor: Risk, moves: readonly { readonly move: Move; readonly facts: MoveFacts | undefined }[]): Risk {
  let level = LEVELS.indexOf(floor);
  let more = 0;
  for (const { move, facts } of moves) {
    level = Math.max(level, LEVELS.indexOf(facts?.capsuleRisk ?? 'low'));
    const major = move.from !== undefined && move.to !== undefined && majorOf(move.from.version) !== majorOf(move.to.version);
    more = Math.max(more, Number(major) + Number(facts?.irreversible === true) + Number(facts?.newClusterObjects === true));
  }
  if (moves.length === 0) more = -1;
  return LEVELS[Math.min(Math.max(level + more, 0), LEVELS.length - 1)] ?? 'critical';
}
