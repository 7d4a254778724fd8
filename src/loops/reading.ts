import {
  assembleDesiredState,
  capsuleSource,
  checkDesiredState,
  irregularPath,
  isDeclarationPath,
  misplacedDeclarations,
  parseDeclaration,
  strayCapsule,
  suppressionsIn,
} from '#desired/desired.ts';
import type { CapsuleFile, CapsuleSource, DesiredState, SourceFile } from '#model/desired.ts';
import type { BlobId, CommitId, TreeId } from '#model/digest.ts';
import type { TreeEntry } from '#model/git-objects.ts';
import type { JsonObject } from '#model/json.ts';
import { createMemo } from '#model/memo.ts';
import { toCapsuleName } from '#model/names.ts';
import type { CapsuleName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { Release, ReleasedCapsule } from '#model/resolution.ts';
import { createBlockMemory } from '#model/yaml-plain.ts';
import type { ObjectReader } from '#ports/repository.ts';
import { schemaOfCapsule } from '#resolve/resolve.ts';
import { createLister, isRegular } from './listing.ts';
import type { FoundFile } from './listing.ts';
import { createSealedReading } from './sealed-reading.ts';
import { createSecretScan } from './secret-files.ts';
import { createTrustPolicies } from './trust-policies.ts';
import type { TrustPolicies } from './trust-policies.ts';

type Parsed = ReturnType<typeof parseDeclaration> & { readonly suppressions?: Suppressions };
/** Comments that silence warnings. */
export type Suppressions = ReturnType<typeof suppressionsIn>;

/** A commit as a value; a working directory is a tree without one. */
export interface Snapshot {
  readonly tree: TreeId;
  readonly commit: CommitId | undefined;
}

/** The declared part of a snapshot: everything but the capsules' own trees. */
export interface Declarations {
  readonly at: Snapshot;
  readonly state: DesiredState;
  readonly problems: readonly Problem[];
  readonly suppressions: readonly Suppressions[];
  /** `capsules/<name>` -> tree of this snapshot. */
  readonly capsuleTrees: ReadonlyMap<CapsuleName, TreeId>;
  /** `environments/<name>` -> tree; a run whose tree did not move has nothing to read. */
  readonly environmentTrees: ReadonlyMap<string, TreeId>;
  /** Identity of what every environment follows from beside its own tree: project files and policies. */
  readonly sharedKey: string;
}

/** A snapshot with its capsules. */
export interface ReadState {
  readonly state: DesiredState;
  readonly problems: readonly Problem[];
  readonly suppressions: readonly Suppressions[];
}

export interface LoadedCapsule {
  readonly source: CapsuleSource | undefined;
  readonly problems: readonly Problem[];
  readonly suppressions?: readonly Suppressions[];
}

export type RuleFacts = Pick<Parameters<typeof checkDesiredState>[1], 'released' | 'engineVersion'>;

/** Reads snapshots through memos keyed by content, so that a run reads and parses only what changed. */
export interface Reading {
  at(commit: CommitId): Promise<Snapshot>;
  declarations(at: Snapshot): Promise<Declarations>;
  /** The same with the capsules of the snapshot's own tree, as `validate` and the check need them. */
  desiredState(at: Snapshot): Promise<ReadState>;
  capsule(name: CapsuleName, tree: TreeId): Promise<LoadedCapsule>;
  /** Several at once, in one exchange for their blobs. */
  capsules(wanted: readonly { readonly name: CapsuleName; readonly tree: TreeId }[]): Promise<readonly LoadedCapsule[]>;
  /** Synchronous view of what is loaded, for the resolver. */
  loaded(release: Release): ReleasedCapsule | undefined;
  /** The rules across documents that one environment's own files break: what stops it, whoever merged it. */
  environmentProblems(declarations: Declarations, name: string, facts: RuleFacts): readonly Problem[];
  /** What looks like a secret, in every file of a snapshot's folders (V-80). */
  secretProblems(at: Snapshot, capsules: readonly CapsuleSource[]): Promise<readonly Problem[]>;
  /** A regular file of a snapshot, to be shown; undefined where there is none, or it is long. */
  textAt(at: Snapshot, path: string): Promise<string | undefined>;
  /** A blob's text, as UTF-8. */
  text(blob: BlobId): Promise<string>;
  /** The entries of one folder, of a working directory, too. */
  tree(id: TreeId): Promise<readonly TreeEntry[]>;
  /** Declarations by path and blob, in the order asked for. */
  documents(files: readonly { readonly path: string; readonly id: BlobId }[]): Promise<readonly Parsed[]>;
  /** Who may sign what, as a commit declares it. */
  readonly trust: TrustPolicies;
  counts(): { readonly parses: number };
}

const NOT_LOADED: LoadedCapsule = { source: undefined, problems: [] };

export function createReading(reader: ObjectReader): Reading {
  const lister = createLister(reader);
  const secrets = createSecretScan(lister);
  const parsed = createMemo<Parsed>(100_000);
  const states = createMemo<Declarations>(16);
  const capsuleMemo = createMemo<LoadedCapsule>(20_000);
  const blocks = createBlockMemory();
  const released = new WeakMap<Release, ReleasedCapsule>();
  const ruled = new WeakMap<
    DesiredState['environments'],
    { readonly released: RuleFacts['released']; readonly problems: readonly Problem[] }
  >();
  /** Locks as they were read: a promotion edits their text. */
  const locks = createMemo<string>(200);
  const sealed = createSealedReading(lister);
  let parses = 0;

  function parse(file: SourceFile): Parsed {
    const key = `${file.id} ${file.path}`;
    const known = parsed.get(key);
    if (known !== undefined) return known;
    parses += 1;
    if (file.path.endsWith('/environment.lock.yaml')) locks.set(file.id, Buffer.from(file.bytes).toString('utf8'));
    return parsed.set(key, { ...parseDeclaration(file, blocks), suppressions: suppressionsIn(file.bytes, file.path) });
  }

  async function parseAll(files: readonly FoundFile[]): Promise<readonly Parsed[]> {
    const missing = files.filter((file) => parsed.get(`${file.id} ${file.path}`) === undefined);
    const contents = await lister.contents(missing);
    return files.map((file) => {
      const known = parsed.get(`${file.id} ${file.path}`);
      const bytes = contents.get(file.id);
      if (known === undefined && bytes === undefined) return unread(file);
      return known ?? parse({ path: file.path, id: file.id, bytes: bytes ?? new Uint8Array() });
    });
  }

  async function declarations(at: Snapshot): Promise<Declarations> {
    const known = states.get(at.tree);
    if (known !== undefined) return { ...known, at, state: { ...known.state, commit: at.commit } };
    const root = await reader.tree(at.tree);
    const listings = [await lister.declared(root, 'environments'), await lister.declared(root, 'policies')];
    const found = listings.flatMap((item) => item.files);
    const irregular = listings.flatMap((item) => item.problems);
    const files = found.filter((file) => isDeclarationPath(file.path));
    const capsules = await lister.folders(root, 'capsules');
    const environments = await lister.folders(root, 'environments');
    const strays = [...capsules.trees.keys()]
      .filter((name) => !isCapsuleDirectory(name))
      .flatMap((name) => strayCapsule(`capsules/${name}`, []));
    const documents = await parseAll(files);
    const assembled = assembleDesiredState({
      commit: at.commit,
      documents: documents.flatMap((item) => item.document ?? []),
      capsules: [],
      unreadable: [
        ...files.flatMap((file, index) => (documents[index]?.document === undefined ? [file.path] : [])),
        ...irregular.flatMap((problem) => problem.place.file ?? []),
      ],
    });
    const withSealed = await sealed.into(assembled.state.environments, found);
    return states.set(at.tree, {
      at,
      sharedKey: [
        root.find((entry) => entry.name === 'policies')?.id ?? '-',
        ...files.flatMap((file) => (/^environments\/[^/]+$/.test(file.path) ? [`${file.path} ${file.id}`] : [])),
      ].join('\n'),
      state: withSealed === undefined ? assembled.state : { ...assembled.state, environments: withSealed },
      problems: [
        ...irregular,
        ...capsules.problems,
        ...documents.flatMap((item) => item.problems),
        ...assembled.problems,
        ...misplacedDeclarations(found.map((file) => file.path)),
        ...strays,
      ],
      suppressions: documents.flatMap((item) => item.suppressions ?? []).filter(isSaid),
      capsuleTrees: new Map([...named(capsules.trees)].map(([name, id]) => [toCapsuleName(name), id])),
      environmentTrees: named(environments.trees),
    });
  }

  async function capsules(wanted: readonly { readonly name: CapsuleName; readonly tree: TreeId }[]): Promise<readonly LoadedCapsule[]> {
    const known = wanted.map((item) => capsuleMemo.get(`${item.name} ${item.tree}`));
    const missing = wanted.filter((_, index) => known[index] === undefined);
    if (missing.length === 0) return known.map((item) => item ?? NOT_LOADED);
    const listed = await Promise.all(
      missing.map(async (item) => ({ ...item, found: await lister.below(item.tree, `capsules/${item.name}`) })),
    );
    const bytes = await lister.contents(listed.flatMap((item) => item.found.files.filter(isRegular)));
    for (const { name, tree, found } of listed) {
      const long = found.files.filter((file) => isRegular(file) && !bytes.has(file.id)).map((file) => irregularPath(file.path, TOO_LONG));
      const problems = [...found.problems, ...long];
      capsuleMemo.set(`${name} ${tree}`, problems.length > 0 ? { source: undefined, problems } : toSource(name, tree, found.files, bytes));
    }
    return wanted.map((item, index) => known[index] ?? capsuleMemo.get(`${item.name} ${item.tree}`) ?? NOT_LOADED);
  }

  function toSource(name: CapsuleName, tree: TreeId, found: readonly FoundFile[], bytes: ReadonlyMap<BlobId, Uint8Array>): LoadedCapsule {
    const directory = `capsules/${name}`;
    const files: readonly CapsuleFile[] = found.map((file) => ({
      path: file.path.slice(directory.length + 1),
      mode: file.mode,
      id: file.id,
    }));
    const contents = new Map(
      found.flatMap((file): [string, Uint8Array][] => {
        const content = isRegular(file) ? bytes.get(file.id) : undefined;
        return content === undefined ? [] : [[file.path.slice(directory.length + 1), content]];
      }),
    );
    const declaration = found.find((file) => file.path === `${directory}/capsule.yaml`);
    const text = contents.get('capsule.yaml');
    if (declaration === undefined || text === undefined) return { source: undefined, problems: strayCapsule(directory, files) };
    const document = parse({ path: declaration.path, id: declaration.id, bytes: text });
    if (document.document?.kind !== 'capsule') return { source: undefined, problems: document.problems };
    const made = capsuleSource({ directory, gitTree: tree, files, contents, declared: document.document.declared });
    const suppressions = [...contents].map(([path, content]) => suppressionsIn(content, `${directory}/${path}`)).filter(isSaid);
    return { source: made.source, problems: [...document.problems, ...made.problems], suppressions };
  }

  async function desiredState(at: Snapshot): Promise<ReadState> {
    const declared = await declarations(at);
    const loadedCapsules = await capsules([...declared.capsuleTrees].map(([name, tree]) => ({ name, tree })));
    return {
      state: { ...declared.state, capsules: loadedCapsules.flatMap((item) => item.source ?? []) },
      problems: [...declared.problems, ...loadedCapsules.flatMap((item) => item.problems)],
      suppressions: [...declared.suppressions, ...loadedCapsules.flatMap((item) => item.suppressions ?? [])],
    };
  }

  async function textAt(at: Snapshot, path: string): Promise<string | undefined> {
    const names = path.split('/');
    let tree: TreeId | undefined = at.tree;
    for (const folder of names.slice(0, -1)) {
      const entry: TreeEntry | undefined = (await reader.tree(tree)).find(({ name, kind }) => name === folder && kind === 'tree');
      if (entry?.kind !== 'tree') return undefined;
      tree = entry.id;
    }
    const file = (await reader.tree(tree)).find(({ name }) => name === names.at(-1));
    if (file?.kind !== 'blob' || !isRegular(file)) return undefined;
    const bytes = await reader.blob(file.id);
    return bytes.byteLength > MOST_SHOWN ? undefined : Buffer.from(bytes).toString('utf8');
  }

  function environmentProblems(declared: Declarations, name: string, facts: RuleFacts): readonly Problem[] {
    const { environments } = declared.state;
    let known = ruled.get(environments);
    if (known?.released !== facts.released) {
      const unreadable = declared.problems.flatMap((problem) => problem.place.file ?? []);
      const problems = checkDesiredState(declared.state, { ...facts, unreadable, history: undefined });
      known = { released: facts.released, problems: problems.filter((problem) => problem.severity === 'error') };
      ruled.set(environments, known);
    }
    return known?.problems.filter((problem) => problem.place.file?.startsWith(`environments/${name}/`) === true) ?? [];
  }

  async function documents(files: readonly { readonly path: string; readonly id: BlobId }[]): Promise<readonly Parsed[]> {
    return parseAll(files.map((file) => ({ ...file, mode: '100644' })));
  }

  return {
    environmentProblems,
    documents,
    trust: createTrustPolicies(reader, documents),
    secretProblems: async (at, capsules) => secrets.problems(await reader.tree(at.tree), capsules),
    at: async (commit) => ({ tree: (await reader.commit(commit)).tree, commit }),
    declarations,
    desiredState,
    textAt,
    capsules,
    tree: (id) => reader.tree(id),
    text: async (blob) => locks.get(blob) ?? Buffer.from(await reader.blob(blob)).toString('utf8'),
    async capsule(name, tree) {
      const [only] = await capsules([{ name, tree }]);
      return only ?? NOT_LOADED;
    },
    loaded(release) {
      const known = released.get(release);
      if (known !== undefined) return known;
      const source = capsuleMemo.get(`${release.capsule} ${release.gitTree}`)?.source;
      if (source === undefined) return undefined;
      let schema: JsonObject | undefined;
      let isRead = false;
      const made: ReleasedCapsule = {
        release,
        sha256: source.sha256,
        declaration: source.declared.value,
        get files() {
          return source.files.map((file) => file.path);
        },
        // Few ask: what a condition of a dependency sees, and what a child inherits.
        get schema() {
          if (!isRead) schema = schemaOfCapsule(source)?.value;
          isRead = true;
          return schema;
        },
      };
      released.set(release, made);
      return made;
    },
    counts: () => ({ parses }),
  };
}

const MOST_SHOWN = 4 * 1024 * 1024;

function isSaid({ suppressions, problems }: Suppressions): boolean {
  return suppressions.length + problems.length > 0;
}

const TOO_LONG = 'is longer than is read';

function unread(file: FoundFile): Parsed {
  return { document: undefined, problems: [irregularPath(file.path, TOO_LONG)] };
}

function named(trees: ReadonlyMap<string, TreeId>): ReadonlyMap<string, TreeId> {
  return new Map([...trees].filter(([name]) => isCapsuleDirectory(name)));
}

function isCapsuleDirectory(name: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name);
}
