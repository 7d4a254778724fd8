import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { LiveObject } from '#model/plan.ts';
import { isPortError } from '#ports/port-error.ts';
import type { ApiResource } from './api.ts';
import { appliedDigest } from './body.ts';
import type { Cluster, Found } from './cluster.ts';
import { inParallel } from './parallel.ts';
import { labelsOf } from './views.ts';

/** An object with our marks that nothing written down names. */
export interface Stray {
  readonly key: ObjectKey;
  readonly found: Found;
  readonly live: LiveObject | undefined;
}

const AT_ONCE = 16;

/**
 * What an inventory named that was lost: objects with our marks, of any kind. Every kind is asked for once some are found, and as they are
 * named by an inventory afterwards, that is once a loss.
 */
export async function findStrays(cluster: Cluster, named: ReadonlySet<string>, signal: AbortSignal | undefined): Promise<readonly Stray[]> {
  if (![...marked(cluster)].some(() => true)) return [];
  const resources = (await cluster.discovery.all(signal)).filter(({ verbs }) => verbs.includes('list') && verbs.includes('patch'));
  await inParallel(placesOf(cluster, resources), AT_ONCE, async ({ resource, namespace }) => {
    try {
      await cluster.lookups.lookFor(resource, namespace, labelsOf(cluster.marks), signal);
    } catch (error) {
      // What one kind does not tell stays where it is: nothing unnamed is ever removed.
      if (!isPortError(error) || signal?.aborted === true) throw error;
    }
  });
  const strays = new Map([...marked(cluster)].map((stray) => [keyText(stray.key), stray]));
  return [...strays].flatMap(([text, stray]) => (named.has(text) || !cluster.allows(stray.key) ? [] : [stray]));
}

function placesOf(
  cluster: Cluster,
  resources: readonly ApiResource[],
): readonly { readonly resource: ApiResource; readonly namespace: string }[] {
  return resources.flatMap((resource) => (resource.namespaced ? cluster.namespaces : ['']).map((namespace) => ({ resource, namespace })));
}

function* marked({ views, lookups, marks }: Cluster): Iterable<Stray> {
  for (const { key, found } of lookups.all()) if (isMarked(found)) yield { key, found, live: undefined };
  for (const seen of views.all()) {
    if (isMarked(seen)) yield { key: seen.key, found: { ...seen, version: undefined, holders: undefined }, live: seen.live };
  }

  function isMarked({ owned, applied }: Pick<Found, 'owned' | 'applied'>): boolean {
    return owned !== undefined && appliedDigest(marks, applied) !== undefined;
  }
}
