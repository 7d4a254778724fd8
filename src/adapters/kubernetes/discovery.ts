import { jsonText } from '#model/json.ts';
import { PortError } from '#ports/port-error.ts';
import type { Api, ApiResource, Discovery } from './api.ts';
import type { FoundKinds } from './discovered-kinds.ts';
import { aggregatedKinds } from './discovered-kinds.ts';
import { plainKinds } from './plain-discovery.ts';

/** A kind that is not there is looked for again, but not more often than this. */
const AGAIN_MS = 2_000;

interface Known {
  /** When the server was asked. */
  readonly at: number;
  /** By `group/kind`, the preferred version first. */
  readonly byKind: ReadonlyMap<string, readonly ApiResource[]>;
  /** Groups whose own server does not answer, by name. */
  readonly silent: ReadonlyMap<string, string>;
}

/** What kinds a server has: asked with two requests when the first is wanted, kept until one is missing or turns out to be gone. */
export function openDiscovery(api: Api, now: () => number): Discovery {
  let known: Known | undefined;
  let asking: Promise<Known> | undefined;
  let version: string | undefined;

  /** One for all who wait, so it has no signal of any of them; the transport bounds how long it takes. */
  function ask(): Promise<Known> {
    asking ??= learn(api, now()).finally(() => {
      asking = undefined;
    });
    return asking;
  }

  return {
    async resource(group, kind, wanted, signal) {
      signal?.throwIfAborted();
      known ??= await ask();
      let found = pick(known, group, kind, wanted);
      if (found === undefined && now() - known.at >= AGAIN_MS) {
        known = await ask();
        found = pick(known, group, kind, wanted);
      }
      const silent = known.silent.get(group);
      // That nobody answers for a group does not mean that it has no such kind.
      if (found === undefined && silent !== undefined)
        throw new PortError('transient', `the server does not know the kinds of ${group} now: ${silent}`);
      return found;
    },
    async all(signal) {
      signal?.throwIfAborted();
      known ??= await ask();
      return [...known.byKind.values()].flatMap(([preferred]) => preferred ?? []);
    },
    async serverVersion(signal) {
      version ??= jsonText((await api.request({ method: 'GET', path: '/version' }, signal)).body['gitVersion']);
      return version;
    },
    forget() {
      known = undefined;
    },
  };
}

function pick({ byKind }: Known, group: string, kind: string, version: string | undefined): ApiResource | undefined {
  const found = byKind.get(`${group}/${kind}`) ?? [];
  return version === undefined ? found[0] : found.find((resource) => resource.version === version);
}

async function learn(api: Api, at: number): Promise<Known> {
  const { resources, silent } = (await aggregatedKinds(api)) ?? (await plainKinds(api));
  return { at, byKind: byKind(resources), silent };
}

function byKind(resources: FoundKinds['resources']): Known['byKind'] {
  const found = new Map<string, ApiResource[]>();
  for (const resource of resources) {
    const key = `${resource.group}/${resource.kind}`;
    const same = found.get(key);
    if (same === undefined) found.set(key, [resource]);
    else same.push(resource);
  }
  return found;
}
