import { parseDeclaration } from '#desired/desired.ts';
import {
  CAPSULE_ARTIFACT,
  EMPTY_CONFIG,
  packCapsule,
  readArtifact,
  unpackCapsule,
  type ArtifactFacts,
  type PackedCapsule,
} from '#model/capsule-artifact.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { sha256Of, toBlobId } from '#model/digest.ts';
import { objectIdOf, type Parsed } from '#model/git-objects.ts';
import { OCI_IMAGE } from '#model/oci-manifest.ts';
import { placeInFile, type Problem } from '#model/problem.ts';
import type { Pin } from '#model/resolution.ts';
import { accepted, refused, type Result } from '#model/result.ts';
import type { SignatureCode } from '#model/signature-finding.ts';
import { didYouMean } from '#model/suggest.ts';
import type { TarFile } from '#model/tar.ts';
import { compareVersions } from '#model/version.ts';
import { PortError } from '#ports/port-error.ts';
import type { Descriptor, ImageRepository, Registry } from '#ports/registry.ts';
import type { Snapshot } from './reading.ts';
import { indexFor } from './rendered-difference.ts';
import type { ReadingWorld } from './world.ts';

export interface WantedCapsule {
  readonly name: string;
  /** Undefined: as it stands in the snapshot. */
  readonly version: string | undefined;
}

export interface PackedHere extends PackedCapsule {
  /** Names of `security.signatures.identities`. */
  readonly identities: readonly string[];
}

/**
 * A capsule as an artifact: a released version by its release commit, so that it packs to the same bytes from every later commit and
 * clone; what is not released yet without one.
 */
export async function packFrom(world: ReadingWorld, at: Snapshot, wanted: WantedCapsule): Promise<Result<PackedHere>> {
  const { capsuleTrees } = await world.reading.declarations(at);
  const { releases } = await indexFor(world, at);
  const names = [...new Set([...capsuleTrees.keys(), ...releases.keys()])].sort();
  const name = names.find((one) => one === wanted.name);
  if (name === undefined)
    throw new PortError(
      'missing',
      `there is no capsule "${wanted.name}" (known: ${names.join(', ') || 'none'})${didYouMean(wanted.name, names)}`,
    );
  const known = releases.get(name);
  const release = wanted.version === undefined ? undefined : known?.get(wanted.version);
  const gitTree = release?.gitTree ?? capsuleTrees.get(name);
  if (gitTree === undefined || (wanted.version !== undefined && release === undefined)) {
    const versions = [...(known?.keys() ?? [])].sort(compareVersions);
    throw new PortError('missing', `${name}@${wanted.version ?? ''} was never released here (released: ${versions.join(', ') || 'none'})`);
  }
  const { source, problems } = await world.reading.capsule(name, gitTree);
  if (source === undefined) return refused(problems);
  const released = release ?? known?.get(source.declared.value.metadata.version);
  return packed(world, source, released?.gitTree === gitTree ? released : undefined);
}

/** The artifact of what a lock names; undefined where the capsule cannot be read here. */
export async function packPin(
  world: Pick<ReadingWorld, 'reading' | 'repository'>,
  pin: Pick<Pin, 'capsule' | 'commit' | 'gitTree'>,
): Promise<PackedCapsule | undefined> {
  const { source } = await world.reading.capsule(pin.capsule, pin.gitTree);
  const made = source === undefined ? undefined : await packed(world, source, pin);
  return made?.ok === true ? made.value : undefined;
}

async function packed(
  world: Pick<ReadingWorld, 'repository'>,
  source: CapsuleSource,
  released: Pick<Pin, 'commit'> | undefined,
): Promise<Result<PackedHere>> {
  const release =
    released === undefined ? undefined : { commit: released.commit, at: (await world.repository.commit(released.commit)).committer.at };
  const made = packCapsule({ name: source.name, version: source.declared.value.metadata.version, files: filesOf(source), release });
  const identities = source.declared.value.spec.security?.signatures?.identities ?? [];
  return made.ok ? accepted({ ...made.value, identities }) : refused([unpackable(source.name, made.reason)]);
}

function filesOf({ files, contents }: CapsuleSource): readonly TarFile[] {
  return files.flatMap(({ path, mode }): readonly TarFile[] => {
    const bytes = contents.get(path);
    return bytes === undefined ? [] : [{ path, mode: mode === '100755' ? '100755' : '100644', bytes }];
  });
}

export type Pushed =
  | { readonly kind: 'pushed' | 'there-already'; readonly artifact: Descriptor }
  /** The tag names other content: a release never changes. */
  | { readonly kind: 'taken'; readonly by: string };

/** Content first, then the manifest that names it: whoever sees the tag can pull it whole. Repeating it sends nothing. */
export async function pushArtifact(
  registry: Registry,
  repository: ImageRepository,
  { manifest, content, digest }: PackedCapsule,
  tag: string,
): Promise<Pushed> {
  const known = await registry.resolveTag(repository, tag);
  if (known?.digest === digest) return { kind: 'there-already', artifact: descriptorOf(manifest) };
  if (known !== undefined) return { kind: 'taken', by: known.digest };
  await registry.pushBlob(repository, EMPTY_CONFIG);
  await registry.pushBlob(repository, content);
  await registry.pushManifest(repository, manifest, OCI_IMAGE, tag);
  return { kind: 'pushed', artifact: descriptorOf(manifest) };
}

export interface PulledCapsule {
  readonly facts: ArtifactFacts;
  readonly artifact: Descriptor;
  readonly files: readonly TarFile[];
  /** Names of `security.signatures.identities`. */
  readonly identities: readonly string[];
  /** To be sent on as it is. */
  readonly packed: PackedCapsule;
}

export type Pulled =
  | { readonly kind: 'pulled'; readonly capsule: PulledCapsule }
  | { readonly kind: 'refused'; readonly code: SignatureCode | 'not-a-capsule'; readonly reason: string };

/** Pulls by digest, and believes nothing: both digests of the directory are computed again from what came. */
export async function pullArtifact(registry: Registry, repository: ImageRepository, digest: string): Promise<Pulled> {
  const { bytes } = await registry.manifest(repository, digest);
  // The port promises it; what everything else hangs on is looked at twice.
  if (`sha256:${sha256Of(bytes)}` !== digest)
    return { kind: 'refused', code: 'wrong-digest', reason: `the registry answered another manifest than ${digest}` };
  const read = readArtifact(bytes);
  if (!read.ok) return { kind: 'refused', code: 'not-a-capsule', reason: read.reason };
  const { content, facts } = read.value;
  const layer = await registry.blob(repository, content.digest, content.size);
  if (layer.byteLength !== content.size || `sha256:${sha256Of(layer)}` !== content.digest)
    return { kind: 'refused', code: 'wrong-digest', reason: 'the registry answered another layer than the manifest names' };
  const files = unpackCapsule(read.value, layer);
  if (!files.ok) return { kind: 'refused', code: 'wrong-digest', reason: files.reason };
  const declared = declaredIn(facts, files.value);
  if (!declared.ok) return { kind: 'refused', code: 'not-a-capsule', reason: declared.reason };
  const packed = { facts, manifest: bytes, digest, content: layer };
  return { kind: 'pulled', capsule: { facts, artifact: descriptorOf(bytes), files: files.value, identities: declared.value, packed } };
}

/** Identities that may sign it, once its own declaration has the name and version that the manifest claims. */
function declaredIn({ name, version, gitTree }: ArtifactFacts, files: readonly TarFile[]): Parsed<readonly string[]> {
  const file = files.find(({ path }) => path === 'capsule.yaml');
  if (file === undefined) return { ok: false, reason: 'it has no capsule.yaml' };
  const id = toBlobId(objectIdOf('blob', file.bytes));
  const { document, problems } = parseDeclaration({ path: `capsules/${name}/capsule.yaml`, id, bytes: file.bytes });
  if (document?.kind !== 'capsule') return { ok: false, reason: `its capsule.yaml cannot be used: ${problems[0]?.message ?? gitTree}` };
  const { metadata, spec } = document.declared.value;
  if (metadata.name !== name || metadata.version !== version)
    return { ok: false, reason: `its annotations say ${name}@${version}, but its capsule.yaml ${metadata.name}@${metadata.version}` };
  return { ok: true, value: spec.security?.signatures?.identities ?? [] };
}

function descriptorOf(manifest: Uint8Array): Descriptor {
  return { mediaType: OCI_IMAGE, digest: `sha256:${sha256Of(manifest)}`, size: manifest.byteLength, artifactType: CAPSULE_ARTIFACT };
}

function unpackable(name: string, reason: string): Problem {
  return {
    code: 'capsule-not-packable',
    rule: undefined,
    severity: 'error',
    phase: 'resolve',
    message: `capsule ${name} cannot be packed: ${reason}`,
    remedy: 'Rename or take out the file that it names; an archive of it would mean different things to different readers.',
    place: placeInFile(`capsules/${name}`),
    related: [],
  };
}
