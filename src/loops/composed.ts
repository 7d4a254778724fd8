import type { CapsuleSource } from '#model/desired.ts';
import { createMemo } from '#model/memo.ts';
import type { InstanceName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { ResolvedInstance } from '#model/resolution.ts';
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

/** The capsules of resolved instances, composed. */
export async function composedSources(reading: Reading, instances: readonly ResolvedInstance[]): Promise<readonly CapsuleSource[]> {
  const loaded = await reading.capsules(instances.map(({ pin }) => ({ name: pin.capsule, tree: pin.gitTree })));
  const sources = new Map(instances.map(({ pin }, at) => [pin.instance, loaded[at]?.source]));
  const composer = createComposer();
  return instances.flatMap((instance) => composer.sourceOf(instance, sources) ?? []);
}

export function linesOfSources(sources: readonly CapsuleSource[]): readonly Lines[] {
  return sources.flatMap((source) => [source.declared, ...schemaLines(source), ...(source.parents ?? []).flatMap(schemaLines)]);
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
