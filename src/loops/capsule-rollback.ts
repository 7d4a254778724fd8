import type { ArtifactFacts } from '#model/capsule-artifact.ts';
import { isVersion, compareVersions } from '#model/version.ts';
import { indexFor } from './rendered-difference.ts';
import type { ReadingWorld } from './world.ts';

export interface PullRequest {
  /** That was asked for; undefined where a digest was. */
  readonly tag: string | undefined;
  /** The caller named exactly this content, or says that it may be older. */
  readonly isOlderAllowed: boolean;
}

/**
 * Why an artifact that is whole, and may well be signed, is not what was asked for: an old version under the tag of a new one, another
 * content of a version that is known here, or one that is older than what runs. Undefined where nothing known speaks against it.
 */
export async function rollbackMistake(
  world: ReadingWorld | undefined,
  facts: ArtifactFacts,
  { tag, isOlderAllowed }: PullRequest,
): Promise<{ readonly code: string; readonly reason: string } | undefined> {
  const { name, version, sha256, gitTree } = facts;
  const what = `${name}@${version}`;
  if (tag !== undefined && isVersion(tag) && tag !== version)
    return { code: 'version-replayed', reason: `its tag says ${tag}, but it is ${what}` };
  const head =
    world === undefined ? undefined : ((await world.repository.resolve(world.settings.branch)) ?? (await world.repository.resolve('HEAD')));
  if (world === undefined || head === undefined) return undefined;
  const { state } = await world.reading.declarations(await world.reading.at(head));
  const released = [...(await indexFor(world, await world.reading.at(head))).releases]
    .find(([capsule]) => capsule === name)?.[1]
    .get(version);
  if (released !== undefined && released.gitTree !== gitTree)
    return { code: 'version-replayed', reason: `${what} was released here with another content (tree ${released.gitTree.slice(0, 12)})` };
  let highest: { readonly version: string; readonly environment: string } | undefined;
  for (const { name: environment, lock } of state.environments) {
    for (const entry of Object.values(lock?.value.capsules ?? {})) {
      if (entry.capsule !== name) continue;
      if (entry.version === version && entry.sha256 !== sha256)
        return {
          code: 'version-replayed',
          reason: `${environment} locks ${what} with another content (sha256 ${entry.sha256.slice(0, 12)})`,
        };
      if (highest === undefined || compareVersions(entry.version, highest.version) > 0) highest = { version: entry.version, environment };
    }
  }
  if (isOlderAllowed || highest === undefined || compareVersions(version, highest.version) >= 0) return undefined;
  return {
    code: 'older-than-locked',
    reason: `${what} is older than ${highest.version}, which ${highest.environment} locks; --allow-older, or its digest, takes it all the same`,
  };
}
