import { expect, test } from 'vitest';

import { createImageTrust } from '#loops/image-trust.ts';
import { sha256Of } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { toEnvironmentName, toInstanceName, toTargetName } from '#model/names.ts';
import { NOWHERE } from '#model/problem.ts';
import type { RenderedObject, Rendering } from '#model/rendering.ts';
import type { TrustPolicy } from '#model/trust-policy.ts';
import { PortError } from '#ports/port-error.ts';
import { memoryBundles } from '#test/contracts/memory-bundles.ts';
import { memoryKept } from '#test/contracts/memory-kept.ts';
import { memoryRegistry, registryState } from '#test/contracts/memory-registry.ts';
import { pushImage, signImage } from '#test/contracts/signed-images.ts';
import { signerOf } from '#test/stories/shop.ts';

const REPOSITORY = { registry: 'registry.example.com', name: 'web' };
const IMAGES = 1_000;

async function policy(): Promise<TrustPolicy> {
  const { publicKeyPem: pem } = await signerOf('build').plainKey();
  const spkiSha256 = memoryBundles().keyDigest(pem) ?? sha256Of('');
  const credential = { kind: 'public-key', pem, spkiSha256 } as const;
  const window = { validFrom: undefined, validUntil: undefined };
  const entry = { name: 'build', credential, purposes: ['image' as const], paths: undefined, ...window, place: NOWHERE };
  return {
    entries: [entry],
    thresholds: [],
    enforced: new Set(['image']),
    files: new Set(),
    trustedRoot: undefined,
    digest: sha256Of('policy'),
  };
}

function renderingOf(digests: readonly string[]): Rendering {
  const objects = digests.map((digest, at): RenderedObject => {
    const name = `app-${at}`;
    const containers = [{ image: `registry.example.com/web@${digest}` }];
    const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { template: { spec: { containers } } } };
    const key = { group: 'apps', kind: 'Deployment', namespace: 'a', name };
    return { key, instance: toInstanceName('app'), path: `app/${name}.yaml`, sha256: sha256Of(name), object, text: '' };
  });
  const environment = toEnvironmentName('prod');
  const target = { environment, name: toTargetName('one'), driver: 'directory', namespace: 'a', labels: {}, facts: {} };
  const digest = sha256Of('rendering');
  return { environment, digest, targets: [{ target, digest, instances: new Map(), objects, metadata: '' }] };
}

async function scene() {
  const [state, kept, bundles] = [registryState(), new Map<string, string>(), memoryBundles()];
  const calls: string[] = [];
  let isDown = false;
  const registry = memoryRegistry({
    state,
    pause: (call) => {
      calls.push(call);
      if (isDown) throw new PortError('transient', 'the registry does not answer');
    },
  });
  const pushing = memoryRegistry({ state });
  const key = await signerOf('build').plainKey();
  const digests: string[] = [];
  for (let at = 0; at < IMAGES; at += 1) {
    const digest = await pushImage(pushing, REPOSITORY, `image ${at}`);
    digests.push(digest);
    if (at < 20) await signImage({ registry: pushing, bundles, repository: REPOSITORY }, digest, { key });
  }
  // What the others' registry would answer lies here already, as after a run before.
  for (const digest of digests.slice(20)) {
    const subject = [{ name: 'web', digest: { sha256: digest.slice('sha256:'.length) } }];
    const statement = { subject, predicateType: 'https://sigstore.dev/cosign/sign/v1', predicate: {} };
    const bundle = await bundles.sign({
      payloadType: 'application/vnd.in-toto+json',
      payload: Buffer.from(JSON.stringify(statement)),
      key,
    });
    kept.set(digest.slice('sha256:'.length), JSON.stringify({ formatVersion: 1, bundles: [Buffer.from(bundle).toString('base64')] }));
  }
  const trust = { policy: await policy(), project: undefined };
  const started = () =>
    createImageTrust({
      registry: async () => registry,
      bundles: async () => bundles,
      kept: memoryKept(kept),
      machineRoot: async () => undefined,
      clock: { now: () => toInstant(0) },
      ranSince: async () => new Map(),
    });
  return {
    digests,
    calls,
    kept,
    started,
    judge: (images: ReturnType<typeof started>, rendering: Rendering) =>
      images.judge({ environment: { name: toEnvironmentName('prod') }, rendering, trust }),
    goDown: () => {
      isDown = true;
    },
  };
}

test('a thousand images cost one look each: at a registry, at what is kept, and then nothing', async () => {
  const { digests, calls, started, judge } = await scene();
  const rendering = renderingOf(digests);
  const images = started();

  expect(await judge(images, rendering)).toMatchObject({ kind: 'judged', accepted: IMAGES, refused: [], unread: [] });
  expect([images.counts(), calls.length]).toEqual([{ asked: 20, verified: IMAGES - 20 }, 80]);

  await judge(images, rendering);
  await judge(images, renderingOf(digests));
  expect([images.counts(), calls.length]).toEqual([{ asked: 20, verified: IMAGES - 20 }, 80]);

  const restarted = started();
  expect(await judge(restarted, rendering)).toMatchObject({ accepted: IMAGES });
  expect([restarted.counts(), calls.length]).toEqual([{ asked: 0, verified: IMAGES }, 80]);
});

test('row 67: a registry that is down is not asked for each of a thousand images, and none of them is called unsigned', async () => {
  const { digests, calls, kept, started, judge, goDown } = await scene();
  kept.clear();
  goDown();

  const judged = await judge(started(), renderingOf(digests));

  expect(judged).toMatchObject({ kind: 'judged', accepted: 0, refused: [] });
  expect(judged.kind === 'judged' && judged.unread.length).toBe(IMAGES);
  expect(calls.length).toBeLessThanOrEqual(16);
});

test('a signature that joins the one at hand is found, by an engine that goes on and by one that starts anew', async () => {
  const [state, kept, bundles] = [registryState(), new Map<string, string>(), memoryBundles()];
  const registry = memoryRegistry({ state });
  const one = await policy();
  const [build] = one.entries;
  const { publicKeyPem: pem } = await signerOf('release').plainKey();
  const spkiSha256 = bundles.keyDigest(pem) ?? sha256Of('');
  if (build === undefined) throw new Error('the policy has an entry');
  const release = { ...build, name: 'release', credential: { kind: 'public-key', pem, spkiSha256 } as const };
  const two = { name: 'two', purposes: ['image' as const], paths: undefined, of: undefined, atLeast: 2, place: NOWHERE };
  const trust = { policy: { ...one, entries: [build, release], thresholds: [two] }, project: undefined };
  const digest = await pushImage(registry, REPOSITORY, 'image');
  const sign = async (name: string) =>
    signImage({ registry, bundles, repository: REPOSITORY }, digest, { key: await signerOf(name).plainKey() });
  const started = () =>
    createImageTrust({
      registry: async () => registry,
      bundles: async () => bundles,
      kept: memoryKept(kept),
      machineRoot: async () => undefined,
      clock: { now: () => toInstant(0) },
      ranSince: async () => new Map(),
    });
  const judge = (images: ReturnType<typeof started>) =>
    images.judge({ environment: { name: toEnvironmentName('prod') }, rendering: renderingOf([digest]), trust });
  const images = started();
  await sign('build');
  expect(await judge(images)).toMatchObject({ accepted: 0, refused: [{ code: 'too-few-signatures' }] });

  await sign('release');

  expect(await judge(started())).toMatchObject({ accepted: 1, refused: [], unread: [] });
  expect(await judge(images)).toMatchObject({ accepted: 1, refused: [], unread: [] });
});
