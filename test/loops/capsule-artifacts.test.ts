import { expect, test } from 'vitest';

import { archiveRegistry } from '#adapters/oci-layout/oci-layout.ts';
import { packFrom, packPin, pullArtifact, pushArtifact } from '#loops/capsule-artifacts.ts';
import { digestsOf, EMPTY_CONFIG, type PackedCapsule } from '#model/capsule-artifact.ts';
import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { OCI_IMAGE } from '#model/oci-manifest.ts';
import { readTar, writeTar, type TarFile } from '#model/tar.ts';
import type { Registry } from '#ports/registry.ts';
import { changed, edit, edits, plantedGarden, worldOf, type Garden } from './garden.ts';

const HERE = { registry: 'registry.example.com', name: 'capsules/web' };
const NEWER = edits(edit('version: 1.0.0', 'version: 1.1.0'));

async function pack(garden: Garden, wanted: { name: string; version?: string } = { name: 'web' }): Promise<PackedCapsule> {
  const world = await worldOf(garden);
  const made = await packFrom(world, await world.reading.at(garden.head), { version: undefined, ...wanted });
  if (!made.ok) throw new Error(made.problems.map(({ message }) => message).join('\n'));
  return made.value;
}

async function newer(garden: Garden): Promise<Garden> {
  return changed(garden, { 'capsules/web/capsule.yaml': NEWER, 'capsules/web/files/package.json': '{ "version": "1.1.0" }\n' });
}

/** A registry with an artifact that somebody made by hand. */
async function crafted(
  packed: PackedCapsule,
  change: { readonly files?: readonly TarFile[]; readonly content?: Uint8Array; readonly manifest?: (manifest: Manifest) => object },
): Promise<{ readonly registry: Registry; readonly digest: string }> {
  const { registry } = archiveRegistry(undefined);
  const content = change.content ?? (change.files === undefined ? packed.content : writeTar(change.files));
  const manifest = JSON.parse(Buffer.from(packed.manifest).toString()) as Manifest;
  const layers = manifest.layers.map((layer) => ({ ...layer, digest: `sha256:${sha256Of(content)}`, size: content.byteLength }));
  const bytes = Buffer.from(JSON.stringify((change.manifest ?? ((same) => same))({ ...manifest, layers })));
  await registry.pushBlob(HERE, content);
  await registry.pushManifest(HERE, bytes, OCI_IMAGE, '1.0.0');
  return { registry, digest: `sha256:${sha256Of(bytes)}` };
}

interface Manifest extends JsonObject {
  readonly layers: readonly JsonObject[];
  readonly annotations: JsonObject;
}

async function refusalOf(from: { readonly registry: Registry; readonly digest: string }): Promise<string> {
  const pulled = await pullArtifact(from.registry, HERE, from.digest);
  return pulled.kind === 'refused' ? `${pulled.code}: ${pulled.reason}` : pulled.kind;
}

test('a release packs to the same bytes from every later commit, and has the digests of its lock', async () => {
  const garden = await plantedGarden();
  const packed = await pack(garden);
  const later = await newer(await changed(garden, { 'README.md': 'grown\n' }));
  expect(await pack(later, { name: 'web', version: '1.0.0' })).toEqual(packed);
  const lock = garden.files['environments/dev/environment.lock.yaml'] ?? '';
  expect(lock).toContain(packed.facts.sha256);
  expect(lock).toContain(packed.facts.gitTree);
  expect(lock).toContain(packed.facts.commit);
  expect((await pack(later)).facts).toMatchObject({ name: 'web', version: '1.1.0' });
});

test('what a lock names packs to the digest that was pushed, so that its signatures are found without asking for a tag', async () => {
  const garden = await plantedGarden();
  const packed = await pack(garden);
  const world = await worldOf(garden);
  const { index } = await world.history.upTo(garden.head);
  const release = index.releases.get(packed.facts.name as never)?.get('1.0.0');
  const again = release === undefined ? undefined : await packPin(world, release);
  expect(again?.digest).toBe(packed.digest);
});

test('the manifest of a packed capsule is the one that is documented', async () => {
  const packed = await pack(await plantedGarden());
  expect(JSON.parse(Buffer.from(packed.manifest).toString())).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.capstan.capsule.v1+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: `sha256:${sha256Of('{}')}`, size: 2, data: 'e30=' },
    layers: [
      {
        mediaType: 'application/vnd.capstan.capsule.content.v1.tar',
        digest: `sha256:${sha256Of(packed.content)}`,
        size: packed.content.byteLength,
        annotations: { 'org.opencontainers.image.title': 'web-1.0.0.tar' },
      },
    ],
    annotations: {
      'dev.capstan.capsule.commit': packed.facts.commit,
      'dev.capstan.capsule.gitTree': packed.facts.gitTree,
      'dev.capstan.capsule.name': 'web',
      'dev.capstan.capsule.sha256': packed.facts.sha256,
      'dev.capstan.capsule.version': '1.0.0',
      'org.opencontainers.image.created': '2026-01-05T09:00:00.000Z',
      'org.opencontainers.image.revision': packed.facts.commit,
      'org.opencontainers.image.title': 'web',
      'org.opencontainers.image.version': '1.0.0',
    },
  });
});

test('a capsule or version that is not there is named with those that are', async () => {
  const garden = await plantedGarden();
  await expect(pack(garden, { name: 'wbe' })).rejects.toThrow('there is no capsule "wbe" (known: redis, web); did you mean "web"?');
  await expect(pack(garden, { name: 'web', version: '9.0.0' })).rejects.toThrow('web@9.0.0 was never released here (released: 1.0.0)');
});

test('a capsule with a name that programs mistake for a property cannot be packed', async () => {
  const garden = await changed(await plantedGarden(), { 'capsules/web/files/__proto__': 'x' });
  await expect(pack(garden)).rejects.toThrow(
    'capsule web cannot be packed: files/__proto__ has a name that programs mistake for a property',
  );
});

test('what was pushed is pulled with equal files; pushing it again sends nothing, and a tag never gets another content', async () => {
  const garden = await plantedGarden();
  const packed = await pack(garden);
  const { registry } = archiveRegistry(undefined);
  expect((await pushArtifact(registry, HERE, packed, '1.0.0')).kind).toBe('pushed');
  expect((await pushArtifact(registry, HERE, packed, '1.0.0')).kind).toBe('there-already');
  const pulled = await pullArtifact(registry, HERE, packed.digest);
  expect(pulled.kind === 'pulled' && pulled.capsule.facts).toEqual(packed.facts);
  expect(pulled.kind === 'pulled' && writeTar(pulled.capsule.files)).toEqual(packed.content);
  const other = await pack(await newer(garden));
  expect(await pushArtifact(registry, HERE, other, '1.0.0')).toEqual({ kind: 'taken', by: packed.digest });
});

test('an archive of a layout has equal bytes for equal content, and can be read again', async () => {
  const packed = await pack(await plantedGarden());
  const [first, second] = [archiveRegistry(undefined), archiveRegistry(undefined)];
  for (const { registry } of [first, second]) await pushArtifact(registry, HERE, packed, '1.0.0');
  expect(first.bytes()).toEqual(second.bytes());
  const again = archiveRegistry(first.bytes());
  expect((await again.registry.resolveTag(HERE, '1.0.0'))?.digest).toBe(packed.digest);
});

test('an artifact whose files are others than its annotation says is refused, with the right git tree, too', async () => {
  const packed = await pack(await plantedGarden());
  const read = readTar(packed.content, { files: 100, bytes: 1_000_000 });
  if (!read.ok) throw new Error(read.reason);
  const evil = read.value.map((file) => (file.path === 'capsule.yaml' ? { ...file, bytes: Buffer.from('evil') } : file));
  expect(await refusalOf(await crafted(packed, { files: evil }))).toMatch(
    /^wrong-digest: its files have the directory digest [0-9a-f]{12}, but its annotation says [0-9a-f]{12}$/,
  );
  const executable = read.value.map((file) => (file.path === 'capsule.yaml' ? { ...file, mode: '100755' as const } : file));
  expect(await refusalOf(await crafted(packed, { files: executable }))).toMatch(
    /^wrong-digest: its files have the git tree [0-9a-f]{12}, but its annotation says [0-9a-f]{12}$/,
  );
});

test.each<[string, Parameters<typeof crafted>[1], string]>([
  ['two layers', { manifest: (m) => ({ ...m, layers: [...m.layers, ...m.layers] }) }, 'not-a-capsule: it has 2 layers; a capsule has one'],
  ['no layer', { manifest: (m) => ({ ...m, layers: [] }) }, 'not-a-capsule: it has 0 layers; a capsule has one'],
  [
    'another type of artifact',
    { manifest: (m) => ({ ...m, artifactType: 'application/vnd.oci.image.config.v1+json' }) },
    'not-a-capsule: it is no capsule but application/vnd.oci.image.config.v1+json',
  ],
  [
    'a compressed layer',
    {
      manifest: (m) => ({
        ...m,
        layers: m.layers.map((layer) => ({ ...layer, mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' })),
      }),
    },
    'not-a-capsule: its layer is no application/vnd.capstan.capsule.content.v1.tar',
  ],
  [
    'a layer that says it has a petabyte',
    { manifest: (m) => ({ ...m, layers: m.layers.map((layer) => ({ ...layer, size: 1e15 })) }) },
    'not-a-capsule: its layer has more than 67108864 bytes',
  ],
  [
    'a layer with another size',
    { manifest: (m) => ({ ...m, layers: m.layers.map((layer) => ({ ...layer, size: Number(layer['size']) + 1 })) }) },
    'wrong-digest: the registry answered another layer than the manifest names',
  ],
  [
    'an annotation that names another capsule with a path',
    { manifest: (m) => ({ ...m, annotations: { ...m.annotations, 'dev.capstan.capsule.name': '../web' } }) },
    'not-a-capsule: its annotation dev.capstan.capsule.name is no name of a capsule',
  ],
  [
    'an annotation that names another content',
    { manifest: (m) => ({ ...m, annotations: { ...m.annotations, 'dev.capstan.capsule.sha256': '0'.repeat(64) } }) },
    'wrong-digest: its files have the directory digest',
  ],
  [
    'no annotations',
    { manifest: (m) => ({ ...m, annotations: {} }) },
    'not-a-capsule: its annotation dev.capstan.capsule.name is no name of a capsule',
  ],
  ['content that is no archive', { content: Buffer.from('evil') }, 'wrong-digest: its content is refused'],
])('an artifact with %s is refused', async (_what, change, reason) => {
  const packed = await pack(await plantedGarden());
  expect(await refusalOf(await crafted(packed, change))).toContain(reason);
});

test('annotations that name another capsule or version than its own declaration are refused', async () => {
  const packed = await pack(await plantedGarden());
  const named = async (name: string, version: string): Promise<string> => {
    const claim = { 'dev.capstan.capsule.name': name, 'dev.capstan.capsule.version': version };
    return refusalOf(await crafted(packed, { manifest: (m) => ({ ...m, annotations: { ...m.annotations, ...claim } }) }));
  };
  expect(await named('redis', '1.0.0')).toMatch(/^not-a-capsule: its capsule\.yaml cannot be used: .*web/);
  expect(await named('web', '9.0.0')).toBe('not-a-capsule: its annotations say web@9.0.0, but its capsule.yaml web@1.0.0');
});

test('an artifact without a declaration is refused', async () => {
  const packed = await pack(await plantedGarden());
  const files = [{ path: 'readme', mode: '100644' as const, bytes: Buffer.from('x') }];
  const manifest = (m: Manifest) => ({
    ...m,
    annotations: {
      ...m.annotations,
      'dev.capstan.capsule.sha256': digestsOf(files).sha256,
      'dev.capstan.capsule.gitTree': digestsOf(files).gitTree,
    },
  });
  expect(await refusalOf(await crafted(packed, { files, manifest }))).toBe('not-a-capsule: it has no capsule.yaml');
});

test('a manifest that is no object is refused', async () => {
  const { registry } = archiveRegistry(undefined);
  const bytes = Buffer.from('[]');
  const descriptor = { mediaType: OCI_IMAGE, digest: `sha256:${sha256Of(bytes)}`, size: 2 };
  const from = { ...registry, manifest: async () => ({ bytes, descriptor }) };
  expect(await refusalOf({ registry: from, digest: descriptor.digest })).toBe('not-a-capsule: its manifest is no JSON object');
});

test('a registry that answers another manifest or another layer is found out, even by digest', async () => {
  const garden = await plantedGarden();
  const [packed, other] = [await pack(garden), await pack(await newer(garden))];
  const { registry } = archiveRegistry(undefined);
  await pushArtifact(registry, HERE, packed, '1.0.0');
  await pushArtifact(registry, HERE, other, '1.1.0');
  const lyingManifest: Registry = { ...registry, manifest: () => registry.manifest(HERE, other.digest) };
  expect(await refusalOf({ registry: lyingManifest, digest: packed.digest })).toBe(
    `wrong-digest: the registry answered another manifest than ${packed.digest}`,
  );
  const lyingLayer: Registry = { ...registry, blob: async () => Buffer.alloc(packed.content.byteLength) };
  expect(await refusalOf({ registry: lyingLayer, digest: packed.digest })).toBe(
    'wrong-digest: the registry answered another layer than the manifest names',
  );
  expect(EMPTY_CONFIG.byteLength).toBe(2);
});
