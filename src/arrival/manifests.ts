import type { LeftOut, Luggage, Mapped, Origin } from '#model/arrival.ts';
import type { JsonObject } from '#model/json.ts';
import { compareText } from '#model/problem.ts';
import type { CapsuleDraft, Drafts, EnvironmentDraft, InstanceDraft } from './drafts.ts';
import { folderNames, nameOf, unused } from './naming.ts';
import { comparePaths, folderOf, isBelow } from './paths.ts';
import type { Facts, Piece, ReadManifest } from './pieces.ts';
import { clusterKinds, identityOf, isSame, readManifest, separate } from './pieces.ts';
import { targetsOf } from './targets.ts';

export interface ManifestsWish {
  /** Namespace of objects that name none. */
  readonly namespace: string;
  readonly environment: string;
  /** `file:line` of documents that cannot be rendered -> why. */
  readonly refused: ReadonlyMap<string, string>;
}

interface Unit {
  readonly name: string;
  readonly folder: string;
  readonly namespace: string;
  readonly pieces: readonly Piece[];
}

/**
 * A folder of raw manifests: each folder that holds some is a capsule, what lies at the top is one per app label. A capsule has one
 * namespace: objects of others go to a capsule of their own on a target of that namespace.
 */
export function fromManifests(luggage: Luggage, wish: ManifestsWish): Drafts {
  const leftOut: LeftOut[] = [...luggage.unread];
  const read = readAll(luggage, leftOut);
  const accepted = withoutRefused(read, wish, leftOut);
  const isCluster = clusterKinds(accepted.flatMap((file) => file.pieces));
  const namespaceOf = (facts: Facts): string | undefined => (isCluster(facts) ? undefined : (facts.namespace ?? wish.namespace));
  const kept = onceEach(accepted, namespaceOf, leftOut);
  const units = byNamespace(byFolder(luggage.name, kept), namespaceOf, wish.namespace);
  const whole = new Map(read.map((file) => [file.path, file]));
  const capsules = units.map((unit) => capsuleOf(luggage.name, unit, whole));
  return {
    capsules,
    environments: units.length === 0 ? [] : [environmentOf(units, wish, luggage.name)],
    mapped: units.flatMap((unit) => mappedOf(unit)),
    leftOut,
    origins: new Map(units.flatMap((unit) => originsOf(unit))),
  };
}

export interface FolderCapsules {
  readonly drafts: readonly { readonly capsule: CapsuleDraft; readonly namespace: string }[];
  readonly origins: ReadonlyMap<string, readonly Origin[]>;
}

/** One folder that another tool applies as a whole: one capsule, and one more for each further namespace. Files keep their paths below it. */
export function fromFolder(
  luggage: Luggage,
  folder: { readonly path: string; readonly name: string; readonly recurse: boolean },
  wish: ManifestsWish,
  leftOut: LeftOut[],
): FolderCapsules {
  const own = [...luggage.files].filter(([path]) => isBelow(path, folder.path) && (folder.recurse || folderOf(path) === folder.path));
  const read = withoutRefused(readAll({ ...luggage, files: new Map(own) }, leftOut), wish, leftOut);
  const isCluster = clusterKinds(read.flatMap((file) => file.pieces));
  const namespaceOf = (facts: Facts): string | undefined => (isCluster(facts) ? undefined : (facts.namespace ?? wish.namespace));
  const kept = onceEach(read, namespaceOf, leftOut);
  const group = { name: folder.name, folder: folder.path, pieces: kept.flatMap((file) => file.pieces) };
  const units = group.pieces.length === 0 ? [] : byNamespace([group], namespaceOf, wish.namespace);
  const whole = new Map(read.map((file) => [file.path, file]));
  return {
    drafts: units.map((unit) => ({ capsule: capsuleOf(luggage.name, unit, whole), namespace: unit.namespace })),
    origins: new Map(units.flatMap((unit) => originsOf(unit))),
  };
}

function readAll(luggage: Luggage, leftOut: LeftOut[]): readonly ReadManifest[] {
  const found: ReadManifest[] = [];
  for (const path of [...luggage.files.keys()].sort(comparePaths)) {
    const bytes = luggage.files.get(path);
    if (bytes === undefined) continue;
    if (!/\.(ya?ml|json)$/.test(path)) {
      leftOut.push({ file: path, line: undefined, what: 'a file', why: 'is neither YAML nor JSON' });
      continue;
    }
    const read = readManifest(path, bytes, leftOut);
    if (read !== undefined) found.push(read);
  }
  return found;
}

function withoutRefused(read: readonly ReadManifest[], wish: ManifestsWish, leftOut: LeftOut[]): readonly ReadManifest[] {
  if (wish.refused.size === 0) return read;
  return read.map((file) => ({
    ...file,
    pieces: file.pieces.filter((piece) => {
      const why = wish.refused.get(`${piece.file}:${piece.line}`);
      if (why !== undefined) leftOut.push({ file: piece.file, line: piece.line, what: whatOf(piece), why });
      return why === undefined;
    }),
  }));
}

function whatOf(piece: Piece): string {
  const [first] = piece.objects;
  const more = piece.objects.length - 1;
  return `${first?.kind ?? 'a document'} ${first?.name ?? ''}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Where one object stands twice, the last one is what is there after `kubectl apply`: it is kept. */
function onceEach(
  read: readonly ReadManifest[],
  namespaceOf: (facts: Facts) => string | undefined,
  leftOut: LeftOut[],
): readonly ReadManifest[] {
  const seen = new Map<string, { readonly piece: Piece; readonly facts: Facts }>();
  const files: ReadManifest[] = [];
  for (const file of read.toReversed()) {
    const pieces: Piece[] = [];
    for (const piece of file.pieces.toReversed()) {
      const keys = piece.objects.map((facts) => ({ facts, key: identityOf(facts, namespaceOf(facts)) }));
      const twice = keys.find((one) => seen.has(one.key));
      const other = twice === undefined ? undefined : seen.get(twice.key);
      if (twice !== undefined && other !== undefined) {
        const how = isSame(twice.facts, other.facts) ? 'the same' : 'another';
        leftOut.push({
          file: piece.file,
          line: piece.line,
          what: whatOf(piece),
          why: `${other.piece.file}:${other.piece.line} has ${how} ${twice.key} and is applied after it`,
        });
        continue;
      }
      for (const { facts, key } of keys) seen.set(key, { piece, facts });
      pieces.push(piece);
    }
    if (pieces.length > 0) files.push({ ...file, pieces: pieces.toReversed() });
  }
  return files.toReversed();
}

interface Group {
  readonly name: string;
  readonly folder: string;
  readonly pieces: readonly Piece[];
}

function byFolder(root: string, read: readonly ReadManifest[]): readonly Group[] {
  const folders = new Map<string, ReadManifest[]>();
  for (const file of read) {
    const folder = folderOf(file.path);
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  const names = folderNames(root, [...folders.keys()]);
  const taken = new Set(names.values());
  return [...folders].flatMap(([folder, files]) => {
    const name = names.get(folder) ?? nameOf(folder);
    return folder === '' ? byLabel(name, files, taken) : [{ name, folder, pieces: files.flatMap((file) => file.pieces) }];
  });
}

const APP_LABELS = ['app.kubernetes.io/name', 'app', 'k8s-app', 'app.kubernetes.io/instance'];

function byLabel(name: string, files: readonly ReadManifest[], taken: Set<string>): readonly Group[] {
  const groups = new Map<string, Piece[]>();
  for (const file of files) {
    const label = labelOf(file) ?? '';
    groups.set(label, [...(groups.get(label) ?? []), ...file.pieces]);
  }
  if ([...groups.keys()].filter((label) => label !== '').length < 2) {
    return [{ name, folder: '', pieces: files.flatMap((file) => file.pieces) }];
  }
  return [...groups].map(([label, pieces]) => {
    const own = label === '' || nameOf(label) === name ? name : unused(nameOf(label), taken);
    taken.add(own);
    return { name: own, folder: '', pieces };
  });
}

/** The app that all labelled objects of a file belong to. */
function labelOf(file: ReadManifest): string | undefined {
  const labels = file.pieces
    .flatMap((piece) => piece.objects)
    .flatMap((facts) => APP_LABELS.map((label) => facts.labels[label]).find((value) => typeof value === 'string' && value !== '') ?? []);
  const [first] = labels;
  return typeof first === 'string' && labels.every((label) => label === first) ? first : undefined;
}

/** A unit for each namespace of a group; what belongs to the cluster goes with the group's main one. */
function byNamespace(groups: readonly Group[], namespaceOf: (facts: Facts) => string | undefined, fallback: string): readonly Unit[] {
  const taken = new Set(groups.map((group) => group.name));
  const everywhere = mostOf(groups.flatMap((group) => group.pieces).flatMap((piece) => spacesOf(piece, namespaceOf))) ?? fallback;
  return groups.flatMap(({ name, folder, pieces }) => {
    const spread = pieces.flatMap((piece) => (spacesOf(piece, namespaceOf).length > 1 ? separate(piece) : [piece]));
    const found = spread.map((piece) => ({ piece, namespace: spacesOf(piece, namespaceOf)[0] }));
    const spaces = found.flatMap((one) => one.namespace ?? []);
    const main = mostOf(spaces) ?? everywhere;
    return [...new Set([main, ...spaces.toSorted(compareText)])].map((namespace) => {
      const own = found.filter((one) => (one.namespace ?? main) === namespace).map((one) => one.piece);
      const unit = namespace === main ? name : unused(nameOf(`${name}-${namespace}`), taken);
      taken.add(unit);
      return { name: unit, folder, namespace, pieces: own };
    });
  });
}

function spacesOf(piece: Piece, namespaceOf: (facts: Facts) => string | undefined): readonly string[] {
  return [...new Set(piece.objects.flatMap((facts) => namespaceOf(facts) ?? []))];
}

/** What occurs most often; the first by name among equals. */
function mostOf(names: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || compareText(a, b))[0]?.[0];
}

function capsuleOf(root: string, unit: Unit, whole: ReadonlyMap<string, ReadManifest>): CapsuleDraft {
  const files = new Map<string, Uint8Array>();
  for (const path of new Set(unit.pieces.map((piece) => piece.file))) {
    const own = unit.pieces.filter((piece) => piece.file === path);
    const text = own.map((piece) => piece.text).join('');
    const before = whole.get(path);
    const bytes = new TextEncoder().encode(text);
    files.set(`files/${insideOf(unit, path)}`, before !== undefined && isEqual(before.bytes, bytes) ? before.bytes : bytes);
  }
  return {
    name: unit.name,
    description: `The manifests of ${unit.folder === '' ? root : unit.folder}, as they were applied.`,
    spec: {
      type: typeOf(unit.pieces.flatMap((piece) => piece.objects)),
      components: { manifests: { kind: 'Manifests', source: { path: 'files' } } },
    },
    files,
  };
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

const SERVING: ReadonlySet<string> = new Set([
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'ReplicationController',
  'Pod',
  'Service',
]);

function typeOf(objects: readonly Facts[]): string {
  if (objects.every((facts) => facts.kind === 'CustomResourceDefinition')) return 'crd';
  if (objects.some((facts) => SERVING.has(facts.kind))) return 'service';
  return objects.some((facts) => facts.kind === 'Job' || facts.kind === 'CronJob') ? 'job' : 'configuration';
}

function environmentOf(units: readonly Unit[], wish: ManifestsWish, root: string): EnvironmentDraft {
  const places = targetsOf(wish.environment, units.length === 0 ? [wish.namespace] : units.map((unit) => unit.namespace));
  const instances = new Map<string, InstanceDraft>(
    units.map((unit) => {
      const selector = places.selectorOf(unit.namespace);
      const request: JsonObject = { version: '^1.0.0', ...(selector === undefined ? {} : { targets: selector }), updatePolicy: 'latest' };
      return [unit.name, { capsule: unit.name, request, config: undefined }];
    }),
  );
  return {
    name: wish.environment,
    comment: [`What was applied from ${root}. Objects that name no namespace are in ${wish.namespace}.`],
    targets: places.targets,
    instances,
    from: [],
    sync: { interval: '1m' },
    secrets: {},
  };
}

function mappedOf(unit: Unit): readonly Mapped[] {
  return [...new Set(unit.pieces.map((piece) => piece.file))].map((file) => {
    const objects = unit.pieces.filter((piece) => piece.file === file).flatMap((piece) => piece.objects);
    return {
      file,
      line: undefined,
      what: `${objects.length} object${objects.length === 1 ? '' : 's'}`,
      to: `capsules/${unit.name}/files/${insideOf(unit, file)}`,
    };
  });
}

function insideOf(unit: Unit, path: string): string {
  return path.slice(unit.folder === '' ? 0 : unit.folder.length + 1);
}

function originsOf(unit: Unit): readonly (readonly [string, readonly Origin[]])[] {
  return [...new Set(unit.pieces.map((piece) => piece.file))].map((file) => {
    let above = 0;
    const origins = unit.pieces
      .filter((piece) => piece.file === file)
      .map((piece) => {
        const line = above + piece.lead + 1;
        above += piece.text.split('\n').length - 1;
        return { line, file, sourceLine: piece.line, objects: piece.objects.map((facts) => facts.value) };
      });
    return [`capsules/${unit.name}/files/${insideOf(unit, file)}`, origins];
  });
}
