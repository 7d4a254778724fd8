import { MANIFEST_MEDIA_TYPES, OCI_INDEX, parseOciManifest } from '#model/oci-manifest.ts';
import { PortError } from '#ports/port-error.ts';
import type { Descriptor, Referrers } from '#ports/registry.ts';
import type { WireAnswer } from './exchange.ts';
import type { PlacedRepository } from './places.ts';
import { pullScope } from './places.ts';
import type { Calls } from './pull.ts';
import { mediaTypeOf, pulledManifest, unexpected } from './pull.ts';

/** Where there is no referrers API, an index under this tag lists them. */
export function fallbackTag(digest: string): string {
  return digest.replace(':', '-');
}

/** What a registry lists, by its referrers API or the fallback tag; of one type, what the manifests themselves say they are. */
export async function listedReferrers(
  calls: Calls,
  place: PlacedRepository,
  asked: { readonly digest: string; readonly artifactType: string | undefined },
): Promise<Referrers> {
  const byApi = await apiReferrers(calls, place, asked);
  const found = byApi ?? (await tagReferrers(calls, place, asked.digest));
  return asked.artifactType === undefined ? found : ofType(calls, place, { found, artifactType: asked.artifactType });
}

/** Undefined: this registry has no such API. */
export async function apiReferrers(
  calls: Calls,
  place: PlacedRepository,
  asked: { readonly digest: string; readonly artifactType: string | undefined },
): Promise<Referrers | undefined> {
  const { send, limits } = calls;
  const filter = asked.artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(asked.artifactType)}`;
  const first = `/v2/${place.name}/referrers/${asked.digest}`;
  const seen = new Set<string>();
  const descriptors = new Map<string, Descriptor>();
  let path: string | undefined = `${first}${filter}`;
  while (path !== undefined) {
    if (seen.has(path) || seen.size >= limits.pages) return { descriptors: [...descriptors.values()], isCut: true };
    seen.add(path);
    const headers = ['accept', OCI_INDEX];
    const answer: WireAnswer = await send({
      method: 'GET',
      host: place.host,
      path,
      scope: pullScope(place),
      headers,
      limit: limits.document,
      within: limits.total,
      isRepeatable: true,
    });
    if (seen.size === 1 && hasNoApi(answer)) return undefined;
    if (answer.status !== 200) throw unexpected(answer, `the referrers of ${asked.digest} in ${place.host}/${place.name}`);
    for (const descriptor of indexEntries(answer, `the list of referrers of ${asked.digest} in ${place.host}/${place.name}`)) {
      if (descriptors.size >= limits.referrers) return { descriptors: [...descriptors.values()], isCut: true };
      descriptors.set(descriptor.digest, descriptor);
    }
    path = nextPage(answer, first);
  }
  return { descriptors: [...descriptors.values()], isCut: false };
}

async function tagReferrers(calls: Calls, place: PlacedRepository, digest: string): Promise<Referrers> {
  const pulled = await pulledManifest(calls, place, fallbackTag(digest));
  if (pulled === undefined) return { descriptors: [], isCut: false };
  const index = parseOciManifest(pulled.bytes, pulled.descriptor.mediaType);
  if ('wrong' in index || index.kind !== 'index')
    throw new PortError('invalid', `the tag ${fallbackTag(digest)} of ${place.host}/${place.name} is no list of referrers`);
  const most = calls.limits.referrers;
  return { descriptors: index.manifests.slice(0, most), isCut: index.manifests.length > most };
}

/** Go's libraries list the media type of the config as the type: what is not listed as asked for says itself what it is. */
async function ofType(
  calls: Calls,
  place: PlacedRepository,
  { found, artifactType }: { readonly found: Referrers; readonly artifactType: string },
): Promise<Referrers> {
  const kept: Descriptor[] = [];
  let inspected = 0;
  for (const descriptor of found.descriptors) {
    if (descriptor.artifactType === artifactType) kept.push(descriptor);
    else if (isUncertain(descriptor)) {
      if (++inspected > calls.limits.inspected) return { descriptors: kept, isCut: true };
      const pulled = await pulledManifest(calls, place, descriptor.digest);
      if (pulled?.descriptor.artifactType === artifactType) kept.push({ ...descriptor, artifactType });
    }
  }
  return { descriptors: kept, isCut: found.isCut };
}

const CONFIGS: ReadonlySet<string> = new Set([
  'application/vnd.oci.empty.v1+json',
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  'application/octet-stream',
]);

function isUncertain({ artifactType, mediaType }: Descriptor): boolean {
  return MANIFEST_MEDIA_TYPES.includes(mediaType) && (artifactType === undefined || CONFIGS.has(artifactType));
}

/** The specification says 404; older registries do not know the path, or the method, or the type. */
function hasNoApi(answer: WireAnswer): boolean {
  return [400, 404, 405, 406].includes(answer.status) || (answer.status === 200 && mediaTypeOf(answer) === 'text/html');
}

function indexEntries(answer: WireAnswer, named: string): readonly Descriptor[] {
  const index = parseOciManifest(answer.body, mediaTypeOf(answer));
  if ('wrong' in index || index.kind !== 'index')
    throw new PortError('invalid', `${named} ${'wrong' in index ? index.wrong : 'is no index'}`);
  return index.manifests;
}

/** The next page has to be one of the same list. */
function nextPage({ headers }: WireAnswer, first: string): string | undefined {
  const link = headers['link'];
  if (typeof link !== 'string') return undefined;
  const [, target] = /<([^<>]{1,4096})>\s*;[^,]*\brel\s*=\s*"?next\b/i.exec(link) ?? [];
  if (target === undefined) return undefined;
  const base = new URL(`https://registry.invalid${first}`);
  const next = URL.canParse(target, base.href) ? new URL(target, base.href) : undefined;
  if (next?.pathname !== base.pathname)
    throw new PortError('invalid', 'the registry gave a next page of referrers that belongs to another list');
  return `${next.pathname}${next.search}`;
}
