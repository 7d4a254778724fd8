import { OCI_EMPTY, EMPTY_CONFIG, type PackedCapsule } from '#model/capsule-artifact.ts';
import { CAPSULE_RELEASE, capsuleStatement, IN_TOTO_PAYLOAD } from '#model/capsule-statement.ts';
import { sha256Of } from '#model/digest.ts';
import { OCI_IMAGE, parseOciManifest } from '#model/oci-manifest.ts';
import { LARGEST_BUNDLE, MOST_SIGNATURES_LOOKED_AT } from '#model/signature-finding.ts';
import type { BundleDraft, Bundles } from '#ports/bundles.ts';
import type { Clock } from '#ports/machine.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Descriptor, ImageRepository, Registry } from '#ports/registry.ts';

/** What cosign 3 calls the artifact that carries a bundle. */
export const BUNDLE_ARTIFACT = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** A bundle as it was found; hostile. */
export interface FoundBundle {
  /** Digest of its manifest, or its path on the evidence branch. */
  readonly place: string;
  /** Undefined: it is there, and cannot be read (why stands in `fault`). */
  readonly bytes: Uint8Array | undefined;
  readonly fault?: string;
}

export interface FoundBundles {
  readonly bundles: readonly FoundBundle[];
  /** There are more than are looked at. */
  readonly isCut: boolean;
  /** Why one of them, or the rest, was not looked at: the registry did not answer, or too slowly. What was found counts. */
  readonly unread: string | undefined;
}

/** Milliseconds for all signatures of one capsule: each answer may take its time, but not all of them. */
const LOOKING_MS = 60_000;

/** Signs a packed capsule: one bundle for the registry and for the evidence branch alike. */
export async function signCapsule(
  bundles: Bundles,
  key: BundleDraft['key'],
  packed: Pick<PackedCapsule, 'facts' | 'digest'>,
): Promise<Uint8Array> {
  return bundles.sign({ payloadType: IN_TOTO_PAYLOAD, payload: capsuleStatement(packed.facts, packed.digest), key });
}

/** Puts a bundle beside its artifact, as cosign 3 does. The very same bundle lies there once. */
export async function attachBundle(
  registry: Registry,
  repository: ImageRepository,
  { subject, bundle }: { readonly subject: Descriptor; readonly bundle: Uint8Array },
): Promise<Descriptor> {
  await registry.pushBlob(repository, EMPTY_CONFIG);
  await registry.pushBlob(repository, bundle);
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_IMAGE,
    artifactType: BUNDLE_ARTIFACT,
    config: { mediaType: OCI_EMPTY, digest: `sha256:${sha256Of(EMPTY_CONFIG)}`, size: EMPTY_CONFIG.byteLength, data: 'e30=' },
    layers: [{ mediaType: BUNDLE_ARTIFACT, digest: `sha256:${sha256Of(bundle)}`, size: bundle.byteLength }],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations: { 'dev.sigstore.bundle.content': 'dsse-envelope', 'dev.sigstore.bundle.predicateType': CAPSULE_RELEASE },
  };
  return registry.pushManifest(repository, Buffer.from(JSON.stringify(manifest)), OCI_IMAGE);
}

export interface BundlesPlace {
  readonly registry: Registry;
  readonly clock: Clock;
  /** Bytes that need not be pulled, by the digest of their manifest. */
  readonly known?: (place: string) => Promise<Uint8Array | undefined>;
}

/** The bundles beside an artifact. What one of them has wrong is told of that one; a list that cannot be had is thrown. */
export async function bundlesBeside(
  { registry, clock, known }: BundlesPlace,
  repository: ImageRepository,
  digest: string,
): Promise<FoundBundles> {
  const began = clock.now();
  const { descriptors, isCut } = await registry.referrers(repository, digest, BUNDLE_ARTIFACT);
  const looked = descriptors.slice(0, MOST_SIGNATURES_LOOKED_AT);
  const bundles: FoundBundle[] = [];
  const found = { bundles, isCut: isCut || descriptors.length > looked.length };
  let unread: string | undefined;
  for (const { digest: place } of looked) {
    if (clock.now() - began > LOOKING_MS)
      return { ...found, unread: `its registry took more than ${LOOKING_MS / 1000} s for its signatures` };
    try {
      const bytes = await known?.(place);
      bundles.push(bytes !== undefined ? { place, bytes } : await bundleAt(registry, repository, { place, subject: digest }));
    } catch (error) {
      if (!isPortError(error)) throw error;
      // Another one may be the one that counts.
      unread ??= error.message;
    }
  }
  return { ...found, unread };
}

async function bundleAt(
  registry: Registry,
  repository: ImageRepository,
  { place, subject }: { readonly place: string; readonly subject: string },
): Promise<FoundBundle> {
  const fault = (why: string): FoundBundle => ({ place, bytes: undefined, fault: why });
  try {
    const { bytes, descriptor } = await registry.manifest(repository, place);
    const manifest = parseOciManifest(bytes, descriptor.mediaType);
    if ('wrong' in manifest) return fault(`its manifest ${manifest.wrong}`);
    if (manifest.kind !== 'image' || manifest.subject?.digest !== subject) return fault('it is about another artifact');
    const [layer, ...more] = manifest.layers;
    if (layer === undefined || more.length > 0) return fault('it does not have one layer');
    if (layer.size > LARGEST_BUNDLE) return fault(`it has more than ${LARGEST_BUNDLE} bytes`);
    return { place, bytes: await registry.blob(repository, layer.digest, LARGEST_BUNDLE) };
  } catch (error) {
    // One that is gone or spoiled is nobody's signature; one that could not be asked for may be the one that counts.
    if (!isPortError(error) || (error.kind !== 'missing' && error.kind !== 'invalid')) throw error;
    return fault(error.message);
  }
}
