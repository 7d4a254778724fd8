import { createHash } from 'node:crypto';

import { MANIFEST_MEDIA_TYPES, parseOciManifest } from '#model/oci-manifest.ts';
import { PortError } from '#ports/port-error.ts';
import type { PulledManifest } from '#ports/registry.ts';
import type { WireAnswer } from './exchange.ts';
import type { PlacedRepository } from './places.ts';
import { pullScope } from './places.ts';
import type { RegistryLimits } from './registry-limits.ts';
import type { Transport } from './transport.ts';

/** Bytes that take no longer than a manifest. */
const SMALL = 1024 * 1024;

/** What every call needs. */
export interface Calls {
  readonly send: Transport;
  readonly limits: RegistryLimits;
}

export const ACCEPT_MANIFESTS = ['accept', MANIFEST_MEDIA_TYPES.join(', ')];

/** A manifest by tag or digest; undefined where there is none. */
export async function pulledManifest(
  { send, limits }: Calls,
  place: PlacedRepository,
  reference: string,
): Promise<PulledManifest | undefined> {
  const answer = await send({
    method: 'GET',
    host: place.host,
    path: `/v2/${place.name}/manifests/${reference}`,
    scope: pullScope(place),
    headers: ACCEPT_MANIFESTS,
    limit: limits.document,
    within: limits.total,
    isRepeatable: true,
  });
  if (answer.status === 404) return undefined;
  const named = `${place.host}/${place.name}`;
  if (answer.status !== 200) throw unexpected(answer, `the manifest ${reference} of ${named}`);
  const digest = digestOf(answer.body);
  const isDigest = reference.startsWith('sha256:');
  if (isDigest ? digest !== reference : contradicts(answer, digest))
    throw new PortError(
      'invalid',
      `the registry ${place.host} answered ${isDigest ? reference : `the tag ${reference}`} of ${place.name} with other bytes`,
    );
  const mediaType = mediaTypeOf(answer);
  const manifest = parseOciManifest(answer.body, mediaType);
  if ('wrong' in manifest) throw new PortError('invalid', `the manifest ${digest} of ${named} ${manifest.wrong}`);
  const artifactType = manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType };
  return { bytes: answer.body, descriptor: { mediaType, digest, size: answer.body.length, ...artifactType } };
}

/** The bytes of a blob; one that is missing or larger throws. */
export async function pulledBlob(
  { send, limits }: Calls,
  place: PlacedRepository,
  wanted: { readonly digest: string; readonly limit: number },
): Promise<Uint8Array> {
  const answer = await send({
    method: 'GET',
    host: place.host,
    path: `/v2/${place.name}/blobs/${wanted.digest}`,
    scope: pullScope(place),
    limit: wanted.limit,
    within: wanted.limit > SMALL ? limits.transfer : limits.total,
    isRepeatable: true,
  });
  const named = `${wanted.digest} of ${place.host}/${place.name}`;
  if (answer.status === 404) throw new PortError('missing', `there is no blob ${named}`);
  if (answer.status !== 200) throw unexpected(answer, `the blob ${named}`);
  if (digestOf(answer.body) !== wanted.digest) throw new PortError('invalid', `the registry answered the blob ${named} with other bytes`);
  return answer.body;
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function mediaTypeOf({ headers }: WireAnswer): string {
  const type = headers['content-type'];
  return typeof type === 'string' ? (type.split(';', 1)[0] ?? '').trim() : '';
}

/** Of what a registry says of itself only its error codes are repeated: the rest may hold anything. */
export function unexpected({ status, body }: WireAnswer, what: string): PortError {
  const codes = [
    ...body
      .subarray(0, 4096)
      .toString('latin1')
      .matchAll(/"code"\s*:\s*"([A-Z_]{1,40})"/g),
  ].map(([, code = '']) => code);
  return new PortError(
    'invalid',
    `the registry answered ${status}${codes.length === 0 ? '' : ` (${codes.slice(0, 3).join(', ')})`} for ${what}`,
  );
}

/** The registry's own word about what a tag names, where it gives one. */
function contradicts({ headers }: WireAnswer, digest: string): boolean {
  const said = headers['docker-content-digest'];
  return typeof said === 'string' && said.startsWith('sha256:') && said !== digest;
}
