import { execFile, spawn } from 'node:child_process';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { gitRepository } from '#adapters/git/git.ts';
import { until } from '#cli/demo-stage.ts';
import { toInstant } from '#model/instant.ts';
import { encodeSshPrivateKey } from '#model/ssh-key.ts';
import { issue } from '#test/adapters/kubernetes/certificates.ts';
import { freePort, startProgram, type Program } from '#test/kill/programs.ts';
import { capsuleFiles, DEV, environmentFile, PROJECT_FILE, signerOf, STAGING, type Files } from '#test/stories/shop.ts';
import { canaryText, type Canaries } from './canaries.ts';
import { reflectingProxy, type ReflectingProxy } from './reflecting-proxy.ts';

export interface Said {
  readonly command: string;
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Forge and service as programs of their own, every secret of theirs a canary, every server of theirs one that can be made to reflect. */
export interface CanaryStage {
  readonly root: string;
  readonly canaries: Canaries;
  readonly forge: ReflectingProxy;
  readonly cluster: ReflectingProxy;
  readonly registry: ReflectingProxy;
  readonly url: string;
  /** Commits as Ada does, and pushes to the forge behind the proxy. */
  push(files: Files, message: string): Promise<void>;
  /** A webhook as the forge would send it, or with another signature. */
  deliver(body: string, signature?: string): Promise<Response>;
  capstan(...args: readonly string[]): Promise<Said>;
  api(method: string, path: string, body?: object): Promise<string>;
  start(): Promise<Program>;
  /** Every program of the stage that runs long. */
  programs(): readonly Program[];
  close(): Promise<void>;
}

const VALUE = 'ENC[AES256_GCM,data:Zm9v,iv:YWJj,tag:ZGVm,type:str]';
const SEALED = `token: ${VALUE}\nsops:\n  age:\n    - recipient: age1x\n      enc: x\n  mac: ${VALUE}\n  version: 3.13.3\n`;

export async function canaryStage(): Promise<CanaryStage> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'capstan-canary-')));
  const place = (...parts: readonly string[]): string => join(root, ...parts);
  for (const folder of ['home', 'tmp', 'shims', 'seed', 'forge', 'service/.capstan', 'clone', 'logs'])
    await mkdir(place(folder), { recursive: true });
  const pair = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' });
  const engineSeed = Buffer.from(pair).subarray(-32);
  const authority = issue({ name: 'authority', isAuthority: true });
  const client = issue({ name: 'capstan', by: authority });
  const keyLine = client.key.split('\n')[1] ?? '';
  const rich = [
    'environment variable',
    'forge token',
    'webhook secret',
    'previous webhook secret',
    'age key',
    'kubeconfig token',
    'login program variable',
    'login program token',
    'value of an encrypted secret',
    'registry password',
  ];
  const texts = new Map<string, string>([
    ...rich.map((name) => [name, canaryText(name, 'rich')] as const),
    ['client key', keyLine],
    ['signing key', engineSeed.toString('hex')],
  ]);
  const keyFile = encodeSshPrivateKey(engineSeed, 'engine', 7);
  // What of the file is the private key: the lines before it are the public one.
  const canaries: Canaries = new Map([...texts, ['signing key in its file', keyFile.split('\n').slice(3, 5).join('\n')]]);
  const canary = (name: string): string => texts.get(name) ?? '';

  await writeShims(place('shims'), place('logs', 'argv'), canary('value of an encrypted secret'));
  const listen = await freePort();
  const env: Readonly<Record<string, string>> = {
    PATH: `${place('shims')}:${process.env['PATH'] ?? ''}`,
    HOME: place('home'),
    TMPDIR: place('tmp'),
    NO_COLOR: '1',
    NO_PROXY: '127.0.0.1',
    CAPSTAN_DEBUG: '1',
    DOCKER_CONFIG: place('seed'),
    CAPSTAN_SERVER_LISTEN: `127.0.0.1:${listen}`,
    CANARY: canary('environment variable'),
    CANARY_TOKEN: canary('forge token'),
    CANARY_PREVIOUS: canary('previous webhook secret'),
    CANARY_AGE: canary('age key'),
  };
  const forgePort = await freePort();
  const forgeProgram = startProgram(['forge', '--data', place('forge'), '--listen', `127.0.0.1:${forgePort}`, '-v'], env);
  await forgeProgram.serves;
  const forgeUrl = `http://127.0.0.1:${forgePort}`;
  const admin = (await readFile(place('forge', 'admin-token'), 'utf8')).trim();
  const ask = (token: string) => (method: string, path: string, body?: object) =>
    asked(`${forgeUrl}/api/v3${path}`, { token, method, body });
  const ada = await newPerson(ask(admin), 'ada');
  const engine = await newPerson(ask(admin), 'capstan');
  await ask(ada)('POST', '/user/repos', { name: 'platform' });
  await ask(ada)('PUT', '/repos/ada/platform/collaborators/capstan', { permission: 'push' });
  const forge = await reflectingProxy(forgeUrl, canary('forge token'), engine);
  const cluster = await reflectingProxy(undefined, '', '');
  cluster.behave(401);
  const registry = await reflectingProxy(undefined, '', '');
  registry.behave(401);
  await writeRegistryLogin(place('seed'), registry.url, canary('registry password'));

  await writeFile(place('service/.capstan/engine_ed25519'), keyFile, { mode: 0o600 });
  await writeFile(place('seed/webhook'), canary('webhook secret'), { mode: 0o600 });
  await writeKubeconfigs(place('seed'), { url: cluster.url, client, authority: authority.cert, canary });
  await writeFile(place('service/capstan.yaml'), configuration(forge.url), { mode: 0o600 });
  const programs: Program[] = [forgeProgram];
  const identity = await capstan('identity');
  const engineKey =
    /ssh-ed25519 [A-Za-z0-9+/=]+/.exec(
      identity.out + (await readFile(place('service/.capstan/engine_ed25519.pub'), 'utf8').catch(() => '')),
    )?.[0] ?? '';

  await git('clone', ['init', '--quiet', '--initial-branch=main', '.']);
  const repository = await gitRepository({ path: place('clone'), limits: { blobBytes: 1 << 24, treeEntries: 10_000, refs: 1000 } });
  const author = { name: 'Ada', email: 'ada@acme.example', at: toInstant(Date.UTC(2026, 0, 5, 9)), zone: '+0000' };
  const remote = `${forgeUrl.replace('://', `://ada:${ada}@`)}/ada/platform.git`;

  async function push(files: Files, message: string): Promise<void> {
    await git('clone', ['fetch', '--quiet', remote, '+refs/heads/*:refs/remotes/origin/*']).catch(() => '');
    const head = await repository.resolve('refs/remotes/origin/main');
    const base = head === undefined ? undefined : (await repository.commit(head)).tree;
    const changes = Object.entries(files).map(([path, text]) => ({ kind: 'file', path, content: Buffer.from(text) }) as const);
    const draft = { base, changes, parents: head === undefined ? [] : [head], author, message: `${message}\n` };
    const commit = await repository.writeCommit(draft, (payload) => signerOf('ada').sign(payload));
    await git('clone', ['push', '--quiet', remote, `${commit}:refs/heads/main`]);
    await git('clone', ['checkout', '--quiet', '--force', '--detach', commit]);
  }

  function git(folder: string, args: readonly string[]): Promise<string> {
    return ran('git', ['-C', place(folder), ...args], {
      ...process.env,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      NO_PROXY: '127.0.0.1',
    });
  }

  function capstan(...args: readonly string[]): Promise<Said> {
    return new Promise((resolve, reject) => {
      const main = new URL('../../src/capstan.cjs', import.meta.url).pathname;
      const child = spawn(process.execPath, [main, ...args], {
        cwd: place('service'),
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: 120_000,
      });
      let out = '';
      let err = '';
      child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('latin1')));
      child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString('latin1')));
      child.on('error', reject);
      child.on('close', (code) => resolve({ command: `capstan ${args.join(' ')}`, code: code ?? -1, out, err }));
    });
  }

  await push(filesOf(engineKey), 'Declare the platform');
  const locked = await capstan('lock', '--all', '--repo', place('clone'));
  if (locked.code !== 0) throw new Error(`no locks: ${locked.out}${locked.err}`);
  const names = ['dev', 'staging', 'eu', 'us', 'ap'];
  const locks = await Promise.all(
    names.map(
      async (name) =>
        [
          `environments/${name}/environment.lock.yaml`,
          await readFile(place(`clone/environments/${name}/environment.lock.yaml`), 'utf8'),
        ] as const,
    ),
  );
  await push(Object.fromEntries(locks), 'Lock versions');
  const url = `http://127.0.0.1:${listen}`;

  return {
    root,
    canaries,
    forge,
    cluster,
    registry,
    url,
    push,
    capstan,
    api: ask(ada),
    programs: () => programs,
    deliver(body, signature = `sha256=${createHmac('sha256', canary('webhook secret')).update(body).digest('hex')}`) {
      deliveries += 1;
      const headers = {
        'content-type': 'application/json',
        'x-github-event': 'push',
        'x-github-delivery': `canary-${deliveries}`,
        'x-hub-signature-256': signature,
      };
      return fetch(`${url}/webhooks/github`, { method: 'POST', body, headers });
    },
    async start() {
      const program = startProgram(['serve', '--config', place('service/capstan.yaml'), '-v'], env);
      programs.push(program);
      await program.serves;
      await until('the service to be ready', 90, async () =>
        (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200 ? true : undefined,
      );
      return program;
    },
    async close() {
      for (const program of programs.toReversed()) await program.kill();
      await repository.close();
      await forge.close();
      await cluster.close();
      await registry.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

let deliveries = 0;

/** What programs are started with is noted: other users of a machine see it. The opener of encrypted files prints the canary. */
async function writeShims(folder: string, log: string, value: string): Promise<void> {
  const git = (await ran('sh', ['-c', 'command -v git'], process.env)).trim();
  await writeFile(join(folder, 'git'), `#!/bin/sh\nfor word in git "$@"; do printf '%s\\n' "$word"; done >> ${log}\nexec ${git} "$@"\n`);
  const printed = JSON.stringify({ token: value }).replaceAll("'", `'\\''`);
  await writeFile(
    join(folder, 'sops'),
    `#!/bin/sh\ncase "$*" in *version*) echo 'sops 3.13.3';; *) /bin/cat > /dev/null; printf '%s' '${printed}';; esac\n`,
  );
  for (const name of ['git', 'sops']) await chmod(join(folder, name), 0o755);
}

/** As `docker login` leaves it, and a public key to ask with. */
async function writeRegistryLogin(folder: string, url: string, password: string): Promise<void> {
  const auth = Buffer.from(`capstan:${password}`).toString('base64');
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [new URL(url).host]: { auth } } }), { mode: 0o600 });
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(folder, 'cosign.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
}

interface Kubeconfigs {
  readonly url: string;
  readonly client: { readonly cert: string; readonly key: string };
  readonly authority: string;
  readonly canary: (name: string) => string;
}

async function writeKubeconfigs(folder: string, { url, client, canary }: Kubeconfigs): Promise<void> {
  const write = (name: string, user: object): Promise<void> =>
    writeFile(
      join(folder, `${name}.kubeconfig`),
      JSON.stringify({
        clusters: [{ name, cluster: { server: url } }],
        users: [{ name: 'capstan', user }],
        contexts: [{ name, context: { cluster: name, user: 'capstan' } }],
        'current-context': name,
      }),
      { mode: 0o600 },
    );
  const program = join(folder, 'login');
  const answer = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: canary('login program token') },
  };
  await writeFile(
    program,
    `#!/bin/sh\nif [ -e "$0.broken" ]; then echo "refused with $CLIENT_SECRET" >&2; exit 1; fi\ncat <<'END'\n${JSON.stringify(answer)}\nEND\n`,
  );
  await chmod(program, 0o755);
  await write('eu', { token: canary('kubeconfig token') });
  await write('us', {
    'client-certificate-data': Buffer.from(client.cert).toString('base64'),
    'client-key-data': Buffer.from(client.key).toString('base64'),
  });
  await write('ap', {
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: program,
      env: [{ name: 'CLIENT_SECRET', value: canary('login program variable') }],
      interactiveMode: 'Never',
    },
  });
}

function configuration(forge: string): string {
  const cluster = (name: string, more = ''): string =>
    `  ${name}:\n    kubeconfig:\n      file: ../seed/${name}.kubeconfig\n    environments: [${name}]\n${more}`;
  return `apiVersion: capstan.dev/v1alpha1
kind: Configuration
repository:
  url: ${forge}/ada/platform.git
  branch: main
forge:
  type: github
  baseUrl: ${forge}/api/v3
  token:
    env: CANARY_TOKEN
  webhookSecret:
    file: ../seed/webhook
  previousWebhookSecret:
    env: CANARY_PREVIOUS
sops:
  ageKey:
    env: CANARY_AGE
credentials:
${cluster('eu')}${cluster('us')}${cluster('ap', '    allowExec: true\n')}server:
  listen: 127.0.0.1:0
  publicUrl: http://127.0.0.1:9
schedule:
  poll: 2s
  drift: 1s
log:
  level: debug
`;
}

function filesOf(engineKey: string): Files {
  const capsule = (capsuleFiles('1.0.0')['capsules/web/capsule.yaml'] ?? '')
    .replace('      ports:\n', '      env:\n        TOKEN:\n          secret: api\n      ports:\n')
    .concat('  secrets:\n    api:\n      keys: [token]\n');
  const secrets = '  secrets:\n    web:\n      api:\n        provider: sops\n        path: secrets/api.yaml\n';
  const environments = [DEV, { ...STAGING, soak: '1s' }].map((stage) => ({ ...stage, targets: ['one'] }));
  const clusters = ['eu', 'us', 'ap'].map((name) => ({ ...DEV, name, targets: ['one'] }));
  return {
    'environments/project.yaml': PROJECT_FILE.replace(signerOf('capstan').publicKey, engineKey),
    'capsules/web/capsule.yaml': capsule,
    ...Object.fromEntries(environments.map((stage) => [`environments/${stage.name}/environment.yaml`, environmentFile(stage) + secrets])),
    ...Object.fromEntries(
      clusters.map((stage) => [
        `environments/${stage.name}/environment.yaml`,
        environmentFile(stage).replace(/driver: directory\n +path: .*\n/, `driver: kubernetes\n      credentials: ${stage.name}\n`) +
          secrets,
      ]),
    ),
    ...Object.fromEntries(['dev', 'staging', 'eu', 'us', 'ap'].map((name) => [`environments/${name}/secrets/api.yaml`, SEALED])),
  };
}

async function newPerson(ask: (method: string, path: string, body?: object) => Promise<string>, login: string): Promise<string> {
  await ask('POST', '/admin/users', { login });
  const { token } = JSON.parse(await ask('POST', `/admin/users/${login}/authorizations`, { scopes: ['repo', 'admin:repo_hook'] })) as {
    token: string;
  };
  return token;
}

async function asked(
  url: string,
  { token, method, body }: { readonly token: string; readonly method: string; readonly body: object | undefined },
): Promise<string> {
  const headers = { authorization: `token ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await answer.text();
  if (answer.status >= 400) throw new Error(`${method} ${new URL(url).pathname}: ${answer.status} ${text.slice(0, 300)}`);
  return text;
}

function ran(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { env, maxBuffer: 1 << 28, encoding: 'latin1' }, (error, out, err) =>
      error === null ? resolve(out) : reject(new Error(`${program}: ${err}`)),
    );
  });
}
