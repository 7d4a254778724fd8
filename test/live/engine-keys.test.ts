import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { stockAgent, type StockAgent } from '#test/contracts/stock-ssh.ts';
import { workbench, type Workbench } from '#test/programs/capstan-program.ts';
import { softToken, type SoftToken } from '#test/servers/soft-token.ts';

/** A whole story under every kind of key: all that the engine writes is verified by stock git, and by `capstan verify`, from a clone. */
let bench: Workbench;
let agent: StockAgent;
let token: SoftToken;

beforeAll(async () => {
  bench = await workbench();
  agent = await stockAgent();
  token = await softToken(['EC:prime256v1', 'rsa:2048']);
  Object.assign(bench.env, { SSH_AUTH_SOCK: agent.socket, ...token.env });
}, 120_000);
afterAll(async () => {
  await agent?.close();
  await token?.close();
  await bench?.close();
});

type Kind = 'file' | 'agent ed25519' | 'agent ecdsa' | 'PKCS#11 EC:prime256v1' | 'PKCS#11 rsa:2048';

/** `identity.signingKey` of a kind. */
async function keyOf(kind: Kind, around: string): Promise<string> {
  switch (kind) {
    case 'file':
      return `{ file: ${join(around, 'engine_ed25519')} }`;
    case 'agent ed25519':
    case 'agent ecdsa': {
      const file = join(around, 'held');
      await bench.run(around, 'ssh-keygen', '-q', '-N', '', '-t', kind.slice(6), '-f', file);
      await agent.add(file);
      return `{ agent: { publicKey: "${(await readFile(`${file}.pub`, 'utf8')).trim()}" } }`;
    }
    case 'PKCS#11 EC:prime256v1':
    case 'PKCS#11 rsa:2048': {
      await writeFile(join(around, 'pin'), `${token.pin}\n`);
      return `{ pkcs11: { module: ${token.module}, publicKey: "${token.keys.get(kind.slice(8))}", pin: { file: pin } } }`;
    }
  }
}

async function configured(around: string, name: string, signingKey: string): Promise<string> {
  const path = join(around, name);
  const head = 'apiVersion: capstan.dev/v1alpha1\nkind: Configuration\nrepository: { url: https://git.acme.example/acme/platform.git }\n';
  const identity = `identity: { signingKey: ${signingKey}, name: Engine, email: engine@acme.example }\n`;
  await writeFile(
    path,
    `${head}forge: { type: github, token: { env: ABSENT } }\n${identity}targets: { directory: { root: ${join(around, 'targets')} } }\n`,
  );
  return path;
}

test.each<Kind>(['file', 'agent ed25519', 'agent ecdsa', 'PKCS#11 EC:prime256v1', 'PKCS#11 rsa:2048'])(
  'a story under a key of %s, and under the next one',
  async (kind) => {
    const platform = await bench.platform();
    const around = join(platform, '..');
    const first = await configured(around, 'first.yaml', await keyOf(kind, around));
    const second = await configured(around, 'second.yaml', `{ file: ${join(around, 'next')} }`);
    const capstan = async (config: string, ...args: readonly string[]) => {
      const ended = await bench.capstan(platform, ...args, '--repo', platform, '--config', config);
      if (ended.code !== 0) throw new Error(`${args.join(' ')}: ${ended.code} ${ended.err}${ended.out}`);
      return ended.out;
    };
    const json = async (config: string, ...args: readonly string[]) =>
      JSON.parse(await capstan(config, ...args, '-o', 'json')) as Record<string, string>;

    const old = await json(first, 'identity');
    const project = join(platform, 'environments/project.yaml');
    await writeFile(project, (await readFile(project, 'utf8')).replace(/sshKey: .*/, `sshKey: "${old['publicKey']}"`));
    await bench.git(platform, 'commit', '-qam', 'Trust this engine');
    await capstan(first, 'reconcile', 'dev');
    await capstan(first, 'reconcile', 'staging');
    const capsule = join(platform, 'capsules/hello/capsule.yaml');
    const text = await readFile(capsule, 'utf8');
    await writeFile(capsule, text.replace('version: 1.0.0', 'version: 1.0.1').replace('greeting: Hello', 'greeting: Salve'));
    await bench.git(platform, 'commit', '-qam', 'hello 1.0.1');
    await bench.git(platform, 'merge', '-q', String((await json(first, 'promote', 'dev'))['branch']));
    await capstan(first, 'reconcile', 'dev');
    const next = await json(second, 'identity');
    await bench.git(platform, 'merge', '-q', String((await json(first, 'identity', 'rotate', '--to-config', second))['branch']));
    await writeFile(capsule, text.replace('version: 1.0.0', 'version: 1.0.2').replace('greeting: Hello', 'greeting: Ave'));
    await bench.git(platform, 'commit', '-qam', 'hello 1.0.2');
    await bench.git(platform, 'merge', '-q', String((await json(second, 'promote', 'dev'))['branch']));
    await capstan(second, 'reconcile', 'dev');

    const clone = join(around, 'clone');
    await bench.git(around, 'clone', '-q', platform, clone);
    const signers = join(around, 'allowed_signers');
    await writeFile(signers, `${old['allowedSigners']}\n${next['allowedSigners']}\n`);
    const written = (await bench.git(clone, 'log', '--all', '--author=Engine', '--format=%H %GF', '--', ':/')).split('\n');
    const branches = (await bench.git(clone, 'branch', '-r', '--format=%(refname:lstrip=3)')).split('\n');
    const unsigned: string[] = [];
    for (const line of written)
      await bench
        .git(clone, '-c', `gpg.ssh.allowedSignersFile=${signers}`, 'verify-commit', line.slice(0, 40))
        .catch((error: unknown) => unsigned.push(`${line} ${String(error)}`));
    const verified = await bench.capstan(clone, 'verify', '--full', '-o', 'json');

    expect(unsigned).toEqual([]);
    expect(written.length).toBeGreaterThan(9);
    expect(branches.map((branch) => branch.split('/')[0])).toEqual(expect.arrayContaining(['audit', 'rendered', 'promote', 'rotate']));
    expect([verified.code, JSON.parse(verified.out)]).toEqual([0, expect.objectContaining({ problems: [], full: true })]);
  },
);
