import { PortError } from '#ports/port-error.ts';
import type { Registry } from '#ports/registry.ts';
import { authentication } from './authentication.ts';
import { dockerLogins } from './docker-config.ts';
import type { Environment } from './login.ts';
import { registryOrigins } from './origins.ts';
import { askedInTurn, checkedDigest, checkedRepository, checkedTag, registryPlaces } from './places.ts';
import type { RegistryMirrors } from './places.ts';
import { pulledBlob, pulledManifest } from './pull.ts';
import { pushedBlob, pushedManifest } from './push.ts';
import { listedReferrers } from './referrers.ts';
import { REGISTRY_LIMITS } from './registry-limits.ts';
import type { RegistryLimits } from './registry-limits.ts';
import { registryTransport } from './transport.ts';

export interface RegistryOptions {
  /** Folder of docker's `config.json`; undefined: `DOCKER_CONFIG`, else `~/.docker`. */
  readonly dockerConfig: string | undefined;
  /** HOME, PATH, DOCKER_CONFIG, HTTPS_PROXY, HTTP_PROXY, NO_PROXY, and what credential helpers need. */
  readonly env: Environment;
  /** Plain HTTP where a registry does not speak TLS: everywhere, or for some (host and port). On this machine it is allowed anyway. */
  readonly allowHttp: 'everywhere' | ReadonlySet<string>;
  /** By host and port. */
  readonly mirrors: ReadonlyMap<string, RegistryMirrors>;
  readonly limits?: Partial<RegistryLimits>;
}

/** Registries by the OCI distribution specification. */
export function ociRegistry({ dockerConfig, env, allowHttp, mirrors, limits: given }: RegistryOptions): Registry {
  const limits = { ...REGISTRY_LIMITS, ...given };
  const origins = registryOrigins(allowHttp, limits.connect);
  const send = registryTransport({ origins, authentication: authentication(dockerLogins(dockerConfig, env)), limits, env });
  const calls = { send, limits };
  const places = registryPlaces(mirrors);
  return {
    async resolveTag(repository, tag) {
      checkedTag(tag);
      const found = await firstAnswer(places(repository), (place) => pulledManifest(calls, place, tag));
      return found?.descriptor;
    },
    async manifest(repository, digest) {
      checkedDigest(digest);
      return askedInTurn(places(repository), async (place) => {
        const pulled = await pulledManifest(calls, place, digest);
        if (pulled === undefined) throw new PortError('missing', `there is no manifest ${digest} in ${place.host}/${place.name}`);
        return pulled;
      });
    },
    async blob(repository, digest, limit) {
      checkedDigest(digest);
      return askedInTurn(places(repository), (place) => pulledBlob(calls, place, { digest, limit }));
    },
    async referrers(repository, digest, artifactType) {
      checkedDigest(digest);
      const listed = await firstAnswer(places(repository), async (place) => {
        const found = await listedReferrers(calls, place, { digest, artifactType });
        return found.descriptors.length === 0 && !found.isCut ? undefined : found;
      });
      return listed ?? { descriptors: [], isCut: false };
    },
    pushBlob: async (repository, bytes) => pushedBlob(calls, checkedRepository(repository), bytes),
    async pushManifest(repository, bytes, mediaType, tag) {
      if (tag !== undefined) checkedTag(tag);
      return pushedManifest(calls, checkedRepository(repository), { bytes, mediaType, tag });
    },
  };
}

/** A mirror that has nothing is no answer; the registry itself is asked then, and its silence is thrown. */
async function firstAnswer<P, T>(places: readonly [P, ...P[]], ask: (place: P) => Promise<T | undefined>): Promise<T | undefined> {
  const last = places.at(-1) ?? places[0];
  for (const place of places.slice(0, -1)) {
    const found = await ask(place).catch((error: unknown) => {
      if (!(error instanceof PortError)) throw error;
      return undefined;
    });
    if (found !== undefined) return found;
  }
  return ask(last);
}
