import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import { OCI_IMAGE, OCI_INDEX } from '#model/oci-manifest.ts';
import type { Descriptor, ImageRepository, Registry } from '#ports/registry.ts';

export interface RegistryUnderTest {
  readonly registry: Registry;
  /** Host and port. */
  readonly host: string;
  readonly tidy: () => Promise<void>;
}

export const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json';

/** Pushes an image whose only layer is the text. */
export async function pushImage(registry: Registry, repository: ImageRepository, text: string, tag?: string): Promise<Descriptor> {
  const config = await registry.pushBlob(repository, Buffer.from('{"architecture":"amd64","os":"linux"}'));
  const layer = await registry.pushBlob(repository, Buffer.from(text));
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_IMAGE,
    config: { ...config, mediaType: 'application/vnd.oci.image.config.v1+json' },
    layers: [{ ...layer, mediaType: 'application/vnd.oci.image.layer.v1.tar' }],
  };
  return registry.pushManifest(repository, Buffer.from(JSON.stringify(manifest)), OCI_IMAGE, tag);
}

/** Pushes something that names a subject: a text of an artifact type. */
export async function pushReferrer(
  registry: Registry,
  repository: ImageRepository,
  { subject, artifactType, text }: { readonly subject: Descriptor; readonly artifactType: string; readonly text: string },
): Promise<Descriptor> {
  const config = await registry.pushBlob(repository, Buffer.from('{}'));
  const layer = await registry.pushBlob(repository, Buffer.from(text));
  const { mediaType, digest, size } = subject;
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_IMAGE,
    artifactType,
    config: { ...config, mediaType: EMPTY_CONFIG },
    layers: [{ ...layer, mediaType: 'text/plain' }],
    subject: { mediaType, digest, size },
  };
  return registry.pushManifest(repository, Buffer.from(JSON.stringify(manifest)), OCI_IMAGE);
}

const digestOf = (bytes: Uint8Array | string): string => `sha256:${sha256Of(bytes)}`;
const NOWHERE = digestOf('nothing');

/** What every Registry promises, told once for the double and for real registries. */
export function registryContract(name: string, arrange: () => Promise<RegistryUnderTest>): void {
  describe(`registry contract: ${name}`, () => {
    let made: RegistryUnderTest;
    let registry: Registry;
    let count = 0;
    beforeAll(async () => {
      made = await arrange();
      ({ registry } = made);
    });
    afterAll(async () => made.tidy());

    const fresh = (): ImageRepository => ({ registry: made.host, name: `acme/thing-${++count}` });

    test('gives back a blob as it was pushed, also an empty and a larger one', async () => {
      const repository = fresh();
      for (const bytes of [Buffer.from('hello'), Buffer.alloc(0), randomBytes(300_000)]) {
        const pushed = await registry.pushBlob(repository, bytes);

        const pulled = await registry.blob(repository, pushed.digest, bytes.length);

        expect(pushed).toMatchObject({ digest: digestOf(bytes), size: bytes.length });
        expect(Buffer.from(pulled).equals(bytes)).toBe(true);
      }
    });

    test('a blob pushed twice is there once', async () => {
      const repository = fresh();

      const first = await registry.pushBlob(repository, Buffer.from('twice'));
      const second = await registry.pushBlob(repository, Buffer.from('twice'));

      expect(second).toEqual(first);
    });

    test('a blob that is missing and one that is too large throw different words', async () => {
      const repository = fresh();
      const { digest } = await registry.pushBlob(repository, Buffer.from('123456'));

      await expect(registry.blob(repository, digest, 5)).rejects.toMatchObject({ name: 'PortError', kind: 'invalid' });
      await expect(registry.blob(repository, NOWHERE, 5)).rejects.toMatchObject({ name: 'PortError', kind: 'missing' });
    });

    test('a manifest is given by its digest, to the byte', async () => {
      const repository = fresh();
      const pushed = await pushImage(registry, repository, 'one');

      const pulled = await registry.manifest(repository, pushed.digest);

      expect(pulled.descriptor).toEqual(pushed);
      expect(digestOf(pulled.bytes)).toBe(pushed.digest);
      expect(pulled.bytes.length).toBe(pushed.size);
      await expect(registry.manifest(repository, NOWHERE)).rejects.toMatchObject({ name: 'PortError', kind: 'missing' });
    });

    test('a tag names what was pushed with it last', async () => {
      const repository = fresh();
      const before = await registry.resolveTag(repository, 'v1');
      const one = await pushImage(registry, repository, 'one', 'v1');
      const first = await registry.resolveTag(repository, 'v1');
      const two = await pushImage(registry, repository, 'two', 'v1');

      const second = await registry.resolveTag(repository, 'v1');

      expect([before, first, second]).toEqual([undefined, one, two]);
      expect(one.digest).not.toBe(two.digest);
      expect((await registry.manifest(repository, one.digest)).descriptor).toEqual(one);
    });

    test('an index is pushed and read like an image', async () => {
      const repository = fresh();
      const child = await pushImage(registry, repository, 'child');
      const { mediaType, digest, size } = child;
      const index = {
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [{ mediaType, digest, size, platform: { os: 'linux', architecture: 'amd64' } }],
      };

      const pushed = await registry.pushManifest(repository, Buffer.from(JSON.stringify(index)), OCI_INDEX, 'all');

      expect(await registry.resolveTag(repository, 'all')).toEqual(pushed);
      expect(pushed.mediaType).toBe(OCI_INDEX);
    });

    test('what nobody refers to has no referrers, and that is an answer', async () => {
      const repository = fresh();
      const image = await pushImage(registry, repository, 'alone');

      expect(await registry.referrers(repository, image.digest)).toEqual({ descriptors: [], isCut: false });
      expect(await registry.referrers(repository, image.digest, 'application/x.signature')).toEqual({ descriptors: [], isCut: false });
    });

    test('lists what names a digest as its subject, and of one type exactly that', async () => {
      const repository = fresh();
      const [image, other] = [await pushImage(registry, repository, 'one'), await pushImage(registry, repository, 'other')];
      const a = await pushReferrer(registry, repository, { subject: image, artifactType: 'application/x.signature', text: 'a' });
      const b = await pushReferrer(registry, repository, { subject: image, artifactType: 'application/x.signature', text: 'b' });
      const c = await pushReferrer(registry, repository, { subject: image, artifactType: 'application/x.sbom', text: 'c' });
      await pushReferrer(registry, repository, { subject: other, artifactType: 'application/x.signature', text: 'd' });

      const all = await registry.referrers(repository, image.digest);
      const signatures = await registry.referrers(repository, image.digest, 'application/x.signature');

      expect(all.descriptors.map(({ digest }) => digest).toSorted()).toEqual([a, b, c].map(({ digest }) => digest).toSorted());
      expect(signatures.descriptors.toSorted((x, y) => (x.digest < y.digest ? -1 : 1))).toEqual(
        [a, b].toSorted((x, y) => (x.digest < y.digest ? -1 : 1)),
      );
      expect([all.isCut, signatures.isCut]).toEqual([false, false]);
    });

    test('a referrer pushed twice is listed once, and one may come before its subject', async () => {
      const repository = fresh();
      const elsewhere = await pushImage(registry, fresh(), 'late');
      const one = await pushReferrer(registry, repository, { subject: elsewhere, artifactType: 'application/x.signature', text: 'early' });
      await pushReferrer(registry, repository, { subject: elsewhere, artifactType: 'application/x.signature', text: 'early' });

      const listed = await registry.referrers(repository, elsewhere.digest, 'application/x.signature');

      expect(listed.descriptors).toEqual([one]);
    });

    test('a manifest that is none is not pushed', async () => {
      const repository = fresh();

      await expect(registry.pushManifest(repository, Buffer.from('{}'), OCI_IMAGE, 'x')).rejects.toMatchObject({
        name: 'PortError',
        kind: 'invalid',
      });
      expect(await registry.resolveTag(repository, 'x')).toBe(undefined);
    });
  });
}
