import type { Capsule, Environment } from '#model/declarations.generated.ts';
import type { GateReading } from '#model/promotion.ts';
import type { ChangeSet, Move } from '#model/resolution.ts';
import { compareVersions, isCovered, parseRange } from '#model/version.ts';
import type { Risk } from './risk.ts';

type Spec = Capsule['spec'];

/** V-79: what of a change cannot be taken back. */
export function flagged({ changeSet, specOf }: Pick<GoingBack, 'changeSet' | 'specOf'>): readonly string[] {
  return changeSet.moves.flatMap((move) => irreversibleMigrations(move, specOf(move.capsule)));
}

/** V-79: a migration on the way of a move that cannot be taken back, as a sentence. */
function irreversibleMigrations(move: Move, spec: Spec | undefined): readonly string[] {
  const { capsule, from, to } = move;
  if (from === undefined || to === undefined || compareVersions(to.version, from.version) <= 0) return [];
  return (spec?.migrations ?? []).flatMap((migration) => {
    const range = parseRange(migration.from);
    if (migration.reversible !== false || range === undefined || !isCovered(from.version, range)) return [];
    return `${capsule} ${from.version}→${to.version} runs irreversible migration ${migration.job}; rollback to ${from.version} is impossible`;
  });
}

/** What a change looks like to V-79. */
export interface GoingBack {
  readonly environment: Environment['spec'];
  readonly risk: Risk;
  readonly changeSet: ChangeSet;
  readonly specOf: (capsule: string) => Spec | undefined;
}

/**
 * V-79: a change of risk high or more has a way back. Reverting the lock is one, unless a migration cannot be taken back: then the capsule
 * or the environment must say what happens (`rollback`), or every volume must be snapshot before the upgrade. At lower risk it is only told.
 */
export function rollbackGates({ environment, risk, changeSet, specOf }: GoingBack): readonly GateReading[] {
  if (risk !== 'high' && risk !== 'critical') return [];
  const without = changeSet.moves.flatMap((move) => {
    const spec = specOf(move.capsule);
    return hasPlan(spec) || environment.rollback !== undefined ? [] : irreversibleMigrations(move, spec);
  });
  if (without.length === 0) return [];
  const detail = `${without.join('; ')}; declare rollback, or snapshotBeforeUpgrade on every volume`;
  return [{ name: 'rollback-plan', type: 'rollback-plan', status: 'failed', detail, until: undefined }];
}

function hasPlan(spec: Spec | undefined): boolean {
  if (spec?.rollback !== undefined) return true;
  const volumes = Object.values(spec?.components ?? {}).flatMap((component) => Object.values(component.storage ?? {}));
  return volumes.length > 0 && volumes.every((volume) => volume.snapshotBeforeUpgrade === true);
}
