import type { DesiredEnvironment } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import type { Instant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import type { RefName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { World } from './world.ts';

const REMEMBERED = 600_000;

/** Remembers what the forge said of its branches for ten minutes: a quiet engine asks nothing. */
export interface ProtectionReader {
  /** `released`: branches beside the default one that release. */
  problemsOf(
    environment: DesiredEnvironment,
    refs: ReadonlyMap<RefName, CommitId>,
    released?: Iterable<string>,
  ): Promise<readonly Problem[]>;
}

/** Where risk is high, an unprotected branch of the engine's is a refusal. */
export function createProtectionReader(world: Pick<World, 'forge' | 'clock' | 'settings'>): ProtectionReader {
  const known = new Map<string, { readonly protected: boolean; readonly at: Instant }>();

  async function isProtected(branch: string): Promise<boolean> {
    const found = known.get(branch);
    const now = world.clock.now();
    if (found?.protected === true && now - found.at < REMEMBERED) return true;
    const answer = world.forge === undefined ? undefined : await world.forge.protection(branch);
    known.set(branch, { protected: answer?.protected === true, at: now });
    return answer?.protected === true;
  }

  async function problemsOf(
    environment: DesiredEnvironment,
    refs: ReadonlyMap<RefName, CommitId>,
    released: Iterable<string> = [],
  ): Promise<readonly Problem[]> {
    const { risk } = environment.declared.value.spec;
    if (risk !== 'high' && risk !== 'critical') return [];
    const open: string[] = [];
    // A branch that is not there yet has nothing to protect.
    const branches = [world.settings.branch, `rendered/${environment.name}`, 'audit', ...released].filter((branch) =>
      refs.has(branchRef(branch)),
    );
    for (const branch of branches) {
      if (!(await isProtected(branch))) open.push(branch);
    }
    if (open.length === 0) return [];
    const why = world.forge === undefined ? 'no forge is configured that could protect' : 'the forge does not protect';
    return [
      {
        code: 'protection-missing',
        rule: 'V-86',
        severity: 'error',
        phase: 'sync',
        message: `${environment.name} has risk ${risk}, but ${why} ${open.join(', ')}`,
        remedy: "Protect the branches on the forge ('capstan doctor --fix' does), or lower the risk.",
        place: environment.declared.at('/spec/risk'),
        related: [],
      },
    ];
  }

  return { problemsOf };
}
