import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { isObjectId, toBlobId, toTreeId } from '#model/digest.ts';
import { encodeCommit } from '#model/git-commit.ts';
import { objectIdOf, type ObjectType, type TreeEntry } from '#model/git-objects.ts';
import { encodeTree, parseTree } from '#model/git-tree.ts';
import { IMPORT_DIRECTORY, IMPORT_PROOF, importSteps, provenTree, type ImportPin } from '#model/imports.ts';
import { toInstant } from '#model/instant.ts';
import type { NewObject } from '#ports/object-source.ts';
import { PortError } from '#ports/port-error.ts';
import type { ObjectLimits } from '#ports/repository.ts';
import { catFile, type CatFile } from './cat-file.ts';
import { gitChildren } from './children.ts';
import { createRepository } from './place.ts';
import { publicHost, systemResolve } from './public-host.ts';

export interface ImportOptions {
  readonly command: string;
  /** Beside which the foreign commit is fetched, into a folder that goes away again. */
  readonly directory: string;
  readonly limits: ObjectLimits;
  /** Local repositories and beginnings of addresses that may be imported from; everything else is https, and not inside. */
  readonly paths: readonly string[];
}

const HTTPS = /^https:\/\/[A-Za-z0-9.-]+(:\d{1,5})?\/[^\s@?#\\]*$/;
const TIME_MS = 120_000;
const LOOK_MS = 200;
/** Bytes that a fetch may bring, packed; bytes and objects of the directory itself. */
const PACK_BYTES = 256 * 1024 * 1024;
const DIRECTORY_BYTES = 64 * 1024 * 1024;
const OBJECTS = 10_000;
const DEPTH = 64;

/** The objects of one directory of a foreign commit, with the proof of where it stands there, and the commit that holds them. */
export async function fetchForeign(
  options: ImportOptions,
  pin: ImportPin,
  signal: AbortSignal | undefined,
): Promise<{ readonly objects: readonly NewObject[]; readonly holder: string }> {
  const protocol = protocolOf(options, pin);
  const place = await placeOf(options, pin);
  const path = `${options.directory}.import-${randomUUID()}`;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), TIME_MS);
  const watch = setInterval(() => void endIfTooLong(path, limit), LOOK_MS);
  try {
    await createRepository(options.command, path, false);
    const children = gitChildren(options.command, path);
    await children.run(
      [
        'fetch',
        '--depth=1',
        '--no-tags',
        '--no-write-fetch-head',
        '--no-recurse-submodules',
        '--no-auto-maintenance',
        '--quiet',
        pin.url,
        `${pin.commit}:refs/heads/import`,
      ],
      {
        doing: `fetching ${pin.commit} for the import ${pin.name}`,
        configuration: { 'protocol.allow': 'never', [`protocol.${protocol}.allow`]: 'always', 'fetch.fsckObjects': 'true', ...place },
        signal: signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]),
      },
    );
    const reader = catFile(
      () => children.start(['cat-file', '--batch-command', '--buffer']),
      () => undefined,
    );
    try {
      return held(await collected(reader, options.limits, pin), pin);
    } finally {
      reader.stop();
    }
  } catch (error) {
    if (limit.signal.aborted)
      throw new PortError('invalid', `the import ${pin.name} is larger than ${PACK_BYTES} bytes or took longer than ${TIME_MS / 1000} s`);
    throw error;
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
    await rm(path, { recursive: true, force: true });
  }
}

/** Only what is encrypted and authenticated, or a folder that the configuration names. The address is not repeated: it may hold a secret. */
function protocolOf({ paths }: ImportOptions, pin: ImportPin): 'https' | 'file' {
  if (!isObjectId(pin.commit)) throw new PortError('invalid', `the import ${pin.name} names no commit`);
  if (HTTPS.test(pin.url)) return 'https';
  if (paths.includes(pin.url)) return 'file';
  throw new PortError(
    'invalid',
    `the import ${pin.name} must come by https, without user, query or fragment, or from a path that the configuration lists`,
  );
}

/** What the configuration allows by name is asked wherever it is. */
async function placeOf({ paths }: ImportOptions, pin: ImportPin): Promise<Readonly<Record<string, string>>> {
  const isAllowed = paths.some((path) => pin.url === path || (path.startsWith('https://') && pin.url.startsWith(path)));
  if (isAllowed || PROXIES.some((name) => (process.env[name] ?? '') !== '')) return {};
  return { 'http.curloptResolve': await publicHost(pin.url, `the import ${pin.name}`, systemResolve) };
}

/** Who goes through a proxy has names looked up there, and reaches what it lets through. */
const PROXIES = ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];

async function endIfTooLong(path: string, limit: AbortController): Promise<void> {
  let bytes = 0;
  for (const folder of ['objects/pack']) {
    for (const name of await readdir(join(path, folder)).catch(() => []))
      bytes += (await stat(join(path, folder, name)).catch(() => undefined))?.size ?? 0;
  }
  if (bytes > PACK_BYTES) limit.abort();
}

interface Collected {
  readonly proof: readonly Uint8Array[];
  readonly tree: string;
  readonly objects: readonly NewObject[];
}

async function collected(reader: CatFile, limits: ObjectLimits, pin: ImportPin): Promise<Collected> {
  const steps = importSteps(pin.path);
  if (steps === undefined) throw new PortError('invalid', `the import ${pin.name} names no directory below the repository`);
  const proof = [await rawOf(reader, pin.commit, 'commit', limits)];
  let next = /^tree ([0-9a-f]{40})\n/.exec(Buffer.from(proof[0] ?? []).toString('latin1'))?.[1];
  for (const step of steps) {
    if (next === undefined) break;
    const body = await rawOf(reader, next, 'tree', limits);
    proof.push(body);
    const found = entriesOf(body, limits, pin).find((entry) => entry.name === step);
    next = found?.kind === 'tree' ? found.id : undefined;
  }
  if (next === undefined) throw new PortError('missing', `commit ${pin.commit} has no directory ${pin.path} (import ${pin.name})`);
  const proven = provenTree(pin, proof, limits.treeEntries);
  if (!proven.ok) throw new PortError('invalid', `the import ${pin.name} is not what was pinned: ${proven.reason}`);
  return { proof, tree: proven.value, objects: await below(reader, limits, { pin, tree: proven.value }) };
}

/** Everything below one tree, level by level, each object once; what a submodule points to is not fetched. */
async function below(
  reader: CatFile,
  limits: ObjectLimits,
  from: { readonly pin: ImportPin; readonly tree: string },
): Promise<readonly NewObject[]> {
  const found = new Map<string, NewObject>();
  let bytes = 0;
  let level: readonly { readonly id: string; readonly type: 'tree' | 'blob' }[] = [{ id: from.tree, type: 'tree' }];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEPTH || found.size + level.length > OBJECTS) throw tooLarge(from.pin);
    const next = new Map<string, 'tree' | 'blob'>();
    for (const { id, type } of level) {
      const content = await rawOf(reader, id, type, limits);
      bytes += content.byteLength;
      if (bytes > DIRECTORY_BYTES) throw tooLarge(from.pin);
      found.set(id, { id, type, content });
      for (const entry of type === 'tree' ? entriesOf(content, limits, from.pin) : []) {
        if ((entry.kind === 'tree' || entry.kind === 'blob') && !found.has(entry.id)) next.set(entry.id, entry.kind);
      }
    }
    level = [...next].map(([id, type]) => ({ id, type }));
  }
  return [...found.values()];
}

function tooLarge(pin: ImportPin): PortError {
  return new PortError('invalid', `the import ${pin.name} has more than ${OBJECTS} files, ${DIRECTORY_BYTES} bytes or ${DEPTH} levels`);
}

async function rawOf(reader: CatFile, id: string, type: ObjectType, limits: ObjectLimits): Promise<Uint8Array> {
  const [found] = await reader.read([id], limits.blobBytes);
  if (found?.kind === 'too-long') throw new PortError('invalid', `object ${id} is longer than ${limits.blobBytes} bytes`);
  if (found?.kind !== 'object' || found.type !== type) throw new PortError('missing', `${id} is no ${type} there`);
  if (objectIdOf(type, found.content) !== id) throw new PortError('invalid', `object ${id} has another content`);
  return found.content;
}

function entriesOf(body: Uint8Array, limits: ObjectLimits, pin: ImportPin): readonly TreeEntry[] {
  const parsed = parseTree(body, limits.treeEntries);
  if (!parsed.ok) throw new PortError('invalid', `the import ${pin.name} has a folder that is refused: ${parsed.reason}`);
  return parsed.value;
}

/** The commit that a clone keeps: the same bytes wherever it is made. */
function held({ proof, tree, objects }: Collected, pin: ImportPin): { readonly objects: readonly NewObject[]; readonly holder: string } {
  const made: NewObject[] = [...objects];
  const put = (type: ObjectType, content: Uint8Array): string => {
    const id = objectIdOf(type, content);
    made.push({ id, type, content });
    return id;
  };
  const bodies = proof.map((body, at): TreeEntry => ({
    kind: 'blob',
    mode: '100644',
    name: String(at).padStart(2, '0'),
    id: toBlobId(put('blob', body)),
  }));
  const proofTree = put('tree', encodeTree(bodies));
  const root = put(
    'tree',
    encodeTree([
      { kind: 'tree', mode: '40000', name: IMPORT_DIRECTORY, id: toTreeId(tree) },
      { kind: 'tree', mode: '40000', name: IMPORT_PROOF, id: toTreeId(proofTree) },
    ]),
  );
  const person = { name: 'Capstan', email: 'engine@capstan.invalid', at: toInstant(0), zone: '+0000' };
  const message = `Keep ${pin.path} of ${pin.commit}\n`;
  return {
    objects: made,
    holder: put('commit', encodeCommit({ tree: root, parents: [], author: person, committer: person, message }, undefined)),
  };
}
