import { execFile, execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { gitRepository } from '#adapters/git/git.ts';
import { httpBackend } from '#adapters/git/http-backend.ts';
import { githubForge } from '#adapters/github/github.ts';
import { fileSigner, systemClock } from '#adapters/machine/machine.ts';
import { addForgePerson, startForge } from '#forge/forge.ts';
import { promote, type PromotedChange } from '#loops/promote.ts';
import { toSecret } from '#model/secret.ts';
import { countingProxy } from './counting-proxy.ts';
import { GIT_ENVIRONMENT } from './fast-import.ts';
import { changeOneCapsule, generateRepository } from './generate.ts';
import { LIMITS, openWorld, quietJournal } from './world.ts';

export interface PromotionResult {
  readonly files: number;
  readonly changedBlobs: number;
  /** From the fetched release to the pull request with its status. */
  readonly milliseconds: number;
  readonly requests: {
    /** Asked before anything is written: what is open, what was closed. */
    readonly before: readonly string[];
    readonly push: readonly string[];
    readonly pullRequest: readonly string[];
  };
}

const LOGIN = 'capstan';
const UNITS = 1_000;

/**
 * The promotion loop against the local forge: a release is pushed, fetched, and becomes a pull request of the entry environment. The
 * first of two warms (login, caches); the second is counted, request by request.
 */
export async function promotionInLargeRepository(options: { readonly files: number; readonly folder: string }): Promise<PromotionResult> {
  const { folder } = options;
  await mkdir(folder, { recursive: true });
  const made = await generateRepository({ units: UNITS, path: join(folder, 'ours.git'), files: options.files });
  const data = join(folder, 'forge');
  await mkdir(data);
  const forge = await startForge({
    dataDirectory: data,
    listen: { host: '127.0.0.1', port: 0 },
    repositories: (path) => gitRepository({ path, limits: LIMITS }),
    smartHttp: httpBackend(),
    clock: systemClock,
    journal: quietJournal,
    signer: await fileSigner(join(data, 'forge_ed25519'), { name: 'Local forge', email: 'forge@example.com' }),
  });
  const person = addForgePerson({ dataDirectory: data, clock: systemClock }, LOGIN);
  if (person === undefined) throw new Error('the forge has no such person');
  await created(`${forge.url}/api/v3/user/repos`, person.token);
  const pushTo = `${forge.url.replace('://', `://${LOGIN}:${person.token}@`)}/${LOGIN}/bench.git`;
  // The forge answers in this process: nothing may wait for git without letting it.
  const push = (revision: string): Promise<unknown> =>
    promisify(execFile)('git', ['--git-dir', made.path, 'push', '--quiet', pushTo, `${revision}:refs/heads/main`], {
      env: GIT_ENVIRONMENT,
    });
  await push(made.tip);

  const proxy = await countingProxy(forge.url);
  const auth = { kind: 'token', token: toSecret(person.token) } as const;
  const github = githubForge({ baseUrl: `${proxy.url}/api/v3`, owner: LOGIN, repo: 'bench', auth, journal: quietJournal });
  const { world, close } = await openWorld({
    folder,
    remote: { url: `${proxy.url}/${LOGIN}/bench.git`, credentials: () => github.credentials() },
    forge: github,
  });
  try {
    const once = async (n: number): Promise<{ readonly change: PromotedChange; readonly milliseconds: number }> => {
      await push((await changeOneCapsule(made.path, n, { environment: 'dev' })).release);
      await world.repository.fetch();
      proxy.taken();
      const begin = performance.now();
      const result = await promote(world, { environment: 'dev', only: undefined, dryRun: false, byPerson: false });
      const change = result.changes.at(-1);
      if (change?.change === undefined) throw new Error(`no pull request: ${JSON.stringify(result.ending)}`);
      return { change, milliseconds: Math.round(performance.now() - begin) };
    };
    await once(1);
    const { change, milliseconds } = await once(2);
    return {
      files: made.files,
      milliseconds,
      changedBlobs: blobsChanged(join(folder, 'mirror.git'), change),
      requests: sorted(proxy.taken()),
    };
  } finally {
    await close();
    await proxy.close();
    await forge.close();
  }
}

async function created(url: string, token: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ name: 'bench' }) });
  if (answer.status !== 201) throw new Error(`the forge answered ${answer.status}`);
}

/** Counted by stock git between the default branch and the pull request's head. */
function blobsChanged(mirror: string, { draft }: PromotedChange): number {
  const range = ['refs/heads/main', `refs/heads/${draft.branch}`];
  const text = execFileSync('git', ['--git-dir', mirror, 'diff-tree', '-r', '--no-commit-id', ...range], { encoding: 'utf8' });
  return text.split('\n').filter((line) => line !== '').length;
}

function sorted(requests: readonly string[]): PromotionResult['requests'] {
  const isPush = (request: string): boolean => request.includes('git-receive-pack');
  const last = requests.findLastIndex(isPush);
  return {
    before: requests.filter((request, at) => at < last && !isPush(request)),
    push: requests.filter(isPush),
    pullRequest: requests.filter((request, at) => at > last && !isPush(request)),
  };
}
