import { execFileSync } from 'node:child_process';

import { type CommitId, listDigest, sha256Of, toBlobId, toCommitId, toSha256, type TreeId, toTreeId } from '#model/digest.ts';
import { objectIdOf, type TreeEntry } from '#model/git-objects.ts';
import { encodeTree } from '#model/git-tree.ts';
import { toCapsuleName, toInstanceName } from '#model/names.ts';
import type { Pin } from '#model/resolution.ts';
import { lockText } from '#resolve/resolve.ts';
import { capsuleFiles, capsuleName, declarationFiles, type Shape, shapeOf, type TextFile, unmanagedFiles } from './content.ts';
import { GIT_ENVIRONMENT, startImport } from './fast-import.ts';

export interface GeneratedRepository {
  readonly path: string;
  readonly shape: Shape;
  /** Declarations and capsules; every lock names it. */
  readonly release: CommitId;
  /** The locks, tip of main. */
  readonly tip: CommitId;
  /** Files in the tip's tree. */
  readonly files: number;
}

export interface GeneratedChange {
  readonly capsule: string;
  readonly from: string;
  readonly version: string;
  readonly environment: string;
  readonly before: CommitId;
  readonly release: CommitId;
  /** The lock moved; tip of main. */
  readonly tip: CommitId;
}

/** 2026-01-01T00:00:00Z. Commits are a minute apart from there. */
const EPOCH = 1_767_225_600;
const FIRST_VERSION = '1.0.0';

/**
 * Makes a bare repository of `units` (environment, target, capsule) units: one commit with declarations and capsules, one with the locks.
 * The same options give the same commit ids. `files` fills it up with unmanaged files to that many.
 */
export async function generateRepository(options: {
  /** How many, or how they are spread. */
  readonly units: number | Shape;
  readonly path: string;
  readonly seed?: string;
  readonly files?: number;
}): Promise<GeneratedRepository> {
  const { path, seed = 'bench' } = options;
  const shape = typeof options.units === 'number' ? shapeOf(options.units) : options.units;
  git(['init', '--quiet', '--bare', '--initial-branch=main', path]);
  const capsules = Array.from({ length: shape.capsules }, (_, index) => {
    const name = capsuleName(index);
    return { name, files: capsuleFiles(name, FIRST_VERSION, seed) };
  });
  const written = [
    ...declarationFiles(shape),
    ...capsules.flatMap((capsule) => capsule.files.map((file) => ({ path: `capsules/${capsule.name}/${file.path}`, text: file.text }))),
  ];
  const missing = (options.files ?? 0) - written.length - shape.environments.length;
  written.push(...unmanagedFiles(Math.max(0, missing)));
  const stream = startImport(path);
  const release = await stream.commit({ files: written, message: 'Declare everything', at: EPOCH, follows: false });
  const pins = capsules.map((capsule) => pinOf(capsule, FIRST_VERSION, release));
  const locks = shape.environments.map((environment) => ({
    path: lockPath(environment.name),
    text: lockText(environment.name, pins, undefined),
  }));
  const tip = await stream.commit({ files: locks, message: 'Lock everything', at: EPOCH + 60, follows: true });
  await stream.end();
  return { path, shape, release, tip, files: written.length + locks.length };
}

/**
 * Pushes what a merged promotion brings: a new version of one capsule, and that capsule moved in one environment's lock. The `n`-th change
 * (from 1) takes the n-th capsule, round and round.
 */
export async function changeOneCapsule(
  path: string,
  n: number,
  options: { readonly environment?: string; readonly seed?: string } = {},
): Promise<GeneratedChange> {
  const { environment = 'prod', seed = 'bench' } = options;
  const before = toCommitId(git(['--git-dir', path, 'rev-parse', 'refs/heads/main']).trim());
  const previous = git(['--git-dir', path, 'cat-file', 'blob', `${before}:${lockPath(environment)}`]);
  const pins = pinsIn(previous);
  const moved = pins[(n - 1) % pins.length];
  if (moved === undefined) throw new Error(`the lock of ${environment} is empty`);
  const version = nextPatch(moved.version);
  const files = capsuleFiles(moved.capsule, version, seed);
  const stream = startImport(path);
  const release = await stream.commit({
    files: files.map((file) => ({ path: `capsules/${moved.capsule}/${file.path}`, text: file.text })),
    message: `${moved.capsule}: release ${version}`,
    at: EPOCH + 120 * n,
    follows: true,
  });
  const next = pinOf({ name: moved.capsule, files }, version, release);
  const text = lockText(
    environment,
    pins.map((pin) => (pin === moved ? next : pin)),
    previous,
  );
  const tip = await stream.commit({
    files: [{ path: lockPath(environment), text }],
    message: `promote(${environment}): ${moved.capsule} ${moved.version} → ${version}`,
    at: EPOCH + 120 * n + 60,
    follows: true,
  });
  await stream.end();
  return { capsule: moved.capsule, from: moved.version, version, environment, before, release, tip };
}

export function lockPath(environment: string): string {
  return `environments/${environment}/environment.lock.yaml`;
}

function git(args: readonly string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', env: GIT_ENVIRONMENT, maxBuffer: 64 * 1024 * 1024 });
}

export function pinOf(capsule: { readonly name: string; readonly files: readonly TextFile[] }, version: string, commit: CommitId): Pin {
  return {
    instance: toInstanceName(capsule.name),
    capsule: toCapsuleName(capsule.name),
    version,
    commit,
    gitTree: treeOf(capsule.files),
    sha256: listDigest(capsule.files.map((file) => ({ path: file.path, sha256: sha256Of(file.text) }))),
    requestedBy: ['environment'],
  };
}

/** The id git gives the folder that holds these files. */
function treeOf(files: readonly TextFile[]): TreeId {
  const folders = Map.groupBy(
    files.filter((file) => file.path.includes('/')),
    (file) => file.path.slice(0, file.path.indexOf('/')),
  );
  const entries: TreeEntry[] = files
    .filter((file) => !file.path.includes('/'))
    .map((file) => ({ kind: 'blob', name: file.path, mode: '100644', id: toBlobId(objectIdOf('blob', Buffer.from(file.text))) }));
  for (const [name, below] of folders) {
    const inside = below.map((file) => ({ path: file.path.slice(name.length + 1), text: file.text }));
    entries.push({ kind: 'tree', name, mode: '40000', id: treeOf(inside) });
  }
  return toTreeId(objectIdOf('tree', encodeTree(entries)));
}

const ENTRY =
  /^ {2}(\S+):\n {4}capsule: (\S+)\n {4}version: (\S+)\n {4}commit: (\S+)\n {4}gitTree: (\S+)\n {4}sha256: (\S+)\n {4}requestedBy:\n {6}- environment\n/gm;

/** Entries of a lock as this file writes them; digests of digits alone stand in quotes. */
function pinsIn(text: string): readonly Pin[] {
  return [...text.matchAll(ENTRY)].map((match) => {
    const [instance = '', capsule = '', version = '', commit = '', gitTree = '', sha256 = ''] = match.slice(1).map(unquoted);
    return {
      instance: toInstanceName(instance),
      capsule: toCapsuleName(capsule),
      version,
      commit: toCommitId(commit),
      gitTree: toTreeId(gitTree),
      sha256: toSha256(sha256),
      requestedBy: ['environment'],
    };
  });
}

function unquoted(text: string): string {
  return text.replaceAll('"', '');
}

function nextPatch(version: string): string {
  const [major, minor, patch] = version.split('.');
  return `${major}.${minor}.${Number(patch) + 1}`;
}
