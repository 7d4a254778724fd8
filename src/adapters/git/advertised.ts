import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readRefs } from './refs.ts';
import type { Remote } from './remote.ts';
import { authorizationOf } from './remote.ts';

const FOLLOWED = /^refs\/(heads\/.+|pull\/[^/]+\/head)$/;
const BYTES = 64 * 1024 * 1024;
const WITHIN = 20_000;

/**
 * The refs that a mirror follows, as the remote has them now; undefined where only git itself can ask. No process is started: a remote in the
 * file system is read, one over HTTP is asked by `ls-refs` of git's protocol version 2 (gitprotocol-v2).
 */
export async function advertisedRefs(
  remote: Remote,
  maximum: number,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string> | undefined> {
  if (remote.url.startsWith('/')) return refsOfFolder(remote.url, maximum);
  if (remote.url.startsWith('file://')) return refsOfFolder(fileURLToPath(remote.url), maximum);
  return /^https?:/.test(remote.url) ? refsOverHttp(remote, signal) : undefined;
}

async function refsOfFolder(path: string, maximum: number): Promise<ReadonlyMap<string, string> | undefined> {
  const isThere = async (name: string): Promise<boolean> => (await stat(join(path, name)).catch(() => undefined)) !== undefined;
  if (!(await isThere('objects')) || (await isThere('reftable'))) return undefined;
  return new Map([...(await readRefs(path, maximum))].flatMap(([ref, { id }]) => (FOLLOWED.test(ref) ? [[ref, id] as const] : [])));
}

async function refsOverHttp(remote: Remote, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, string> | undefined> {
  const login = await authorizationOf(remote);
  const limit = AbortSignal.timeout(WITHIN);
  const response = await fetch(`${remote.url.replace(/\/$/, '')}/git-upload-pack`, {
    method: 'POST',
    redirect: 'error',
    headers: {
      'content-type': 'application/x-git-upload-pack-request',
      accept: 'application/x-git-upload-pack-result',
      'git-protocol': 'version=2',
      ...(login === undefined ? {} : { authorization: login.header.reveal() }),
    },
    body: ['command=ls-refs\n', undefined, 'ref-prefix refs/heads/\n', 'ref-prefix refs/pull/\n'].map(packet).join('') + '0000',
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > BYTES) return undefined;
    chunks.push(chunk);
  }
  return parseRefs(Buffer.concat(chunks));
}

/** A packet line; undefined is the delimiter. */
function packet(text: string | undefined): string {
  return text === undefined ? '0001' : (text.length + 4).toString(16).padStart(4, '0') + text;
}

/** Undefined unless it is packet lines of refs up to the flush packet: then it was no answer to `ls-refs`. */
function parseRefs(bytes: Buffer): ReadonlyMap<string, string> | undefined {
  const refs = new Map<string, string>();
  for (let at = 0; at + 4 <= bytes.length;) {
    const digits = bytes.toString('latin1', at, at + 4);
    const length = /^[0-9a-f]{4}$/.test(digits) ? Number.parseInt(digits, 16) : 1;
    if (length === 0) return refs;
    if (length < 5 || at + length > bytes.length) return undefined;
    const [, id, ref] = /^([0-9a-f]{40}) (\S+)/.exec(bytes.toString('utf8', at + 4, at + length)) ?? [];
    if (id === undefined || ref === undefined) return undefined;
    if (FOLLOWED.test(ref)) refs.set(ref, id);
    at += length;
  }
  return undefined;
}
