import { sha256Of } from '#model/digest.ts';
import { parseOciManifest } from '#model/oci-manifest.ts';
import { PortError } from '#ports/port-error.ts';
import type { Descriptor, ImageRepository, Registry } from '#ports/registry.ts';

/** What a registry keeps; survives every kill of the engine. */
export interface RegistryState {
  /** `<registry>/<name>@<digest>` */
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, { readonly bytes: Uint8Array; readonly descriptor: Descriptor }>;
  /** `<registry>/<name>:<tag>` */
  readonly tags: Map<string, string>;
}

export function registryState(from?: RegistryState): RegistryState {
  return { blobs: new Map(from?.blobs), manifests: new Map(from?.manifests), tags: new Map(from?.tags) };
}

export interface MemoryRegistryOptions {
  readonly state: RegistryState;
  /** Entries of one list of referrers. */
  readonly mostReferrers?: number;
  /** Told before every call; throws where the registry should fail. */
  readonly pause?: (call: keyof Registry) => void;
}

/** A registry in memory that keeps every promise of the port. */
export function memoryRegistry({ state, mostReferrers = 1024, pause }: MemoryRegistryOptions): Registry {
  const placeOf = ({ registry, name }: ImageRepository): string => `${registry}/${name}`;

  function manifestOf(repository: ImageRepository, digest: string): { readonly bytes: Uint8Array; readonly descriptor: Descriptor } {
    const found = state.manifests.get(`${placeOf(repository)}@${digest}`);
    if (found === undefined) throw new PortError('missing', `there is no manifest ${digest} in ${placeOf(repository)}`);
    return found;
  }

  return {
    async resolveTag(repository, tag) {
      pause?.('resolveTag');
      const digest = state.tags.get(`${placeOf(repository)}:${tag}`);
      return digest === undefined ? undefined : manifestOf(repository, digest).descriptor;
    },
    async manifest(repository, digest) {
      pause?.('manifest');
      return manifestOf(repository, digest);
    },
    async blob(repository, digest, limit) {
      pause?.('blob');
      const bytes = state.blobs.get(`${placeOf(repository)}@${digest}`);
      if (bytes === undefined) throw new PortError('missing', `there is no blob ${digest} in ${placeOf(repository)}`);
      if (bytes.length > limit) throw new PortError('invalid', `the blob ${digest} is larger than ${limit} bytes`);
      return bytes;
    },
    async referrers(repository, digest, artifactType) {
      pause?.('referrers');
      const prefix = `${placeOf(repository)}@`;
      const found = [...state.manifests].flatMap(([key, { bytes, descriptor }]) => {
        const manifest = parseOciManifest(bytes, descriptor.mediaType);
        if (!key.startsWith(prefix) || 'wrong' in manifest || manifest.subject?.digest !== digest) return [];
        const annotations = Object.keys(manifest.annotations).length === 0 ? {} : { annotations: manifest.annotations };
        return artifactType === undefined || manifest.artifactType === artifactType ? [{ ...descriptor, ...annotations }] : [];
      });
      return { descriptors: found.slice(0, mostReferrers), isCut: found.length > mostReferrers };
    },
    async pushBlob(repository, bytes) {
      pause?.('pushBlob');
      const digest = `sha256:${sha256Of(bytes)}`;
      state.blobs.set(`${placeOf(repository)}@${digest}`, Uint8Array.from(bytes));
      return { mediaType: 'application/octet-stream', digest, size: bytes.length };
    },
    async pushManifest(repository, bytes, mediaType, tag) {
      pause?.('pushManifest');
      const manifest = parseOciManifest(bytes, mediaType);
      if ('wrong' in manifest) throw new PortError('invalid', `the manifest ${manifest.wrong}`);
      const digest = `sha256:${sha256Of(bytes)}`;
      const artifactType = manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType };
      const descriptor = { mediaType, digest, size: bytes.length, ...artifactType };
      state.manifests.set(`${placeOf(repository)}@${digest}`, { bytes: Uint8Array.from(bytes), descriptor });
      if (tag !== undefined) state.tags.set(`${placeOf(repository)}:${tag}`, digest);
      return descriptor;
    },
  };
}
