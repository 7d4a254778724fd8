import type { CapsuleSource } from '#model/desired.ts';
import { toCommitId, type CommitId, type TreeId } from '#model/digest.ts';
import { IMPORT_DIRECTORY, IMPORT_PROOF, importKey, importRef, provenTree, type ImportPin } from '#model/imports.ts';
import { toCapsuleName, type CapsuleName } from '#model/names.ts';
import type { ImportedRelease, Release, ReleaseIndex } from '#model/resolution.ts';
import type { PathVerdict } from '#model/verdict.ts';
import { isPortError } from '#ports/port-error.ts';
import type { History, ObjectReader } from '#ports/repository.ts';
import type { Declarations, Reading } from './reading.ts';
import type { World } from './world.ts';

/** An import and the release that declares it. */
export interface DeclaredImport extends ImportPin {
  /** `<capsule>@<version> <tree>` */
  readonly owner: string;
  readonly capsule: CapsuleName;
  readonly version: string;
}

export interface WithImports {
  readonly index: ReleaseIndex;
  readonly verdicts: ReadonlyMap<string, PathVerdict>;
  /** Those of imports, too. */
  readonly imports: readonly DeclaredImport[];
}

type Objects = ObjectReader & Pick<History, 'refs'>;

/** More than these are not looked at; imports of imports included. */
const IMPORTS = 1000;
const ENTRIES = 100_000;

/** The imports that one capsule declares, by name. */
export function importsOf(
  owner: Pick<DeclaredImport, 'owner' | 'capsule' | 'version'>,
  spec: CapsuleSource['declared']['value']['spec'],
): readonly DeclaredImport[] {
  return Object.entries(spec.imports ?? {}).map(([name, { url, commit, path }]) => ({
    ...owner,
    name,
    url,
    path,
    commit: toCommitId(commit),
  }));
}

/** The index with what is imported: each a release of its own commit, vouched for by whoever released the capsule that pins it. */
export async function addImports(
  world: { readonly repository: Objects; readonly reading: Pick<Reading, 'capsule'> },
  given: WithImports,
): Promise<WithImports> {
  if (given.imports.length === 0) return given;
  const refs = await world.repository.refs();
  const imports = new Map<string, ImportedRelease>(given.index.imports);
  const releases = new Map(given.index.releases);
  const verdicts = new Map(given.verdicts);
  const open = [...given.imports];
  const seen: DeclaredImport[] = [];
  const done = new Set<string>();
  const isTaken = takenNames(given);
  for (let pin = open.shift(); pin !== undefined && done.size < IMPORTS; pin = open.shift()) {
    const once = `${pin.owner} ${pin.name} ${importKey(pin)}`;
    if (done.has(once)) continue;
    done.add(once);
    seen.push(pin);
    if (isTaken(pin)) {
      // The same content may stand under the name that it has here: that stays.
      if (!imports.has(importKey(pin)))
        imports.set(importKey(pin), { kind: 'refused', reason: `${pin.name} is the name of another capsule here` });
      continue;
    }
    const read = await readImport(world, refs.get(importRef(pin)), pin);
    if (read.kind !== 'here') {
      imports.set(importKey(pin), read);
      continue;
    }
    const { release, source } = read;
    const there = releases.get(release.capsule)?.get(release.version);
    if (there !== undefined && there.gitTree !== release.gitTree) {
      imports.set(importKey(pin), { kind: 'refused', reason: `${release.capsule}@${release.version} stands for another content already` });
      continue;
    }
    if (there === undefined) releases.set(release.capsule, new Map(releases.get(release.capsule)).set(release.version, release));
    imports.set(importKey(pin), { kind: 'here', capsule: release.capsule, version: release.version });
    const key = `${release.capsule}@${release.version} ${release.gitTree}`;
    const voucher = verdicts.get(pin.owner);
    if (voucher !== undefined && verdicts.get(key)?.kind !== 'accepted') verdicts.set(key, voucher);
    open.push(...importsOf({ owner: key, capsule: release.capsule, version: release.version }, source.declared.value.spec));
  }
  return { index: { ...given.index, releases, imports }, verdicts, imports: seen };
}

/**
 * Who is imported decides what its own imports are called. A name that this repository gave to a capsule, or to an import from elsewhere, is
 * not theirs: what asks for that capsule by a range would get what nobody here ever named.
 */
function takenNames({ index, imports }: WithImports): (pin: DeclaredImport) => boolean {
  const direct = new Set(imports);
  const urls = new Map<string, Set<string>>();
  for (const { name, url } of imports) urls.set(name, (urls.get(name) ?? new Set()).add(url));
  const own = new Set<string>(index.releases.keys());
  return (pin) => {
    if (direct.has(pin)) return false;
    const known = urls.get(pin.name) ?? new Set([pin.url]);
    urls.set(pin.name, known);
    return own.has(pin.name) || !known.has(pin.url);
  };
}

type Read =
  | { readonly kind: 'here'; readonly release: Release; readonly source: CapsuleSource }
  | Extract<ImportedRelease, { readonly kind: 'missing' | 'refused' }>;

/** What this clone keeps of an import; the way from the pinned commit to the directory is checked each time. */
async function readImport(
  { repository, reading }: Parameters<typeof addImports>[0],
  holder: CommitId | undefined,
  pin: ImportPin,
): Promise<Read> {
  if (holder === undefined) return { kind: 'missing' };
  const tree = await keptTree(repository, holder, pin);
  if (typeof tree !== 'object') return { kind: 'refused', reason: tree };
  const { source, problems } = await reading.capsule(toCapsuleName(pin.name), tree.id);
  if (source === undefined) return { kind: 'refused', reason: problems[0]?.message ?? 'it has no capsule.yaml' };
  const { version } = source.declared.value.metadata;
  return { kind: 'here', source, release: { capsule: source.name, version, commit: pin.commit, gitTree: tree.id } };
}

async function keptTree(repository: Objects, holder: CommitId, pin: ImportPin): Promise<{ readonly id: TreeId } | string> {
  try {
    const root = await repository.tree((await repository.commit(holder)).tree);
    const directory = root.find((entry) => entry.name === IMPORT_DIRECTORY);
    const proof = root.find((entry) => entry.name === IMPORT_PROOF);
    if (directory?.kind !== 'tree' || proof?.kind !== 'tree') return 'what is kept of it is incomplete';
    const bodies = (await repository.tree(proof.id)).flatMap((entry) => (entry.kind === 'blob' ? [entry.id] : []));
    const proven = provenTree(pin, await repository.blobs(bodies), ENTRIES);
    if (!proven.ok) return proven.reason;
    return proven.value === directory.id ? { id: proven.value } : 'what is kept of it has another content';
  } catch (error) {
    if (!isPortError(error) || error.kind === 'transient') throw error;
    return error.message;
  }
}

/** How deep imports of imports are fetched. */
const ROUNDS = 8;

export interface FailedImport {
  readonly pin: ImportPin;
  readonly reason: string;
}

/**
 * Fetches what this clone does not have of the imports that are needed now: those of each capsule as the commit has it, of what is locked,
 * and of imports. Nothing at all where nothing is imported. Answers what could not be had.
 */
export async function fetchImports(
  world: Pick<World, 'repository' | 'history' | 'reading'>,
  commit: CommitId,
  signal?: AbortSignal,
  mayFetch: (pin: ImportPin) => boolean = () => true,
): Promise<readonly FailedImport[]> {
  const failed = new Map<string, FailedImport>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const { index, imports } = await world.history.upTo(commit);
    if (imports.length === 0) return [];
    const declarations = await world.reading.declarations(await world.reading.at(commit));
    const missing = imports
      .filter((one) => isNeeded(declarations, one) && mayFetch(one))
      .filter((one) => index.imports?.get(importKey(one))?.kind === 'missing' && !failed.has(importKey(one)));
    if (missing.length === 0) break;
    for (const pin of new Map(missing.map((one) => [importKey(one), one])).values()) {
      try {
        await world.repository.fetchImport(pin, signal);
      } catch (error) {
        if (!isPortError(error)) throw error;
        failed.set(importKey(pin), { pin, reason: error.message });
      }
    }
  }
  return [...failed.values()];
}

/**
 * The same for a proposal: anybody may write one, so only addresses are asked that the configuration allows or the default branch imports from.
 */
export async function fetchProposedImports(
  world: Parameters<typeof fetchImports>[0] & Pick<World, 'settings'>,
  proposal: { readonly head: CommitId; readonly main: CommitId },
  signal?: AbortSignal,
): Promise<readonly FailedImport[]> {
  if ((await world.history.upTo(proposal.head)).imports.length === 0) return [];
  const allowed = world.settings.importsFrom ?? [];
  const { imports } = await world.history.upTo(proposal.main);
  const urls = new Set(imports.map((one) => one.url));
  return fetchImports(
    world,
    proposal.head,
    signal,
    ({ url }) => urls.has(url) || allowed.some((begin) => url === begin || (begin.endsWith('/') && url.startsWith(begin))),
  );
}

/** What waits for an import says so itself; why it could not be fetched is for who runs the engine. */
export function noteFailed({ journal }: Pick<World, 'journal'>, failed: readonly FailedImport[]): void {
  for (const { pin, reason } of failed) journal.warn({ capsule: pin.name, commit: pin.commit, reason }, 'an import could not be fetched');
}

function isNeeded({ capsuleTrees, state }: Declarations, { capsule, version, owner }: DeclaredImport): boolean {
  const tree = capsuleTrees.get(capsule);
  if (tree === undefined || owner.endsWith(` ${tree}`)) return true;
  return state.environments.some(({ lock }) =>
    Object.values(lock?.value.capsules ?? {}).some((entry) => entry.capsule === String(capsule) && entry.version === version),
  );
}
