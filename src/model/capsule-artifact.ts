import { isObjectId, listDigest, sha256Of, toBlobId, toSha256, toTreeId, type CommitId, type Sha256, type TreeId } from '#model/digest.ts';
import { objectIdOf, type Parsed, type TreeEntry } from '#model/git-objects.ts';
import { encodeTree } from '#model/git-tree.ts';
import { instantText, type Instant } from '#model/instant.ts';
import type { JsonObject } from '#model/json.ts';
import { isName } from '#model/names.ts';
import { OCI_IMAGE, parseOciManifest } from '#model/oci-manifest.ts';
import { visibleText } from '#model/quoted.ts';
import { readTar, unsafe, writeTar, type TarFile } from '#model/tar.ts';
import { isVersion } from '#model/version.ts';

export const CAPSULE_ARTIFACT = 'application/vnd.capstan.capsule.v1+json';
/** A plain tar: what compresses differs between versions of zlib, and what is not compressed cannot burst. */
export const CAPSULE_CONTENT = 'application/vnd.capstan.capsule.content.v1.tar';
export const OCI_EMPTY = 'application/vnd.oci.empty.v1+json';
/** What an artifact has in the place of a configuration: `{}`. */
export const EMPTY_CONFIG: Uint8Array = Buffer.from('{}');

export const LARGEST_CAPSULE = 64 * 1024 * 1024;
export const MOST_CAPSULE_FILES = 10_000;
const LARGEST_MANIFEST = 256 * 1024;

/** What an artifact says of the capsule in it; all but the commit follows from its files. */
export interface ArtifactFacts {
  readonly name: string;
  readonly version: string;
  /** Directory digest, as a lock has it. */
  readonly sha256: Sha256;
  readonly gitTree: TreeId;
  /** The release commit; undefined for what is no release. */
  readonly commit: string | undefined;
}

export interface PackedCapsule {
  readonly facts: ArtifactFacts;
  readonly manifest: Uint8Array;
  /** `sha256:` and the digest of the manifest: the name of the artifact. */
  readonly digest: string;
  readonly content: Uint8Array;
}

export interface PackingOrder {
  readonly name: string;
  readonly version: string;
  readonly files: readonly TarFile[];
  readonly release: { readonly commit: CommitId; readonly at: Instant } | undefined;
}

/** A capsule as an OCI artifact of one layer: equal files and release give equal bytes, on every machine. */
export function packCapsule({ name, version, files, release }: PackingOrder): Parsed<PackedCapsule> {
  const faults = files.flatMap((file) => {
    const why = unsafe(file.path);
    return why === undefined ? [] : [`${visibleText(file.path, 80)} ${why}`];
  });
  if (faults[0] !== undefined) return { ok: false, reason: faults[0] };
  if (files.length > MOST_CAPSULE_FILES) return { ok: false, reason: `it has more than ${MOST_CAPSULE_FILES} files` };
  const size = files.reduce((sum, file) => sum + file.bytes.byteLength + 2048, 1024);
  if (size > LARGEST_CAPSULE) return { ok: false, reason: `it has more than ${LARGEST_CAPSULE} bytes` };
  const content = writeTar(files);
  const facts = { name, version, ...digestsOf(files), commit: release?.commit };
  const manifest = Buffer.from(JSON.stringify(manifestOf(facts, content, release?.at)));
  return { ok: true, value: { facts, manifest, digest: `sha256:${sha256Of(manifest)}`, content } };
}

/** Both digests of a capsule's directory: the lock's and git's. */
export function digestsOf(files: readonly TarFile[]): Pick<ArtifactFacts, 'sha256' | 'gitTree'> {
  return { sha256: listDigestOf(files), gitTree: treeOf(files, '') };
}

function listDigestOf(files: readonly TarFile[]): Sha256 {
  return listDigest(files.map(({ path, bytes }) => ({ path, sha256: sha256Of(bytes) })));
}

/** The id that git gives a folder of these files. */
function treeOf(files: readonly TarFile[], under: string): TreeId {
  const entries = new Map<string, TreeEntry>();
  const folders = new Map<string, TarFile[]>();
  for (const file of files) {
    const [name = '', ...rest] = file.path.slice(under.length).split('/');
    if (rest.length > 0) {
      const inside = folders.get(name) ?? [];
      inside.push(file);
      folders.set(name, inside);
    } else entries.set(name, { kind: 'blob', name, mode: file.mode, id: toBlobId(objectIdOf('blob', file.bytes)) });
  }
  for (const [name, inside] of folders) entries.set(name, { kind: 'tree', name, mode: '40000', id: treeOf(inside, `${under}${name}/`) });
  return toTreeId(objectIdOf('tree', encodeTree([...entries.values()])));
}

function manifestOf(facts: ArtifactFacts, content: Uint8Array, at: Instant | undefined): JsonObject {
  const annotations: [string, string | undefined][] = [
    ['dev.capstan.capsule.commit', facts.commit],
    ['dev.capstan.capsule.gitTree', facts.gitTree],
    ['dev.capstan.capsule.name', facts.name],
    ['dev.capstan.capsule.sha256', facts.sha256],
    ['dev.capstan.capsule.version', facts.version],
    ['org.opencontainers.image.created', at === undefined ? undefined : instantText(at)],
    ['org.opencontainers.image.revision', facts.commit],
    ['org.opencontainers.image.title', facts.name],
    ['org.opencontainers.image.version', facts.version],
  ];
  return {
    schemaVersion: 2,
    mediaType: OCI_IMAGE,
    artifactType: CAPSULE_ARTIFACT,
    config: { mediaType: OCI_EMPTY, digest: `sha256:${sha256Of(EMPTY_CONFIG)}`, size: EMPTY_CONFIG.byteLength, data: 'e30=' },
    layers: [
      {
        mediaType: CAPSULE_CONTENT,
        digest: `sha256:${sha256Of(content)}`,
        size: content.byteLength,
        annotations: { 'org.opencontainers.image.title': `${facts.name}-${facts.version}.tar` },
      },
    ],
    annotations: Object.fromEntries(annotations.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
  };
}

/** A manifest as it was read, and where its one layer lies. */
export interface ArtifactManifest {
  readonly facts: ArtifactFacts;
  readonly content: { readonly digest: string; readonly size: number };
}

/** Reads the manifest of a capsule; what it says is a claim until `unpackCapsule` has looked at the content. */
export function readArtifact(bytes: Uint8Array): Parsed<ArtifactManifest> {
  if (bytes.byteLength > LARGEST_MANIFEST) return no(`its manifest has more than ${LARGEST_MANIFEST} bytes`);
  const manifest = parseOciManifest(bytes, OCI_IMAGE);
  if ('wrong' in manifest) return no(`its manifest ${manifest.wrong}`);
  if (manifest.kind !== 'image' || manifest.artifactType !== CAPSULE_ARTIFACT)
    return no(`it is no capsule but ${visibleText(manifest.artifactType ?? manifest.mediaType, 80)}`);
  const [layer, ...more] = manifest.layers;
  if (layer === undefined || more.length > 0) return no(`it has ${manifest.layers.length} layers; a capsule has one`);
  if (layer.mediaType !== CAPSULE_CONTENT) return no(`its layer is no ${CAPSULE_CONTENT}`);
  if (layer.size > LARGEST_CAPSULE) return no(`its layer has more than ${LARGEST_CAPSULE} bytes`);
  const said = (key: string): string => {
    const name = `dev.capstan.capsule.${key}`;
    return Object.hasOwn(manifest.annotations, name) ? (manifest.annotations[name] ?? '') : '';
  };
  const [name, version, sha256, gitTree, commit] = ['name', 'version', 'sha256', 'gitTree', 'commit'].map(said);
  const { digest, size } = layer;
  if (name === undefined || !isName(name)) return wrong('name', 'name of a capsule');
  if (version === undefined || !isVersion(version)) return wrong('version', 'version');
  if (sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256)) return wrong('sha256', 'digest');
  if (gitTree === undefined || !isObjectId(gitTree)) return wrong('gitTree', 'object id');
  if (commit !== undefined && commit !== '' && !isObjectId(commit)) return wrong('commit', 'object id');
  const facts = { name, version, sha256: toSha256(sha256), gitTree: toTreeId(gitTree), commit: commit === '' ? undefined : commit };
  return { ok: true, value: { facts, content: { digest, size } } };
}

function wrong(annotation: string, what: string): { readonly ok: false; readonly reason: string } {
  return no(`its annotation dev.capstan.capsule.${annotation} is no ${what}`);
}

/** The files of a capsule, once both of its digests were computed again and are the ones that its manifest names. */
export function unpackCapsule({ facts }: ArtifactManifest, content: Uint8Array): Parsed<readonly TarFile[]> {
  const read = readTar(content, { files: MOST_CAPSULE_FILES, bytes: LARGEST_CAPSULE });
  if (!read.ok) return no(`its content is refused: ${read.reason}`);
  const { sha256, gitTree } = digestsOf(read.value);
  if (sha256 !== facts.sha256)
    return no(`its files have the directory digest ${sha256.slice(0, 12)}, but its annotation says ${facts.sha256.slice(0, 12)}`);
  if (gitTree !== facts.gitTree)
    return no(`its files have the git tree ${gitTree.slice(0, 12)}, but its annotation says ${facts.gitTree.slice(0, 12)}`);
  return read;
}

function no(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
