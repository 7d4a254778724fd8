import type { ContentDescriptor } from '#model/oci-manifest.ts';

/** `registry/repository`, without tag or digest: `ghcr.io/acme/greeter`, `127.0.0.1:5000/a`. */
export interface ImageRepository {
  /** Host and port. */
  readonly registry: string;
  /** Path within it. */
  readonly name: string;
}

export type Descriptor = ContentDescriptor;

export interface PulledManifest {
  /** As it came; its digest was computed and is the one asked for. */
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

export interface Referrers {
  readonly descriptors: readonly Descriptor[];
  /** A limit was hit: there are more than these. */
  readonly isCut: boolean;
}

/**
 * An OCI registry. Everything answered is checked against its digest and its limits before it is given on. PortError: `missing` (404),
 * `denied` (401, 403), `transient` (unreachable, 429, 5xx, too slow, cut off), `invalid` (other bytes than asked for, too large, malformed).
 * "There is none" and "could not look" are never confused: an empty list is an answer, everything else throws.
 */
export interface Registry {
  /** What a tag names now; undefined when there is no such tag. The one place where a tag is read: go on with the digest. */
  resolveTag(repository: ImageRepository, tag: string): Promise<Descriptor | undefined>;
  manifest(repository: ImageRepository, digest: string): Promise<PulledManifest>;
  /** At most `limit` bytes; a larger one is refused before it is read. */
  blob(repository: ImageRepository, digest: string, limit: number): Promise<Uint8Array>;
  /**
   * What names this digest as its subject, by the referrers API or the tag `sha256-<hex>` where a registry has none. With `artifactType`, exactly those of
   * that type by their own manifests, whatever a list calls them. A limit that was hit is said: never take a cut list for all there is.
   */
  referrers(repository: ImageRepository, digest: string, artifactType?: string): Promise<Referrers>;
  /** Pushed once: bytes that are there already are not sent again. */
  pushBlob(repository: ImageRepository, bytes: Uint8Array): Promise<Descriptor>;
  /** With `tag`, that tag names it afterwards. With a `subject` in the manifest, it is listed as a referrer, also where there is no referrers API. */
  pushManifest(repository: ImageRepository, bytes: Uint8Array, mediaType: string, tag?: string): Promise<Descriptor>;
}
