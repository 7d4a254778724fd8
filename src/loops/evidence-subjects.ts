import type { CommitId } from '#model/digest.ts';
import { toCapsuleName } from '#model/names.ts';
import { pinsOfLock } from '#resolve/resolve.ts';
import type { World } from './world.ts';

/** A content that statements can be about. */
export interface Subject {
  readonly capsule: string;
  readonly version: string;
  readonly sha256: string;
  readonly gitTree: string;
  /** Of its release; undefined for what was not released. */
  readonly commit: CommitId | undefined;
}

export type FoundSubjects =
  | { readonly kind: 'found'; readonly subjects: readonly Subject[] }
  | { readonly kind: 'unknown'; readonly reason: string };

/**
 * What a word of a person means: `web` is the capsule as it stands in the commit, `web@1.4.2` that release, and the name of an environment
 * whatever its lock holds. A capsule comes before an environment of the same name.
 */
export async function subjectsOf(world: Pick<World, 'reading' | 'history'>, commit: CommitId, word: string): Promise<FoundSubjects> {
  const declarations = await world.reading.declarations(await world.reading.at(commit));
  const [name = '', version] = word.split('@');
  const released =
    version === undefined ? undefined : (await world.history.upTo(commit)).index.releases.get(toCapsuleName(name))?.get(version);
  if (version !== undefined && released === undefined) return { kind: 'unknown', reason: `${name} was never released as ${version}` };
  const tree = released?.gitTree ?? declarations.capsuleTrees.get(toCapsuleName(name));
  if (tree === undefined) {
    const environment = declarations.state.environments.find((one) => one.name === name);
    if (environment === undefined) return { kind: 'unknown', reason: `there is no capsule and no environment "${name}"` };
    const pins = environment.lock === undefined ? [] : pinsOfLock(environment.lock.value);
    return {
      kind: 'found',
      subjects: pins.map(({ capsule, version: locked, sha256, gitTree, commit: of }) => ({
        capsule,
        version: locked,
        sha256,
        gitTree,
        commit: of,
      })),
    };
  }
  const { source, problems } = await world.reading.capsule(toCapsuleName(name), tree);
  if (source === undefined)
    return { kind: 'unknown', reason: `capsule ${name} cannot be read: ${problems[0]?.message ?? 'it is not there'}` };
  const declared = source.declared.value.metadata.version;
  const known = released ?? (await world.history.upTo(commit)).index.releases.get(toCapsuleName(name))?.get(declared);
  const of = known?.gitTree === tree ? known.commit : undefined;
  return { kind: 'found', subjects: [{ capsule: name, version: version ?? declared, sha256: source.sha256, gitTree: tree, commit: of }] };
}
