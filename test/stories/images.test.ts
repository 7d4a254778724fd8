import { expect, test } from 'vitest';

import { statusOf } from '#loops/status.ts';
import { toEnvironmentName } from '#model/names.ts';
import { PortError } from '#ports/port-error.ts';
import type { Registry } from '#ports/registry.ts';
import { memoryBundles } from '#test/contracts/memory-bundles.ts';
import { memoryKept } from '#test/contracts/memory-kept.ts';
import { memoryRegistry, registryState, type RegistryState } from '#test/contracts/memory-registry.ts';
import { pushImage, signImage } from '#test/contracts/signed-images.ts';
import { portsOf, startEngine, type Engine } from './engine.ts';
import { newOutside, peopleOf, type Outside } from './outside.ts';
import { capsuleFiles, DEV, PROJECT_FILE, signerOf, type Files } from './shop.ts';
import { declareShop } from './stories.ts';

const REPOSITORY = { registry: 'registry.example.com', name: 'web' };
const ENTRY = `    - name: build
      sshKey: ${signerOf('build').publicKey}
      for: [image]
`;

interface Scene {
  readonly outside: Outside;
  readonly state: RegistryState;
  readonly kept: Map<string, string>;
  /** Calls that reached the registry. */
  readonly asked: string[];
  readonly engine: Engine;
  image: (name: string, signers: readonly string[]) => Promise<string>;
  release: (version: string, digest: string, more?: (text: string) => string) => Promise<void>;
  /** What one/web runs. */
  runs: () => string | undefined;
  ending: (unit?: string) => string;
  tick: () => Promise<void>;
  restart: () => Promise<Engine>;
  isDown: boolean;
}

/** Dev, to which only images come that `build` signed. */
async function scene(first: { readonly signers: readonly string[] } = { signers: ['build'] }): Promise<Scene> {
  const outside = newOutside();
  const [state, kept, asked] = [registryState(), new Map<string, string>(), [] as string[]];
  const registry: Registry = memoryRegistry({
    state,
    pause: (call) => {
      asked.push(call);
      if (play.isDown) throw new PortError('transient', 'the registry does not answer');
    },
  });
  const bundles = memoryBundles();
  const pushing = memoryRegistry({ state });
  const image = async (name: string, signers: readonly string[]): Promise<string> => {
    const digest = await pushImage(pushing, REPOSITORY, name);
    for (const signer of signers) {
      await signImage({ registry: pushing, bundles, repository: REPOSITORY }, digest, { key: await signerOf(signer).plainKey() });
    }
    return digest;
  };
  const digest = await image('first', first.signers);
  await declareShop(outside, [DEV]);
  await peopleOf(outside).push({ 'environments/project.yaml': `${PROJECT_FILE}${ENTRY}` });
  const start = () =>
    startEngine({ ...portsOf(outside), bundles: async () => bundles, registry: async () => registry, kept: memoryKept(kept) });
  let engine = start();
  const play: Scene = {
    outside,
    state,
    kept,
    asked,
    get engine() {
      return engine;
    },
    image,
    async release(version, by, more = (text) => text) {
      outside.now = (outside.now + 60_000) as Outside['now'];
      await peopleOf(outside).push(withImage(version, by, more));
      await engine.wake({ kind: 'look' });
      await play.tick();
    },
    runs: () => /web@(sha256:[0-9a-f]{64})/.exec([...(outside.targets.get('dev/one')?.files.values() ?? [])].join('\n'))?.[1],
    ending(unit = 'reconcile/dev') {
      const ending = engine.endings.get(unit);
      if (ending?.kind === 'stuck') return `stuck: ${ending.problems.map(({ code, message }) => `${code}: ${message}`).join('; ')}`;
      if (ending?.kind === 'retry') return `retry: ${ending.because}`;
      return ending?.kind === 'waiting' ? `waiting: ${ending.reasons.join('; ')}` : (ending?.kind ?? 'never');
    },
    async tick() {
      outside.now = (outside.now + 60_000) as Outside['now'];
      await engine.tick();
      await engine.drift();
      await engine.wake({ kind: 'promote', environment: toEnvironmentName('dev') });
      await engine.tick();
    },
    async restart() {
      engine = start();
      await engine.start();
      return engine;
    },
    isDown: false,
  };
  await play.release('1.1.0', digest);
  return play;
}

function withImage(version: string, digest: string, more: (text: string) => string): Files {
  return Object.fromEntries(
    Object.entries(capsuleFiles(version)).map(([path, text]) => [path, more(text.replace(/web@sha256:[0-9a-f]{64}/, `web@${digest}`))]),
  );
}

test('an image that the build signed comes through promotion and to the target; one that nobody signed does not', async () => {
  const { image, release, runs, outside } = await scene();
  const first = runs();
  expect(first).toMatch(/^sha256:/);

  await release('1.2.0', await image('second', []));

  expect(runs()).toBe(first);
  const { body = '' } = [...outside.forge.pulls.values()].map(({ request }) => request).at(-1) ?? {};
  expect(body.replaceAll('\u2060', '')).toMatch(
    /image-signatures \| images \| failed \| registry\.example\.com\/web@sha256:[0-9a-f]{64}: nobody signed it \(unsigned\)/,
  );
});

test('row 69: images of init and ephemeral containers, of volumes and of custom resources are looked at, too', async () => {
  const { image, release, runs, outside } = await scene();
  const before = runs();
  const [good, bad] = [await image('main', ['build']), await image('helper', [])];
  const template = `apiVersion: v1
kind: Pod
metadata:
  name: helper
spec:
  containers:
    - name: main
      image: registry.example.com/web@${good}
  initContainers:
    - name: init
      image: registry.example.com/web@BAD
`;
  const volume = template.replace(
    / {2}initContainers[^]*$/,
    '  volumes:\n    - name: data\n      image:\n        reference: registry.example.com/web@BAD\n',
  );
  const custom =
    'apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata:\n  name: helper\nspec:\n  sidecarImage: registry.example.com/web@BAD\n';
  const minors = [template, template.replace('initContainers', 'ephemeralContainers'), volume, custom];

  for (const [at, text] of minors.entries()) {
    await peopleOf(outside).push({ 'capsules/web/templates/helper.yaml.hbs': text.replace('BAD', bad) });
    await release(`1.${at + 2}.0`, good);
    expect(runs()).toBe(before);
    const { body = '' } = [...outside.forge.pulls.values()].map(({ request }) => request).at(-1) ?? {};
    expect(body).toContain(`${bad}: nobody signed it (unsigned)`);
  }

  await peopleOf(outside).push({ 'capsules/web/templates/helper.yaml.hbs': custom.replace('BAD', good) });
  await release('1.9.0', good);
  expect(runs()).toBe(good);
});

test('row 71: a key that is revoked stops what is new; what runs goes on, and its run says why', async () => {
  const { outside, engine, runs, image, release, ending, tick } = await scene();
  const running = runs();
  const files = [...(outside.targets.get('dev/one')?.files ?? [])];
  expect(ending()).toBe('settled');

  await peopleOf(outside).push({
    'environments/project.yaml': `${PROJECT_FILE}${ENTRY.replace(signerOf('build').publicKey, signerOf('rotated').publicKey)}`,
  });
  await engine.wake({ kind: 'look' });
  await tick();

  expect(ending()).toMatch(
    /^stuck: image-refused: image "registry\.example\.com\/web@sha256:[0-9a-f]{64}" of Deployment web \(web@1\.1\.0\) is not accepted in dev: no key that was given signed it \(unknown-key\)$/,
  );
  expect([...(outside.targets.get('dev/one')?.files ?? [])]).toEqual(files);

  await release('1.2.0', await image('next', ['build']));
  expect(runs()).toBe(running);
  const signed = await image('after', ['rotated']);
  await release('1.3.0', signed);
  expect(runs()).toBe(signed);
});

test('row 72: a poisoned memory accepts nothing that nobody signed, and a tag that moved changes nothing', async () => {
  const play = await scene();
  const running = play.runs() ?? '';
  const unsigned = await play.image('unsigned', []);
  const [[key, text] = ['', '']] = [...play.kept];
  expect(key).toBe(running.slice('sha256:'.length));
  // What proves the signed image is put where the unsigned one is looked up.
  play.kept.set(unsigned.slice('sha256:'.length), text);
  play.state.tags.set('registry.example.com/web:1.1.0', unsigned);

  await play.release('1.2.0', unsigned);
  await play.restart();
  await play.tick();

  expect([play.runs(), play.ending()]).toEqual([running, 'settled']);
  const { body = '' } = [...play.outside.forge.pulls.values()].map(({ request }) => request).at(-1) ?? {};
  expect(body).toContain('nobody signed it (unsigned)');
});

test('a registry that is silent is not an image without signatures: nothing is applied, and it is asked again', async () => {
  const play = await scene();
  const before = play.runs();
  const next = await play.image('next', ['build']);
  play.isDown = true;
  await play.release('1.2.0', next);
  const { body = '' } = [...play.outside.forge.pulls.values()].map(({ request }) => request).at(-1) ?? {};
  expect(body).toContain('image-signatures | images | inconclusive | could not look for signatures of');
  expect(play.runs()).toBe(before);
  expect(play.ending()).toBe('settled');

  play.isDown = false;
  await play.tick();
  expect(play.runs()).toBe(next);
});

test('a tick without news, and a start after one, ask no registry; without what was kept the start asks once for each image', async () => {
  const play = await scene();
  play.asked.length = 0;
  await play.tick();
  expect(play.asked).toEqual([]);

  await play.restart();
  expect(play.asked).toEqual([]);

  play.kept.clear();
  await play.restart();
  expect([play.ending(), play.asked]).toEqual(['settled', ['manifest', 'referrers', 'manifest', 'blob']]);
});

test('a signature of another image, of another kind of statement, and by who may not sign images is refused', async () => {
  const { state, image, release, runs, outside } = await scene();
  const before = runs();
  const registry = memoryRegistry({ state });
  const ports = { registry, bundles: memoryBundles(), repository: REPOSITORY };
  const key = await signerOf('build').plainKey();
  const [first, second] = [await image('a', []), await image('b', [])];
  await signImage(ports, first, { key, about: before ?? '' });
  await signImage(ports, second, { key, predicateType: 'https://slsa.dev/provenance/v1' });
  const told: string[] = [];
  for (const [at, digest] of [first, second, await image('c', ['ada'])].entries()) {
    await release(`1.${at + 2}.0`, digest);
    const { body = '' } = [...outside.forge.pulls.values()].map(({ request }) => request).at(-1) ?? {};
    told.push(/image-signatures \| images \| failed \| .*\(([a-z-]+)\) \|/.exec(body)?.[1] ?? body);
  }
  expect([runs(), told]).toEqual([before, ['wrong-digest', 'wrong-predicate', 'wrong-purpose']]);
});

test('where risk is high and no entry is for images, status says that they are not verified', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV, { ...DEV, name: 'prod', risk: 'high', from: ['dev'] }]);
  const engine = startEngine(portsOf(outside));
  await engine.start();

  const notices = async (name: string) => (await statusOf(engine.world, name)).notices.filter((notice) => notice.includes('images'));
  expect([await notices('dev'), await notices('prod')]).toEqual([
    [],
    ['images of prod are not verified: no trust entry of the project is for image'],
  ]);

  await peopleOf(outside).push({ 'environments/project.yaml': `${PROJECT_FILE}${ENTRY}` });
  await engine.world.repository.fetch();
  expect(await notices('prod')).toEqual([]);
});
