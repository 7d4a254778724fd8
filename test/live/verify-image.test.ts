import { execFile, execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ociRegistry } from '#adapters/oci/oci.ts';
import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import { assemble } from '#assembly/assembly.ts';
import { runCli } from '#cli/cli.ts';
import { OCI_IMAGE, OCI_INDEX } from '#model/oci-manifest.ts';
import type { Descriptor, ImageRepository, Registry } from '#ports/registry.ts';
import { EMPTY_CONFIG, pushImage } from '#test/contracts/registry.contract.ts';
import { programPath } from '#test/servers/built-programs.ts';
import { startRegistry } from '#test/servers/registry.ts';
import type { RunningRegistry } from '#test/servers/registry.ts';
import { NO_SERVICES } from '#test/servers/sigstore-services.ts';
import { IMAGE_VERDICTS } from '#test/verdict-tables/images.ts';
import type { ImageVerdictRow } from '#test/verdict-tables/images.ts';

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const scratch = mkdtempSync(join(tmpdir(), 'capstan-cosign-'));
const cosign = programPath('cosign');
const env = { HOME: scratch, COSIGN_PASSWORD: '', COSIGN_YES: 'true', PATH: '/usr/bin:/bin' };
beforeAll(() => {
  for (const prefix of ['own', 'other']) run('generate-key-pair', '--output-key-prefix', prefix);
  const pairs = {
    rsa: generateKeyPairSync('rsa', { modulusLength: 3072 }),
    ed25519: generateKeyPairSync('ed25519'),
    p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    ours: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };
  for (const [name, { privateKey }] of Object.entries(pairs)) {
    writeFileSync(join(scratch, `${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    run('import-key-pair', '--key', `${name}.pem`, '--output-key-prefix', name);
  }
  writeFileSync(join(scratch, 'services.json'), JSON.stringify(NO_SERVICES));
  writeFileSync(join(scratch, 'slsaprovenance1.json'), '{"buildDefinition":{"buildType":"x"},"runDetails":{"builder":{"id":"y"}}}');
  writeFileSync(join(scratch, 'spdxjson.json'), '{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT"}');
  const scan = {
    invocation: {},
    scanner: { uri: 'x', result: {} },
    metadata: { scanStartedOn: '2026-11-20T00:00:00Z', scanFinishedOn: '2026-11-20T00:00:01Z' },
  };
  writeFileSync(join(scratch, 'vuln.json'), JSON.stringify(scan));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function run(...args: readonly string[]): string {
  return execFileSync(cosign, [...args], { cwd: scratch, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
}

const NEW = ['--signing-config', 'services.json'];
const OLD = ['--new-bundle-format=false', '--use-signing-config=false', '--tlog-upload=false'];

interface Stage {
  readonly registry: Registry;
  readonly host: string;
  readonly repository: ImageRepository;
}

/** The digest that is asked about. */
type Scene = (stage: Stage) => Promise<string>;

function signWith(
  stage: Stage,
  image: Descriptor,
  { key = 'own', how = NEW }: { readonly key?: string; readonly how?: readonly string[] } = {},
): void {
  run('sign', '--key', `${key}.key`, ...how, '-a', 'team=web', at(stage, image.digest));
}

function attest(
  stage: Stage,
  image: Descriptor,
  { types, how = NEW }: { readonly types: readonly string[]; readonly how?: readonly string[] },
): void {
  for (const type of types)
    run('attest', '--key', 'own.key', ...how, '--type', type, '--predicate', `${type}.json`, at(stage, image.digest));
}

function at({ repository }: Stage, digest: string): string {
  return `${repository.registry}/${repository.name}@${digest}`;
}

/** The one bundle of an image. */
async function bundleOf({ registry, repository }: Stage, digest: string): Promise<Buffer> {
  const [referrer] = (await registry.referrers(repository, digest, BUNDLE)).descriptors;
  const manifest = JSON.parse(Buffer.from((await registry.manifest(repository, referrer?.digest ?? '')).bytes).toString());
  return Buffer.from(await registry.blob(repository, manifest.layers[0].digest, 1_000_000));
}

async function pushBundle({ registry, repository }: Stage, subject: Descriptor, bundle: Uint8Array): Promise<void> {
  const config = await registry.pushBlob(repository, Buffer.from('{}'));
  const layer = await registry.pushBlob(repository, bundle);
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_IMAGE,
    artifactType: BUNDLE,
    config: { ...config, mediaType: EMPTY_CONFIG },
    layers: [{ ...layer, mediaType: BUNDLE }],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
  };
  await registry.pushManifest(repository, Buffer.from(JSON.stringify(manifest)), OCI_IMAGE);
}

async function pushOld({ registry, repository }: Stage, digest: string, payload: Uint8Array): Promise<void> {
  const key = decrypted();
  const layer = await registry.pushBlob(repository, payload);
  const config = await registry.pushBlob(repository, Buffer.from('{}'));
  const signature = sign('sha256', payload, key).toString('base64');
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_IMAGE,
    config: { ...config, mediaType: 'application/vnd.oci.image.config.v1+json' },
    layers: [
      {
        ...layer,
        mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
        annotations: { 'dev.cosignproject.cosign/signature': signature },
      },
    ],
  };
  await registry.pushManifest(repository, Buffer.from(JSON.stringify(manifest)), OCI_IMAGE, `${digest.replace(':', '-')}.sig`);
}

function decrypted(): ReturnType<typeof createPrivateKey> {
  return createPrivateKey(readFileSync(join(scratch, 'ours.pem')));
}

async function pushIndex({ registry, repository }: Stage, child: Descriptor): Promise<Descriptor> {
  const { mediaType, digest, size } = child;
  const manifests = [{ mediaType, digest, size, platform: { os: 'linux', architecture: 'amd64' } }];
  return registry.pushManifest(repository, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })), OCI_INDEX);
}

async function signOurs(stage: Stage, image: Descriptor, predicateType: string): Promise<void> {
  const key = decrypted();
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: `${stage.repository.registry}/${stage.repository.name}`, digest: { sha256: image.digest.slice(7) } }],
    predicateType,
    predicate: {},
  };
  const bundle = await sigstoreBundles().sign({
    payloadType: 'application/vnd.in-toto+json',
    payload: Buffer.from(JSON.stringify(statement)),
    key: { publicKeyPem: readFileSync(join(scratch, 'ours.pub'), 'utf8'), sign: async (bytes) => sign('sha256', bytes, key) },
  });
  await pushBundle(stage, image, bundle);
}

const image = (stage: Stage, text: string, tag?: string): Promise<Descriptor> => pushImage(stage.registry, stage.repository, text, tag);

const SCENES: Readonly<Record<string, Scene>> = {
  async signed(stage) {
    const made = await image(stage, 'signed');
    signWith(stage, made);
    return made.digest;
  },
  async 'signed-rsa'(stage) {
    const made = await image(stage, 'rsa');
    signWith(stage, made, { key: 'rsa' });
    return made.digest;
  },
  async 'signed-ed25519'(stage) {
    const made = await image(stage, 'ed25519');
    signWith(stage, made, { key: 'ed25519' });
    return made.digest;
  },
  async 'signed-p384'(stage) {
    const made = await image(stage, 'p384');
    signWith(stage, made, { key: 'p384' });
    return made.digest;
  },
  async 'old-p384'(stage) {
    const made = await image(stage, 'old p384');
    signWith(stage, made, { key: 'p384', how: OLD });
    return made.digest;
  },
  async 'old-rsa'(stage) {
    const made = await image(stage, 'old rsa');
    signWith(stage, made, { key: 'rsa', how: OLD });
    return made.digest;
  },
  async unsigned(stage) {
    return (await image(stage, 'unsigned')).digest;
  },
  async attested(stage) {
    const made = await image(stage, 'attested');
    attest(stage, made, { types: ['slsaprovenance1', 'spdxjson', 'vuln'] });
    return made.digest;
  },
  async transplanted(stage) {
    const [good, bad] = [await image(stage, 'good'), await image(stage, 'bad')];
    signWith(stage, good);
    await pushBundle(stage, bad, await bundleOf(stage, good.digest));
    return bad.digest;
  },
  async changed(stage) {
    const [good, bad] = [await image(stage, 'good before'), await image(stage, 'changed')];
    signWith(stage, good);
    const bundle = JSON.parse((await bundleOf(stage, good.digest)).toString());
    const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString().replace(good.digest.slice(7), bad.digest.slice(7));
    bundle.dsseEnvelope.payload = Buffer.from(payload).toString('base64');
    await pushBundle(stage, bad, Buffer.from(JSON.stringify(bundle)));
    return bad.digest;
  },
  async junk(stage) {
    const made = await image(stage, 'junk');
    await pushBundle(stage, made, Buffer.from('{"not":"a bundle"}'));
    return made.digest;
  },
  async 'junk-and-signed'(stage) {
    const made = await image(stage, 'junk and signed');
    await pushBundle(stage, made, Buffer.from('{"not":"a bundle"}'));
    signWith(stage, made);
    return made.digest;
  },
  async old(stage) {
    const made = await image(stage, 'old');
    signWith(stage, made, { how: OLD });
    attest(stage, made, { types: ['slsaprovenance1'], how: OLD });
    return made.digest;
  },
  async 'old-transplanted'(stage) {
    const [good, bad] = [await image(stage, 'old good'), await image(stage, 'old bad')];
    signWith(stage, good, { how: OLD });
    const signature = await stage.registry.resolveTag(stage.repository, `${good.digest.replace(':', '-')}.sig`);
    const { bytes } = await stage.registry.manifest(stage.repository, signature?.digest ?? '');
    await stage.registry.pushManifest(stage.repository, bytes, OCI_IMAGE, `${bad.digest.replace(':', '-')}.sig`);
    return bad.digest;
  },
  async 'old-other-payload'(stage) {
    const made = await image(stage, 'old other');
    const critical = {
      identity: { 'docker-reference': '' },
      image: { 'docker-manifest-digest': made.digest },
      type: 'atomic container signature',
    };
    await pushOld(stage, made.digest, Buffer.from(JSON.stringify({ critical, optional: {} })));
    return made.digest;
  },
  async index(stage) {
    const index = await pushIndex(stage, await image(stage, 'child of a signed index'));
    signWith(stage, index);
    return index.digest;
  },
  async 'index-child'(stage) {
    const child = await image(stage, 'another child of a signed index');
    signWith(stage, await pushIndex(stage, child));
    return child.digest;
  },
  async 'child-index'(stage) {
    const child = await image(stage, 'signed child');
    signWith(stage, child);
    return (await pushIndex(stage, child)).digest;
  },
  async 'tag-moved'(stage) {
    const made = await image(stage, 'first under the tag', 'moved');
    signWith(stage, made);
    await image(stage, 'second under the tag', 'moved');
    return made.digest;
  },
  async 'tag-taken'(stage) {
    signWith(stage, await image(stage, 'first under the other tag', 'taken'));
    return (await image(stage, 'second under the other tag', 'taken')).digest;
  },
  async missing() {
    return `sha256:${'a'.repeat(64)}`;
  },
  async ours(stage) {
    const made = await image(stage, 'ours');
    await signOurs(stage, made, 'https://sigstore.dev/cosign/sign/v1');
    await signOurs(stage, made, 'https://capstan.dev/test/v1');
    return made.digest;
  },
};

const KEYS: Readonly<Record<string, string>> = {
  'signed-rsa': 'rsa',
  'signed-p384': 'p384',
  'old-p384': 'p384',
  'old-rsa': 'rsa',
  'signed-ed25519': 'ed25519',
  ours: 'ours',
  'old-other-payload': 'ours',
};

function keyOf({ scene, key }: ImageVerdictRow): string {
  return key === 'other' ? 'other' : (KEYS[scene] ?? 'own');
}

async function capstan(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ['', ''];
  const code = await runCli(args, async () => assemble(), {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    say: (text) => void (err += text),
    isVerbose: false,
    env: { HOME: scratch, PATH: '' },
    cwd: scratch,
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

/** The same question to cosign. */
async function cosignSays(row: ImageVerdictRow, ref: string): Promise<'accepts' | 'refuses'> {
  const asked = row.asked.filter((word) => word !== '--allow-legacy-signatures');
  const command = asked.includes('--type') ? 'verify-attestation' : 'verify';
  const args = [command, '--key', `${keyOf(row)}.pub`, '--insecure-ignore-tlog=true', ...asked, ref];
  return promisify(execFile)(cosign, args, { cwd: scratch, env, timeout: 60_000 }).then(
    () => 'accepts',
    () => 'refuses',
  );
}

for (const kind of ['docker', 'referrers'] as const)
  describe(`images in the ${kind} registry`, () => {
    let running: RunningRegistry;
    let stage: Stage;
    const digests = new Map<string, Promise<string>>();
    beforeAll(async () => {
      running = await startRegistry(kind, scratch);
      const registry = ociRegistry({ dockerConfig: scratch, env: {}, allowHttp: new Set(), mirrors: new Map() });
      stage = { registry, host: running.host, repository: { registry: running.host, name: 'acme/greeter' } };
    });
    afterAll(() => running.end());

    for (const row of IMAGE_VERDICTS)
      test(`${row.made}${row.asked.length === 0 ? '' : ` (${row.asked.join(' ')})`}: ${row.code ?? 'accepted'}`, async () => {
        const scene = SCENES[row.scene];
        if (scene === undefined) throw new Error(`there is no scene ${row.scene}`);
        const digest = await (digests.get(row.scene) ??
          digests.set(row.scene, scene({ ...stage, repository: { ...stage.repository, name: `acme/${row.scene}` } })).get(row.scene));
        const ref = `${running.host}/acme/${row.scene}@${digest}`;

        const { code, out, err } = await capstan('verify-image', '--key', `${keyOf(row)}.pub`, ...row.asked, '-o', 'json', ref);
        const cosigns = await cosignSays(row, ref);

        expect(err).toBe('');
        expect(JSON.parse(out)).toMatchObject({ kind: 'ImageVerdict', code: row.code });
        expect(code).toBe(row.code === null ? 0 : row.code === 'not-found' ? 1 : 3);
        expect(`cosign ${cosigns}`).toBe(`cosign ${row.cosign}`);
      });
  });
