import { sha256Of } from '#model/digest.ts';
import { isJsonObject, type Json, type JsonObject } from '#model/json.ts';
import { OCI_IMAGE, OCI_INDEX, parseOciManifest, type OciManifest } from '#model/oci-manifest.ts';
import { PortError } from '#ports/port-error.ts';
import type { Descriptor, Registry } from '#ports/registry.ts';
import { layoutArchive, layoutFolder, type LayoutArchive, type LayoutFiles } from './layout-files.ts';

const LARGEST_MANIFEST = 4 * 1024 * 1024;
const MOST_MANIFESTS = 1_000;
const TAG = 'org.opencontainers.image.ref.name';

/** An OCI image layout as a registry of one repository. */
export interface Layout {
  readonly registry: Registry;
  readonly tags: () => Promise<readonly string[]>;
}

/** A layout in a folder: what skopeo calls `oci:`, oras `--oci-layout`. */
export function folderRegistry(root: string): Layout {
  return layoutRegistry(layoutFolder(root));
}

/** The same in one archive (`oci-archive:`), in memory; `bytes` is the archive as it is now. */
export function archiveRegistry(bytes: Uint8Array | undefined): Layout & Pick<LayoutArchive, 'bytes'> {
  const files = layoutArchive(bytes);
  return { ...layoutRegistry(files), bytes: () => files.bytes() };
}

function layoutRegistry(files: LayoutFiles): Layout {
  async function blobAt(digest: string, limit: number): Promise<Uint8Array> {
    const bytes = await files.read(blobPath(digest), limit);
    if (bytes === undefined) throw new PortError('missing', `the layout has no ${digest}`);
    if (`sha256:${sha256Of(bytes)}` !== digest) throw new PortError('invalid', `the layout has other bytes than those of ${digest}`);
    return bytes;
  }

  async function listed(): Promise<readonly Descriptor[]> {
    const bytes = await files.read('index.json', LARGEST_MANIFEST);
    if (bytes === undefined) return [];
    const index = objectIn(bytes, 'index.json');
    const manifests = index['manifests'];
    if (!Array.isArray(manifests) || manifests.length > MOST_MANIFESTS)
      throw new PortError('invalid', `index.json of the layout has no list of at most ${MOST_MANIFESTS} manifests`);
    return manifests.map(descriptorOf);
  }

  async function write(bytes: Uint8Array): Promise<string> {
    const digest = `sha256:${sha256Of(bytes)}`;
    if ((await files.read(blobPath(digest), Number.MAX_SAFE_INTEGER)) === undefined) await files.write(blobPath(digest), bytes);
    return digest;
  }

  async function manifestAt(digest: string): Promise<Read> {
    const bytes = await blobAt(digest, LARGEST_MANIFEST);
    const { mediaType } = objectIn(bytes, digest);
    return readManifest(bytes, typeof mediaType === 'string' ? mediaType : OCI_IMAGE);
  }

  const registry: Registry = {
    async resolveTag(_repository, tag) {
      const found = (await listed()).find((one) => one.annotations?.[TAG] === tag);
      return found === undefined ? undefined : (await manifestAt(found.digest)).descriptor;
    },
    async manifest(_repository, digest) {
      const { bytes, descriptor } = await manifestAt(digest);
      return { bytes, descriptor };
    },
    blob: (_repository, digest, limit) => blobAt(digest, limit),
    async referrers(_repository, digest, artifactType) {
      const descriptors: Descriptor[] = [];
      for (const one of await listed()) {
        const { manifest, descriptor } = await manifestAt(one.digest);
        if (manifest.subject?.digest !== digest) continue;
        if (artifactType !== undefined && manifest.artifactType !== artifactType) continue;
        descriptors.push(
          Object.keys(manifest.annotations).length === 0 ? descriptor : { ...descriptor, annotations: manifest.annotations },
        );
      }
      return { descriptors, isCut: false };
    },
    async pushBlob(_repository, bytes) {
      return { mediaType: 'application/octet-stream', digest: await write(bytes), size: bytes.byteLength };
    },
    async pushManifest(_repository, bytes, mediaType, tag) {
      const { descriptor } = readManifest(bytes, mediaType);
      const before = await listed();
      await write(bytes);
      const known = before.find((one) => one.digest === descriptor.digest);
      const name = tag ?? known?.annotations?.[TAG];
      const own: Descriptor = { ...descriptor, ...(name === undefined ? {} : { annotations: { [TAG]: name } }) };
      const others = before.filter((one) => one.digest !== own.digest).map((one) => (tag === undefined ? one : untagged(one, tag)));
      // The index names what is there already: it comes last.
      await files.write('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
      const manifests = [...others, own];
      await files.write('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })));
      return descriptor;
    },
  };
  return { registry, tags: async () => (await listed()).flatMap((one) => one.annotations?.[TAG] ?? []).sort() };
}

interface Read {
  readonly bytes: Uint8Array;
  readonly manifest: OciManifest;
  readonly descriptor: Descriptor;
}

function readManifest(bytes: Uint8Array, mediaType: string): Read {
  const manifest = parseOciManifest(bytes, mediaType);
  if ('wrong' in manifest) throw new PortError('invalid', `the manifest ${manifest.wrong}`);
  const { artifactType } = manifest;
  const descriptor = { mediaType, digest: `sha256:${sha256Of(bytes)}`, size: bytes.byteLength };
  return { bytes, manifest, descriptor: artifactType === undefined ? descriptor : { ...descriptor, artifactType } };
}

function untagged(one: Descriptor, tag: string): Descriptor {
  const { annotations, ...rest } = one;
  if (annotations?.[TAG] !== tag) return one;
  const left = Object.entries(annotations).filter(([name]) => name !== TAG);
  return left.length === 0 ? rest : { ...rest, annotations: Object.fromEntries(left) };
}

function blobPath(digest: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new PortError('invalid', `"${digest.slice(0, 80)}" is no sha256 digest`);
  return `blobs/sha256/${digest.slice(7)}`;
}

function descriptorOf(value: Json): Descriptor {
  if (!isJsonObject(value)) throw new PortError('invalid', 'index.json of the layout lists something that is no descriptor');
  const { mediaType, digest, size, artifactType, annotations } = value;
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || typeof size !== 'number')
    throw new PortError('invalid', 'index.json of the layout lists a descriptor without mediaType, digest or size');
  const texts = isJsonObject(annotations)
    ? Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    : [];
  return {
    mediaType,
    digest,
    size,
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
    ...(texts.length === 0 ? {} : { annotations: Object.fromEntries(texts) }),
  };
}

function objectIn(bytes: Uint8Array, name: string): JsonObject {
  try {
    const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as Json;
    if (isJsonObject(value)) return value;
  } catch (error) {
    throw new PortError('invalid', `${name} of the layout is no JSON`, error);
  }
  throw new PortError('invalid', `${name} of the layout is no JSON object`);
}
