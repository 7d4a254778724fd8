import { expect, test } from 'vitest';

import { archiveRegistry } from '#adapters/oci-layout/oci-layout.ts';
import { appendEvidence } from '#loops/add-evidence.ts';
import { packFrom, pushArtifact } from '#loops/capsule-artifacts.ts';
import { attachBundle, signCapsule } from '#loops/capsule-signing.ts';
import { createEvidenceReader } from '#loops/evidence-branch.ts';
import type { ArtifactFacts, PackedCapsule } from '#model/capsule-artifact.ts';
import { sha256Of, toSha256, toTreeId } from '#model/digest.ts';
import { canonicalJson } from '#model/json.ts';
import { toEnvironmentName } from '#model/names.ts';
import { PortError } from '#ports/port-error.ts';
import type { Registry } from '#ports/registry.ts';
import { memoryBundles } from '#test/contracts/memory-bundles.ts';
import { portsOf, startEngine, type Engine, type Ports } from './engine.ts';
import { newOutside, peopleOf, targetOf, type Outside } from './outside.ts';
import { capsuleFiles, DEV, PROJECT_FILE, signerOf, type Files } from './shop.ts';
import { declareShop } from './stories.ts';

const ENTRIES = `    - name: ci-release
      sshKey: ${signerOf('ci').publicKey}
      for: [capsule]
    - name: old-ci
      sshKey: ${signerOf('old-ci').publicKey}
      for: [capsule]
      validUntil: "2025-12-31"
    - name: lab
      sshKey: ${signerOf('lab').publicKey}
      for: [evidence]
`;
const LOCK = 'environments/dev/environment.lock.yaml';

/** A release that asks for a signature, by `ci-release` and `old-ci` alone. */
function signedCapsule(version: string): Files {
  const files = capsuleFiles(version);
  const text = files['capsules/web/capsule.yaml'] ?? '';
  return {
    'capsules/web/capsule.yaml': `${text}  security:\n    signatures:\n      required: true\n      identities: [ci-release, old-ci]\n`,
  };
}

interface Scene {
  readonly outside: Outside;
  readonly engine: Engine;
  /** The gate of the newest promotion to dev, as its description tells it. */
  readonly gate: () => Promise<string | undefined>;
  readonly packed: (version: string) => Promise<PackedCapsule>;
  /** Signs as `by`, and puts it under the content of web 1.1.0. */
  readonly sign: (by: string, about?: Partial<ArtifactFacts>) => Promise<void>;
  /** Puts a bundle under the content of web 1.1.0. */
  readonly put: (bundle: Uint8Array) => Promise<void>;
  readonly tick: () => Promise<void>;
}

/** Dev runs web 1.0.0, which asks for nothing; 1.1.0 asks for a signature and has none yet. */
async function scene(capsuleArtifacts?: Ports['capsuleArtifacts']): Promise<Scene> {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  await peopleOf(outside).push({ 'environments/project.yaml': `${PROJECT_FILE}${ENTRIES}` });
  const engine = startEngine({ ...portsOf(outside), capsuleArtifacts });
  await engine.start();
  await peopleOf(outside).push(signedCapsule('1.1.0'));
  await engine.wake({ kind: 'look' });
  return sceneOf(outside, engine);
}

function sceneOf(outside: Outside, engine: Engine): Scene {
  const { repository } = peopleOf(outside);
  async function packed(version: string): Promise<PackedCapsule> {
    const main = await engine.world.repository.resolve('main');
    if (main === undefined) throw new Error('there is no main');
    const made = await packFrom(engine.world, await engine.world.reading.at(main), { name: 'web', version });
    if (!made.ok) throw new Error('web cannot be packed');
    return made.value;
  }
  async function put(bundle: Uint8Array): Promise<void> {
    const { facts } = await packed('1.1.0');
    await appendEvidence(
      { ...engine.world, repository, evidence: createEvidenceReader(repository) },
      { branch: 'evidence', bundles: [{ sha256: facts.sha256, answers: 'signature', bundle }], by: 'anyone', message: 'evidence: web' },
    );
  }
  return {
    outside,
    engine,
    packed,
    put,
    gate: async () => {
      const { body = '' } = [...outside.forge.pulls.values()].map(({ request }) => request).at(-1) ?? {};
      return body
        .replaceAll('\u2060', '')
        .split('\n')
        .find((line) => line.startsWith('| signed '));
    },
    async sign(by, about = {}) {
      const { facts, digest } = await packed('1.1.0');
      await put(await signCapsule(memoryBundles(), await signerOf(by).plainKey(), { facts: { ...facts, ...about }, digest }));
    },
    async tick() {
      outside.now = (outside.now + 60_000) as Outside['now'];
      await engine.tick();
      await engine.wake({ kind: 'promote', environment: toEnvironmentName('dev') });
    },
  };
}

function endingOf({ engine }: Scene): string {
  const ending = engine.endings.get('reconcile/dev');
  return ending?.kind === 'stuck'
    ? ending.problems.map(({ rule, code, message }) => `${rule ?? code} ${message}`).join('\n')
    : (ending?.kind ?? 'none');
}

/** Web as it lies in the target. */
function running({ outside }: Scene): string | undefined {
  const text = [...targetOf(outside, 'dev/one').files.values()].join('\n');
  return /capstan\.dev\/version: "?([0-9.]+)"?/.exec(text)?.[1];
}

test('a release that asks for a signature waits for it, and moves by itself when it is on the evidence branch', async () => {
  const story = await scene();
  expect(await story.gate()).toBe('| signed | signature | waiting | web@1.1.0 is not signed |');

  await story.sign('ci');
  await story.tick();
  await story.tick();

  expect([...story.outside.forge.pulls.values()].map(({ request }) => `${request.state} ${request.title}`)).toEqual([
    'merged promote(dev): web 1.0.0 → 1.1.0',
  ]);
  const main = await peopleOf(story.outside).repository.resolve('main');
  const message = main === undefined ? '' : (await peopleOf(story.outside).repository.commit(main)).message;
  expect(message).toContain('signed=passed (web by ada, its release by ci-release)');
  expect([endingOf(story), running(story)]).toEqual(['settled', '1.1.0']);
});

test.each<[string, string, string]>([
  ['a key that nobody trusts', 'mallory', 'is signed by nobody whose key is trusted'],
  ['who may sign capsules, but not this one', 'ada', 'is signed by ada; allowed: ci-release, old-ci'],
  ['who may sign evidence only', 'lab', 'is signed by KEY, but trust entry lab is not for capsule'],
  ['a key whose time is over', 'old-ci', 'is signed by KEY, but trust entry old-ci was not valid then'],
])('a release signed by %s is refused, and says why', async (_, by, why) => {
  const story = await scene();
  await story.sign(by);
  await story.tick();
  expect((await story.gate())?.replace(/the key sha256:[0-9a-f]{16}/, 'KEY')).toBe(`| signed | signature | failed | web@1.1.0 ${why} |`);
  expect(running(story)).toBe('1.0.0');
});

test.each<[string, Partial<ArtifactFacts>, string]>([
  ['another content', { sha256: toSha256('f'.repeat(64)) }, 'has a signature that does not count: it is about another content'],
  [
    'another git tree with the same files',
    { gitTree: toTreeId('f'.repeat(40)) },
    `carries a signature of another git tree (${'f'.repeat(12)})`,
  ],
  ['another capsule', { name: 'redis' }, 'carries the signature of another capsule (capsules/redis)'],
])('a signature of %s, put under this release, does not count', async (_, about, why) => {
  const story = await scene();
  await story.sign('ci', about);
  await story.tick();
  expect(await story.gate()).toBe(`| signed | signature | failed | web@1.1.0 ${why} |`);
});

test('a statement of another kind by who may sign does not count as the signature of a release', async () => {
  const story = await scene();
  const { facts } = await story.packed('1.1.0');
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'capsules/web', digest: { sha256: facts.sha256, gitTree: facts.gitTree } }],
    predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
    predicate: { result: 'PASSED' },
  };
  const payload = Buffer.from(canonicalJson(statement));
  await story.put(
    await memoryBundles().sign({ payloadType: 'application/vnd.in-toto+json', payload, key: await signerOf('ci').plainKey() }),
  );
  await story.tick();
  expect(await story.gate()).toBe(
    '| signed | signature | failed | web@1.1.0 has a signed statement of another kind (https://in-toto.io/attestation/test-result/v0.1), which is no release |',
  );
});

test('where two people must sign a release, one does not suffice', async () => {
  const story = await scene();
  const entries = ENTRIES.replace('      validUntil: "2025-12-31"\n', '');
  const thresholds =
    '  thresholds:\n    - name: two\n      for: [capsule]\n      paths: ["capsules/web"]\n      of: [ci-release, old-ci]\n      atLeast: 2\n';
  await peopleOf(story.outside).push({ 'environments/project.yaml': `${PROJECT_FILE}${entries}${thresholds}` });
  await story.sign('ci');
  await story.sign('ci');
  await story.tick();
  expect(await story.gate()).toContain('web@1.1.0 is not signed by enough people: threshold two asks for 2 people');

  await story.sign('old-ci');
  await story.tick();
  expect(await story.gate()).toBe('| signed | signature | passed | web by ada, its release by old-ci |');
});

/** Somebody merges the promotion past its gates. */
async function mergedByHand(story: Scene): Promise<void> {
  const [pull] = [...story.outside.forge.pulls.values()].slice(-1);
  if (pull === undefined) throw new Error('nothing was promoted');
  const { number, headCommit, title } = pull.request;
  story.outside.forge.protections.set('main', { protected: true, requiredChecks: [], requiredApprovals: 0 });
  expect((await peopleOf(story.outside).forge('ada').merge(number, { head: headCommit, title, message: 'by hand' })).kind).toBe('merged');
  await story.engine.wake({ kind: 'look' });
}

test('what was merged past the gate is not applied, until it is signed', async () => {
  const story = await scene();
  await mergedByHand(story);
  expect([endingOf(story), running(story)]).toEqual(['V-83 web@1.1.0 is not signed', '1.0.0']);

  await story.sign('ci');
  await story.engine.world.repository.fetch();
  await story.engine.drift();
  expect([endingOf(story), running(story)]).toEqual(['settled', '1.1.0']);
});

async function shipped(): Promise<Scene> {
  const story = await scene();
  await story.sign('ci');
  await story.tick();
  await story.tick();
  expect(running(story)).toBe('1.1.0');
  return story;
}

test('it is asked again before each apply: who is taken out of the trust entries vouches for nothing more', async () => {
  const story = await shipped();
  const without = `${PROJECT_FILE}${ENTRIES.slice(ENTRIES.indexOf('    - name: old-ci'))}`;
  await peopleOf(story.outside).push({ 'environments/project.yaml': without });
  await story.engine.wake({ kind: 'look' });
  expect(endingOf(story)).toBe('V-83 web@1.1.0 is signed by nobody whose key is trusted');
});

test('a key that expires after the release came to a target goes on vouching for it, also for an engine that remembers nothing', async () => {
  const story = await shipped();
  const expiring = ENTRIES.replace(
    '      for: [capsule]\n    - name: old-ci',
    '      for: [capsule]\n      validUntil: "2026-01-06"\n    - name: old-ci',
  );
  await peopleOf(story.outside).push({ 'environments/project.yaml': `${PROJECT_FILE}${expiring}` });
  await story.engine.wake({ kind: 'look' });
  story.outside.now = (story.outside.now + 30 * 86_400_000) as Outside['now'];
  const engine = startEngine(portsOf(story.outside));
  await engine.start();
  expect(endingOf({ ...story, engine })).toBe('settled');
});

test('a no-op tick judges and reads nothing of signatures, and capsules that ask for none cost nothing', async () => {
  const plain = newOutside();
  await declareShop(plain, [DEV]);
  const unasked = startEngine(portsOf(plain));
  await unasked.start();
  expect(unasked.world.capsuleSignatures.counts()).toEqual({ judged: 0 });

  const { engine } = await shipped();
  await engine.drift();
  const before = { ...engine.world.repository.counts(), ...engine.world.capsuleSignatures.counts() };
  await engine.tick();
  expect({ ...engine.world.repository.counts(), ...engine.world.capsuleSignatures.counts() }).toEqual({
    ...before,
    remoteCalls: expect.any(Number) as number,
  });
  await engine.drift();
  expect(engine.world.capsuleSignatures.counts()).toEqual({ judged: before.judged });
});

test('a lock with the right git tree and the wrong sha256 is refused, whoever signed it', async () => {
  const story = await shipped();
  const { facts } = await story.packed('1.1.0');
  const { repository } = peopleOf(story.outside);
  const main = await repository.resolve('main');
  if (main === undefined) throw new Error('there is no main');
  const text = await story.engine.world.reading.textAt(await story.engine.world.reading.at(main), LOCK);
  await peopleOf(story.outside).push({ [LOCK]: (text ?? '').replace(facts.sha256, sha256Of('evil')) }, { by: 'capstan' });
  await story.engine.wake({ kind: 'look' });
  expect(endingOf(story)).toMatch(/^V-48 .*the git tree matches but the content digest does not/);
});

test('an old release, signed just as well, does not come back by a lock that nobody signed', async () => {
  const story = await shipped();
  const { repository } = peopleOf(story.outside);
  const { world } = story.engine;
  const before = await repository.resolve('main');
  if (before === undefined) throw new Error('there is no main');
  const older = (await world.reading.textAt(await world.reading.at(before), LOCK)) ?? '';
  await peopleOf(story.outside).push(capsuleFiles('1.2.0'));
  await story.engine.wake({ kind: 'look' });
  await story.tick();
  expect(running(story)).toBe('1.2.0');
  await peopleOf(story.outside).push({ [LOCK]: older }, { by: 'nobody' });
  await story.engine.wake({ kind: 'look' });
  expect(endingOf(story)).toMatch(/^unsigned dev: environments\/dev\/environment\.lock\.yaml was changed by/);
  expect(running(story)).toBe('1.2.0');
});

const AT = { registry: 'registry.example.com', name: 'capsules/web' };

/** The service is told where artifacts of capsules lie. */
function lyingIn(registry: Registry): { readonly asked: string[]; readonly artifacts: Ports['capsuleArtifacts'] } {
  const asked: string[] = [];
  const artifacts = {
    registry: async () => ({
      ...registry,
      referrers: (...of: Parameters<Registry['referrers']>) => (asked.push(of[1]), registry.referrers(...of)),
    }),
    repositoryOf: (capsule: string) => ({ ...AT, name: `capsules/${capsule}` }),
  };
  return { asked, artifacts };
}

test('a signature beside the artifact in a registry counts, is found by the digest that the lock leads to, and is looked for once', async () => {
  const { registry } = archiveRegistry(undefined);
  const { asked, artifacts } = lyingIn(registry);
  const story = await scene(artifacts);
  expect(await story.gate()).toBe('| signed | signature | waiting | web@1.1.0 is not signed |');

  const packed = await story.packed('1.1.0');
  const pushed = await pushArtifact(registry, AT, packed, '1.1.0');
  if (pushed.kind !== 'pushed') throw new Error('it was not pushed');
  const bundle = await signCapsule(memoryBundles(), await signerOf('ci').plainKey(), packed);
  await attachBundle(registry, AT, { subject: pushed.artifact, bundle });
  await story.tick();
  await story.tick();
  expect([endingOf(story), running(story)]).toEqual(['settled', '1.1.0']);
  expect([...new Set(asked)]).toEqual([packed.digest]);

  const times = asked.length;
  await story.tick();
  await story.engine.drift();
  expect(asked).toHaveLength(times);
});

test('a registry that is away is another word than one without a signature, and nothing moves', async () => {
  const { registry } = archiveRegistry(undefined);
  const away = { ...registry, referrers: () => Promise.reject(new PortError('transient', 'registry.example.com does not answer')) };
  const story = await scene(lyingIn(away).artifacts);
  expect(await story.gate()).toBe(
    '| signed | signature | inconclusive | the signatures of web@1.1.0 could not be looked at: registry.example.com does not answer |',
  );
  expect(running(story)).toBe('1.0.0');

  // The evidence branch suffices, and is looked at first.
  await story.sign('ci');
  await story.tick();
  await story.tick();
  expect(running(story)).toBe('1.1.0');
});

test('a signature that a registry does not give out hides no other one, and a registry that takes minutes is asked no further', async () => {
  const { registry } = archiveRegistry(undefined);
  let [stalled, minutes] = ['', 0];
  const story = await scene(
    lyingIn({
      ...registry,
      manifest: async (...of) => {
        if (of[1] === stalled) throw new PortError('transient', 'it stalls');
        story.outside.now = (story.outside.now + minutes * 60_000) as Outside['now'];
        return registry.manifest(...of);
      },
    }).artifacts,
  );
  const packed = await story.packed('1.1.0');
  const pushed = await pushArtifact(registry, AT, packed, '1.1.0');
  if (pushed.kind !== 'pushed') throw new Error('it was not pushed');
  const signed = async (by: string) =>
    attachBundle(registry, AT, {
      subject: pushed.artifact,
      bundle: await signCapsule(memoryBundles(), await signerOf(by).plainKey(), packed),
    });
  stalled = (await signed('mallory')).digest;
  await story.tick();
  expect(await story.gate()).toBe('| signed | signature | inconclusive | the signatures of web@1.1.0 could not be looked at: it stalls |');

  await signed('eve');
  await signed('ci');
  [stalled, minutes] = ['', 2];
  await story.tick();
  expect(await story.gate()).toBe(
    '| signed | signature | inconclusive | the signatures of web@1.1.0 could not be looked at: its registry took more than 60 s for its signatures |',
  );

  minutes = 0;
  stalled = (await signed('mallory')).digest;
  await story.tick();
  await story.tick();
  expect(running(story)).toBe('1.1.0');
});
