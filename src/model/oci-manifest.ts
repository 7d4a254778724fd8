import { isContentDigest } from '#model/image.ts';
import { isJsonObject } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';

/** Descriptor of the OCI image specification; `digest` is `sha256:` with 64 digits. */
export interface ContentDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest that names its content, or an index that names manifests; Docker's older forms are read as the same. */
export type OciManifest =
  | {
      readonly kind: 'image';
      readonly mediaType: string;
      /** As declared, else the media type of the config, as the specification says. */
      readonly artifactType: string;
      readonly config: ContentDescriptor;
      readonly layers: readonly ContentDescriptor[];
      readonly subject: ContentDescriptor | undefined;
      readonly annotations: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'index';
      readonly mediaType: string;
      readonly artifactType: string | undefined;
      readonly manifests: readonly ContentDescriptor[];
      readonly subject: ContentDescriptor | undefined;
      readonly annotations: Readonly<Record<string, string>>;
    };

export const OCI_IMAGE = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const IMAGES: ReadonlySet<string> = new Set([OCI_IMAGE, 'application/vnd.docker.distribution.manifest.v2+json']);
const INDEXES: ReadonlySet<string> = new Set([OCI_INDEX, 'application/vnd.docker.distribution.manifest.list.v2+json']);
export const MANIFEST_MEDIA_TYPES: readonly string[] = [...IMAGES, ...INDEXES];

const MOST_LAYERS = 4096;
const MOST_MANIFESTS = 16_384;
const MOST_ANNOTATIONS = 256;
const LONGEST_MEDIA_TYPE = 255;
const DEEPEST = 16;
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * What a manifest says, or what is wrong with it (finishes the sentence "the manifest ..."). `mediaType` is what the transport called
 * it: a document that calls itself something else, or that could be read as both forms, is refused, since readers would disagree about it.
 */
export function parseOciManifest(bytes: Uint8Array, mediaType: string): OciManifest | { readonly wrong: string } {
  const document = parseBoundedJson(bytes, DEEPEST);
  if (!isJsonObject(document)) return { wrong: 'is no JSON object' };
  const own = field(document, 'mediaType');
  if (own !== undefined && own !== mediaType) return { wrong: 'calls itself another media type than the registry does' };
  if (field(document, 'schemaVersion') !== 2) return { wrong: 'is not of schema version 2' };
  const annotations = annotationsOf(field(document, 'annotations'));
  const subject = field(document, 'subject');
  const subjectDescriptor = subject === undefined ? undefined : descriptorOf(subject);
  if (annotations === undefined) return { wrong: 'has malformed annotations' };
  if (subject !== undefined && subjectDescriptor === undefined) return { wrong: 'has a malformed subject' };
  const artifactType = field(document, 'artifactType');
  if (artifactType !== undefined && !isMediaType(artifactType)) return { wrong: 'has a malformed artifactType' };
  const shared = { mediaType, subject: subjectDescriptor, annotations };
  const hasIndexFields = field(document, 'manifests') !== undefined;
  const hasImageFields = field(document, 'layers') !== undefined || field(document, 'config') !== undefined;
  if (hasIndexFields && hasImageFields) return { wrong: 'could be read as an index and as an image' };
  if (INDEXES.has(mediaType)) {
    const manifests = descriptorsOf(field(document, 'manifests'), MOST_MANIFESTS);
    return manifests === undefined ? { wrong: 'has a malformed list of manifests' } : { kind: 'index', ...shared, artifactType, manifests };
  }
  if (!IMAGES.has(mediaType)) return { wrong: 'has a media type that is no manifest' };
  const config = descriptorOf(field(document, 'config'));
  const layers = descriptorsOf(field(document, 'layers'), MOST_LAYERS);
  if (config === undefined || layers === undefined) return { wrong: 'has a malformed config or list of layers' };
  return { kind: 'image', ...shared, artifactType: artifactType ?? config.mediaType, config, layers };
}

/** JSON in strict UTF-8 that nests at most so deep and has no key that reaches into prototypes; undefined for everything else. */
export function parseBoundedJson(bytes: Uint8Array, deepest: number): Json | undefined {
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
    return isHarmless(value, deepest) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isHarmless(value: Json, deepest: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (deepest === 0) return false;
  if (isJsonObject(value) && Object.keys(value).some((key) => FORBIDDEN.has(key))) return false;
  return Object.values(value).every((item: Json) => isHarmless(item, deepest - 1));
}

function field(object: JsonObject, key: string): Json | undefined {
  // Go's libraries write null for a list that is empty.
  return Object.hasOwn(object, key) ? (object[key] ?? undefined) : undefined;
}

function isMediaType(value: Json | undefined): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_MEDIA_TYPE && /^[\x21-\x7e ]+$/.test(value);
}

function descriptorsOf(value: Json | undefined, most: number): readonly ContentDescriptor[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > most) return undefined;
  const found: ContentDescriptor[] = [];
  for (const item of value as readonly Json[]) {
    const descriptor = descriptorOf(item);
    if (descriptor === undefined) return undefined;
    found.push(descriptor);
  }
  return found;
}

function descriptorOf(value: Json | undefined): ContentDescriptor | undefined {
  if (!isJsonObject(value)) return undefined;
  const [mediaType, digest, size] = [field(value, 'mediaType'), field(value, 'digest'), field(value, 'size')];
  const artifactType = field(value, 'artifactType');
  const annotations = annotationsOf(field(value, 'annotations'));
  if (!isMediaType(mediaType) || typeof digest !== 'string' || !isContentDigest(digest)) return undefined;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || annotations === undefined) return undefined;
  return {
    mediaType,
    digest,
    size,
    ...(isMediaType(artifactType) ? { artifactType } : {}),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
  };
}

function annotationsOf(value: Json | undefined): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return {};
  if (!isJsonObject(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length > MOST_ANNOTATIONS) return undefined;
  const texts = entries.flatMap(([key, text]) => (typeof text === 'string' ? [[key, text] as const] : []));
  return texts.length === entries.length ? Object.fromEntries(texts) : undefined;
}
