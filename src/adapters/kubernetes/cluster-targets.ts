import { allowsClusterObject, allowsNamespace, chooseAccess } from '#model/cluster-access.ts';
import type { ClusterAccess } from '#model/cluster-access.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import { DEFAULT_TARGET_SYNC } from '#model/plan.ts';
import { quoted } from '#model/quoted.ts';
import { PortError } from '#ports/port-error.ts';
import type { Target, TargetDeclaration } from '#ports/target.ts';
import type { ApiCounts } from './api.ts';
import { applyPlan } from './apply.ts';
import type { Cluster } from './cluster.ts';
import { openConnection } from './connection.ts';
import type { Connection } from './connection.ts';
import { clusterDrift } from './drift.ts';
import { examineCluster } from './examine.ts';
import { clusterInventory } from './inventory.ts';
import type { KubernetesOptions, KubernetesTargets } from './kubernetes.ts';
import { openLookups } from './lookups.ts';
import { observeCluster } from './observe.ts';
import { openPods } from './pods.ts';
import { previewPlan } from './preview.ts';
import { openViews } from './views.ts';

/** The targets that are open, their connections and views. */
export interface ClusterTargets extends Pick<KubernetesTargets, 'counts' | 'close'> {
  open(environment: EnvironmentName, target: TargetName, declaration: TargetDeclaration): Promise<Target>;
}

/** A target and the declaration it was opened with: another one opens it anew. */
interface OpenTarget {
  readonly declared: string;
  readonly cluster: Promise<Cluster>;
}

const NO_NAMESPACE = 'default';

export function clusterTargets(
  options: KubernetesOptions,
  moved: (environment: EnvironmentName, target: TargetName) => void,
): ClusterTargets {
  const connections = new Map<string, Promise<Connection>>();
  const opened = new Set<Connection>();
  const targets = new Map<string, OpenTarget>();

  function connect(name: string, access: ClusterAccess, impersonate: string | undefined): Promise<Connection> {
    const place = JSON.stringify([name, impersonate ?? null]);
    const known = connections.get(place);
    if (known !== undefined) return known;
    const { source } = access;
    const opening = openConnection({
      source,
      impersonate,
      allowExec: source.kind === 'kubeconfig' && source.allowExec,
    });
    connections.set(place, opening);
    opening.then(
      (connection) => opened.add(connection),
      // Credentials that cannot be used today may be mended tomorrow.
      () => connections.delete(place),
    );
    return opening;
  }

  async function openCluster(environment: EnvironmentName, target: TargetName, declaration: TargetDeclaration): Promise<Cluster> {
    const { name, access } = accessOf(options, environment, target, declaration);
    const { api, discovery } = await connect(name, access, declaration.impersonate ?? access.impersonate);
    const namespace = declaration.namespace ?? NO_NAMESPACE;
    const sync = declaration.sync ?? DEFAULT_TARGET_SYNC;
    const marks = { environment, target, namespace };
    const views = openViews(api, {
      marks,
      ignore: sync.ignore,
      timers: options.timers,
      chance: options.chance,
      moved: () => moved(environment, target),
    });
    const inventory = clusterInventory(api, {
      ...marks,
      name: declaration.inventory,
      written: (body) => void views.of({ group: '', kind: 'ConfigMap', namespace, name: '' })?.note(body),
    });
    return {
      api,
      discovery,
      views,
      inventory,
      lookups: openLookups(api),
      pods: openPods(api, options.timers, () => moved(environment, target)),
      marks,
      owner: { environment, target },
      credentials: name,
      sync,
      clock: options.clock,
      secrets: options.secrets,
      allows: (key) => isAllowed(access, key, [namespace]),
      namespaces: (access.namespaces ?? [namespace]).some((pattern) => pattern.includes('*')) ? [''] : (access.namespaces ?? [namespace]),
      wanted: undefined,
    };
  }

  async function clusterOf(environment: EnvironmentName, target: TargetName, declaration: TargetDeclaration): Promise<Cluster> {
    const place = `${environment}/${target}`;
    const declared = JSON.stringify(declaration);
    const known = targets.get(place);
    if (known?.declared === declared) return known.cluster;
    const cluster = openCluster(environment, target, declaration);
    targets.set(place, { declared, cluster });
    cluster.catch(() => {
      if (targets.get(place)?.cluster === cluster) targets.delete(place);
    });
    await stop(known);
    return cluster;
  }

  return {
    async open(environment, target, declaration) {
      const cluster = await clusterOf(environment, target, declaration);
      return {
        observe: (wanted, signal) => inWords('observing', signal, () => observeCluster(cluster, wanted, signal)),
        apply: (plan, next, signal) => inWords('applying', signal, () => applyQuietly(cluster, { plan, next }, signal)),
        drift: (objects, signal) => inWords('looking for drift', signal, () => clusterDrift(cluster, objects, signal)),
        examine: (wanted, signal) =>
          inWords('examining', signal, async () => {
            const { name, access } = accessOf(options, environment, target, declaration);
            const connection = await connect(name, access, declaration.impersonate ?? access.impersonate);
            return examineCluster(cluster, connection, wanted, signal);
          }),
        preview: (plan, signal) => inWords('previewing', signal, () => previewPlan(cluster, plan, signal)),
      };
    },
    async close() {
      await Promise.all([...targets.values()].map(stop));
      await Promise.all([...connections.values()].map(async (opening) => (await settled(opening))?.close()));
      targets.clear();
    },
    counts() {
      const counts = [...opened].map(({ api }) => api.counts());
      const sum = (one: (each: ApiCounts) => number) => counts.reduce((total, each) => total + one(each), 0);
      return { requests: sum((each) => each.requests), watches: sum((each) => each.watches), retries: sum((each) => each.retries) };
    },
  };
}

/** What is written here moves nobody: the run that writes knows it. */
async function applyQuietly(cluster: Cluster, what: Parameters<typeof applyPlan>[1], signal: AbortSignal | undefined) {
  const done = cluster.views.writing();
  try {
    return await applyPlan(cluster, what, signal);
  } finally {
    done();
  }
}

function accessOf(
  { credentials }: KubernetesOptions,
  environment: EnvironmentName,
  target: TargetName,
  declaration: TargetDeclaration,
): { readonly name: string; readonly access: ClusterAccess } {
  const name = declaration.credentials ?? '';
  const choice = chooseAccess(credentials, { environment, target, credentials: declaration.credentials });
  if (choice.kind === 'refused') throw new PortError('denied', choice.message);
  const { access } = choice;
  const namespace = declaration.namespace ?? NO_NAMESPACE;
  if (!allowsNamespace(access, namespace, [namespace])) {
    throw new PortError('denied', `credentials ${quoted(name, 60)} do not allow namespace ${quoted(namespace, 70)} of target ${target}`);
  }
  return { name, access };
}

function isAllowed(access: ClusterAccess, key: ObjectKey, declared: readonly string[]): boolean {
  return key.namespace === '' ? allowsClusterObject(access, key, declared) : allowsNamespace(access, key.namespace, declared);
}

async function stop(open: OpenTarget | undefined): Promise<void> {
  const cluster = open === undefined ? undefined : await settled(open.cluster);
  cluster?.pods.stop();
  await cluster?.views.stop();
}

/** What was opened; undefined where it could not be. */
async function settled<T>(opening: Promise<T>): Promise<T | undefined> {
  try {
    return await opening;
  } catch {
    return undefined;
  }
}

async function inWords<T>(doing: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true) throw new PortError('transient', `kubernetes target: ${doing} was stopped`, error);
    throw error;
  }
}
