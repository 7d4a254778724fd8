import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { Problem } from '#model/problem.ts';
import { isPortError } from '#ports/port-error.ts';
import type { PortError } from '#ports/port-error.ts';
import type { ApiResource } from './api.ts';
import type { Cluster } from './cluster.ts';
import type { Asked } from './observe.ts';
import { inParallel } from './parallel.ts';
import type { View } from './reflector.ts';
import { clusterProblem } from './refusals.ts';

/** Objects of one kind in one namespace. */
interface Place {
  readonly resource: ApiResource;
  readonly namespace: string;
  readonly asked: readonly Asked[];
}

const AT_ONCE = 16;

export interface Look {
  /** Whether everything that was asked for could be looked at. */
  readonly isComplete: boolean;
  readonly unseen: readonly Problem[];
}

/** Sees to it that each object asked for is in a view or looked up. */
export async function lookAround(cluster: Cluster, asked: readonly Asked[], signal: AbortSignal | undefined): Promise<Look> {
  const { marks, views, discovery } = cluster;
  cluster.lookups.clear();
  const groups = Map.groupBy(asked, ({ key }) => `${key.group}/${key.kind}/${key.namespace}`);
  const { places, silent } = await placesOf(cluster, groups.values(), signal);
  const named = [...groups.values()].flatMap(([first]) => (first === undefined ? [] : [first.key]));
  views.keepOnly([...named, { group: '', kind: 'ConfigMap', namespace: marks.namespace }]);
  const configMaps = await discovery.resource('', 'ConfigMap', 'v1', signal);
  if (configMaps !== undefined && !places.some((place) => isSame(place, configMaps, marks.namespace))) {
    // Our own ConfigMaps have the labels, too: what is seen there tells when somebody writes them.
    places.push({ resource: configMaps, namespace: marks.namespace, asked: [] });
  }
  const failures: Failure[] = [];
  const answers = await inParallel(places, AT_ONCE, async (place) => {
    try {
      const view = await views.open(place.resource, place.namespace, signal);
      if (view !== undefined) await lookUp(cluster, place, view, signal);
      return view !== undefined;
    } catch (error) {
      if (!isPortError(error) || signal?.aborted === true) throw error;
      failures.push({ kind: place.resource.kind, namespace: place.namespace, error });
      return false;
    }
  });
  // A server that answers nothing at all is away; one that does not answer for one kind is looked at in part.
  const [first] = failures;
  if (failures.length === places.length && first !== undefined) throw first.error;
  return { isComplete: silent.length === 0 && answers.every(Boolean), unseen: [...silent, ...failures].map(unseenProblem) };
}

interface Failure {
  readonly kind: string;
  readonly namespace: string;
  readonly error: PortError;
}

function unseenProblem({ kind, namespace, error }: Failure): Problem {
  const where = namespace === '' ? '' : ` in namespace ${namespace}`;
  const isDenied = error.kind === 'denied';
  return clusterProblem(
    isDenied ? 'not-permitted' : 'target-unusable',
    `${kind}${where} could not be looked at: ${error.message}`,
    isDenied
      ? 'Give the user of these credentials the verbs get, list and watch for this kind (a Role or ClusterRole of the cluster).'
      : 'Nothing to do: the next run looks again.',
    isDenied ? 'error' : 'warning',
  );
}

/** What a view does not have may be there without our labels, or with labels that are somebody else's doing. */
async function lookUp(cluster: Cluster, place: Place, view: View, signal: AbortSignal | undefined): Promise<void> {
  const missing: ObjectKey[] = [];
  for (const { key } of place.asked) if (view.get(key.namespace, key.name)?.owned === undefined) missing.push(key);
  if (missing.length > 0) await cluster.lookups.look(place.resource, place.namespace, missing, signal);
}

/** A kind that the server does not have (its definition comes in the same push) has no objects; of some it cannot tell (`silent`). */
async function placesOf(
  cluster: Cluster,
  groups: Iterable<readonly Asked[]>,
  signal: AbortSignal | undefined,
): Promise<{ readonly places: Place[]; readonly silent: readonly Failure[] }> {
  const places: Place[] = [];
  const silent: Failure[] = [];
  for (const group of groups) {
    const [first] = group;
    if (first === undefined || !cluster.allows(first.key)) continue;
    const { key } = first;
    try {
      const version = group.find((each) => each.version !== undefined)?.version;
      const resource = await resourceOf(cluster, key, version, signal);
      if (resource !== undefined) places.push({ resource, namespace: resource.namespaced ? key.namespace : '', asked: group });
    } catch (error) {
      // The server of a group of kinds is away: what is of the others can be looked at.
      if (key.group === '' || !isPortError(error) || signal?.aborted === true) throw error;
      silent.push({ kind: key.kind, namespace: key.namespace, error });
    }
  }
  return { places, silent };
}

async function resourceOf(cluster: Cluster, { group, kind }: ObjectKey, version: string | undefined, signal: AbortSignal | undefined) {
  const found = await cluster.discovery.resource(group, kind, version, signal);
  return found ?? (version === undefined ? undefined : cluster.discovery.resource(group, kind, undefined, signal));
}

function isSame(place: Place, resource: ApiResource, namespace: string): boolean {
  return place.resource.group === resource.group && place.resource.kind === resource.kind && place.namespace === namespace;
}
