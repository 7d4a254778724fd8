import { sha256Of } from '#model/digest.ts';
import type { Json } from '#model/json.ts';
import { IMAGE_SIGNATURE } from '#model/signature-finding.ts';
import type { Bundles } from '#ports/bundles.ts';
import type { PlainKey } from '#ports/machine.ts';
import type { ImageRepository, Registry } from '#ports/registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** An image of nothing: one manifest, told from others by its name. Answers its digest. */
export async function pushImage(registry: Registry, repository: ImageRepository, name: string): Promise<string> {
  const { digest } = await registry.pushManifest(
    repository,
    bytesOf(manifest('application/vnd.oci.image.config.v1+json', [], { name })),
    MANIFEST,
  );
  return digest;
}

/** A signature as cosign 3 leaves it: a bundle as the one layer of a referrer. */
export async function signImage(
  { registry, bundles, repository }: { readonly registry: Registry; readonly bundles: Bundles; readonly repository: ImageRepository },
  digest: string,
  {
    key,
    about = digest,
    predicateType = IMAGE_SIGNATURE,
  }: { readonly key: PlainKey; readonly about?: string; readonly predicateType?: string },
): Promise<void> {
  const subject = [{ name: `${repository.registry}/${repository.name}`, digest: { sha256: about.slice('sha256:'.length) } }];
  const payload = bytesOf({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate: {} });
  const bundle = await bundles.sign({ payloadType: 'application/vnd.in-toto+json', payload, key });
  const layer = await registry.pushBlob(repository, bundle);
  const signed = await registry.manifest(repository, digest);
  const referrer = {
    ...manifest('application/vnd.oci.empty.v1+json', [{ mediaType: BUNDLE, digest: layer.digest, size: layer.size }], {}),
    artifactType: BUNDLE,
    subject: { mediaType: MANIFEST, digest, size: signed.descriptor.size },
  };
  await registry.pushManifest(repository, bytesOf(referrer), MANIFEST);
}

function manifest(configType: string, layers: readonly Json[], annotations: Readonly<Record<string, string>>) {
  const config = { mediaType: configType, digest: `sha256:${sha256Of('{}')}`, size: 2 };
  return { schemaVersion: 2, mediaType: MANIFEST, config, layers, annotations };
}

function bytesOf(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value), 'utf8');
}
