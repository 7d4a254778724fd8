import { expect, test } from 'vitest';

import { createWorld } from '#loops/create-world.ts';
import type { TrustOf } from '#loops/trust-of.ts';
import type { World } from '#loops/world.ts';
import type { CommitId } from '#model/digest.ts';
import { portsOf } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, environmentFile, PROJECT_FILE, shopFiles, signerOf, type Files } from '#test/stories/shop.ts';

const PROJECT = 'environments/project.yaml';
const ENVIRONMENT = 'environments/dev/environment.yaml';
const METHODS = ['merge', 'squash', 'rebase'] as const;

/** `    - name: ...` of spec.trust for a person. */
function row(name: string, purposes: string, more = ''): string {
  return `    - name: ${name}\n      sshKey: ${signerOf(name).publicKey}\n      for: [${purposes}]\n${more}`;
}

const WITH_MALLORY = `${PROJECT_FILE}${row('mallory', 'commit, capsule')}`;
const slower = environmentFile({ ...DEV, soak: '5m' });
const slowest = environmentFile({ ...DEV, soak: '9m' });

async function began(project = PROJECT_FILE): Promise<{ outside: Outside; world: World }> {
  const outside = newOutside();
  await peopleOf(outside).push({ ...shopFiles([DEV]), [PROJECT]: project });
  return { outside, world: createWorld({ ...portsOf(outside), repository: peopleOf(outside).repository }) };
}

async function head(outside: Outside): Promise<CommitId> {
  const main = await peopleOf(outside).repository.resolve('main');
  if (main === undefined) throw new Error('no main');
  return main;
}

async function trustNow(outside: Outside, world?: World): Promise<TrustOf> {
  const looking = world ?? createWorld({ ...portsOf(outside), repository: peopleOf(outside).repository });
  return (await looking.history.upTo(await head(outside))).trust;
}

async function kinds(outside: Outside, ...paths: readonly string[]): Promise<readonly string[]> {
  const trust = await trustNow(outside);
  return paths.map((path) => trust.verdict(path).kind);
}

/** A pull request of one branch, merged by the forge; answers its number. */
async function merged(outside: Outside, name: string, method: (typeof METHODS)[number] = 'squash'): Promise<number> {
  outside.forge.mergeMethod = method;
  const forge = peopleOf(outside).forge('bob');
  const { number } = await forge.open({ head: name, base: 'main', title: name, body: '', labels: [] });
  const [request] = (await forge.list(name, undefined)).filter((one) => one.number === number);
  if (request === undefined) throw new Error('no request');
  const done = await forge.merge(number, { head: request.headCommit, title: `${name} (#${number})`, message: 'by hand' });
  if (done.kind !== 'merged') throw new Error('not merged');
  return number;
}

/** A commit straight onto main that no key signed, as somebody with the right to push makes it. */
async function forced(outside: Outside, files: Files, parents: readonly CommitId[], message: string): Promise<void> {
  const { repository } = peopleOf(outside);
  const main = await head(outside);
  const next = await repository.writeCommit(
    {
      base: (await repository.commit(main)).tree,
      changes: Object.entries(files).map(([path, text]) => ({ kind: 'file', path, content: Buffer.from(text) })),
      parents: [main, ...parents],
      author: { name: 'ada', email: 'ada@example.org', at: outside.now, zone: '+0000' },
      message: `${message}\n`,
    },
    undefined,
  );
  await repository.push([{ ref: 'refs/heads/main' as never, expected: main, next }]);
}

test.each(METHODS)('row 70: %s of a pull request that brings its own key and signs with it is refused, all of it', async (method) => {
  const { outside } = await began();
  const from = await head(outside);
  await peopleOf(outside).push({ [PROJECT]: WITH_MALLORY }, { by: 'mallory', branch: 'topic', from });
  await peopleOf(outside).push({ [ENVIRONMENT]: slower, ...capsuleFiles('1.1.0') }, { by: 'mallory', branch: 'topic' });

  await merged(outside, 'topic', method);

  expect(await kinds(outside, PROJECT, ENVIRONMENT, 'capsules/web')).toEqual(['refused', 'refused', 'refused']);
  expect((await trustNow(outside)).policy?.entries.map((entry) => entry.name)).toEqual(['ada', 'engine']);
});

test.each(METHODS)('row 70: %s of a pull request that takes the entries out ends nothing', async (method) => {
  const { outside } = await began();
  const open = PROJECT_FILE.slice(0, PROJECT_FILE.indexOf('  trust:'));
  await peopleOf(outside).push({ [PROJECT]: open }, { by: 'mallory', branch: 'topic', from: await head(outside) });

  await merged(outside, 'topic', method);
  await peopleOf(outside).push({ [ENVIRONMENT]: slower }, { by: 'nobody' });

  expect(await kinds(outside, PROJECT, ENVIRONMENT)).toEqual(['refused', 'unsigned']);
  expect([...((await trustNow(outside)).policy?.enforced ?? [])]).toEqual(['commit', 'capsule', 'engine']);
});

test('row 70: a signed project that cannot be read is no end of trust', async () => {
  const { outside } = await began();

  await peopleOf(outside).push({ [PROJECT]: 'spec: [' });
  await peopleOf(outside).push({ [ENVIRONMENT]: slower }, { by: 'nobody' });

  expect(await kinds(outside, PROJECT, ENVIRONMENT)).toEqual(['accepted', 'unsigned']);
});

test('row 70: a second file of the project is not believed, whoever signed it', async () => {
  const { outside } = await began();

  await peopleOf(outside).push({ 'environments/project.yml': WITH_MALLORY });
  await peopleOf(outside).push({ [ENVIRONMENT]: slower }, { by: 'mallory' });

  expect(await kinds(outside, ENVIRONMENT)).toEqual(['refused']);
});

test('a project under its other name is the policy all the same', async () => {
  const outside = newOutside();
  const { [PROJECT]: text = '', ...others } = shopFiles([DEV]);
  await peopleOf(outside).push({ ...others, 'environments/project.yml': text });

  await peopleOf(outside).push({ [ENVIRONMENT]: slower }, { by: 'nobody' });

  expect(await kinds(outside, ENVIRONMENT)).toEqual(['unsigned']);
});

test('row 59: the squash of a pull request that was merged and taken back is not made again without a key', async () => {
  const { outside } = await began();
  await peopleOf(outside).push({ [ENVIRONMENT]: slower }, { branch: 'topic', from: await head(outside) });
  const number = await merged(outside, 'topic');
  await peopleOf(outside).push({ [ENVIRONMENT]: environmentFile(DEV) }, { message: 'take it back' });
  expect(await kinds(outside, ENVIRONMENT)).toEqual(['accepted']);

  await forced(outside, { [ENVIRONMENT]: slower }, [], `again (#${number})`);

  expect(await kinds(outside, ENVIRONMENT)).toEqual(['refused']);
});

test('row 59: nor is the squash of a part of that branch', async () => {
  const { outside } = await began();
  const part = await peopleOf(outside).push({ [ENVIRONMENT]: slower }, { branch: 'topic', from: await head(outside) });
  await peopleOf(outside).push({ 'environments/dev/notes.txt': 'x' }, { branch: 'topic' });
  await merged(outside, 'topic');
  await peopleOf(outside).push({ [ENVIRONMENT]: environmentFile(DEV) }, { message: 'take it back' });
  const forge = peopleOf(outside).forge('mallory');
  const { repository } = peopleOf(outside);
  await repository.push([{ ref: 'refs/heads/part' as never, expected: undefined, next: part }]);
  const { number } = await forge.open({ head: 'part', base: 'main', title: 'part', body: '', labels: [] });

  await forced(outside, { [ENVIRONMENT]: slower }, [], `part (#${number})`);

  expect(await kinds(outside, ENVIRONMENT)).toEqual(['refused']);
});

test.each(['squash', 'merge'])('row 59: a lock that was turned back is not brought forward by the %s of its old branch', async (how) => {
  const { outside } = await began();
  const lock = (word: string) => ({ 'environments/dev/environment.lock.yaml': lockWith(word) });
  await peopleOf(outside).push(lock('a'));
  const topic = await peopleOf(outside).push(lock('b'), { branch: 'topic', from: await head(outside) });
  await peopleOf(outside).push({ 'environments/dev/notes.txt': 'x' }, { branch: 'topic' });
  await merged(outside, 'topic');
  await peopleOf(outside).push(lock('a'), { message: 'turn it back' });
  expect(await kinds(outside, 'environments/dev/environment.lock.yaml')).toEqual(['accepted']);
  const { repository } = peopleOf(outside);
  await repository.push([{ ref: 'refs/heads/part' as never, expected: undefined, next: topic }]);
  const { number } = await peopleOf(outside).forge('mallory').open({ head: 'part', base: 'main', title: 'x', body: '', labels: [] });

  await forced(outside, lock('b'), how === 'merge' ? [topic] : [], `again (#${number})`);

  expect(await kinds(outside, 'environments/dev/environment.lock.yaml')).toEqual(['refused']);
});

function lockWith(word: string): string {
  const digest = word.repeat(64);
  return `apiVersion: capstan.dev/v1alpha1
kind: EnvironmentLock
metadata:
  environment: dev
capsules:
  web:
    capsule: web
    version: 1.0.0
    commit: ${word.repeat(40)}
    gitTree: ${word.repeat(40)}
    sha256: ${digest}
    configSha256: ${digest}
    requestedBy:
      - environment
holds: {}
`;
}

test('row 59: a merge that takes the older content of a signed branch is refused', async () => {
  const { outside } = await began();
  const stale = await peopleOf(outside).push({ 'environments/dev/notes.txt': 'x' }, { branch: 'stale', from: await head(outside) });
  await peopleOf(outside).push({ [ENVIRONMENT]: slower });

  await forced(outside, { [ENVIRONMENT]: environmentFile(DEV) }, [stale], 'Merge branch stale');

  expect(await kinds(outside, ENVIRONMENT)).toEqual(['refused']);
});

test('row 59: breaking a path first gives an old branch no way back in', async () => {
  const { outside } = await began();
  const old = await peopleOf(outside).push({ [ENVIRONMENT]: slower }, { branch: 'old', from: await head(outside) });
  await peopleOf(outside).push({ [ENVIRONMENT]: slowest });

  await forced(outside, { [ENVIRONMENT]: environmentFile(DEV) }, [], 'break it');
  await forced(outside, { [ENVIRONMENT]: slower }, [old], 'Merge branch old');

  expect(await kinds(outside, ENVIRONMENT)).toEqual(['refused']);
});

test('a stacked pull request is accepted after the squash of the one below it', async () => {
  const { outside } = await began();
  await peopleOf(outside).push(capsuleFiles('1.1.0'), { branch: 'below', from: await head(outside) });
  const below = await peopleOf(outside).repository.resolve('below');
  if (below === undefined) throw new Error('no branch');
  await peopleOf(outside).push({ 'capsules/web/notes.md': 'x' }, { branch: 'above', from: below });

  await merged(outside, 'below');
  await merged(outside, 'above');

  expect(await kinds(outside, 'capsules/web')).toEqual(['accepted']);
});

const KEYED = `${PROJECT_FILE}    - name: carol
      openpgpKey:
        file: policies/trust/carol.asc
      for: [commit, capsule]
`;
const ARMOUR = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n';

test('row 70: the file of a key is the policy: exchanged without a signature, the old content goes on', async () => {
  const outside = newOutside();
  await peopleOf(outside).push({ ...shopFiles([DEV]), [PROJECT]: KEYED, 'policies/trust/carol.asc': ARMOUR });
  const before = (await trustNow(outside)).policy?.digest;

  await peopleOf(outside).push({ 'policies/trust/carol.asc': ARMOUR.replace('mDMEZ', 'mDMEX') }, { by: 'nobody' });
  await peopleOf(outside).push({ 'policies/other.txt': 'x' });

  expect(await kinds(outside, 'policies/trust/carol.asc')).toEqual(['unsigned']);
  expect((await trustNow(outside)).policy?.digest).toBe(before);
});

test('a key exchanged by who may counts from the next commit on', async () => {
  const outside = newOutside();
  await peopleOf(outside).push({ ...shopFiles([DEV]), [PROJECT]: KEYED, 'policies/trust/carol.asc': ARMOUR });

  await peopleOf(outside).push({ 'policies/trust/carol.asc': ARMOUR.replace('mDMEZ', 'mDMEX') });

  expect((await trustNow(outside)).policy?.entries.find((entry) => entry.name === 'carol')?.credential).toMatchObject({
    armoured: expect.stringContaining('mDMEX'),
  });
});

test('a link where the file of a key should be is not followed', async () => {
  const outside = newOutside();
  await peopleOf(outside).push({ ...shopFiles([DEV]), [PROJECT]: KEYED, 'policies/trust/carol.asc': ARMOUR });
  const { repository } = peopleOf(outside);
  const main = await head(outside);
  const blob = await repository.writeTree(undefined, [{ kind: 'file', path: 'link', content: Buffer.from('../../etc/passwd') }]);
  const [entry] = await repository.tree(blob);
  if (entry?.kind !== 'blob') throw new Error('a blob was written');
  const ada = signerOf('ada');
  const next = await repository.writeCommit(
    {
      base: (await repository.commit(main)).tree,
      changes: [{ kind: 'blob', path: 'policies/trust/carol.asc', mode: '120000', id: entry.id }],
      parents: [main],
      author: { name: 'ada', email: ada.email, at: outside.now, zone: '+0000' },
      message: 'link\n',
    },
    (payload) => ada.sign(payload),
  );
  await repository.push([{ ref: 'refs/heads/main' as never, expected: main, next }]);

  expect((await trustNow(outside)).policy?.entries.map((one) => one.name)).toEqual(['ada', 'engine']);
});

test('row 70: a release branch that lowers the threshold for its own releases brings nothing in', async () => {
  const two = `${PROJECT_FILE.replace('    default: main\n', "    default: main\n    release: ['release/*']\n")}${row('bob', 'capsule')}\
  thresholds:
    - name: releases-by-two
      for: [capsule]
      atLeast: 2
`;
  const { outside, world } = await began(two);
  const from = await head(outside);
  const lowered = two.slice(0, two.indexOf('  thresholds:'));
  await peopleOf(outside).push({ [PROJECT]: lowered }, { branch: 'release/1.x', from });
  await peopleOf(outside).push(capsuleFiles('1.0.1'), { branch: 'release/1.x' });

  const { index } = await world.history.upTo(from);
  const release = index.releases.get('web' as never)?.get('1.0.1');
  if (release === undefined) throw new Error('it was released');

  expect((await trustNow(outside, world)).ofRelease(release)).toMatchObject({
    kind: 'refused',
    sentence: 'threshold releases-by-two asks for 2 people: signed by ada',
  });
});

test('a release that one signed and another endorsed right after is released by both', async () => {
  const two = `${PROJECT_FILE}${row('bob', 'capsule')}  thresholds:\n    - name: two\n      for: [capsule]\n      atLeast: 2\n`;
  const { outside, world } = await began(two);
  const released = await peopleOf(outside).push(capsuleFiles('1.1.0'));
  const release = async () => {
    const { index, trust } = await world.history.upTo(await head(outside));
    const found = index.releases.get('web' as never)?.get('1.1.0');
    if (found === undefined) throw new Error('it was released');
    return trust.ofRelease(found).kind;
  };

  const before = await release();
  await peopleOf(outside).push({}, { by: 'bob', message: `Endorse\n\nEndorses: ${released}` });

  expect([before, await release()]).toEqual(['refused', 'accepted']);
});

test('a seal stands for every release before it', async () => {
  const { outside, world } = await began(`${PROJECT_FILE}${row('dora', 'policy')}`);
  await peopleOf(outside).push(capsuleFiles('1.1.0'), { by: 'nobody' });
  await peopleOf(outside).push(capsuleFiles('1.2.0'), { by: 'nobody' });
  const all = async () => {
    const { index, trust } = await world.history.upTo(await head(outside));
    return [...(index.releases.get('web' as never)?.values() ?? [])].map(
      (release) => `${release.version} ${trust.ofRelease(release).kind}`,
    );
  };

  const before = await all();
  await peopleOf(outside).push({}, { by: 'dora', message: 'Seal\n\nTrust-Seal: imported' });

  expect(before).toEqual(['1.0.0 accepted', '1.1.0 unsigned', '1.2.0 unsigned']);
  expect(await all()).toEqual(['1.0.0 accepted', '1.1.0 accepted', '1.2.0 accepted']);
});

test('the policy is put together only when one of its files changes', async () => {
  const outside = newOutside();
  await peopleOf(outside).push({ ...shopFiles([DEV]), [PROJECT]: KEYED, 'policies/trust/carol.asc': ARMOUR });
  const world = createWorld({ ...portsOf(outside), repository: peopleOf(outside).repository });
  for (let round = 0; round < 40; round += 1)
    await peopleOf(outside).push({ [`environments/dev/note-${round}.txt`]: `${round}`, [`policies/note-${round}.txt`]: `${round}` });

  await trustNow(outside, world);
  const first = world.reading.trust.counts().policies;
  await peopleOf(outside).push({ 'policies/trust/carol.asc': ARMOUR.replace('mDMEZ', 'mDMEX') });
  await trustNow(outside, world);

  expect([first, world.reading.trust.counts().policies]).toEqual([1, 2]);
});

test('the check of a pull request says who must sign still, by the policy of the default branch, whatever the branch declares', async () => {
  const two = `${PROJECT_FILE}${row('bob', 'commit')}  thresholds:\n    - name: dev-by-two\n      for: [commit]\n      paths: [environments/dev/**]\n      atLeast: 2\n`;
  const { outside, world } = await began(two);
  const main = await head(outside);
  const signed = await peopleOf(outside).push({ [ENVIRONMENT]: slower }, { branch: 'topic', from: main });
  const weak = await peopleOf(outside).push(
    { [PROJECT]: PROJECT_FILE, [ENVIRONMENT]: slower },
    { branch: 'weak', from: main, by: 'mallory' },
  );
  const endorsed = await peopleOf(outside).push({}, { branch: 'topic', by: 'bob', message: `Endorse\n\nEndorses: ${signed}` });

  const lacking = await Promise.all([signed, weak, endorsed].map((commit) => world.history.ifMerged(main, commit)));

  expect(lacking.map((held) => held.map(({ path }) => path))).toEqual([[ENVIRONMENT], [ENVIRONMENT, PROJECT], []]);
  expect(lacking[0]?.[0]?.sentence).toContain('threshold dev-by-two asks for 2 people: signed by ada');
});
