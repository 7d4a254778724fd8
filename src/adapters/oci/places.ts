import { isImageTag, isContentDigest, parseImageRepository } from '#model/image.ts';
import { quoted } from '#model/quoted.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import type { ImageRepository } from '#ports/registry.ts';
import type { Scope } from './request.ts';

/** Where copies of a registry stand. What is read by its digest may come from anywhere; nothing is ever pushed to a mirror. */
export interface RegistryMirrors {
  /** `host[:port]`, or with a path below which the mirror keeps the repositories: `harbor.acme.example/docker`. Asked in this order. */
  readonly at: readonly string[];
  /** The registry itself is never asked: for networks that cannot reach it. */
  readonly isOnly: boolean;
}

/** A repository where it is asked for. */
export interface PlacedRepository {
  readonly host: string;
  readonly name: string;
}

export type Places = (repository: ImageRepository) => readonly [PlacedRepository, ...PlacedRepository[]];

/** Mirrors first, the registry last. */
export function registryPlaces(mirrors: ReadonlyMap<string, RegistryMirrors>): Places {
  return (repository) => {
    const own = checkedRepository(repository);
    const known = mirrors.get(own.host);
    const [first, ...others] = (known?.at ?? []).map((mirror) => mirrored(mirror, own));
    if (first === undefined) return [own];
    return known?.isOnly === true ? [first, ...others] : [first, ...others, own];
  };
}

/** Names of repositories become paths of requests: what is no name is refused here, wherever it comes from. */
export function checkedRepository({ registry, name }: ImageRepository): PlacedRepository {
  const checked = parseImageRepository(`${registry}/${name}`);
  if ('wrong' in checked || checked.registry !== registry.toLowerCase() || checked.name !== name)
    throw new PortError('invalid', `${quoted(`${registry}/${name}`)} is no repository of a registry`);
  return { host: checked.registry, name };
}

export function checkedDigest(digest: string): string {
  if (!isContentDigest(digest)) throw new PortError('invalid', `${quoted(digest)} is no sha256 digest`);
  return digest;
}

export function checkedTag(tag: string): string {
  if (!isImageTag(tag)) throw new PortError('invalid', `${quoted(tag)} is no tag`);
  return tag;
}

export function pullScope({ name }: PlacedRepository): Scope {
  return { name, actions: 'pull' };
}

/** Asks one place after the other. What the last one throws is thrown: it is the registry itself, or the last of the only mirrors. */
export async function askedInTurn<T>(
  places: readonly [PlacedRepository, ...PlacedRepository[]],
  ask: (place: PlacedRepository) => Promise<T>,
): Promise<T> {
  const others = places.slice(0, -1);
  for (const place of others) {
    try {
      return await ask(place);
    } catch (error) {
      // A mirror that has it not, or has something else, is no reason: the digest decides.
      if (!isPortError(error)) throw error;
    }
  }
  return ask(places.at(-1) ?? places[0]);
}

function mirrored(mirror: string, { name }: PlacedRepository): PlacedRepository {
  const slash = mirror.indexOf('/');
  const host = slash < 0 ? mirror : mirror.slice(0, slash);
  return checkedRepository({ registry: host, name: slash < 0 ? name : `${mirror.slice(slash + 1)}/${name}` });
}
