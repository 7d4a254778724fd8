import { randomUUID } from 'node:crypto';
import fs from 'node:fs';

import git, { type AuthCallback } from 'isomorphic-git';
import http from 'isomorphic-git/http/node';

import { type CommitId, isObjectId, toCommitId } from '#model/digest.ts';
import { type RefName, toRefName } from '#model/names.ts';
import { maskOf, NO_MASK, type Mask } from '#model/secret-mask.ts';
import { toSecret, type Secret } from '#model/secret.ts';
import { PortError } from '#ports/port-error.ts';
import type { MovedRef, RefUpdate } from '#ports/repository.ts';
import { codeOf, portError } from './failures.ts';

export interface Remote {
  readonly url: string;
  readonly credentials?: (() => Promise<{ readonly username: string; readonly password: Secret }>) | undefined;
}

/** Where isomorphic-git insists on noting what it fetched; nobody else looks there. */
export const REMOTE = 'capstan';
const FOLLOWED = /^refs\/(heads\/.+|pull\/[0-9]+\/head)$/;
const ZERO = '0'.repeat(40);

interface Known {
  readonly current: ReadonlyMap<RefName, CommitId>;
  readonly maximum: number;
}

/** Brings branches and pull request heads up to the remote; refs move only after their objects are here. */
export async function fetchMoved(gitdir: string, remote: Remote, { current, maximum }: Known): Promise<readonly MovedRef[]> {
  const doing = 'fetching from the remote';
  try {
    const theirs = await advertised(remote);
    if (theirs.size > maximum) throw new PortError('invalid', `the remote has ${theirs.size} refs; at most ${maximum} are read`);
    const names = [...new Set([...current.keys(), ...theirs.keys()])].filter((ref) => FOLLOWED.test(ref)).sort();
    const moved = names
      .map((ref) => ({ ref, before: current.get(ref), after: theirs.get(ref) }))
      .filter((move) => move.before !== move.after);
    const arriving = moved.filter((move) => move.after !== undefined).map((move) => move.ref);
    for (const remoteRef of [
      ...arriving.filter((ref) => ref.startsWith('refs/heads/')).slice(0, 1),
      ...arriving.filter((ref) => ref.startsWith('refs/pull/')),
    ]) {
      const singleBranch = remoteRef.startsWith('refs/pull/');
      await git.fetch({
        fs,
        http,
        gitdir,
        url: remote.url,
        remote: REMOTE,
        remoteRef,
        singleBranch,
        tags: false,
        ...authentication(remote),
      });
    }
    for (const { ref, after } of moved) {
      if (after === undefined) await git.deleteRef({ fs, gitdir, ref });
    }
    for (const { ref, after } of moved) {
      if (after !== undefined) await git.writeRef({ fs, gitdir, ref, value: after, force: true });
    }
    return moved;
  } catch (error) {
    throw portError(doing, error, await maskFor(remote));
  }
}

/** Compares what the remote advertises with what is expected; from there on the server compares and swaps. */
export async function pushOne(gitdir: string, remote: Remote, update: RefUpdate): Promise<void> {
  const { ref, expected, next } = update;
  const temporary = `refs/capstan/${randomUUID()}`;
  const local = next ?? expected;
  try {
    if (local === undefined) return;
    await git.writeRef({ fs, gitdir, ref: temporary, value: local });
    await git.push({
      fs,
      http,
      gitdir,
      url: remote.url,
      remote: REMOTE,
      ref: temporary,
      remoteRef: ref,
      force: true,
      delete: next === undefined,
      ...authentication(remote),
      onPrePush({ remoteRef }) {
        if (remoteRef.oid !== (expected ?? ZERO) && remoteRef.oid !== (next ?? ZERO))
          throw new PortError('conflict', `${ref} moved meanwhile`);
        return true;
      },
    });
    if (next === undefined) await git.deleteRef({ fs, gitdir, ref });
    else await git.writeRef({ fs, gitdir, ref, value: next, force: true });
  } catch (error) {
    throw portError('pushing to the remote', error, await maskFor(remote));
  } finally {
    await git.deleteRef({ fs, gitdir, ref: temporary });
  }
}

async function advertised(remote: Remote): Promise<ReadonlyMap<RefName, CommitId>> {
  try {
    const refs = await git.listServerRefs({ http, url: remote.url, protocolVersion: 1, ...authentication(remote) });
    return new Map(
      refs.filter(({ ref, oid }) => FOLLOWED.test(ref) && isObjectId(oid)).map(({ ref, oid }) => [toRefName(ref), toCommitId(oid)]),
    );
  } catch (error) {
    // An empty repository advertises nothing at all.
    if (codeOf(error) === 'EmptyServerResponseError') return new Map();
    throw error;
  }
}

/** For words of the remote, which may repeat the login. */
async function maskFor({ credentials }: Remote): Promise<Mask> {
  const login = await credentials?.().catch(() => undefined);
  if (login === undefined) return NO_MASK;
  const { username, password } = login;
  return maskOf([password, toSecret(Buffer.from(`${username}:${password.reveal()}`).toString('base64'))]);
}

function authentication(remote: Remote): { readonly onAuth?: AuthCallback; readonly onAuthFailure?: AuthCallback } {
  const { credentials } = remote;
  if (credentials === undefined) return {};
  return {
    onAuth: async () => {
      const { username, password } = await credentials();
      return { username, password: password.reveal() };
    },
    onAuthFailure: () => ({ cancel: true }),
  };
}
