import { sha256Of } from '#model/digest.ts';
import { isJsonObject, type Json, type JsonObject } from '#model/json.ts';
import { PortError } from '#ports/port-error.ts';
import type { Descriptor, Registry } from '#ports/registry.ts';
import { layoutArchive, layoutFolder, type LayoutArchive, type LayoutFiles } from './layout-files.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
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

  async function write(bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
    const descriptor = { mediaType, digest: `sha256:${sha256Of(bytes)}`, size: bytes.byteLength };
    if ((await files.read(blobPath(descriptor.digest), Number.MAX_SAFE_INTEGER)) === undefined)
      await files.write(blobPath(descriptor.digest), bytes);
    return descriptor;
  }

  const registry: Registry = {
    async resolveTag(_repository, tag) {
      return (await listed()).find((one) => one.annotations?.[TAG] === tag);
    },
    async manifest(_repository, digest) {
      const bytes = await blobAt(digest, LARGEST_MANIFEST);
      const { mediaType } = objectIn(bytes, digest);
      const type = typeof mediaType === 'string' ? mediaType : 'application/vnd.oci.image.manifest.v1+json';
      return { bytes, descriptor: { mediaType: type, digest, size: bytes.byteLength } };
    },
    blob: (_repository, digest, limit) => blobAt(digest, limit),
    async referrers(_repository, digest, artifactType) {
      const descriptors: Descriptor[] = [];
      for (const one of await listed()) {
        const { subject, artifactType: own } = objectIn(await blobAt(one.digest, LARGEST_MANIFEST), one.digest);
        if (!isJsonObject(subject) || subject['digest'] !== digest) continue;
        if (artifactType === undefined || own === artifactType) descriptors.push(one);
      }
      return { descriptors, isCut: false };
    },
    pushBlob: (_repository, bytes) => write(bytes, 'application/octet-stream'),
    async pushManifest(_repository, bytes, mediaType, tag) {
      const descriptor = await write(bytes, mediaType);
      const { artifactType } = objectIn(bytes, descriptor.digest);
      const before = await listed();
      const known = before.find((one) => one.digest === descriptor.digest);
      const name = tag ?? known?.annotations?.[TAG];
      const own: Descriptor = {
        ...descriptor,
        ...(typeof artifactType === 'string' ? { artifactType } : {}),
        ...(name === undefined ? {} : { annotations: { [TAG]: name } }),
      };
      const others = before.filter((one) => one.digest !== own.digest).map((one) => (tag === undefined ? one : untagged(one, tag)));
      // The index names what is there already: it comes last.
      await files.write('oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
      const manifests = [...others, own];
      await files.write('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests })));
      return descriptor;
    },
  };
  return { registry, tags: async () => (await listed()).flatMap((one) => one.annotations?.[TAG] ?? []).sort() };
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
