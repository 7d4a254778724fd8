import type { ImageFindings } from '#model/image-verdict.ts';
import { legacyBundle } from '#model/legacy-bundle.ts';
import type { LegacyLayer } from '#model/legacy-bundle.ts';
import { parseOciManifest } from '#model/oci-manifest.ts';
import type { ContentDescriptor, OciManifest } from '#model/oci-manifest.ts';
import { LARGEST_BUNDLE, MOST_SIGNATURES_LOOKED_AT } from '#model/signature-finding.ts';
import type { SignatureCode, SignatureFinding } from '#model/signature-finding.ts';
import { imageFinding, SIMPLE_SIGNING } from '#model/simple-signing.ts';
import type { BundleQuestion, Bundles } from '#ports/bundles.ts';
import type { Clock } from '#ports/machine.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import type { ImageRepository, Registry } from '#ports/registry.ts';

export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
/** Milliseconds for the signatures of one image: each answer may take its time, but not all of them. */
const LOOKING_MS = 60_000;
const ENVELOPE_TYPE = 'application/vnd.dsse.envelope.v1+json';

export interface ImageQuestion {
  readonly repository: ImageRepository;
  /** `sha256:` with 64 digits; of a multi-arch image the index, which names its children by their content. */
  readonly digest: string;
  /** Never empty. */
  readonly credentials: BundleQuestion['credentials'];
  readonly trustedRoot: Uint8Array | undefined;
  /** Signatures below the tags `sha256-<hex>.sig` and `.att`, too, which cosign wrote before version 3. */
  readonly isLegacyAllowed: boolean;
}

export interface ImagePorts {
  readonly registry: Registry;
  readonly bundles: Bundles;
  /** Tells how long the looking takes. */
  readonly clock: Clock;
}

/**
 * Looks at the signatures and attestations of an image, one after the other. Whatever is wrong with one of them is a finding; so is one
 * that cannot be read; where the registry is too slow, it is not asked for more. PortError where the list itself cannot be had.
 */
export async function findImageSignatures(ports: ImagePorts, question: ImageQuestion): Promise<ImageFindings> {
  const { registry } = ports;
  const { repository, digest } = question;
  const listed = await registry.referrers(repository, digest, BUNDLE_TYPE);
  const findings: SignatureFinding[] = [];
  let isSilent = false;
  const began = ports.clock.now();
  const isFull = (): boolean => isSilent || findings.length >= MOST_SIGNATURES_LOOKED_AT;
  const look = async (one: () => Promise<SignatureFinding>): Promise<void> => {
    if (ports.clock.now() - began > LOOKING_MS) {
      isSilent = true;
      findings.push(refused('could-not-look', `its registry took more than ${LOOKING_MS / 1000} s for its signatures`));
      return;
    }
    try {
      findings.push(await one());
    } catch (error) {
      if (!isPortError(error)) throw error;
      isSilent = error.kind === 'transient';
      // It might be the one that counts: what cannot be read is never taken for none.
      findings.push(refused('could-not-look', error.message));
    }
  };
  for (const descriptor of listed.descriptors) {
    if (isFull()) break;
    await look(() => bundleFinding(ports, question, descriptor));
  }
  const layers = question.isLegacyAllowed && !isFull() ? await legacyLayers(ports, question) : [];
  for (const layer of layers) {
    if (isFull()) break;
    await look(() => legacyFinding(ports, question, layer));
  }
  const isCut = listed.isCut || listed.descriptors.length + layers.length > MOST_SIGNATURES_LOOKED_AT;
  const isBare = findings.length === 0 && !listed.isCut && !question.isLegacyAllowed;
  const hasLegacyOnly = isBare && (await registry.resolveTag(repository, legacyTag(digest, 'sig'))) !== undefined;
  return { findings, isCut, hasLegacyOnly };
}

async function bundleFinding(
  { registry, bundles }: ImagePorts,
  question: ImageQuestion,
  descriptor: ContentDescriptor,
): Promise<SignatureFinding> {
  const { repository, digest, credentials, trustedRoot } = question;
  const manifest = await readManifest(registry, repository, descriptor.digest);
  const [layer, ...others] = manifest.kind === 'image' ? manifest.layers : [];
  if (layer === undefined || others.length > 0 || layer.mediaType !== BUNDLE_TYPE)
    return refused('malformed-bundle', `the referrer ${descriptor.digest} does not hold one bundle`);
  if (layer.size > LARGEST_BUNDLE) return refused('malformed-bundle', `a bundle of ${layer.size} bytes is larger than ${LARGEST_BUNDLE}`);
  const bundle = await registry.blob(repository, layer.digest, LARGEST_BUNDLE);
  const subject = { kind: 'digest', algorithm: 'sha256', hex: digest.slice('sha256:'.length) } as const;
  return bundles.verify({ bundle, subject, credentials, trustedRoot });
}

interface ListedLayer extends ContentDescriptor {
  readonly kind: LegacyLayer['kind'];
}

async function legacyLayers({ registry }: ImagePorts, { repository, digest }: ImageQuestion): Promise<readonly ListedLayer[]> {
  const found: ListedLayer[] = [];
  for (const [suffix, kind, mediaType] of [
    ['sig', 'signature', SIMPLE_SIGNING],
    ['att', 'attestation', ENVELOPE_TYPE],
  ] as const) {
    const tagged = await registry.resolveTag(repository, legacyTag(digest, suffix));
    const manifest = tagged === undefined ? undefined : await readManifest(registry, repository, tagged.digest);
    if (manifest?.kind === 'image')
      found.push(...manifest.layers.filter((layer) => layer.mediaType === mediaType).map((layer) => ({ ...layer, kind })));
  }
  return found;
}

async function legacyFinding({ registry, bundles }: ImagePorts, question: ImageQuestion, layer: ListedLayer): Promise<SignatureFinding> {
  const { repository, digest, credentials, trustedRoot } = question;
  if (layer.size > LARGEST_BUNDLE)
    return refused('malformed-bundle', `a signature of ${layer.size} bytes is larger than ${LARGEST_BUNDLE}`);
  const bytes = await registry.blob(repository, layer.digest, LARGEST_BUNDLE);
  const bundle = legacyBundle({ kind: layer.kind, bytes, annotations: layer.annotations ?? {} });
  if ('wrong' in bundle) return refused('malformed-bundle', `the older signature ${bundle.wrong}`);
  if (layer.kind === 'attestation') {
    const subject = { kind: 'digest', algorithm: 'sha256', hex: digest.slice('sha256:'.length) } as const;
    return bundles.verify({ bundle, subject, credentials, trustedRoot });
  }
  return imageFinding(bundles.verify({ bundle, subject: { kind: 'bytes', bytes }, credentials, trustedRoot }), bytes, digest);
}

async function readManifest(registry: Registry, repository: ImageRepository, digest: string): Promise<OciManifest> {
  const { bytes, descriptor } = await registry.manifest(repository, digest);
  const manifest = parseOciManifest(bytes, descriptor.mediaType);
  if ('wrong' in manifest) throw new PortError('invalid', `the manifest ${digest} ${manifest.wrong}`);
  return manifest;
}

function legacyTag(digest: string, suffix: 'sig' | 'att'): string {
  return `${digest.replace(':', '-')}.${suffix}`;
}

function refused(code: SignatureCode, reason: string): SignatureFinding {
  return { kind: 'refused', code, reason };
}
