import type { JsonObject } from '#model/json.ts';
import { jsonText, valueAt } from '#model/json.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { TargetFinding } from '#ports/target.ts';
import type { ApiResource } from './api.ts';
import type { Cluster } from './cluster.ts';
import type { Connection } from './connection.ts';
import { inParallel } from './parallel.ts';
import { skewWords } from './server-clock.ts';

/** One kind in one namespace (empty: outside of them), and what is done to it. */
interface Place {
  readonly resource: ApiResource;
  readonly namespace: string;
  readonly verbs: readonly string[];
}

const APPLYING = ['get', 'list', 'watch', 'create', 'patch', 'delete'];
/** The inventory is replaced as a whole. */
const KEEPING = [...APPLYING, 'update'];
const AT_ONCE = 16;
const DAY_MS = 86_400_000;
const SOON_MS = 14 * DAY_MS;
const CONFIG_MAP: ObjectKey = { group: '', kind: 'ConfigMap', namespace: '', name: '' };

/** Asks the server who we are and what we may do; it is asked for reviews only, and writes nothing down. */
export async function examineCluster(
  cluster: Cluster,
  connection: Connection,
  wanted: readonly ObjectKey[],
  signal: AbortSignal | undefined,
): Promise<readonly TargetFinding[]> {
  const version = await cluster.discovery.serverVersion(signal);
  const user = await whoAmI(cluster, signal);
  const reached: TargetFinding = { state: 'ok', detail: `Kubernetes ${version} answers, as ${user}`, remedy: undefined };
  const places = await placesOf(cluster, wanted, signal);
  const denied = await inParallel(places, AT_ONCE, async (place) => {
    const answers = await inParallel(place.verbs, AT_ONCE, (verb) => mayDo(cluster, place, verb, signal));
    return place.verbs.filter((_, at) => answers[at] === false);
  });
  const missing = places.flatMap((place, at) => {
    const verbs = denied[at] ?? [];
    return verbs.length === 0 ? [] : [deniedFinding(place, verbs, user)];
  });
  const may: TargetFinding = { state: 'ok', detail: `may do all that its ${places.length} kinds and namespaces need`, remedy: undefined };
  return [reached, ...(missing.length === 0 ? [may] : missing), ...clockFindings(cluster), ...(await expiryFindings(cluster, connection))];
}

async function whoAmI({ api }: Cluster, signal: AbortSignal | undefined): Promise<string> {
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
  const answer = await api.request({ method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body }, signal);
  return jsonText(valueAt(answer.body, '/status/userInfo/username') ?? null) || 'an unknown user';
}

async function placesOf(cluster: Cluster, wanted: readonly ObjectKey[], signal: AbortSignal | undefined): Promise<readonly Place[]> {
  const { namespace } = cluster.marks;
  const keys = [{ ...CONFIG_MAP, namespace }, ...wanted.filter((key) => cluster.allows(key))];
  const places = new Map<string, Place>();
  for (const { group, kind, namespace: own } of keys) {
    const place = `${group}/${kind}/${own}`;
    if (places.has(place)) continue;
    // A kind that comes with its definition cannot be asked about yet.
    const resource = await cluster.discovery.resource(group, kind, undefined, signal);
    if (resource === undefined) continue;
    const isInventory = group === '' && kind === 'ConfigMap' && own === namespace;
    places.set(place, { resource, namespace: resource.namespaced ? own : '', verbs: isInventory ? KEEPING : APPLYING });
  }
  return [...places.values()];
}

/** Undefined where the server does not tell. */
async function mayDo({ api }: Cluster, place: Place, verb: string, signal: AbortSignal | undefined): Promise<boolean | undefined> {
  const { resource, namespace } = place;
  const resourceAttributes: JsonObject = { group: resource.group, resource: resource.resource, verb, namespace };
  const body = JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  });
  const answer = await api.request({ method: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body }, signal);
  const allowed = valueAt(answer.body, '/status/allowed');
  return typeof allowed === 'boolean' ? allowed : undefined;
}

function deniedFinding({ resource, namespace }: Place, verbs: readonly string[], user: string): TargetFinding {
  const what = resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`;
  const role = namespace === '' ? 'clusterrole' : 'role';
  const within = namespace === '' ? '' : ` --namespace ${namespace}`;
  const name = `capstan-${resource.resource}`;
  const [, account] = /^system:serviceaccount:(.+)$/.exec(user) ?? [];
  const who = account === undefined ? `--user ${JSON.stringify(user)}` : `--serviceaccount ${account}`;
  return {
    state: 'failed',
    detail: `${user} may not ${verbs.join(', ')} ${what}${namespace === '' ? '' : ` in namespace ${namespace}`}`,
    remedy: `kubectl create ${role} ${name} --verb ${verbs.join(',')} --resource ${what}${within} && kubectl create ${role}binding ${name} --${role} ${name} ${who}${within}`,
  };
}

function clockFindings({ api }: Cluster): readonly TargetFinding[] {
  const words = skewWords(api.ahead?.()).trim();
  return words === '' ? [] : [{ state: 'warning', detail: words, remedy: 'timedatectl set-ntp true' }];
}

async function expiryFindings({ clock }: Cluster, connection: Connection): Promise<readonly TargetFinding[]> {
  const ends = await connection.certificateEnds();
  const left = ends === undefined ? Infinity : ends - clock.now();
  if (ends === undefined || left > SOON_MS) return [];
  return [
    {
      state: 'warning',
      detail: `the client certificate ends at ${new Date(ends).toISOString()}, in ${Math.max(0, Math.floor(left / DAY_MS))} days`,
      remedy: 'Renew it and write it where the kubeconfig has it; the service reads it again by itself.',
    },
  ];
}
