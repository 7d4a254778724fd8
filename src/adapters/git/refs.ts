import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { isObjectId } from '#model/digest.ts';
import type { RefName } from '#model/names.ts';
import { toRefName } from '#model/names.ts';
import { PortError } from '#ports/port-error.ts';

export interface StoredRef {
  readonly id: string;
  /** What a packed tag names, as packed-refs notes it. */
  readonly peeled: string | undefined;
  /** True when packed-refs says that this is no tag object, or what tag object it is. */
  readonly isPeeled: boolean;
}

const SAFE_REF = /^refs(\/(?!\.)(?!.*\.lock(\/|$))[^\p{Cc} ~^:?*[\\/]+)+$/u;

/** True for a full ref name that git would accept; never one that could be taken for an option or a path that leaves. */
export function isRefName(text: string): boolean {
  return SAFE_REF.test(text) && !text.includes('..') && !text.includes('@{') && !text.endsWith('.') && text.length <= 1024;
}

/**
 * Every ref as the `files` backend stores it. Loose refs are listed before packed-refs is read, so that one being packed
 * meanwhile is seen in either place.
 */
export async function readRefs(directory: string, maximum: number): Promise<ReadonlyMap<RefName, StoredRef>> {
  const loose = await looseRefs(directory, 'refs');
  const refs = packedRefs(await textOf(join(directory, 'packed-refs')));
  for (const [name, text] of loose) {
    const target = /^ref: (refs\/\S+)\s*$/.exec(text);
    const id = target?.[1] === undefined ? text.trimEnd() : (refs.get(toRefName(target[1]))?.id ?? loose.get(target[1])?.trimEnd());
    if (id === undefined) continue;
    if (!isObjectId(id)) throw new PortError('transient', `${name} is corrupt: it does not hold an object id`);
    refs.set(toRefName(name), { id, peeled: undefined, isPeeled: !name.startsWith('refs/tags/') });
  }
  if (refs.size > maximum) throw new PortError('invalid', `the repository has ${refs.size} refs; at most ${maximum} are read`);
  return new Map([...refs].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function looseRefs(directory: string, folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const entries = await readdir(join(directory, folder), { withFileTypes: true }).catch(ignoreMissing);
  await Promise.all(
    (entries ?? []).map(async (entry) => {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        for (const [below, text] of await looseRefs(directory, name)) found.set(below, text);
      } else if (entry.isFile() && isRefName(name)) {
        const text = await textOf(join(directory, name));
        if (text !== undefined) found.set(name, text);
      }
    }),
  );
  return found;
}

function packedRefs(text: string | undefined): Map<RefName, StoredRef> {
  const refs = new Map<RefName, StoredRef>();
  const isPeeled = /^# pack-refs with:.* fully-peeled/.test(text ?? '');
  let last: RefName | undefined;
  for (const line of (text ?? '').split('\n')) {
    if (line.startsWith('^') && last !== undefined) {
      const id = refs.get(last)?.id;
      if (id !== undefined) refs.set(last, { id, peeled: line.slice(1, 41), isPeeled: true });
      continue;
    }
    const name = line.slice(41);
    if (line.startsWith('#') || !isObjectId(line.slice(0, 40)) || !isRefName(name)) continue;
    last = toRefName(name);
    refs.set(last, { id: line.slice(0, 40), peeled: undefined, isPeeled: isPeeled || !name.startsWith('refs/tags/') });
  }
  return refs;
}

async function textOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(ignoreMissing);
}

/** Absent is an answer; anything else that goes wrong is not. */
function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
  throw error;
}

/** Lines `objectname peeled-or-empty refname` of for-each-ref, for repositories that do not keep refs in files. */
export function parseRefList(text: string, maximum: number): ReadonlyMap<RefName, StoredRef> {
  const rows = text.split('\n').map((line) => line.split(' '));
  const refs = new Map<RefName, StoredRef>();
  for (const [id = '', peeled = '', name = ''] of rows) {
    if (!isObjectId(id) || !isRefName(name)) continue;
    refs.set(toRefName(name), { id, peeled: isObjectId(peeled) ? peeled : undefined, isPeeled: true });
  }
  if (refs.size > maximum) throw new PortError('invalid', `the repository has ${refs.size} refs; at most ${maximum} are read`);
  return refs;
}
