import { createMessage, generateKey, sign, type PrivateKey } from 'openpgp';
import { expect, test } from 'vitest';

import { createWorld } from '#loops/create-world.ts';
import { judgeCommits, judgeTag, type SignatureQuestion } from '#loops/verify-commits.ts';
import type { World } from '#loops/world.ts';
import type { CommitId } from '#model/digest.ts';
import { objectIdOf } from '#model/git-objects.ts';
import { branchRef, toRefName } from '#model/names.ts';
import type { CommitSignatures } from '#ports/commit-signatures.ts';
import { changed, plantedGarden, type Garden } from '#test/loops/garden.ts';
import { portsOf } from '#test/stories/engine.ts';

const DEV = 'environments/dev/environment.yaml';
const POLICY: SignatureQuestion = { given: undefined, revoked: new Set(), firstSeen: undefined };

interface Counted {
  readonly world: World;
  /** How often the libraries were asked. */
  readonly asked: { loads: number; questions: number };
}

function countedWorld({ outside }: Garden): Counted {
  const ports = portsOf(outside);
  const asked = { loads: 0, questions: 0 };
  async function signatures(): Promise<CommitSignatures> {
    asked.loads += 1;
    const port = await ports.signatures();
    return {
      keyring: (bytes) => port.keyring(bytes),
      examine(question) {
        asked.questions += 1;
        return port.examine(question);
      },
    };
  }
  return { world: createWorld({ ...ports, signatures }), asked };
}

async function key(garden: Garden, name: string): Promise<PrivateKey> {
  const date = new Date(garden.outside.now - 86_400_000);
  const userIDs = [{ name, email: `${name}@example.org` }];
  return (await generateKey({ type: 'ecc', curve: 'ed25519Legacy', userIDs, date, subkeys: [], format: 'object' })).privateKey;
}

/** A garden in which ada lets bob's OpenPGP key sign. */
async function withBob(): Promise<{ readonly garden: Garden; readonly bob: PrivateKey }> {
  const planted = await plantedGarden();
  const bob = await key(planted, 'bob');
  const garden = await changed(planted, {
    'policies/keys/bob.asc': bob.toPublic().armor().replaceAll('\r\n', '\n'),
    'environments/project.yaml': (text) =>
      `${text.trimEnd()}\n    - name: bob\n      openpgpKey:\n        file: policies/keys/bob.asc\n      for: [commit, capsule]\n`,
  });
  return { garden, bob };
}

/** One more commit, signed with OpenPGP; on main unless another branch is named. */
async function commitBy(signer: PrivateKey, garden: Garden, content: string, branch = 'main'): Promise<CommitId> {
  const { repository } = portsOf(garden.outside);
  await repository.fetch();
  const id = await repository.writeCommit(
    {
      base: (await repository.commit(garden.head)).tree,
      changes: [{ kind: 'file', path: DEV, content: Buffer.from(content) }],
      parents: [garden.head],
      author: { name: 'Somebody', email: 'else@example.org', at: garden.outside.now, zone: '+0000' },
      message: 'change\n',
    },
    async (payload) => {
      const message = await createMessage({ binary: payload });
      const armoured = await sign({ message, signingKeys: signer, detached: true, date: new Date(garden.outside.now) });
      return String(armoured).replaceAll('\r\n', '\n');
    },
  );
  const ref = branchRef(branch);
  await repository.push([{ ref, expected: (await repository.refs()).get(ref), next: id }]);
  return id;
}

test('a commit counts that an OpenPGP key of the project signed, and each signature is looked at once', async () => {
  const { garden, bob } = await withBob();
  const head = await commitBy(bob, garden, (garden.files[DEV] ?? '').replace('replicas: 1', 'replicas: 3'));
  const { world, asked } = countedWorld(garden);
  await world.repository.fetch();

  const { trust } = await world.history.upTo(head);
  const after = { ...asked };
  const [judged] = await judgeCommits(world, POLICY, { head, base: garden.head });
  await world.history.upTo(head);

  expect(trust.verdict(DEV)).toMatchObject({ kind: 'accepted', by: 'bob', commit: head });
  expect(judged).toMatchObject({ verdict: { kind: 'accepted', signer: 'bob', fingerprint: bob.getFingerprint().toUpperCase() } });
  expect(after).toEqual({ loads: 1, questions: 1 });
  expect(asked).toEqual({ loads: 1, questions: 1 });
});

test('where only SSH keys may sign nothing is loaded and nobody is asked, whatever commits carry', async () => {
  const garden = await plantedGarden();
  const head = await commitBy(await key(garden, 'eve'), garden, (garden.files[DEV] ?? '').replace('replicas: 1', 'replicas: 3'));
  const { world, asked } = countedWorld(garden);
  await world.repository.fetch();

  const { trust } = await world.history.upTo(head);
  const [judged] = await judgeCommits(world, POLICY, { head, base: undefined });

  expect(trust.verdict(DEV)).toMatchObject({ kind: 'refused', commit: head });
  expect(judged?.verdict).toEqual({ kind: 'refused', code: 'unknown-key' });
  expect(asked).toEqual({ loads: 0, questions: 0 });
});

test('row 70: a key that the same proposal declares does not count: the protected base decides', async () => {
  const { garden } = await withBob();
  const eve = await key(garden, 'eve');
  const proposal = await changed(garden, {
    'policies/keys/bob.asc': eve.toPublic().armor().replaceAll('\r\n', '\n'),
  });
  // The change stands on main's parent only as a branch: main goes back to what was accepted.
  const head = await commitBy(eve, { ...proposal, outside: proposal.outside }, 'x: 1\n', 'proposal');
  const { repository } = portsOf(proposal.outside);
  await repository.fetch();
  await repository.push([{ ref: branchRef('main'), expected: proposal.head, next: garden.head }]);
  const { world } = countedWorld(proposal);
  await world.repository.fetch();

  const [judged] = await judgeCommits(world, POLICY, { head, base: undefined });

  expect(judged?.verdict).toEqual({ kind: 'refused', code: 'unknown-key' });
});

test('a range is judged commit by commit, and its base must be an ancestor', async () => {
  const { garden, bob } = await withBob();
  const one = await commitBy(bob, garden, 'x: 1\n', 'side');
  const other = await commitBy(await key(garden, 'eve'), { ...garden, head: one }, 'x: 2\n', 'more');
  const { world } = countedWorld(garden);
  await world.repository.fetch();

  const judged = await judgeCommits(world, POLICY, { head: other, base: garden.head });
  const empty = await judgeCommits(world, POLICY, { head: one, base: one });
  const backwards = await judgeCommits(world, POLICY, { head: garden.head, base: one });

  expect(judged.map((item) => [item.id, item.verdict.kind])).toEqual([
    [other, 'refused'],
    [one, 'accepted'],
  ]);
  expect(empty).toEqual([]);
  expect(backwards.map((item) => item.verdict)).toEqual([{ kind: 'refused', code: 'not-an-ancestor' }]);
});

test('row 29: no range is judged where history is cut off', async () => {
  const { garden } = await withBob();
  const { world } = countedWorld(garden);
  await world.repository.fetch();
  const shallow = { ...world, repository: { ...world.repository, isShallow: async () => true } };

  await expect(judgeCommits(shallow, POLICY, { head: garden.head, base: garden.head })).rejects.toThrow('cut off (shallow)');
});

test('row 24: a tag counts under the name it was made for, and only if it is an object', async () => {
  const { garden } = await withBob();
  const text = `object ${garden.head}\ntype commit\ntag v1.0.0\ntagger Ada <ada@example.org> 1 +0000\n\nrelease\n`;
  const id = objectIdOf('tag', Buffer.from(text));
  const { disk } = { disk: garden.outside.remote };
  disk.objects.set(id, { id, type: 'tag', content: Buffer.from(text) });
  const { world } = countedWorld(garden);
  await world.repository.fetch();
  for (const [name, target] of Object.entries({ 'v1.0.0': id, 'v2.0.0': id, light: garden.head }))
    garden.outside.mirror.refs.set(toRefName(`refs/tags/${name}`), target as CommitId);

  const codes = await Promise.all(['v1.0.0', 'v2.0.0', 'light', id].map((name) => judgeTag(world, POLICY, name)));

  expect(codes.map((judged) => judged?.verdict)).toEqual([
    { kind: 'unsigned', code: 'unsigned' },
    { kind: 'refused', code: 'wrong-tag-name' },
    { kind: 'refused', code: 'lightweight-tag' },
    { kind: 'unsigned', code: 'unsigned' },
  ]);
  expect(await judgeTag(world, POLICY, 'nothing')).toBeUndefined();
});
