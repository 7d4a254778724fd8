import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { Octokit } from '@octokit/rest';

import { gitRepository } from '#adapters/git/git.ts';
import { httpBackend } from '#adapters/git/http-backend.ts';
import { startForge } from '#forge/forge.ts';
import { toInstant } from '#model/instant.ts';
import type { Journal, CommitSigner } from '#ports/machine.ts';
import { answerChecker, type Checked } from './github-answers.ts';

const run = promisify(execFile);

/** Everything a test does to a forge goes through stock octokit and stock git; every covered answer is checked on the way. */
export interface RunningForge {
  readonly url: string;
  readonly dataDirectory: string;
  readonly adminToken: string;
  /** `fetch`, with the answers checked. */
  readonly fetch: typeof fetch;
  /** Octokit logged in with a token; undefined: anonymous. */
  client(token: string | undefined): Octokit;
  /** A person and a client logged in as that person. */
  person(login: string): Promise<{ readonly token: string; readonly client: Octokit }>;
  git(directory: string, args: readonly string[]): Promise<string>;
  temporary(): Promise<string>;
  restart(): Promise<void>;
  /** Every answer to octokit was compared with GitHub's description; here is what did not fit. */
  readonly checked: Checked;
  advance(milliseconds: number): void;
  close(): Promise<void>;
}

export const silentJournal: Journal = {
  info() {},
  warn() {},
  debug() {},
  error(fields, message) {
    console.error(message, fields);
  },
};

const signer: CommitSigner = {
  publicKey: 'ssh-ed25519 AAAA',
  name: 'Local Forge',
  email: 'forge@users.noreply.localhost',
  sign: () => Promise.resolve('-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----'),
};

export async function runningForge(): Promise<RunningForge> {
  const root = await mkdtemp(join(tmpdir(), 'capstan-forge-'));
  const dataDirectory = join(root, 'forge');
  let elapsed = 0;
  const options = {
    dataDirectory,
    repositories: (path: string) => gitRepository({ path, limits: { blobBytes: 64 << 20, treeEntries: 100_000, refs: 100_000 } }),
    smartHttp: httpBackend(),
    clock: { now: () => toInstant(Date.now() + elapsed) },
    journal: silentJournal,
    signer,
  };
  let forge = await startForge({ ...options, listen: { host: '127.0.0.1', port: 0 } });
  const { url } = forge;
  const adminToken = (await readFile(join(dataDirectory, 'admin-token'), 'utf8')).trim();
  const checked = { violations: [], seen: new Set<string>() };
  const check = answerChecker(checked);

  async function checkedFetch(address: string | URL | Request, init?: RequestInit): Promise<Response> {
    const response = await fetch(address, init);
    await check(init?.method ?? 'GET', new URL(address instanceof Request ? address.url : address), response.clone());
    return response;
  }

  function client(token: string | undefined): Octokit {
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    return new Octokit({
      baseUrl: `${url}/api/v3`,
      log,
      request: { fetch: checkedFetch },
      ...(token === undefined ? {} : { auth: token }),
    });
  }

  return {
    url,
    dataDirectory,
    adminToken,
    checked,
    fetch: checkedFetch,
    client,
    async person(login) {
      const admin = client(adminToken);
      await admin.request('POST /admin/users', { login });
      const { data } = await admin.request('POST /admin/users/{username}/authorizations', {
        username: login,
        scopes: ['repo', 'admin:repo_hook', 'admin:org'],
      });
      return { token: data.token, client: client(data.token) };
    },
    async git(directory, args) {
      const env = {
        ...process.env,
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_TERMINAL_PROMPT: '0',
        NO_PROXY: '127.0.0.1',
      };
      const identity = ['-c', 'user.name=ada', '-c', 'user.email=ada@users.noreply.localhost', '-c', 'init.defaultBranch=main'];
      const { stdout, stderr } = await run('git', [...identity, ...args], { cwd: directory, env });
      return stdout + stderr;
    },
    temporary: () => mkdtemp(join(root, 'work-')),
    async restart() {
      await forge.close();
      forge = await startForge({ ...options, listen: { host: '127.0.0.1', port: Number(new URL(url).port) } });
    },
    advance(milliseconds) {
      elapsed += milliseconds;
    },
    async close() {
      await forge.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export interface Received {
  readonly event: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly raw: string;
  readonly body: any; // oxlint-disable-line typescript/no-explicit-any -- webhook bodies are compared, never trusted
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** Status answered from now on. */
  answerWith(status: number): void;
  /** Takes messages and leaves them without an answer, until released. */
  hold(): void;
  release(): void;
  /** Resolves when `count` messages of the event (and action) have come. */
  until(event: string, count?: number): Promise<readonly Received[]>;
  close(): Promise<void>;
}

export async function webhookReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  let status = 202;
  let held = false;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString('utf8');
      received.push({ event: String(request.headers['x-github-event']), headers: request.headers, raw, body: JSON.parse(raw) });
      if (!held) response.writeHead(status).end('ok');
      for (const wake of waiting) wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answerWith(next) {
      status = next;
    },
    hold() {
      held = true;
    },
    release() {
      held = false;
    },
    until(event, count = 1) {
      return new Promise((resolve) => {
        function look(): void {
          const found = received.filter((item) => item.event === event);
          if (found.length < count) return;
          waiting.delete(look);
          resolve(found);
        }
        waiting.add(look);
        look();
      });
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
