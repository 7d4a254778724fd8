import type { CapsuleSource, DesiredEnvironment, DesiredState } from '#model/desired.ts';
import type { Problem } from '#model/problem.ts';
import type { ReleaseIndex } from '#model/resolution.ts';
import { extendIndex } from '#resolve/resolve.ts';
import { addImports, importsOf, type DeclaredImport } from './imports.ts';
import type { Snapshot } from './reading.ts';
import type { ReadingWorld } from './world.ts';

interface Looked {
  readonly at: Snapshot;
  readonly index: ReleaseIndex;
  readonly state: DesiredState;
}

/** A snapshot's own versions that no commit has released yet, as if this were their release: what a working directory holds. */
export async function withUnreleased(world: ReadingWorld, looked: Looked): Promise<ReleaseIndex> {
  const head = looked.at.commit ?? (await world.repository.resolve('HEAD'));
  const capsules = unreleasedOf(looked).map(({ name, gitTree, declared }) => ({ name, gitTree, version: declared.value.metadata.version }));
  if (head === undefined || capsules.length === 0) return looked.index;
  const index = extendIndex(looked.index, world.settings.branch, [{ commit: head, capsules }]);
  return (await addImports(world, { index, verdicts: new Map(), imports: unreleasedImports(looked) })).index;
}

/** What capsules of the snapshot import whose versions no commit has released yet. */
function unreleasedImports(looked: Looked): readonly DeclaredImport[] {
  return unreleasedOf(looked).flatMap(({ name, gitTree, declared }) => {
    const { version } = declared.value.metadata;
    return importsOf({ owner: `${name}@${version} ${gitTree}`, capsule: name, version }, declared.value.spec);
  });
}

/** Why a lock cannot name what an environment asks for: it stands in the working directory alone. */
export function unreleasedProblems(looked: Looked, environment: DesiredEnvironment, branch: string): readonly Problem[] {
  const wanted = new Set(
    Object.entries(environment.declared.value.spec.capsules ?? {}).flatMap(([name, request]) =>
      request.enabled === false ? [] : [request.capsule ?? name],
    ),
  );
  return unreleasedOf(looked)
    .filter((capsule) => wanted.has(capsule.name))
    .map(({ name, directory, declared }) => ({
      code: 'not-released',
      rule: undefined,
      severity: 'error',
      phase: 'resolve',
      message: `${name}@${declared.value.metadata.version} is in ${directory}, but no commit of ${branch} has it yet: a lock names the commit of a release`,
      remedy: `Commit ${directory} to ${branch} first, then run capstan lock ${environment.name}.`,
      place: declared.at('/metadata/version'),
      related: [],
    }));
}

function unreleasedOf({ state, index }: Looked): readonly CapsuleSource[] {
  return state.capsules.filter(({ name, declared }) => index.releases.get(name)?.has(declared.value.metadata.version) !== true);
}
