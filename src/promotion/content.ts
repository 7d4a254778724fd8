import type { DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import { placeInFile, type Place, type Problem } from '#model/problem.ts';
import type { ChangeSet } from '#model/resolution.ts';

/** What runs, or ran, above under one version. */
export interface ContentAbove {
  readonly environment: string;
  readonly instance: string;
  readonly version: string;
  readonly sha256: string;
}

/** V-45: what moves is what was verified above, byte for byte; another version is another matter, which gates of health and soak judge. */
export function contentProblems(environment: DesiredEnvironment, changeSet: ChangeSet, above: readonly ContentAbove[]): readonly Problem[] {
  return changeSet.moves.flatMap(({ capsule, instance, to }) => {
    if (to === undefined) return [];
    const others = above.filter((one) => one.instance === instance && one.version === to.version && one.sha256 !== to.sha256);
    return [...new Map(others.map((one) => [one.environment, one])).values()].map((other): Problem => ({
      code: 'content-not-verified',
      rule: 'V-45',
      severity: 'error',
      phase: 'promote',
      message: `change set moves ${capsule}@${to.version} sha256 ${to.sha256.slice(0, 12)}, but ${other.environment} verified ${other.sha256.slice(0, 12)}`,
      remedy: `Find out which of the two was released, and lock that: 'capstan lock ${environment.name}'.`,
      place: placeInLock(environment, `/capsules${pointerToken(instance)}/sha256`),
      related: [],
    }));
  });
}

function placeInLock(environment: DesiredEnvironment, pointer: string): Place {
  return environment.lock?.at(pointer) ?? placeInFile(environment.declared.file);
}
