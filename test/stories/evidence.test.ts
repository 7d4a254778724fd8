import { expect, test } from 'vitest';

import { addEvidence, type NewStatement } from '#loops/add-evidence.ts';
import { createEvidenceReader, evidencePath } from '#loops/evidence-branch.ts';
import { TEST_RESULT } from '#model/evidence.ts';
import { instantText } from '#model/instant.ts';
import type { Json } from '#model/json.ts';
import { branchRef, toCapsuleName, toEnvironmentName } from '#model/names.ts';
import { portsOf, startEngine, type Engine } from './engine.ts';
import { newOutside, peopleOf, type Outside } from './outside.ts';
import { capsuleFiles, DEV, environmentFile, PROJECT_FILE, signerOf } from './shop.ts';
import { declareShop } from './stories.ts';

const ENTRIES = `    - name: lab
      sshKey: ${signerOf('lab').publicKey}
      for: [evidence]
    - name: old-lab
      sshKey: ${signerOf('old-lab').publicKey}
      for: [evidence]
      validUntil: "2025-12-31"
`;
const GATE = '    - name: unit\n      type: tests\n      maxAge: 7d\n';

interface Scene {
  readonly outside: Outside;
  readonly engine: Engine;
  /** Gates of the open promotion to dev, as its description tells them. */
  readonly gate: () => Promise<string | undefined>;
  /** What stands at the subject of web 1.1.0. */
  readonly content: { readonly sha256: string; readonly gitTree: string };
  readonly add: (by: string, more?: Partial<NewStatement>) => Promise<void>;
  readonly tick: () => Promise<void>;
}

function passed(outside: Outside, more: Readonly<Record<string, Json>> = {}): Json {
  return { result: 'PASSED', passedTests: ['it serves'], finishedOn: instantText(outside.now), ...more };
}

/** Dev takes releases that lab tested; 1.1.0 is released and nobody tested it yet. */
async function scene(): Promise<Scene> {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  await peopleOf(outside).push({ 'environments/project.yaml': `${PROJECT_FILE}${ENTRIES}` });
  await peopleOf(outside).push({ 'environments/dev/environment.yaml': `${environmentFile(DEV)}${GATE}` });
  const engine = startEngine(portsOf(outside));
  await engine.start();
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await engine.wake({ kind: 'look' });
  const main = await engine.world.repository.resolve('main');
  if (main === undefined) throw new Error('there is no main');
  const { index } = await engine.world.history.upTo(main);
  const release = index.releases.get(toCapsuleName('web'))?.get('1.1.0');
  if (release === undefined) throw new Error('nothing was released');
  const { source } = await engine.world.reading.capsule(release.capsule, release.gitTree);
  const { repository } = peopleOf(outside);
  const content = { sha256: source?.sha256 ?? '', gitTree: release.gitTree };
  return {
    outside,
    engine,
    content,
    gate: async () => {
      const { body = '' } = [...outside.forge.pulls.values()].map(({ request }) => request).at(-1) ?? {};
      return body
        .replaceAll('\u2060', '')
        .split('\n')
        .find((line) => line.startsWith('| unit '));
    },
    async add(by, more = {}) {
      const statement = { subject: { name: 'capsules/web', digest: content }, answers: 'tests', predicateType: TEST_RESULT };
      await addEvidence(
        { ...engine.world, repository, evidence: createEvidenceReader(repository) },
        {
          branch: 'evidence',
          statements: [{ ...statement, predicate: passed(outside), ...more }],
          key: await signerOf(by).plainKey(),
          by: 'anyone',
          message: 'evidence: tests of web',
        },
      );
    },
    async tick() {
      outside.now = (outside.now + 60_000) as Outside['now'];
      await engine.tick();
      await engine.wake({ kind: 'promote', environment: toEnvironmentName('dev') });
    },
  };
}

test('a release waits for its tests, and moves by itself when their signed result is on the evidence branch', async () => {
  const { outside, add, tick, gate } = await scene();
  expect(await gate()).toBe('| unit | tests | waiting | no evidence: there is no tests evidence of web@1.1.0 |');

  await add('lab');
  await tick();
  await tick();

  expect([...outside.forge.pulls.values()].map(({ request }) => `${request.state} ${request.title}`)).toEqual([
    'merged promote(dev): web 1.0.0 → 1.1.0',
  ]);
  const main = await peopleOf(outside).repository.resolve('main');
  const message = main === undefined ? '' : (await peopleOf(outside).repository.commit(main)).message;
  expect(message).toContain('unit=passed (web@1.1.0: 1 of 1 passed (lab))');
});

test.each<[string, string, string]>([
  ['a key that nobody trusts', 'mallory', 'unknown-key: no key that was given signed it'],
  ['who may sign releases only', 'ada', 'wrong-purpose: it is signed by KEY, but trust entry ada is not for evidence'],
  ['a key whose time is over', 'old-lab', 'outside-window: it is signed by KEY, but trust entry old-lab was not valid then'],
])('a result signed by %s is refused, and says why', async (_, by, why) => {
  const { add, tick, gate } = await scene();
  await add(by);
  await tick();
  expect((await gate())?.replace(/the key sha256:[0-9a-f]{16}/, 'KEY')).toBe(
    `| unit | tests | failed | evidence refused: web@1.1.0: ${why} |`,
  );
});

test('a good result of another content does not count where it is put under this one, and old ones end', async () => {
  const { outside, engine, content, add, tick, gate } = await scene();
  const { repository } = peopleOf(outside);
  const other = { sha256: 'f'.repeat(64), gitTree: content.gitTree };
  await add('lab', { subject: { name: 'capsules/web', digest: other } });
  const head = (await repository.refs()).get(branchRef('evidence'));
  const [stolen] = (await engine.world.evidence.of(undefined, other.sha256)).bundles;
  expect(stolen).toBeUndefined();
  await engine.world.repository.fetch();
  const { bundles } = await engine.world.evidence.of(head, other.sha256);
  const bytes = bundles[0] === undefined ? undefined : await engine.world.evidence.bytes(bundles[0].blob);
  if (bytes === undefined) throw new Error('nothing was added');
  const path = evidencePath(content.sha256, `tests-${'0'.repeat(26)}`);
  await peopleOf(outside).push({ [path]: Buffer.from(bytes).toString('utf8') }, { branch: 'evidence' });
  await tick();
  expect(await gate()).toBe('| unit | tests | failed | evidence refused: web@1.1.0: wrong-digest: it is about another content |');

  await add('lab', { predicate: passed(outside, { finishedOn: instantText((outside.now - 8 * 86_400_000) as Outside['now']) }) });
  await tick();
  expect(await gate()).toBe('| unit | tests | failed | evidence refused: web@1.1.0: tests evidence is 8d1m old; gate allows 7d |');
});

test('a result made for one gate and stored for another answers only the one that was signed', async () => {
  const { outside, add, tick, gate } = await scene();
  await add('lab', { predicate: passed(outside, { gate: 'lint' }), answers: 'unit' });
  await tick();
  expect(await gate()).toBe('| unit | tests | waiting | no evidence: there is no tests evidence of web@1.1.0 |');
});

test('what lies there costs a look at one folder, is verified once, and a no-op tick reads nothing of it', async () => {
  const { engine, add, content } = await scene();
  for (let at = 0; at < 5; at += 1)
    await add('lab', { subject: { name: 'capsules/other', digest: { ...content, sha256: `${at}`.repeat(64) } } });
  await add('lab');
  await add('lab');
  await engine.world.repository.fetch();
  const head = await engine.world.repository.resolve('evidence');
  const before = engine.world.repository.counts();
  const { bundles } = await engine.world.evidence.of(head, content.sha256);
  expect(bundles).toHaveLength(1);
  const after = engine.world.repository.counts();
  expect([after.treesRead - before.treesRead, after.blobsRead - before.blobsRead, after.commitsRead - before.commitsRead]).toEqual([
    3, 0, 1,
  ]);

  await engine.wake({ kind: 'promote', environment: toEnvironmentName('dev') });
  const settled = engine.world.repository.counts();
  await engine.tick();
  expect(engine.world.repository.counts().blobsRead - settled.blobsRead).toBe(0);
});
