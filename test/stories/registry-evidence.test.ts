import { expect, test } from 'vitest';

import { addEvidence } from '#loops/add-evidence.ts';
import { packFrom, pushArtifact } from '#loops/capsule-artifacts.ts';
import { attachBundle, signCapsule } from '#loops/capsule-signing.ts';
import { createEvidenceReader } from '#loops/evidence-branch.ts';
import type { PackedCapsule } from '#model/capsule-artifact.ts';
import { TEST_RESULT, VULNERABILITY_SCANS } from '#model/evidence.ts';
import { instantText } from '#model/instant.ts';
import { canonicalJson, type Json } from '#model/json.ts';
import { toEnvironmentName } from '#model/names.ts';
import { PortError } from '#ports/port-error.ts';
import type { Registry } from '#ports/registry.ts';
import { memoryBundles } from '#test/contracts/memory-bundles.ts';
import { memoryKept } from '#test/contracts/memory-kept.ts';
import { memoryRegistry, registryState } from '#test/contracts/memory-registry.ts';
import { portsOf, startEngine, type Engine } from './engine.ts';
import { newOutside, peopleOf, type Outside } from './outside.ts';
import { capsuleFiles, DEV, environmentFile, PROJECT_FILE, signerOf } from './shop.ts';
import { declareShop } from './stories.ts';

const ENTRIES = ['lab', 'bench']
  .map((name) => `    - name: ${name}\n      sshKey: ${signerOf(name).publicKey}\n      for: [evidence]\n`)
  .join('');
const GATE = '    - name: unit\n      type: tests\n      maxAge: 7d\n';
const AT = { registry: 'registry.example.com', name: 'capsules/web' };

type Digest = Readonly<Record<string, string>>;
interface Said {
  readonly digest?: Digest;
  readonly type?: string;
  readonly predicate?: Json;
}

interface Scene {
  readonly outside: Outside;
  readonly engine: Engine;
  readonly packed: PackedCapsule;
  /** Calls of the registry by the engine, and what it does before each. */
  readonly calls: string[];
  readonly trouble: { before: (call: keyof Registry) => void };
  readonly kept: Map<string, string>;
  /** As cosign does: a statement about the artifact, beside it. */
  readonly attest: (by: string, said?: Said) => Promise<void>;
  /** The same on the evidence branch. */
  readonly add: (by: string, predicate?: Json) => Promise<void>;
  readonly gate: (name?: string) => string | undefined;
  readonly tick: (engine?: Engine) => Promise<void>;
  /** An engine that has nothing in its memory. */
  readonly restarted: () => Promise<Engine>;
  readonly sign: (by: string) => Promise<void>;
}

/** Dev takes releases that lab tested; 1.1.0 is released, its artifact is pushed, and nobody tested it yet. */
async function scene(gates: string = GATE): Promise<Scene> {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  await peopleOf(outside).push({ 'environments/project.yaml': `${PROJECT_FILE}${ENTRIES}` });
  await peopleOf(outside).push({ 'environments/dev/environment.yaml': `${environmentFile(DEV)}${gates}` });
  const state = registryState();
  const registry = memoryRegistry({ state });
  const calls: string[] = [];
  const trouble: Scene['trouble'] = { before: () => undefined };
  const watched = memoryRegistry({ state, pause: (call) => (calls.push(call), trouble.before(call)) });
  const capsuleArtifacts = { registry: async () => watched, repositoryOf: (name: string) => ({ ...AT, name: `capsules/${name}` }) };
  const kept = new Map<string, string>();
  const engineNow = () => startEngine({ ...portsOf(outside), capsuleArtifacts, kept: memoryKept(kept) });
  const engine = engineNow();
  await engine.start();
  await peopleOf(outside).push(capsuleFiles('1.1.0'));
  await engine.wake({ kind: 'look' });
  const main = await engine.world.repository.resolve('main');
  if (main === undefined) throw new Error('there is no main');
  const made = await packFrom(engine.world, await engine.world.reading.at(main), { name: 'web', version: '1.1.0' });
  if (!made.ok) throw new Error('web cannot be packed');
  const packed = made.value;
  const pushed = await pushArtifact(registry, AT, packed, '1.1.0');
  if (pushed.kind !== 'pushed') throw new Error('it was not pushed');
  const passed = (): Json => ({ result: 'PASSED', passedTests: ['it serves'], finishedOn: instantText(outside.now) });
  const { repository } = peopleOf(outside);
  return {
    outside,
    engine,
    packed,
    calls,
    trouble,
    kept,
    async attest(by, { digest = { sha256: packed.digest.slice('sha256:'.length) }, type = TEST_RESULT, predicate = passed() } = {}) {
      const subject = [{ name: 'registry.example.com/capsules/web', digest }];
      const payload = Buffer.from(canonicalJson({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType: type, predicate }));
      const key = await signerOf(by).plainKey();
      const bundle = await memoryBundles().sign({ payloadType: 'application/vnd.in-toto+json', payload, key });
      await attachBundle(registry, AT, { subject: pushed.artifact, bundle });
    },
    async sign(by) {
      const bundle = await signCapsule(memoryBundles(), await signerOf(by).plainKey(), packed);
      await attachBundle(registry, AT, { subject: pushed.artifact, bundle });
    },
    async add(by, predicate = passed()) {
      const { sha256, gitTree } = packed.facts;
      const subject = { name: 'capsules/web', digest: { sha256, gitTree } };
      await addEvidence(
        { ...engine.world, repository, evidence: createEvidenceReader(repository) },
        {
          branch: 'evidence',
          statements: [{ subject, answers: 'tests', predicateType: TEST_RESULT, predicate }],
          key: await signerOf(by).plainKey(),
          by: 'anyone',
          message: 'evidence: tests of web',
        },
      );
    },
    gate: (name = 'unit') => {
      const { body = '' } = [...outside.forge.pulls.values()].map(({ request }) => request).at(-1) ?? {};
      return body
        .replaceAll('\u2060', '')
        .replaceAll(/the key sha256:[0-9a-f]{16}/g, 'KEY')
        .split('\n')
        .find((line) => line.startsWith(`| ${name} `));
    },
    async tick(of = engine) {
      outside.now = (outside.now + 60_000) as Outside['now'];
      await of.tick();
      await of.wake({ kind: 'promote', environment: toEnvironmentName('dev') });
    },
    async restarted() {
      const next = engineNow();
      await next.start();
      return next;
    },
  };
}

function states({ outside }: Scene): readonly string[] {
  return [...outside.forge.pulls.values()].map(({ request }) => `${request.state} ${request.title}`);
}

/** A second gate that holds the promotion, so that the first can be looked at again. */
const HELD = `${GATE}    - name: nobody\n      type: approval\n      required: 1\n`;
const NONE = '| unit | tests | waiting | no evidence: there is no tests evidence of web@1.1.0 |';
const PASSED = '| unit | tests | passed | web@1.1.0: 1 of 1 passed (lab) |';

test('a release waits for its tests, and moves by itself when somebody attests them beside its artifact', async () => {
  const story = await scene();
  expect(story.gate()).toBe(NONE);
  await story.attest('lab');
  await story.tick();
  await story.tick();
  expect(states(story)).toEqual(['merged promote(dev): web 1.0.0 → 1.1.0']);
});

test('a statement that names both digests of the content counts as well as one that names the artifact', async () => {
  const story = await scene(HELD);
  const { sha256, gitTree } = story.packed.facts;
  await story.attest('lab', { digest: { sha256, gitTree } });
  await story.tick();
  expect(story.gate()).toBe(PASSED);
});

test.each<[string, string, Said, string]>([
  ['a key that nobody trusts', 'mallory', {}, 'evidence refused: web@1.1.0: unknown-key: no key that was given signed it'],
  [
    'who may sign releases only',
    'ada',
    {},
    'evidence refused: web@1.1.0: wrong-purpose: it is signed by KEY, but trust entry ada is not for evidence',
  ],
  [
    'lab about another artifact, moved here',
    'lab',
    { digest: { sha256: 'f'.repeat(64) } },
    'evidence refused: web@1.1.0: wrong-digest: it is about another content',
  ],
  ['lab, as tests that failed', 'lab', { predicate: { result: 'FAILED', finishedOn: '2026-01-05T00:00:00Z' } }, 'web@1.1.0: failed (lab)'],
])('a result by %s does not pass, and says why', async (_, by, said, why) => {
  const story = await scene();
  await story.attest(by, said);
  await story.tick();
  expect(story.gate()).toBe(`| unit | tests | failed | ${why} |`);
});

test('one digest of the content without its git tree is not enough', async () => {
  const story = await scene();
  await story.attest('lab', { digest: { sha256: story.packed.facts.sha256 } });
  await story.tick();
  expect(story.gate()).toContain('| failed | evidence refused: web@1.1.0: ');
});

test('statements of other kinds, whoever signed them, and the signature of the release are no tests', async () => {
  const story = await scene();
  const [type] = VULNERABILITY_SCANS;
  await story.attest('lab', { type, predicate: { scanner: { result: [] } } });
  await story.attest('mallory', { type });
  await story.sign('mallory');
  await story.tick();
  expect(story.gate()).toBe(NONE);
});

test('the newest word of each signer counts, wherever it lies', async () => {
  const story = await scene(HELD);
  await story.add('lab', { result: 'FAILED', finishedOn: instantText(story.outside.now) });
  await story.tick();
  expect(story.gate()).toBe('| unit | tests | failed | web@1.1.0: failed (lab) |');

  await story.attest('lab');
  await story.tick();
  expect(story.gate()).toBe(PASSED);

  await story.attest('bench', { predicate: { result: 'FAILED', finishedOn: instantText(story.outside.now) } });
  await story.tick();
  expect(story.gate()).toBe('| unit | tests | failed | web@1.1.0: failed (bench) |');
});

test.each(['PASSED', 'FAILED'])(
  'of two results at the same time beside an artifact the worse one counts, also if %s was first',
  async (first) => {
    const story = await scene(HELD);
    for (const result of [first, first === 'PASSED' ? 'FAILED' : 'PASSED'])
      await story.attest('lab', { predicate: { result, finishedOn: instantText(story.outside.now) } });
    await story.tick();
    expect(story.gate()).toBe('| unit | tests | failed | web@1.1.0: failed (lab) |');
  },
);

test('a threshold counts people over both places', async () => {
  const story = await scene(HELD);
  const two = '  thresholds:\n    - name: two\n      for: [evidence]\n      of: [lab, bench]\n      atLeast: 2\n';
  await peopleOf(story.outside).push({ 'environments/project.yaml': `${PROJECT_FILE}${ENTRIES}${two}` });
  await story.attest('lab');
  await story.tick();
  expect(story.gate()).toContain('too-few-signatures');

  await story.add('bench');
  await story.tick();
  expect(story.gate()).toMatch(/^\| unit \| tests \| passed /);
});

test('where the branch answers, and where nothing is left to do, no registry is asked', async () => {
  const story = await scene();
  await story.add('lab');
  story.calls.length = 0;
  await story.tick();
  await story.tick();
  expect(states(story)).toEqual(['merged promote(dev): web 1.0.0 → 1.1.0']);
  await story.engine.drift();
  await story.tick();
  expect(story.calls).toEqual([]);
});

test('a registry that is away is never taken for one without evidence, and hides nothing that the branch says', async () => {
  const story = await scene(HELD);
  story.trouble.before = () => {
    throw new PortError('transient', 'registry.example.com does not answer');
  };
  await story.attest('lab');
  await story.tick();
  expect(story.gate()).toBe('| unit | tests | inconclusive | could not look: registry.example.com does not answer |');

  await story.add('mallory');
  await story.tick();
  expect(story.gate()).toBe('| unit | tests | inconclusive | could not look: registry.example.com does not answer |');

  await story.add('lab');
  await story.tick();
  expect(story.gate()).toBe(PASSED);
});

test('where one of several statements cannot be had, the others do not pass the gate: it may say the contrary', async () => {
  const story = await scene(HELD);
  await story.attest('bench', { predicate: { result: 'FAILED', finishedOn: instantText(story.outside.now) } });
  await story.attest('lab');
  let pulled = 0;
  story.trouble.before = (call) => {
    pulled = call === 'referrers' ? 0 : pulled + Number(call === 'blob');
    if (call === 'blob' && pulled === 1) throw new PortError('transient', 'it stalls');
  };
  await story.tick();
  expect(story.gate()).toBe('| unit | tests | inconclusive | could not look: it stalls |');
  story.trouble.before = () => undefined;
  await story.tick();
  expect(story.gate()).toBe('| unit | tests | failed | web@1.1.0: failed (bench) |');
});

test('a list is asked for once a minute, and what held once is not pulled again, not even after a restart', async () => {
  const story = await scene(HELD);
  await story.attest('lab');
  await story.tick();
  expect([story.gate(), story.kept.size]).toEqual([PASSED, 1]);

  story.calls.length = 0;
  await story.engine.wake({ kind: 'promote', environment: toEnvironmentName('dev') });
  expect(story.calls).toEqual([]);
  await story.tick();
  expect(story.calls).toEqual(['referrers']);

  story.calls.length = 0;
  await story.restarted();
  expect([story.gate(), [...new Set(story.calls)]]).toEqual([PASSED, ['referrers']]);
});

test('what somebody wrote into what is kept is believed in nothing', async () => {
  const story = await scene(HELD);
  await story.attest('mallory');
  await story.attest('lab');
  await story.tick();
  for (const key of story.kept.keys()) story.kept.set(key, JSON.stringify({ formatVersion: 1, bundle: 'e30=' }));
  const engine = await story.restarted();
  await story.tick(engine);
  expect(story.gate()).toContain('| failed | evidence refused: web@1.1.0: ');
  for (const key of story.kept.keys()) story.kept.set(key, '{');
  await story.tick(await story.restarted());
  expect(story.gate()).toBe(PASSED);
});

test('of a flood beside an artifact 64 are looked at, and that is told', async () => {
  const story = await scene();
  for (let at = 0; at < 70; at += 1) await story.attest('mallory', { predicate: { at } });
  story.calls.length = 0;
  await story.tick();
  expect(story.calls.filter((call) => call === 'blob')).toHaveLength(64);
  expect(story.gate()).toContain('not all statements were looked at, there are more');
});
