import {
  assembleDesiredState,
  capsuleSource,
  checkDesiredState,
  isDeclarationPath,
  misplacedDeclarations,
  parseDeclaration,
  strayCapsule,
} from '#desired/desired.ts';
import type { CapsuleFile, CapsuleSource, DesiredState, SourceFile } from '#model/desired.ts';
import type { BlobId, CommitId, TreeId } from '#model/digest.ts';
import type { TreeEntry } from '#model/git-objects.ts';
import { toCapsuleName } from '#model/names.ts';
import type { CapsuleName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { Release, ReleasedCapsule } from '#model/resolution.ts';
import { createBlockMemory } from '#model/yaml-plain.ts';
import type { ObjectReader } from '#ports/repository.ts';
import { createMemo } from './memo.ts';

type Parsed = ReturnType<typeof parseDeclaration>;

/** A file found below a directory. */
export interface FoundFile {
  readonly path: string;
  readonly mode: string;
  readonly id: BlobId;
}

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
  /** `capsules/<name>` -> tree of this snapshot. */
  readonly capsuleTrees: ReadonlyMap<CapsuleName, TreeId>;
  /** `environments/<name>` -> tree; a run whose tree did not move has nothing to read. */
  readonly environmentTrees: ReadonlyMap<string, TreeId>;
  /** Identity of what every environment follows from beside its own tree: project files and policies. */
  readonly sharedKey: string;
}

export interface LoadedCapsule {
  readonly source: CapsuleSource | undefined;
  readonly problems: readonly Problem[];
}

export type RuleFacts = Pick<Parameters<typeof checkDesiredState>[1], 'released' | 'engineVersion'>;

/** Reads snapshots through memos keyed by content, so that a run reads and parses only what changed. */
export interface Reading {
  at(commit: CommitId): Promise<Snapshot>;
  declarations(at: Snapshot): Promise<Declarations>;
  /** The same with the capsules of the snapshot's own tree, as `validate` and the check need them. */
  desiredState(at: Snapshot): Promise<{ readonly state: DesiredState; readonly problems: readonly Problem[] }>;
  capsule(name: CapsuleName, tree: TreeId): Promise<LoadedCapsule>;
  /** Several at once, in one exchange for their blobs. */
  capsules(wanted: readonly { readonly name: CapsuleName; readonly tree: TreeId }[]): Promise<readonly LoadedCapsule[]>;
  /** Synchronous view of what is loaded, for the resolver. */
  loaded(release: Release): ReleasedCapsule | undefined;
  /** The rules across documents that one environment's own files break: what stops it, whoever merged it. */
  environmentProblems(declarations: Declarations, name: string, facts: RuleFacts): readonly Problem[];
  /** A blob's text, as UTF-8. */
  text(blob: BlobId): Promise<string>;
  /** Declarations by path and blob, in the order asked for. */
  documents(files: readonly { readonly path: string; readonly id: BlobId }[]): Promise<readonly Parsed[]>;
  counts(): { readonly parses: number };
}

const NOT_LOADED: LoadedCapsule = { source: undefined, problems: [] };

export function createReading(reader: ObjectReader): Reading {
  const listings = createMemo<readonly FoundFile[]>(50_000);
  const parsed = createMemo<Parsed>(100_000);
  const states = createMemo<Declarations>(16);
  const capsuleMemo = createMemo<LoadedCapsule>(20_000);
  const blocks = createBlockMemory();
  const released = new WeakMap<Release, ReleasedCapsule>();
  const ruled = new WeakMap<
    DesiredState['environments'],
    { readonly released: RuleFacts['released']; readonly problems: readonly Problem[] }
  >();
  let parses = 0;

  function parse(file: SourceFile): Parsed {
    const key = `${file.id} ${file.path}`;
    const known = parsed.get(key);
    if (known !== undefined) return known;
    parses += 1;
    return parsed.set(key, parseDeclaration(file, blocks));
  }

  async function listing(tree: TreeId, under: string): Promise<readonly FoundFile[]> {
    const key = `${tree} ${under}`;
    const known = listings.get(key);
    if (known !== undefined) return known;
    const found: FoundFile[] = [];
    for (const entry of await reader.tree(tree)) {
      const path = `${under}/${entry.name}`;
      if (entry.kind === 'tree') {
        for (const file of await listing(entry.id, path)) found.push(file);
      } else {
        found.push({ path, mode: entry.mode, id: entry.id as BlobId });
      }
    }
    return listings.set(key, found);
  }

  async function parseAll(files: readonly FoundFile[]): Promise<readonly Parsed[]> {
    const missing = files.filter((file) => parsed.get(`${file.id} ${file.path}`) === undefined);
    const contents = missing.length === 0 ? [] : await reader.blobs(missing.map((file) => file.id));
    const bytes = new Map(missing.map((file, index) => [file.path, contents[index] ?? new Uint8Array()]));
    return files.map((file) => parse({ path: file.path, id: file.id, bytes: bytes.get(file.path) ?? new Uint8Array() }));
  }

  async function declarations(at: Snapshot): Promise<Declarations> {
    const known = states.get(at.tree);
    if (known !== undefined) return { ...known, at, state: { ...known.state, commit: at.commit } };
    const root = await reader.tree(at.tree);
    const environments = subtree(root, 'environments');
    const policies = subtree(root, 'policies');
    const capsules = subtree(root, 'capsules');
    const found = [
      ...(environments === undefined ? [] : await listing(environments, 'environments')),
      ...(policies === undefined ? [] : await listing(policies, 'policies')),
    ];
    const files = found.filter((file) => isDeclarationPath(file.path));
    const folders = capsules === undefined ? [] : (await reader.tree(capsules)).filter((entry) => entry.kind === 'tree');
    const strays = folders
      .filter((entry) => !isCapsuleDirectory(entry.name))
      .flatMap((entry) => strayCapsule(`capsules/${entry.name}`, []));
    const documents = await parseAll(files);
    const assembled = assembleDesiredState({
      commit: at.commit,
      documents: documents.flatMap((item) => item.document ?? []),
      capsules: [],
      unreadable: files.flatMap((file, index) => (documents[index]?.document === undefined ? [file.path] : [])),
    });
    return states.set(at.tree, {
      at,
      sharedKey: [
        policies ?? '-',
        ...files.flatMap((file) => (/^environments\/[^/]+$/.test(file.path) ? [`${file.path} ${file.id}`] : [])),
      ].join('\n'),
      state: assembled.state,
      problems: [
        ...documents.flatMap((item) => item.problems),
        ...assembled.problems,
        ...misplacedDeclarations(found.map((file) => file.path)),
        ...strays,
      ],
      capsuleTrees: new Map([...(await childTrees(capsules))].map(([name, id]) => [toCapsuleName(name), id])),
      environmentTrees: await childTrees(environments),
    });
  }

  async function childTrees(tree: TreeId | undefined): Promise<ReadonlyMap<string, TreeId>> {
    if (tree === undefined) return new Map();
    const entries = await reader.tree(tree);
    return new Map(
      entries.flatMap((entry): [string, TreeId][] =>
        entry.kind === 'tree' && isCapsuleDirectory(entry.name) ? [[entry.name, entry.id]] : [],
      ),
    );
  }

  async function capsules(wanted: readonly { readonly name: CapsuleName; readonly tree: TreeId }[]): Promise<readonly LoadedCapsule[]> {
    const known = wanted.map((item) => capsuleMemo.get(`${item.name} ${item.tree}`));
    const missing = wanted.filter((_, index) => known[index] === undefined);
    if (missing.length === 0) return known.map((item) => item ?? NOT_LOADED);
    const listed = await Promise.all(missing.map(async (item) => ({ ...item, files: await listing(item.tree, `capsules/${item.name}`) })));
    const regular = listed.flatMap((item) => item.files.filter((file) => file.mode.startsWith('100')));
    const contents = regular.length === 0 ? [] : await reader.blobs(regular.map((file) => file.id));
    const bytes = new Map(regular.map((file, index) => [`${file.id} ${file.path}`, contents[index] ?? new Uint8Array()]));
    for (const item of listed) capsuleMemo.set(`${item.name} ${item.tree}`, toSource(item.name, item.tree, item.files, bytes));
    return wanted.map((item, index) => known[index] ?? capsuleMemo.get(`${item.name} ${item.tree}`) ?? NOT_LOADED);
  }

  function toSource(name: CapsuleName, tree: TreeId, found: readonly FoundFile[], bytes: ReadonlyMap<string, Uint8Array>): LoadedCapsule {
    const directory = `capsules/${name}`;
    const files: readonly CapsuleFile[] = found.map((file) => ({
      path: file.path.slice(directory.length + 1),
      mode: file.mode,
      id: file.id,
    }));
    const contents = new Map(
      found.flatMap((file): [string, Uint8Array][] => {
        const content = bytes.get(`${file.id} ${file.path}`);
        return content === undefined ? [] : [[file.path.slice(directory.length + 1), content]];
      }),
    );
    const declaration = found.find((file) => file.path === `${directory}/capsule.yaml`);
    const text = contents.get('capsule.yaml');
    if (declaration === undefined || text === undefined) return { source: undefined, problems: strayCapsule(directory, files) };
    const document = parse({ path: declaration.path, id: declaration.id, bytes: text });
    if (document.document?.kind !== 'capsule') return { source: undefined, problems: document.problems };
    const made = capsuleSource({ directory, gitTree: tree, files, contents, declared: document.document.declared });
    return { source: made.source, problems: [...document.problems, ...made.problems] };
  }

  async function desiredState(at: Snapshot): Promise<{ state: DesiredState; problems: readonly Problem[] }> {
    const declared = await declarations(at);
    const loadedCapsules = await capsules([...declared.capsuleTrees].map(([name, tree]) => ({ name, tree })));
    return {
      state: { ...declared.state, capsules: loadedCapsules.flatMap((item) => item.source ?? []) },
      problems: [...declared.problems, ...loadedCapsules.flatMap((item) => item.problems)],
    };
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

  return {
    environmentProblems,
    at: async (commit) => ({ tree: (await reader.commit(commit)).tree, commit }),
    declarations,
    desiredState,
    capsules,
    documents: (files) => parseAll(files.map((file) => ({ ...file, mode: '100644' }))),
    text: async (blob) => Buffer.from(await reader.blob(blob)).toString('utf8'),
    async capsule(name, tree) {
      const [only] = await capsules([{ name, tree }]);
      return only ?? NOT_LOADED;
    },
    loaded(release) {
      const known = released.get(release);
      if (known !== undefined) return known;
      const source = capsuleMemo.get(`${release.capsule} ${release.gitTree}`)?.source;
      if (source === undefined) return undefined;
      const made = { release, sha256: source.sha256, declaration: source.declared.value };
      released.set(release, made);
      return made;
    },
    counts: () => ({ parses }),
  };
}

function subtree(entries: readonly TreeEntry[], name: string): TreeId | undefined {
  const entry = entries.find((item) => item.name === name);
  return entry?.kind === 'tree' ? entry.id : undefined;
}

function isCapsuleDirectory(name: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name);
}
