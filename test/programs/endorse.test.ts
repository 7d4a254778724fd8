import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { encodeSshPrivateKey } from '#model/ssh-key.ts';
import { signerOf } from '#test/stories/shop.ts';
import { workbench, type Workbench } from './capstan-program.ts';

let bench: Workbench;
let folder: string;

const PEOPLE = ['ada', 'bob', 'carol'];

const PROJECT = `apiVersion: capstan.dev/v1alpha1
kind: Project
metadata:
  name: shop
spec:
  trust:
${PEOPLE.map((name) => `    - name: ${name}\n      user: ${name}\n      sshKey: ${signerOf(name).publicKey}\n      for: [commit, policy]\n`).join('')}\
  thresholds:
    - name: policy-by-two
      for: [policy]
      paths: [policies/**]
      of: [ada, bob, carol]
      atLeast: 2
`;

beforeEach(async () => {
  bench = await workbench();
  folder = await bench.folder();
  await bench.git(folder, 'init', '-q', '-b', 'main');
  for (const name of PEOPLE) {
    const file = join(folder, '..', `${name}.key`);
    await writeFile(file, encodeSshPrivateKey(Buffer.alloc(32, name), name, 7));
    await chmod(file, 0o600);
    await writeFile(`${file}.pub`, `${signerOf(name).publicKey}\n`);
  }
  await commit('environments/project.yaml', PROJECT, 'ada', 'declare');
});

afterEach(() => bench.close());

function keyOf(name: string): string {
  return join(folder, '..', `${name}.key`);
}

/** A commit by stock git, signed with the SSH key of `by`. */
async function commit(path: string, text: string, by: string, message: string): Promise<void> {
  await mkdir(join(folder, path, '..'), { recursive: true });
  await writeFile(join(folder, path), text);
  await bench.git(folder, 'add', '.');
  await bench.git(folder, ...signing(by), 'commit', '-q', '-S', '-m', message);
}

function signing(by: string): readonly string[] {
  return ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${keyOf(by)}`];
}

async function held(): Promise<readonly { readonly path: string; readonly asks: readonly string[] }[]> {
  const { out, err } = await bench.capstan(folder, 'endorse', 'main', '-o', 'json');
  if (out === '') throw new Error(err);
  return JSON.parse(out).items;
}

test('a change that two must sign is held until another endorses it, by the command with a key or by stock git as it says', async () => {
  await commit('policies/notes.txt', 'one\n', 'ada', 'change a policy');
  const alone = await held();

  const { code, out } = await bench.capstan(folder, 'endorse', 'main', '--key', keyOf('bob'));

  expect(alone).toMatchObject([{ path: 'policies/notes.txt', asks: [expect.anything(), expect.stringContaining('signed by ada')] }]);
  expect([code, out]).toEqual([0, expect.stringContaining('signed by bob: ')]);
  expect(await held()).toEqual([]);

  await commit('policies/notes.txt', 'two\n', 'carol', 'change it again');
  const printed = (await bench.capstan(folder, 'endorse', 'main')).out;
  const [, subject = '', trailer = ''] = /git commit --allow-empty -S -m "([^"]*)" -m "([^"]*)"/.exec(printed) ?? [];
  expect((await held()).length).toBe(1);
  await bench.git(folder, ...signing('ada'), 'commit', '-q', '--allow-empty', '-S', '-m', subject, '-m', trailer);

  expect(await held()).toEqual([]);
});

test('an endorsement by the same person, or with a key that nobody names, is no second signature', async () => {
  await commit('policies/notes.txt', 'one\n', 'ada', 'change a policy');
  await writeFile(keyOf('eve'), encodeSshPrivateKey(Buffer.alloc(32, 'eve'), 'eve', 7));

  const same = await bench.capstan(folder, 'endorse', 'main', '--key', keyOf('ada'));
  const stranger = await bench.capstan(folder, 'endorse', 'main', '--key', keyOf('eve'));

  expect(same.code).toBe(0);
  expect(stranger.code).not.toBe(0);
  expect(stranger.err).toContain('no trust entry of the project names this key');
  expect(await held()).toMatchObject([{ asks: [expect.anything(), expect.stringContaining('signed by ada')] }]);
});

test('on a branch the command tells what the branch brings and who must sign it', async () => {
  await bench.git(folder, 'switch', '-q', '-c', 'topic');
  await commit('policies/notes.txt', 'one\n', 'ada', 'change a policy');

  const told = await bench.capstan(folder, 'endorse', 'topic', '--key', keyOf('bob'));
  await bench.git(folder, 'switch', '-q', 'main');
  await bench.git(folder, '-c', 'user.name=Forge', 'merge', '-q', '--no-ff', '-m', 'Merge topic', 'topic');

  expect(told.out).toContain('policies/notes.txt (policy)\n  threshold policy-by-two asks for 2 people of ada, bob, carol\n');
  expect(told.out).toMatch(/signed by bob: [0-9a-f]{10} on topic; push it: git push origin topic/);
  expect(await held()).toEqual([]);
});

test('a seal accepts what stands, and status says where trust starts', async () => {
  await writeFile(join(folder, 'environments', 'notes.txt'), 'unsigned\n');
  await bench.git(folder, 'add', '.');
  await bench.git(folder, 'commit', '-q', '-m', 'nobody signed this');
  const before = await held();

  const printed = await bench.capstan(folder, 'seal', '--reason', 'imported');
  const one = await bench.capstan(folder, 'seal', '--reason', 'imported', '--key', keyOf('ada'));
  const halfway = await held();
  const two = await bench.capstan(folder, 'endorse', 'main', '--key', keyOf('bob'));
  const status = await bench.capstan(folder, 'status');

  expect(before.map((one) => one.path)).toEqual(['environments/notes.txt']);
  expect([one.code, halfway.length, two.code]).toEqual([0, 1, 0]);
  expect(printed.out).toContain('git commit --allow-empty -S -m "Seal main as it stands" -m "Trust-Seal: imported"');
  expect(one.err).toContain('the seal counts once as many people signed as policy-by-two demands');
  expect(await held()).toEqual([]);
  expect(status.err).toMatch(
    /trust: starts at [0-9a-f]{10}, the first commit, which is not pinned; ada sealed what came before [0-9a-f]{10} \(imported\)/,
  );
  expect(status.err).toContain(
    'trust: policy: ada, bob, carol; threshold policy-by-two asks for 2 people of ada, bob, carol (policies/**)',
  );
  expect(status.err).toContain('trust: nobody is asked for: capsule, image, evidence, approval, engine');
});

test('a seal where nothing waits is still printed for git to sign', async () => {
  const { code, out } = await bench.capstan(folder, 'seal', '--reason', 'a new start');

  expect([code, out]).toEqual([0, expect.stringContaining('-m "Trust-Seal: a new start"')]);
});
