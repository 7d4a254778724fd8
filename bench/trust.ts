import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';

import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import { createImageTrust, type ImageTrust } from '#loops/image-trust.ts';
import { sha256Of, toBlobId } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { toEnvironmentName, toInstanceName, toTargetName } from '#model/names.ts';
import { NOWHERE } from '#model/problem.ts';
import type { RenderedObject, Rendering } from '#model/rendering.ts';
import { IMAGE_SIGNATURE } from '#model/signature-finding.ts';
import { PortError } from '#ports/port-error.ts';
import type { Registry } from '#ports/registry.ts';
import { programPath } from '#test/servers/built-programs.ts';
import { ADA, authorities, ISSUER, signedEnvelope } from '#test/sigstore-authorities.ts';
import { readTrustPolicy } from '#trust/trust.ts';
import { ratioOf, type Spread, spreadOf } from './statistics.ts';

type Kind = 'a key' | 'keyless';

export interface TrustResult {
  readonly images: number;
  readonly rows: readonly {
    readonly kind: Kind;
    /** Milliseconds for all images: nothing remembered but the signatures, the same memory with another rendering, and the same rendering. */
    readonly ours: { readonly cold: Spread; readonly warm: Spread; readonly again: Spread };
    /** `@sigstore/verify` alone over the same bundles: nothing is asked about whom, what and which kind. */
    readonly bare: Spread;
    readonly bareRatio: Omit<Spread, 'p99'>;
    /** `cosign verify-blob-attestation`, a process an image, milliseconds of one; its ratio is to one image of ours. */
    readonly cosign: Spread;
    readonly cosignRatio: Omit<Spread, 'p99'>;
    readonly asked: number;
    readonly verified: number;
    readonly accepted: number;
  }[];
}

const COSIGN_SAMPLE = 20;
/** What a process costs to start is nothing to be proud of; the rest is the same mathematics. */
const TIMES_COSIGN: Readonly<Record<Kind, number>> = { 'a key': 10, keyless: 3 };

/** Every image of a rendering verified from signatures at hand, without a network, beside the library alone and beside cosign. */
export async function measureTrust(options: {
  readonly images: number;
  readonly rounds: number;
  readonly folder: string;
}): Promise<TrustResult> {
  const { images, rounds, folder } = options;
  await mkdir(folder, { recursive: true });
  const rows: TrustResult['rows'][number][] = [];
  for (const kind of ['a key', 'keyless'] as const) {
    const signed = await signedImages(kind, images, folder);
    const [cold, warm, again, bare] = [[], [], [], []] as [number[], number[], number[], number[]];
    let counts = { asked: 0, verified: 0, accepted: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const trust = imageTrust(signed);
      const rendering = renderingOf(signed);
      cold.push(await timed(async () => (counts = await judged(trust, signed, rendering))));
      warm.push(await timed(() => judged(trust, signed, renderingOf(signed))));
      again.push(await timed(() => judged(trust, signed, rendering)));
      bare.push(await timed(async () => bareLoop(signed)));
    }
    const cosign = await cosignTimes(signed, folder);
    const each = cold.map((milliseconds) => milliseconds / images);
    rows.push({
      kind,
      ours: { cold: spreadOf(cold), warm: spreadOf(warm), again: spreadOf(again) },
      bare: spreadOf(bare),
      bareRatio: ratioOf(bare, cold),
      cosign: spreadOf(cosign),
      cosignRatio: ratioOf(
        cosign,
        each.map((milliseconds) => Math.max(0.01, milliseconds)),
      ),
      ...counts,
    });
  }
  return { images, rows };
}

interface SignedImages {
  readonly kind: Kind;
  readonly images: readonly { readonly digest: string; readonly bundle: Buffer }[];
  readonly publicKeyPem: string;
  readonly root: object | undefined;
}

async function signedImages(kind: Kind, count: number, folder: string): Promise<SignedImages> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const key = { publicKeyPem, sign: async (bytes: Uint8Array) => sign('sha256', bytes, privateKey) };
  const by = kind === 'keyless' ? await authorities() : undefined;
  const images: { digest: string; bundle: Buffer }[] = [];
  for (let at = 0; at < count; at += 1) {
    const digest = sha256Of(`image ${at}`);
    const subject = [{ name: `registry.example.com/app-${at}`, digest: { sha256: digest } }];
    const statement = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType: IMAGE_SIGNATURE, predicate: {} };
    const payload = Buffer.from(JSON.stringify(statement));
    const bundle =
      by === undefined
        ? Buffer.from(await sigstoreBundles().sign({ payloadType: 'application/vnd.in-toto+json', payload, key }))
        : Buffer.from(JSON.stringify((await signedEnvelope(by, payload)).bundle));
    images.push({ digest, bundle });
  }
  if (by !== undefined) await writeFile(join(folder, 'root.json'), JSON.stringify(by.root));
  await writeFile(join(folder, 'cosign.pub'), publicKeyPem);
  return { kind, images, publicKeyPem, root: by?.root };
}

/** As after a restart: signatures on the disk, nothing remembered, and a registry that nobody may ask. */
function imageTrust({ images, root }: SignedImages): ImageTrust {
  const texts = new Map(
    images.map(({ digest, bundle }) => [digest, JSON.stringify({ formatVersion: 1, bundles: [bundle.toString('base64')] })]),
  );
  const bundles = sigstoreBundles();
  const silent = (): never => {
    throw new PortError('transient', 'nobody may ask a registry here');
  };
  const registry: Registry = {
    resolveTag: async () => silent(),
    manifest: async () => silent(),
    blob: async () => silent(),
    referrers: async () => silent(),
    pushBlob: async () => silent(),
    pushManifest: async () => silent(),
  };
  return createImageTrust({
    registry: async () => registry,
    bundles: async () => bundles,
    kept: { get: async (key) => texts.get(key), put: async () => undefined },
    machineRoot: async () => (root === undefined ? undefined : Buffer.from(JSON.stringify(root))),
    clock: { now: () => toInstant(Date.now()) },
    ranSince: async () => new Map(),
  });
}

async function judged(trust: ImageTrust, { kind, publicKeyPem }: SignedImages, rendering: Rendering) {
  const entry = { name: 'build', for: ['image' as const] };
  const row = kind === 'a key' ? { ...entry, publicKey: publicKeyPem } : { ...entry, issuer: ISSUER, identity: ADA };
  const value = {
    apiVersion: 'capstan.dev/v1alpha1' as const,
    kind: 'Project' as const,
    metadata: { name: 'bench' },
    spec: { trust: [row] },
  };
  const project = { value, file: 'environments/project.yaml', blob: toBlobId('0'.repeat(40)), at: () => NOWHERE };
  const { policy } = readTrustPolicy(project, new Map());
  const found = await trust.judge({ environment: { name: toEnvironmentName('prod') }, rendering, trust: { policy, project } });
  if (found.kind !== 'judged' || found.refused.length + found.unread.length > 0) throw new Error(JSON.stringify(found).slice(0, 500));
  return { ...trust.counts(), accepted: found.accepted };
}

function renderingOf({ images }: SignedImages): Rendering {
  const objects = images.map(({ digest }, at): RenderedObject => {
    const name = `app-${at}`;
    const containers = [{ name: 'app', image: `registry.example.com/${name}@sha256:${digest}` }];
    const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { template: { spec: { containers } } } };
    const key = { group: 'apps', kind: 'Deployment', namespace: 'bench', name };
    return { key, instance: toInstanceName('app'), path: `app/${name}.yaml`, sha256: sha256Of(name), object, text: '' };
  });
  const environment = toEnvironmentName('prod');
  const target = { environment, name: toTargetName('one'), driver: 'directory', namespace: 'bench', labels: {}, facts: {} };
  const digest = sha256Of('rendering');
  return { environment, digest, targets: [{ target, digest, instances: new Map(), objects, metadata: '' }] };
}

function bareLoop({ images, publicKeyPem, root }: SignedImages): void {
  const material = toTrustMaterial(root === undefined ? TrustedRoot.fromJSON({}) : TrustedRoot.fromJSON(root), () => ({
    publicKey: publicKeyPem as never,
    validFor: () => true,
  }));
  const thresholds = root === undefined ? { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 } : {};
  const verifier = new Verifier(material, thresholds);
  for (const { bundle } of images) verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(bundle.toString('utf8')))));
}

async function cosignTimes({ kind, images }: SignedImages, folder: string): Promise<readonly number[]> {
  const cosign = programPath('cosign');
  const env = { HOME: folder, PATH: '/usr/bin:/bin' };
  const by =
    kind === 'a key'
      ? ['--key', 'cosign.pub', '--insecure-ignore-tlog=true']
      : ['--trusted-root', 'root.json', '--certificate-identity', ADA, '--certificate-oidc-issuer', ISSUER];
  const times: number[] = [];
  for (const { digest, bundle } of images.slice(0, COSIGN_SAMPLE)) {
    await writeFile(join(folder, 'bundle.json'), bundle);
    const args = [
      'verify-blob-attestation',
      ...by,
      '--type',
      IMAGE_SIGNATURE,
      '--bundle',
      'bundle.json',
      '--digest',
      digest,
      '--digestAlg',
      'sha256',
    ];
    times.push(await timed(async () => execFileSync(cosign, args, { cwd: folder, env, stdio: 'pipe' })));
  }
  return times;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

export function printTrust({ images, rows }: TrustResult): void {
  console.log(`\n${images} images of one rendering, verified from signatures at hand; milliseconds for all of them, medians`);
  for (const { kind, ours, bare, bareRatio, cosign, cosignRatio, asked, verified, accepted } of rows) {
    console.log(
      `  ${kind}: nothing remembered ${ours.cold.median}, the same images again ${ours.warm.median}, the same rendering ${ours.again.median}`,
    );
    console.log(`    @sigstore/verify alone ${bare.median} (${bareRatio.median} times ours)`);
    console.log(`    cosign, a process each: ${cosign.median} for one image (${cosignRatio.median} times one of ours)`);
    console.log(`    ${accepted} accepted, ${verified} verified, ${asked} asked of a registry`);
  }
}

export function trustVerdicts(result: TrustResult | undefined): readonly { goal: string; measured: string; held: boolean }[] {
  return (result?.rows ?? []).flatMap(({ kind, ours, bareRatio, cosignRatio, asked, accepted }) => [
    {
      goal: `${result?.images ?? 0} images signed by ${kind} verified offline, no registry asked`,
      measured: `${accepted} accepted in ${Math.round(ours.cold.median)} ms, ${asked} asked`,
      held: accepted === result?.images && asked === 0,
    },
    {
      goal: `${kind}: ${TIMES_COSIGN[kind]} times faster than a cosign process an image`,
      measured: `${cosignRatio.median} times`,
      held: cosignRatio.median >= TIMES_COSIGN[kind],
    },
    {
      goal: `${kind}: at most twice as long as the library alone`,
      measured: `${bareRatio.median} times ours`,
      held: bareRatio.median >= 0.5,
    },
  ]);
}
