import type { CommitId } from '#model/digest.ts';
import type { RefName } from '#model/names.ts';
import { toSecret, type Secret } from '#model/secret.ts';
import { PortError } from '#ports/port-error.ts';
import type { RefUpdate } from '#ports/repository.ts';
import type { Children, Configuration, Finished } from './children.ts';
import { gitFailure } from './failures.ts';

export interface Credentials {
  readonly username: string;
  readonly password: Secret;
}

export interface Remote {
  /** http(s), ssh, file, or an absolute path; without user information. */
  readonly url: string;
  readonly credentials?: (() => Promise<Credentials>) | undefined;
}

const ADDRESS = /^(https?:\/\/[^\s@]+|file:\/\/\/\S*|ssh:\/\/[\w.-]+(@[\w.-]+)?(:\d+)?\/\S+|[\w.-]+@[\w.-]+:(?!:)\S+|\/.*)$/;
const REFSPECS = ['+refs/heads/*:refs/heads/*', '+refs/pull/*/head:refs/pull/*/head'];
const NAME = 'capstan';
const BESIDE_OTHERS = 5;

/** Refuses addresses that name a helper program, look like an option or hold a password; the address is not repeated. */
export function checkRemote(remote: Remote): void {
  if (ADDRESS.test(remote.url) && !/\p{Cc}/u.test(remote.url)) return;
  throw new PortError(
    'invalid',
    'the address of the remote repository must be http(s), ssh, file or an absolute path, without a password in it',
  );
}

export async function fetchRemote(children: Children, remote: Remote, signal: AbortSignal | undefined): Promise<void> {
  const doing = 'fetching from the remote';
  const options = [
    '--atomic',
    '--prune',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
    '--quiet',
  ];
  const given = await givenTo(remote);
  let finished = await fetchOnce();
  // Another process may be following the same remote into the same mirror: whoever comes second finds the refs moved already.
  for (let again = 0; finished.status !== 0 && again < BESIDE_OTHERS && /cannot lock ref/i.test(finished.stderr); again += 1)
    finished = await fetchOnce();
  if (finished.status === 0) return;
  // A branch `a` that made way for `a/b` cannot move in one transaction.
  if (!/exists; cannot create/i.test(finished.stderr)) throw gitFailure(doing, finished.stderr);
  await children.run(['fetch', ...options.filter((option) => option !== '--atomic'), NAME], { doing, ...given, signal });

  function fetchOnce(): Promise<Finished> {
    return children.run(['fetch', ...options, NAME], { doing, ...given, signal, statuses: [1, 128, 254, 255] });
  }
}

/** One exchange; what the remote took is noted in the mirror by the same child. */
export async function pushRemote(
  children: Children,
  remote: Remote,
  updates: readonly RefUpdate[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const leases = updates.map((update) => `--force-with-lease=${update.ref}:${update.expected ?? ''}`);
  const moves = updates.map((update) => `${update.next ?? ''}:${update.ref}`);
  const finished = await children.run(['push', '--porcelain', '--atomic', '--no-verify', '--no-follow-tags', ...leases, NAME, ...moves], {
    doing: 'pushing to the remote',
    ...(await givenTo(remote)),
    signal,
    statuses: [1, 128],
  });
  if (finished.status !== 0) throw pushFailure(finished.stdout, finished.stderr);
}

/** Without a remote: all or nothing, each ref compared with what is expected. */
export async function moveLocalRefs(
  children: Children,
  updates: readonly RefUpdate[],
  current: ReadonlyMap<RefName, CommitId>,
): Promise<void> {
  const open = updates.filter((update) => current.get(update.ref) !== update.next);
  const lines = open.map((update) =>
    update.next === undefined
      ? `delete ${update.ref} ${update.expected ?? ZERO}\n`
      : `update ${update.ref} ${update.next} ${update.expected ?? ZERO}\n`,
  );
  if (lines.length === 0) return;
  const doing = 'moving refs';
  const stdin = `start\n${lines.join('')}prepare\ncommit\n`;
  const finished = await children.run(['update-ref', '--stdin', '--no-deref'], { doing, stdin, statuses: [1, 128] });
  if (finished.status === 0) return;
  if (/is at |but expected|already exists|unable to resolve|does not exist|reference is missing/i.test(finished.stderr)) {
    throw new PortError('conflict', `${moved(updates)} moved meanwhile`);
  }
  throw gitFailure(doing, finished.stderr);
}

const ZERO = '0'.repeat(40);

/** Reads `!\t<from>:<to>\t[rejected] (stale info)`; the weightiest refusal counts. */
function pushFailure(stdout: string, stderr: string): PortError {
  const refused = stdout.split('\n').filter((line) => line.startsWith('!'));
  const reasons = refused.map((line) => line.split('\t')[2] ?? '').filter((reason) => !/atomic/i.test(reason));
  const names = refused.map((line) => (line.split('\t')[1] ?? '').split(':').at(-1)).join(', ');
  const stale = reasons.find((reason) =>
    /stale info|cannot lock ref|failed to update ref|reference already exists|fetch first|non-fast-forward|incorrect old value/i.test(
      reason,
    ),
  );
  if (stale !== undefined) return new PortError('conflict', `${names} moved meanwhile: ${clean(stale)}`);
  const denied = reasons.find((reason) => /protected|declined|prohibited|denied|hook|permission|not allowed|deny/i.test(reason));
  if (denied !== undefined) return new PortError('denied', `the remote refuses ${names}: ${clean(denied)}${remoteWords(stderr)}`);
  if (reasons[0] !== undefined) return new PortError('denied', `the remote refuses ${names}: ${clean(reasons[0])}${remoteWords(stderr)}`);
  return gitFailure('pushing to the remote', stderr);
}

function remoteWords(stderr: string): string {
  const words = stderr
    .split('\n')
    .filter((line) => line.startsWith('remote:'))
    .map((line) => line.slice(7).trim());
  return words.length === 0 ? '' : ` (${clean(words.join(' '))})`;
}

function clean(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
}

function moved(updates: readonly RefUpdate[]): string {
  return updates.map((update) => update.ref).join(', ');
}

async function givenTo(remote: Remote): Promise<{ readonly configuration: Configuration; readonly secrets: readonly Secret[] }> {
  const own = { [`remote.${NAME}.url`]: remote.url, 'protocol.file.allow': 'always' };
  const login = await authorizationOf(remote);
  if (login === undefined) return { configuration: own, secrets: [] };
  // Bound to the remote's own origin, so that no other server is ever shown it.
  const header = toSecret(`Authorization: ${login.header.reveal()}`);
  return { configuration: { ...own, [`http.${new URL(remote.url).origin}/.extraHeader`]: header }, secrets: login.secrets };
}

/** The header, and what must not come back in words: the password alone and as the header has it. */
export async function authorizationOf(
  remote: Remote,
): Promise<{ readonly header: Secret; readonly secrets: readonly Secret[] } | undefined> {
  if (remote.credentials === undefined || !/^https?:/.test(remote.url)) return undefined;
  const { username, password } = await remote.credentials();
  const encoded = Buffer.from(`${username}:${password.reveal()}`).toString('base64');
  return { header: toSecret(`Basic ${encoded}`), secrets: [password, toSecret(encoded)] };
}

/** The section that makes a bare repository a mirror of ours; `--prune` must never meet a repository without it. */
export const MIRROR_SECTION = `[remote "${NAME}"]\n${REFSPECS.map((refspec) => `\tfetch = ${refspec}\n`).join('')}`;
