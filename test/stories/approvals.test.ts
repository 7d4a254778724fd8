import { expect, test } from 'vitest';

import { appendEvidence } from '#loops/add-evidence.ts';
import { createEvidenceReader } from '#loops/evidence-branch.ts';
import { promote } from '#loops/promote.ts';
import { APPROVAL } from '#model/evidence.ts';
import { toEnvironmentName } from '#model/names.ts';
import { approvalFile, approvalText, APPROVAL_NAMESPACE, type Approved } from '#model/signed-approval.ts';
import { changeSetDigest } from '#resolve/resolve.ts';
import { portsOf, startEngine, type Engine } from './engine.ts';
import { newOutside, peopleOf, type Outside } from './outside.ts';
import { capsuleFiles, DEV, environmentFile, PROD, PROJECT_FILE, signerOf, STAGING } from './shop.ts';
import { declareShop } from './stories.ts';

const MINUTE = 60_000;
const PEOPLE = ['bob', 'eve']
  .map((name) => `    - name: ${name}-laptop\n      user: ${name}\n      sshKey: ${signerOf(name).publicKey}\n      for: [approval]\n`)
  .join('');
const ADA = `    - name: ada-approves\n      user: ada\n      sshKey: ${signerOf('ada').publicKey}\n      for: [approval]\n`;
const RULE = '  approvals:\n    - required: 1\n      signed: true\n';

interface Scene {
  readonly outside: Outside;
  readonly engine: Engine;
  /** What the approval of the open promotion to prod says. */
  gate: () => Promise<string | undefined>;
  pending: () => Promise<Approved>;
  approve: (
    by: string,
    approved: Approved,
    more?: { readonly namespace?: string; readonly below?: string; readonly text?: string },
  ) => Promise<void>;
  passes: (minutes: number) => Promise<void>;
}

/** A release that has soaked and waits for approval to prod, where approvals are signed. */
async function scene(rule = RULE): Promise<Scene> {
  const outside = newOutside();
  const { approvals: _, ...prod } = PROD;
  await declareShop(outside, [DEV, STAGING, prod]);
  await peopleOf(outside).push({ 'environments/project.yaml': `${PROJECT_FILE}${PEOPLE}${ADA}` });
  await peopleOf(outside).push({ 'environments/prod/environment.yaml': `${environmentFile(prod)}${rule}` });
  const engine = startEngine(portsOf(outside));
  await engine.start();
  const advance = (minutes: number): void => {
    outside.now = (outside.now + minutes * MINUTE) as Outside['now'];
  };
  const passes = async (minutes: number): Promise<void> => {
    advance(minutes);
    await engine.tick();
    await engine.drift();
    await engine.tick();
  };
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await engine.wake({ kind: 'look' });
  await passes(11);
  await passes(61);
  return {
    outside,
    engine,
    passes,
    gate: async () => {
      await passes(1);
      await engine.wake({ kind: 'promote', environment: toEnvironmentName('prod') });
      const open = [...outside.forge.pulls.values()].map(({ request }) => request).findLast(({ head }) => head.startsWith('promote/prod/'));
      return open?.body
        .replaceAll('\u2060', '')
        .split('\n')
        .find((line) => line.startsWith('| approval-1 '));
    },
    async pending() {
      const { changes } = await promote(engine.world, { environment: 'prod', only: undefined, dryRun: true, byPerson: true });
      const [first] = changes;
      if (first === undefined) throw new Error('nothing waits');
      const { id, moves } = first.draft.changeSet;
      return { environment: 'prod', changeSet: id, sha256: changeSetDigest(moves) };
    },
    async approve(by, approved, { namespace = APPROVAL_NAMESPACE, below = approved.sha256, text } = {}) {
      const statement = text ?? approvalText(approved, outside.now);
      const signature = await signerOf(by).sign(Buffer.from(approvalText(approved, outside.now)), namespace);
      const { repository } = peopleOf(outside);
      const bundles = [
        { sha256: below, answers: 'approval', bundle: Buffer.from(approvalFile(statement, signature)), form: 'approval' as const },
      ];
      await appendEvidence(
        { ...engine.world, repository, evidence: createEvidenceReader(repository) },
        { branch: 'evidence', bundles, by: 'anyone', message: 'evidence: an approval' },
      );
    },
  };
}

test('a review alone does not count where approvals are signed; the signature of a person over the change set does', async () => {
  const { outside, engine, gate, pending, approve } = await scene();
  expect(await gate()).toBe('| approval-1 | approval | waiting | 0 of 1 signed |');
  const { number } = [...outside.forge.pulls.values()]
    .map(({ request }) => request)
    .findLast(({ head }) => head.startsWith('promote/prod/')) ?? { number: 0 };
  await peopleOf(outside).forge('bob').review(number, 'approved');
  expect(await gate()).toBe('| approval-1 | approval | waiting | 0 of 1 signed |');

  await approve('bob', await pending());

  expect(await gate()).toBe('| approval-1 | approval | passed | bob signed; 1 of 1 signed |');
  expect(engine.endings.get('promote/prod')).toMatchObject({
    kind: 'waiting',
    reasons: [expect.stringContaining('waits for a person to merge it')],
  });
});

test.each<[string, (play: Scene) => Promise<void>, string]>([
  [
    'by who wrote the release',
    async (play) => play.approve('ada', await play.pending()),
    'approval by ada does not count: ada authored the release',
  ],
  [
    'by a key that is not for approvals',
    async (play) => play.approve('capstan', await play.pending()),
    'a signed approval does not count: it is signed by KEY, but trust entry engine is not for approval',
  ],
  [
    'by a key that nobody trusts',
    async (play) => play.approve('mallory', await play.pending()),
    'a signed approval does not count: it is signed by KEY, and no trust entry names that',
  ],
  [
    'in the namespace of commits',
    async (play) => play.approve('bob', await play.pending(), { namespace: 'git' }),
    'a signed approval does not count: the signature was made for another purpose than capstan-approval',
  ],
  [
    'of the same moves for another environment',
    async (play) => play.approve('bob', { ...(await play.pending()), environment: 'staging' }),
    'a signed approval does not count: it is an approval for staging',
  ],
  [
    'whose text was changed after it was signed',
    async (play) => {
      const approved = await play.pending();
      await play.approve('bob', { ...approved, environment: 'staging' }, { text: approvalText(approved, play.outside.now) });
    },
    'a signed approval does not count: the signature does not fit the statement',
  ],
])('an approval %s is refused', async (_, attack, why) => {
  const play = await scene();
  await attack(play);
  expect((await play.gate())?.replace(/the key sha256:[0-9a-f]{16}/, 'KEY')).toBe(
    `| approval-1 | approval | waiting | 0 of 1 signed; ${why} |`,
  );
});

test('an approval of an older change set does not count for the one that took its place, wherever it is put', async () => {
  const play = await scene();
  const older = await play.pending();
  await play.approve('bob', older);
  await peopleOf(play.outside).push(capsuleFiles('1.2.0'));
  await play.engine.wake({ kind: 'look' });
  await play.passes(11);
  await play.passes(61);
  await play.engine.wake({ kind: 'promote', environment: toEnvironmentName('prod') });
  // It holds all its gates, so it is not superseded: a person closes it, and the newer one is opened.
  const open = [...play.outside.forge.pulls.values()]
    .map(({ request }) => request)
    .find(({ head }) => head === `promote/prod/${older.changeSet}`);
  await peopleOf(play.outside)
    .forge('eve')
    .edit(open?.number ?? 0, { state: 'closed' });
  const newer = await play.pending();
  expect(newer.changeSet).not.toBe(older.changeSet);
  expect(await play.gate()).toContain('| waiting | 0 of 1 signed |');

  await play.approve('bob', older, { below: newer.sha256 });

  expect(await play.gate()).toContain(
    `0 of 1 signed; a signed approval does not count: it is an approval of another change set (${older.changeSet})`,
  );
});

test('what a review let through is written down once, signed by the engine, with the digest of the review', async () => {
  const { outside, engine, passes, pending } = await scene('  approvals:\n    - required: 1\n');
  const approved = await pending();
  const bob = peopleOf(outside).forge('bob');
  const { number, headCommit, title } = [...outside.forge.pulls.values()]
    .map(({ request }) => request)
    .findLast(({ head }) => head.startsWith('promote/prod/')) ?? {
    number: 0,
    headCommit: undefined,
    title: '',
  };
  await bob.review(number, 'approved');
  await engine.wake({ kind: 'promote', environment: toEnvironmentName('prod') });
  if (headCommit === undefined) throw new Error('no request');
  expect(await bob.merge(number, { head: headCommit, title, message: 'by hand' })).toMatchObject({ kind: 'merged' });
  await engine.wake({ kind: 'look' });
  await passes(1);
  await passes(1);

  const reader = createEvidenceReader(peopleOf(outside).repository);
  const head = await peopleOf(outside).repository.resolve('evidence');
  const { bundles } = await reader.of(head, approved.sha256);
  expect(bundles.map(({ answers, form }) => `${answers} ${form}`)).toEqual(['approval sigstore']);
  const bundle = bundles[0] === undefined ? undefined : await reader.bytes(bundles[0].blob);
  const { publicKeyPem: pem } = await signerOf('capstan').plainKey();
  const finding = (await engine.world.bundles()).verify({
    bundle: bundle ?? new Uint8Array(),
    subject: { kind: 'digest', algorithm: 'sha256', hex: approved.sha256 },
    credentials: [{ kind: 'public-key', pem }],
    trustedRoot: undefined,
  });
  const review = outside.forge.pulls.get(number)?.reviews[0];
  expect(finding).toMatchObject({
    kind: 'verified',
    fact: {
      predicateType: APPROVAL,
      predicate: {
        attestedBy: 'engine',
        environment: 'prod',
        changeSet: approved.changeSet,
        changeRequest: `acme/shop#${number}`,
        reviewer: 'bob',
        commit: headCommit,
        reviewSha256: review?.sha256,
      },
    },
  });
});
