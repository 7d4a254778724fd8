import type { CapsuleSource } from '#model/desired.ts';
import { createMemo } from '#model/memo.ts';
import type { InstanceName } from '#model/names.ts';
import { toCapsuleName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { ReleaseIndex, ResolvedInstance } from '#model/resolution.ts';
import { compareVersions, isInRange, parseRange } from '#model/version.ts';
import { composeCapsule } from '#resolve/resolve.ts';
import { schemaLines } from './lines.ts';
import type { Lines } from './lines.ts';
import type { Reading } from './reading.ts';

/** What an instance is rendered from: its capsule, with what it inherits. The same object as long as nothing of it moved. */
export interface Composer {
  sourceOf(instance: ResolvedInstance, sources: ReadonlyMap<InstanceName, CapsuleSource | undefined>): CapsuleSource | undefined;
}

export function createComposer(): Composer {
  const composed = createMemo<CapsuleSource>(20_000);
  return {
    sourceOf({ pin, parents }, sources) {
      const child = sources.get(pin.instance);
      if (child === undefined || parents === undefined) return child;
      const line = parents.flatMap((parent) => sources.get(parent.instance) ?? []);
      if (line.length < parents.length) return undefined;
      const key = [child, ...line].map((one) => `${one.name} ${one.gitTree}`).join(' ');
      return composed.get(key) ?? composed.set(key, composeCapsule(child, line));
    },
  };
}

/** What runs, by instance: its capsule with what it inherits. What is only extended is part of its child. */
export async function composedSources(
  reading: Reading,
  instances: readonly ResolvedInstance[],
): Promise<ReadonlyMap<InstanceName, CapsuleSource>> {
  const loaded = await reading.capsules(instances.map(({ pin }) => ({ name: pin.capsule, tree: pin.gitTree })));
  const sources = new Map(instances.map(({ pin }, at) => [pin.instance, loaded[at]?.source]));
  const composer = createComposer();
  return new Map(
    instances.flatMap((instance) => {
      const source = instance.shapes === undefined ? composer.sourceOf(instance, sources) : undefined;
      return source === undefined ? [] : [[instance.pin.instance, source] as const];
    }),
  );
}

/**
 * The capsules of a snapshot, each with what it inherits: from the snapshot's own version of its parent where its range takes it, else
 * from the newest release in range.
 */
export async function composedSnapshot(
  reading: Reading,
  capsules: readonly CapsuleSource[],
  index: ReleaseIndex,
): Promise<readonly CapsuleSource[]> {
  const own = new Map<string, CapsuleSource>(capsules.map((capsule) => [capsule.name, capsule]));
  const out: CapsuleSource[] = [];
  for (const capsule of capsules) {
    const line: CapsuleSource[] = [];
    for (let last: CapsuleSource | undefined = capsule; last !== undefined && line.length <= DEEPEST;) {
      const parent: CapsuleSource | undefined = await parentOf(reading, last, { own, index });
      if (parent !== undefined && parent.name !== capsule.name && !line.some((one) => one.name === parent.name)) line.push(parent);
      last = line.at(-1) === parent ? parent : undefined;
    }
    out.push(composeCapsule(capsule, line));
  }
  return out;
}

const DEEPEST = 8;

async function parentOf(
  reading: Reading,
  child: CapsuleSource,
  from: { readonly own: ReadonlyMap<string, CapsuleSource>; readonly index: ReleaseIndex },
): Promise<CapsuleSource | undefined> {
  const wanted = child.declared.value.spec.extends ?? undefined;
  const range = wanted === undefined ? undefined : parseRange(wanted.version);
  if (wanted === undefined || range === undefined) return undefined;
  const own = from.own.get(wanted.capsule);
  if (own !== undefined && isInRange(own.declared.value.metadata.version, range)) return own;
  const releases = [...(from.index.releases.get(toCapsuleName(wanted.capsule))?.values() ?? [])].filter((one) =>
    isInRange(one.version, range),
  );
  const [newest] = releases.sort((a, b) => compareVersions(b.version, a.version));
  return newest === undefined ? undefined : (await reading.capsule(newest.capsule, newest.gitTree)).source;
}

/** The lines of what is inherited; those of the snapshot's own files are known anyway. */
export function inheritedLines(capsules: readonly CapsuleSource[]): readonly Lines[] {
  return linesOfSources(capsules.filter((capsule) => capsule.parents !== undefined));
}

/** What is wrong with something inherited is told once: by the capsule that wrote it, if that finds it, too. */
export function toldOnce(problems: readonly Problem[], capsules: readonly CapsuleSource[]): readonly Problem[] {
  if (capsules.every((capsule) => capsule.parents === undefined)) return problems;
  const told = new Map<string, Problem>();
  for (const problem of problems) {
    const { file } = problem.place;
    const owner = file === undefined ? undefined : /^capsules\/([^/]+)\//.exec(file)?.[1];
    const key = JSON.stringify([problem.code, problem.place]);
    const known = told.get(key);
    if (known === undefined || (owner !== undefined && startsWithName(problem.message, owner))) told.set(key, problem);
  }
  const inherited = new Set(capsules.flatMap((capsule) => (capsule.parents ?? []).map((parent) => parent.directory)));
  return problems.filter((problem) => {
    const directory = problem.place.file?.split('/').slice(0, 2).join('/');
    if (directory === undefined || !inherited.has(directory)) return true;
    return told.get(JSON.stringify([problem.code, problem.place])) === problem;
  });
}

function startsWithName(message: string, name: string): boolean {
  return message.startsWith(name) && !/^[a-z0-9-]/.test(message.slice(name.length));
}

export function linesOfSources(sources: readonly CapsuleSource[]): readonly Lines[] {
  return sources.flatMap((source) => {
    const parents = source.parents ?? [];
    return [...parents.map((parent) => parent.declared), source.declared, ...schemaLines(source), ...parents.flatMap(schemaLines)];
  });
}

/** Problems of files that a capsule inherited, at the parent's file. */
export function inPlace(problems: readonly Problem[], sources: readonly CapsuleSource[]): readonly Problem[] {
  const composed = sources.filter((source) => source.directoryOf !== undefined);
  if (composed.length === 0) return problems;
  return problems.map((problem) => {
    const { file } = problem.place;
    for (const { directory, directoryOf } of composed) {
      if (file?.startsWith(`${directory}/`) !== true || directoryOf === undefined) continue;
      const path = file.slice(directory.length + 1);
      const home = directoryOf(path);
      if (home === directory) continue;
      const message = problem.message.replaceAll(file, `${home}/${path}`);
      return { ...problem, message, place: { ...problem.place, file: `${home}/${path}` } };
    }
    return problem;
  });
}
