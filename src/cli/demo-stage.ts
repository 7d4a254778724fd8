import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { planLock } from '#loops/lock.ts';
import type { CommitId } from '#model/digest.ts';
import type { TreeChange } from '#model/git-objects.ts';
import { toInstant } from '#model/instant.ts';
import type { Signer } from '#ports/machine.ts';
import type { Repository } from '#ports/repository.ts';
import type { DemoTargets } from './demo-targets.ts';
import type { OpenedWorld, Place, Powers, Running, Terminal } from './powers.ts';
import { headOf } from './repository.ts';
import { starterFiles } from './starter.ts';

export interface Person {
  readonly login: string;
  readonly token: string;
}

/** Forge, service, people and directories of the demo. */
export interface Stage {
  readonly directory: string;
  readonly forge: Running;
  readonly ada: Person;
  readonly bob: Person;
  readonly engine: Person;
  /** Ada's clone. */
  readonly clone: string;
  service(): Running;
  startService(): Promise<void>;
  /** Public keys of Ada and of the engine. */
  readonly keys: { readonly ada: string; readonly engine: string };
  /** The locks that `capstan lock --all` writes for Ada's clone. */
  locks(): Promise<Readonly<Record<string, string>>>;
  /** REST of the forge as a person; an answer of 400 or more is an error. */
  api(person: Person, method: string, path: string, body?: object): Promise<unknown>;
  /** Commits changes in Ada's clone (signed with her key unless said otherwise) and pushes them with stock git. */
  push(change: {
    readonly message: string;
    readonly files: Readonly<Record<string, string | undefined>>;
    readonly signed?: boolean;
  }): Promise<CommitId>;
  /** A branch as the forge has it now. */
  branch(name: string): Promise<string | undefined>;
  fileAt(branch: string, path: string): Promise<string | undefined>;
  readonly targets: DemoTargets;
  /** The engine's own view, fetched. */
  world(): Promise<OpenedWorld>;
  openClone(path: string): Promise<OpenedWorld>;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly directory: string;
  readonly listen: string;
  readonly targets: DemoTargets;
  readonly powers: Powers;
  readonly terminal: Terminal;
}

const SECRET = 'demo-webhook-secret-of-this-machine';

export async function openStage({ directory, listen, targets, powers, terminal }: StageOptions): Promise<Stage> {
  await mkdir(directory, { recursive: true });
  await targets.open();
  const forge = await powers.forge({ data: join(directory, 'forge'), listen }, terminal);
  const admin: Person = { login: 'admin', token: (await readFile(join(directory, 'forge', 'admin-token'), 'utf8')).trim() };
  const api = (person: Person, method: string, path: string, body?: object): Promise<unknown> =>
    request(`${forge.url}/api/v3${path}`, { person, method, body });
  const [ada, bob, engine] = await Promise.all(['ada', 'bob', 'capstan-engine'].map((login) => newPerson(api, admin, login)));
  if (ada === undefined || bob === undefined || engine === undefined) throw new Error('the forge made no accounts');
  await api(ada, 'POST', '/user/repos', { name: 'platform' });
  for (const person of [bob, engine]) await api(ada, 'PUT', `/repos/ada/platform/collaborators/${person.login}`, { permission: 'push' });
  const key = await powers.openKey(join(directory, 'ada_ed25519'), 'ada');
  const clone = join(directory, 'clone');
  const remote = `${forge.url.replace('://', `://ada:${ada.token}@`)}/ada/platform.git`;
  await mkdir(clone, { recursive: true });
  await git(clone, ['init', '--quiet', '--initial-branch=main']);
  await git(clone, ['remote', 'add', 'origin', remote]);
  const repository = await powers.openClone(clone);
  const config = join(directory, 'capstan.yaml');
  await writeFile(config, `${configuration(forge.url)}${targets.configuration}`, { mode: 0o600 });
  const lent: Terminal = { ...terminal, env: { ...terminal.env, CAPSTAN_DEMO_TOKEN: engine.token, CAPSTAN_DEMO_SECRET: SECRET } };
  const place: Place = { repo: undefined, config };
  const keys = { ada: key.publicKey, engine: (await powers.openSigner(place, lent)).publicKey };
  let service: Running | undefined;
  let opened: OpenedWorld | undefined;

  async function push(change: Parameters<Stage['push']>[0]): Promise<CommitId> {
    await git(clone, ['fetch', '--quiet', 'origin']).catch(() => undefined);
    const commit = await writeCommit({ repository, key, clone }, change);
    await git(clone, ['push', '--quiet', 'origin', `${commit}:refs/heads/main`]);
    await git(clone, ['update-ref', 'refs/heads/main', commit]);
    await git(clone, ['reset', '--quiet', '--hard', 'main']);
    return commit;
  }

  return {
    directory,
    forge,
    ada,
    bob,
    engine,
    clone,
    keys,
    api,
    push,
    locks: () => locksOf(powers, clone, terminal),
    service: () => {
      if (service === undefined) throw new Error('the service does not run');
      return service;
    },
    async startService() {
      service = await powers.serve(config, lent);
      await api(ada, 'POST', '/repos/ada/platform/hooks', {
        name: 'web',
        active: true,
        events: ['push', 'pull_request', 'pull_request_review', 'status'],
        config: { url: `${service.url}/webhooks/github`, content_type: 'json', secret: SECRET },
      });
    },
    async branch(name) {
      const answer = await api(ada, 'GET', `/repos/ada/platform/git/ref/heads/${name}`).catch(() => undefined);
      return (answer as { object?: { sha?: string } } | undefined)?.object?.sha;
    },
    async fileAt(branch, path) {
      const answer = await api(ada, 'GET', `/repos/ada/platform/contents/${path}?ref=${encodeURIComponent(branch)}`).catch(() => undefined);
      const content = (answer as { content?: string } | undefined)?.content;
      return content === undefined ? undefined : Buffer.from(content, 'base64').toString('utf8');
    },
    targets,
    async world() {
      opened ??= await powers.openWorld(place, lent);
      await opened.repository.fetch();
      return opened;
    },
    openClone: (path) => powers.openWorld({ repo: path, config: undefined }, terminal),
    async close() {
      await service?.close();
      await opened?.close();
      await repository.close();
      await forge.close();
      await targets.close();
    },
  };
}

/** Waits until `look` answers something, at most `seconds`; the error says what was waited for. */
export async function until<T>(what: string, seconds: number, look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(50);
  }
}

async function newPerson(api: Stage['api'], admin: Person, login: string): Promise<Person> {
  await api(admin, 'POST', '/admin/users', { login });
  const answer = (await api(admin, 'POST', `/admin/users/${login}/authorizations`, { scopes: ['repo', 'admin:repo_hook'] })) as {
    token: string;
  };
  return { login, token: answer.token };
}

async function request(
  url: string,
  from: { readonly person: Person; readonly method: string; readonly body: object | undefined },
): Promise<unknown> {
  const { person, method, body } = from;
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `token ${person.token}`,
      accept: 'application/vnd.github+json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.status >= 400) throw new Error(`${method} ${new URL(url).pathname} answered ${response.status}: ${text.slice(0, 300)}`);
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

export async function git(directory: string, args: readonly string[]): Promise<string> {
  const env = {
    ...process.env,
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    no_proxy: '127.0.0.1,localhost',
    NO_PROXY: '127.0.0.1,localhost',
  };
  try {
    return (await promisify(execFile)('git', ['-C', directory, ...args], { env, maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new Error(`git ${args[0] ?? ''}: ${said.replaceAll(/:\/\/[^@\s]*@/g, '://')}`);
  }
}

async function locksOf(powers: Powers, clone: string, terminal: Terminal): Promise<Readonly<Record<string, string>>> {
  const world = await powers.openWorld({ repo: clone, config: undefined }, terminal);
  try {
    const declarations = await world.reading.declarations(await world.reading.at(await headOf(world)));
    const files: Record<string, string> = {};
    for (const environment of declarations.state.environments) {
      const planned = await planLock(world, declarations, environment);
      if (!planned.ok) throw new Error(planned.problems.map((problem) => problem.message).join('; '));
      files[planned.value.path] = planned.value.after;
    }
    return files;
  } finally {
    await world.close();
  }
}

interface Desk {
  readonly repository: Repository;
  readonly key: Signer;
  readonly clone: string;
}

/** Writes Ada's commit on top of what the forge has; signed in process, so that no ssh-keygen is needed. */
async function writeCommit(desk: Desk, change: Parameters<Stage['push']>[0]): Promise<CommitId> {
  const head = await desk.repository.resolve('refs/remotes/origin/main');
  const base = head === undefined ? undefined : (await desk.repository.commit(head)).tree;
  const changes = Object.entries(change.files).map(([path, content]): TreeChange =>
    content === undefined ? { kind: 'delete', path } : { kind: 'file', path, content: Buffer.from(content, 'utf8') },
  );
  const author = { name: 'Ada', email: 'ada@acme.example', at: toInstant(Date.now()), zone: '+0000' };
  const draft = { base, changes, parents: head === undefined ? [] : [head], author, message: `${change.message}\n` };
  return desk.repository.writeCommit(draft, change.signed === false ? undefined : (payload) => desk.key.sign(payload));
}

function configuration(forge: string): string {
  return `apiVersion: capstan.dev/v1alpha1
kind: Configuration
repository:
  url: ${forge}/ada/platform.git
  branch: main
forge:
  type: github
  baseUrl: ${forge}/api/v3
  token:
    env: CAPSTAN_DEMO_TOKEN
  webhookSecret:
    env: CAPSTAN_DEMO_SECRET
server:
  listen: 127.0.0.1:0
schedule:
  poll: 5s
  drift: 1s
  jitter: 10%
log:
  level: error
`;
}

/** The starter, with people's and the engine's keys trusted and clocks that fit a demo. */
export async function demoFiles(keys: { readonly ada: string; readonly engine: string }): Promise<Readonly<Record<string, string>>> {
  const files = Object.fromEntries((await starterFiles()).map((file) => [file.path, file.content]));
  const edit = (path: string, from: string, to: string): void => {
    const text = files[path];
    if (text === undefined || !text.includes(from)) throw new Error(`the starter's ${path} does not have ${JSON.stringify(from)}`);
    files[path] = text.replace(from, to);
  };
  files['environments/project.yaml'] = `${files['environments/project.yaml'] ?? ''}  trust:
    - name: ada
      user: ada
      sshKey: "${keys.ada}"
      for:
        - commit
        - capsule
    - name: engine
      sshKey: "${keys.engine}"
      for:
        - engine
`;
  edit('environments/dev/environment.yaml', 'interval: 1m', 'interval: 1s');
  edit('environments/staging/environment.yaml', 'soak: 10m', 'soak: 3s');
  edit('environments/staging/environment.yaml', 'interval: 5m', 'interval: 1s');
  edit('environments/prod/environment.yaml', 'risk: medium', 'risk: high');
  edit('environments/prod/environment.yaml', 'soak: 1h', 'soak: 1s');
  edit('environments/prod/environment.yaml', 'interval: 5m', 'interval: 2s');
  return files;
}
