import type { Capsule, Environment, EnvironmentLock } from '#model/declarations.generated.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { sha256Of, toBlobId, toCommitId, toTreeId, type CommitId, type TreeId } from '#model/digest.ts';
import { toCapsuleName, toEnvironmentName, toInstanceName } from '#model/names.ts';
import type { Place } from '#model/problem.ts';
import type { Pin, Release, ReleasedCapsule, ReleaseIndex } from '#model/resolution.ts';
import { emptyIndex, extendIndex, resolveEnvironment } from '#resolve/resolve.ts';

export function hex40(text: string): string {
  return sha256Of(text).slice(0, 40);
}

export function commitOf(text: string): CommitId {
  return toCommitId(hex40(`commit ${text}`));
}

export function treeOf(text: string): TreeId {
  return toTreeId(hex40(`tree ${text}`));
}

export function placeAt(file: string): (pointer: string) => Place {
  return (pointer) => ({ file, line: 1, column: 1, pointer });
}

export function declared<T>(value: T, file: string) {
  return { value, file, blob: toBlobId(hex40(file)), at: placeAt(file) };
}

/** Of a capsule: its versions, each with its spec. Every version is one commit. */
export type Shelf = Readonly<Record<string, Readonly<Record<string, Partial<Capsule['spec']>>>>>;

export function capsule(name: string, version: string, spec: Partial<Capsule['spec']> = {}): Capsule {
  return {
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'Capsule',
    metadata: { name, version },
    spec: { type: 'service', owner: 'team', ...spec },
  };
}

export interface World {
  readonly index: ReleaseIndex;
  readonly loaded: (release: Release) => ReleasedCapsule | undefined;
}

export function world(shelf: Shelf): World {
  const observations = Object.entries(shelf).flatMap(([name, versions]) =>
    Object.keys(versions).map((version) => ({
      commit: commitOf(`${name}@${version}`),
      capsules: [{ name: toCapsuleName(name), version, gitTree: treeOf(`${name}@${version}`) }],
    })),
  );
  const index = extendIndex(emptyIndex(), 'main', observations);
  const cache = new Map<string, ReleasedCapsule>();
  return {
    index,
    loaded: (release) => {
      const key = `${release.capsule}@${release.version}`;
      const known = cache.get(key);
      if (known !== undefined) return known;
      const spec = shelf[release.capsule]?.[release.version];
      if (spec === undefined) return undefined;
      const made = { release, sha256: sha256Of(key), declaration: capsule(release.capsule, release.version, spec) };
      cache.set(key, made);
      return made;
    },
  };
}

type Requests = NonNullable<Environment['spec']['capsules']>;

export function environment(
  name: string,
  capsules: Requests,
  more: Partial<Environment['spec']> & { readonly lock?: EnvironmentLock | undefined } = {},
): DesiredEnvironment {
  const { lock, ...spec } = more;
  const value: Environment = {
    apiVersion: 'capstan.dev/v1alpha1',
    kind: 'Environment',
    metadata: { name },
    spec: { risk: 'low', capsules, ...spec },
  };
  return {
    name: toEnvironmentName(name),
    declared: declared(value, `environments/${name}/environment.yaml`),
    lock: lock === undefined ? undefined : declared(lock, `environments/${name}/environment.lock.yaml`),
    targets: [],
    configs: new Map(),
    fleets: [],
    devices: [],
  };
}

export function pin(
  instance: string,
  version: string,
  more: { readonly capsule?: string; readonly requestedBy?: readonly string[] } = {},
): Pin {
  const name = more.capsule ?? instance;
  return {
    instance: toInstanceName(instance),
    capsule: toCapsuleName(name),
    version,
    commit: commitOf(`${name}@${version}`),
    gitTree: treeOf(`${name}@${version}`),
    sha256: sha256Of(`${name}@${version}`),
    requestedBy: more.requestedBy ?? ['environment'],
  };
}

export function moving(moves: Readonly<Record<string, string>>): ReadonlyMap<ReturnType<typeof toInstanceName>, string> {
  return new Map(Object.entries(moves).map(([name, version]) => [toInstanceName(name), version]));
}

/** `greeter 1.4.2 wave 1 by environment` per instance, or the problems. */
export function resolvedLines(
  where: World,
  what: DesiredEnvironment,
  how: { readonly locked?: readonly Pin[]; readonly move?: Readonly<Record<string, string>> } = {},
): readonly string[] {
  const answer = resolveEnvironment({ environment: what, ...where, locked: how.locked ?? [], move: moving(how.move ?? {}) });
  switch (answer.kind) {
    case 'needs':
      return answer.releases.map((release) => `needs ${release.capsule}@${release.version}`);
    case 'unresolvable':
      return answer.problems.map((problem) => `${problem.rule}: ${problem.message}`);
    case 'resolved':
      return answer.resolution.instances.map(
        ({ pin: one, wave }) => `${one.instance} ${one.capsule}@${one.version} wave ${wave} by ${one.requestedBy.join(',')}`,
      );
  }
}
