import { setTimeout as delay } from 'node:timers/promises';

import { OCI_INDEX, parseOciManifest } from '#model/oci-manifest.ts';
import type { OciManifest } from '#model/oci-manifest.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import type { Descriptor } from '#ports/registry.ts';
import type { WireAnswer } from './exchange.ts';
import type { PlacedRepository } from './places.ts';
import { pullScope } from './places.ts';
import type { Calls } from './pull.ts';
import { digestOf, pulledManifest, unexpected } from './pull.ts';
import { apiReferrers, fallbackTag } from './referrers.ts';
import type { Scope } from './request.ts';

const OCTETS = 'application/octet-stream';
/** Two writers of one list can overwrite each other: registries have no compare-and-swap, so what was written is read again. */
const LIST_TRIES = 5;

export async function pushedBlob(calls: Calls, place: PlacedRepository, bytes: Uint8Array): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const descriptor = { mediaType: OCTETS, digest, size: bytes.length };
  for (let times = 1; ; times++) {
    try {
      if (!(await hasBlob(calls, place, digest))) await upload(calls, place, { bytes, digest });
      return descriptor;
    } catch (error) {
      // A new session each time: of the old one nobody knows how far it came.
      if (!isPortError(error) || error.kind !== 'transient' || times >= calls.limits.tries) throw error;
      await delay(calls.limits.wait * 2 ** (times - 1));
    }
  }
}

/** Where it is not said, the upload tells: addresses of storage behind a registry are often good for reading only, and refuse the question. */
async function hasBlob({ send, limits }: Calls, place: PlacedRepository, digest: string): Promise<boolean> {
  const path = `/v2/${place.name}/blobs/${digest}`;
  const asked = {
    method: 'HEAD',
    host: place.host,
    path,
    scope: pushScope(place),
    limit: 0,
    within: limits.total,
    isRepeatable: true,
  } as const;
  try {
    return (await send(asked)).status === 200;
  } catch (error) {
    if (isPortError(error) && error.kind === 'denied') return false;
    throw error;
  }
}

async function upload(
  { send, limits }: Calls,
  place: PlacedRepository,
  { bytes, digest }: { readonly bytes: Uint8Array; readonly digest: string },
): Promise<void> {
  const call = { host: place.host, scope: pushScope(place), limit: limits.document, isRepeatable: false };
  const named = `the upload of a blob to ${place.host}/${place.name}`;
  const begun = await send({
    ...call,
    method: 'POST',
    path: `/v2/${place.name}/blobs/uploads/`,
    headers: ['content-length', '0'],
    within: limits.total,
  });
  const location = begun.headers['location'];
  if (begun.status === 404) throw new PortError('missing', `there is no repository ${place.name} in ${place.host}`);
  if (begun.status !== 202 || typeof location !== 'string') throw unexpected(begun, named);
  const headers = ['content-type', OCTETS, 'content-length', String(bytes.length)];
  const path = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
  const ended = await send({ ...call, method: 'PUT', path, headers, body: bytes, within: limits.transfer });
  if (ended.status !== 201 && ended.status !== 204) throw unexpected(ended, named);
}

export async function pushedManifest(
  calls: Calls,
  place: PlacedRepository,
  pushed: { readonly bytes: Uint8Array; readonly mediaType: string; readonly tag: string | undefined },
): Promise<Descriptor> {
  const { bytes, mediaType, tag } = pushed;
  const manifest = parseOciManifest(bytes, mediaType);
  if ('wrong' in manifest) throw new PortError('invalid', `the manifest to be pushed to ${place.host}/${place.name} ${manifest.wrong}`);
  const digest = digestOf(bytes);
  // By its digest first: a tag never names what could not be listed.
  const answer = await putManifest(calls, place, { reference: digest, bytes, mediaType });
  const descriptor = descriptorOf(manifest, { mediaType, digest, size: bytes.length });
  if (manifest.subject !== undefined && answer.headers['oci-subject'] === undefined)
    await listAsReferrer(calls, place, { subject: manifest.subject.digest, descriptor });
  if (tag !== undefined) await putManifest(calls, place, { reference: tag, bytes, mediaType });
  const { annotations: _annotations, ...plain } = descriptor;
  return plain;
}

function descriptorOf(manifest: OciManifest, content: Descriptor): Descriptor {
  const hasAnnotations = Object.keys(manifest.annotations).length > 0;
  return {
    ...content,
    ...(manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
    ...(hasAnnotations ? { annotations: manifest.annotations } : {}),
  };
}

async function putManifest(
  { send, limits }: Calls,
  place: PlacedRepository,
  put: { readonly reference: string; readonly bytes: Uint8Array; readonly mediaType: string },
): Promise<WireAnswer> {
  const answer = await send({
    method: 'PUT',
    host: place.host,
    path: `/v2/${place.name}/manifests/${put.reference}`,
    scope: pushScope(place),
    headers: ['content-type', put.mediaType, 'content-length', String(put.bytes.length)],
    body: put.bytes,
    limit: limits.document,
    within: limits.total,
    isRepeatable: true,
  });
  if (answer.status !== 201 && answer.status !== 200)
    throw unexpected(answer, `the manifest ${put.reference} pushed to ${place.host}/${place.name}`);
  return answer;
}

/** Where the registry keeps no list of its own, the fallback tag is one: ours is added to it, what others wrote stays. */
async function listAsReferrer(
  calls: Calls,
  place: PlacedRepository,
  { subject, descriptor }: { readonly subject: string; readonly descriptor: Descriptor },
): Promise<void> {
  if ((await apiReferrers(calls, place, { digest: subject, artifactType: undefined })) !== undefined) return;
  const tag = fallbackTag(subject);
  for (let times = 0; times < LIST_TRIES; times++) {
    const listed = await listUnder(calls, place, tag);
    if (listed.some(({ digest }) => digest === descriptor.digest)) return;
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...listed, descriptor] }));
    await putManifest(calls, place, { reference: tag, bytes, mediaType: OCI_INDEX });
  }
  const after = await listUnder(calls, place, tag);
  if (!after.some(({ digest }) => digest === descriptor.digest))
    throw new PortError('conflict', `others keep writing the tag ${tag} of ${place.host}/${place.name}, which lists the referrers`);
}

async function listUnder(calls: Calls, place: PlacedRepository, tag: string): Promise<readonly Descriptor[]> {
  const pulled = await pulledManifest(calls, place, tag);
  const index = pulled === undefined ? undefined : parseOciManifest(pulled.bytes, pulled.descriptor.mediaType);
  if (index === undefined) return [];
  if ('wrong' in index || index.kind !== 'index')
    throw new PortError('invalid', `the tag ${tag} of ${place.host}/${place.name} is no list of referrers`);
  return index.manifests;
}

function pushScope(place: PlacedRepository): Scope {
  return { ...pullScope(place), actions: 'pull,push' };
}
