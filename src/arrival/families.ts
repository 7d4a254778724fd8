import type { LeftOut, Luggage } from '#model/arrival.ts';
import { USUAL_TOOLS } from '#model/foreign.ts';
import type { JsonObject } from '#model/json.ts';
import type { CapsuleDraft } from './drafts.ts';
import type { Kustomization } from './kustomizations.ts';
import { commonFolder, inside, isBelow } from './paths.ts';
import { readManifest } from './pieces.ts';

/** Kustomizations that take each other in: one capsule. */
export interface Family {
  readonly folder: string;
  readonly members: readonly Kustomization[];
  /** Those that nobody takes in: what people build. */
  readonly roots: readonly Kustomization[];
}

/** Kustomizations that nobody takes in. Components and circles are no roots; they are left out. */
export function rootsOf(all: ReadonlyMap<string, Kustomization>, leftOut: LeftOut[]): readonly Kustomization[] {
  const takenIn = new Set([...all.values()].flatMap((one) => one.parts));
  for (const one of all.values()) {
    if (one.isComponent && !takenIn.has(one.folder))
      leftOut.push({ file: one.file, line: undefined, what: 'a component', why: 'nobody takes it in' });
    else if (takenIn.has(one.folder) && closureOf(one, all).some((other) => other.parts.includes(one.folder)))
      leftOut.push({ file: one.file, line: undefined, what: 'a kustomization', why: 'takes itself in, by a circle of resources' });
  }
  return [...all.values()].filter((one) => !takenIn.has(one.folder) && !one.isComponent);
}

/** Who takes in whom, as undirected groups; roots that cannot be built are left out with their reasons. */
export function familiesOf(
  roots: readonly Kustomization[],
  all: ReadonlyMap<string, Kustomization>,
  leftOut: LeftOut[],
): readonly Family[] {
  const good: Kustomization[] = [];
  for (const root of roots) {
    const faults = closureOf(root, all).flatMap((one) => one.faults);
    if (faults.length === 0) {
      good.push(root);
      continue;
    }
    const without = faults.map((fault) => fault.what).join(', ');
    leftOut.push(...faults.filter((fault) => !leftOut.includes(fault)));
    leftOut.push({ file: root.file, line: undefined, what: 'an overlay', why: `cannot be built without ${without}` });
  }
  const families: { roots: Kustomization[]; members: Set<Kustomization> }[] = [];
  for (const root of good) {
    const closure = closureOf(root, all);
    const related = families.filter((family) => closure.some((one) => family.members.has(one)));
    const merged = {
      roots: [...related.flatMap((family) => family.roots), root],
      members: new Set([...related.flatMap((family) => [...family.members]), ...closure]),
    };
    for (const family of related) families.splice(families.indexOf(family), 1);
    families.push(merged);
  }
  return families.map(({ roots, members }) => {
    const list = [...members].sort((a, b) => (a.folder < b.folder ? -1 : 1));
    return { folder: familyFolder(list), members: list, roots };
  });
}

/** A kustomization that stands alone is in its own folder; several have a folder in common. */
function familyFolder(members: readonly Kustomization[]): string {
  return commonFolder(members.map((member) => member.folder));
}

function closureOf(root: Kustomization, all: ReadonlyMap<string, Kustomization>): readonly Kustomization[] {
  const seen = new Set<Kustomization>();
  const open = [root];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (seen.has(one)) continue;
    seen.add(one);
    for (const part of one.parts) {
      const next = all.get(part);
      if (next !== undefined) open.push(next);
    }
  }
  return [...seen];
}

export function filesBelow(luggage: Luggage, folder: string): readonly string[] {
  return [...luggage.files.keys()].filter((path) => isBelow(path, folder));
}

/** Every file of the folders that are built, without Secrets that hold values. */
export function familyCapsule(luggage: Luggage, family: Family, name: string, leftOut: LeftOut[]): CapsuleDraft {
  const files = new Map<string, Uint8Array>();
  const texts = new Map(family.members.map((member) => [member.file, member.text]));
  for (const path of [...new Set(family.members.flatMap((member) => filesBelow(luggage, member.folder)))].sort()) {
    const bytes = luggage.files.get(path);
    if (bytes === undefined) continue;
    const at = `files/${inside(family.folder, path)}`;
    const text = texts.get(path);
    if (text !== undefined) files.set(at, new TextEncoder().encode(text));
    else if (/\.ya?ml$/.test(path)) files.set(at, withoutSecrets(path, bytes, leftOut));
    else files.set(at, bytes);
  }
  const overlays = family.roots.map((root) => overlayPath(family, root)).sort();
  const [only = '.', second] = overlays;
  const path = second === undefined ? sourcePath(only) : sourcePath('{{config.overlay}}');
  const spec: JsonObject = {
    type: 'service',
    components: { objects: { kind: 'Kustomize', source: { path, tool: USUAL_TOOLS.kustomize } } },
    ...(second === undefined
      ? {}
      : {
          config: {
            schema: {
              type: 'object',
              additionalProperties: false,
              required: ['overlay'],
              properties: { overlay: { description: 'Which overlay is built.', enum: overlays } },
            },
          },
        }),
  };
  return { name, description: `The kustomizations of ${family.folder === '' ? luggage.name : family.folder}, as they were.`, spec, files };
}

function sourcePath(overlay: string): string {
  return overlay === '' || overlay === '.' ? 'files' : `files/${overlay}`;
}

export function overlayPath(family: Family, root: Kustomization): string {
  return inside(family.folder, root.folder) || '.';
}

function withoutSecrets(path: string, bytes: Uint8Array, leftOut: LeftOut[]): Uint8Array {
  const found: LeftOut[] = [];
  const read = readManifest(path, bytes, found);
  const secrets = found.filter((one) => one.what.startsWith('Secret '));
  if (secrets.length === 0) return bytes;
  leftOut.push(...secrets);
  return new TextEncoder().encode((read?.pieces ?? []).map((piece) => piece.text).join(''));
}

/** The outermost namespace that a kustomization sets. */
export function namespaceOf(root: Kustomization, all: ReadonlyMap<string, Kustomization>, seen: Set<string>): string | undefined {
  if (root.namespace !== undefined || seen.has(root.folder)) return root.namespace;
  seen.add(root.folder);
  for (const part of root.parts) {
    const next = all.get(part);
    const found = next === undefined ? undefined : namespaceOf(next, all, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The namespace that resources name themselves, if it is only one. */
export function namespaceIn(luggage: Luggage, root: Kustomization, all: ReadonlyMap<string, Kustomization>): string | undefined {
  const named = new Set<string>();
  for (const path of closureOf(root, all).flatMap((one) => one.resources)) {
    const bytes = luggage.files.get(path);
    const read = bytes === undefined ? undefined : readManifest(path, bytes, []);
    for (const facts of read?.pieces.flatMap((piece) => piece.objects) ?? []) if (facts.namespace !== undefined) named.add(facts.namespace);
  }
  const [only, second] = [...named];
  return second === undefined ? only : undefined;
}
