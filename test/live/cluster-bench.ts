import { once, EventEmitter } from 'node:events';

import { onTestFinished } from 'vitest';

import { kubernetesTargets } from '#adapters/kubernetes/kubernetes.ts';
import type { KubernetesOptions, KubernetesTargets } from '#adapters/kubernetes/kubernetes.ts';
import { systemChance, systemClock, systemTimers } from '#adapters/machine/machine.ts';
import { USUAL_CLUSTER_RESOURCES } from '#model/cluster-access.ts';
import type { ClusterAccess } from '#model/cluster-access.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import type { JsonObject } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import type { Target, TargetDeclaration } from '#ports/target.ts';
import type { TargetBench } from '#test/contracts/target.contract.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';

export interface ClusterBench extends TargetBench {
  readonly targets: KubernetesTargets;
  /** Does something by hand and returns when the target has seen it. */
  seen<T>(work: () => Promise<T>): Promise<T>;
  /** How many requests something takes. */
  requests(work: () => Promise<unknown>): Promise<number>;
  /** The object as the server has it. */
  object(kind: string, name: string): Promise<JsonObject | undefined>;
}

export function accessTo(kubernetes: RunningKubernetes, rest: Partial<ClusterAccess> = {}): ClusterAccess {
  return {
    source: { kind: 'kubeconfig', file: kubernetes.kubeconfig, context: undefined, allowExec: false },
    environments: undefined,
    namespaces: undefined,
    clusterResources: USUAL_CLUSTER_RESOURCES,
    impersonate: undefined,
    ...rest,
  };
}

export function openTargets(kubernetes: RunningKubernetes, rest: Partial<KubernetesOptions> = {}): KubernetesTargets {
  const targets = kubernetesTargets({
    credentials: new Map([['here', accessTo(kubernetes)]]),
    secrets: undefined,
    clock: systemClock,
    timers: systemTimers,
    chance: systemChance,
    ...rest,
  });
  onTestFinished(() => targets.close());
  return targets;
}

export interface BenchOptions extends Partial<KubernetesOptions> {
  readonly namespace?: string;
  readonly declaration?: Partial<TargetDeclaration>;
}

/** Target `local` of `dev` in a namespace of its own; another one is made anew, as there is nobody who would finish its removal. */
export async function openClusterBench(kubernetes: RunningKubernetes, options: BenchOptions = {}): Promise<ClusterBench> {
  const { namespace = 'acme', declaration = {}, ...rest } = options;
  await emptyNamespace(kubernetes, namespace);
  const targets = openTargets(kubernetes, rest);
  const moves = new EventEmitter();
  let moved = 0;
  targets.watch(() => {
    moved += 1;
    moves.emit('move');
  });
  const target: Target = await targets.open(toEnvironmentName('dev'), toTargetName('local'), {
    driver: 'kubernetes',
    credentials: 'here',
    namespace,
    ...declaration,
  });

  async function seen<T>(work: () => Promise<T>): Promise<T> {
    const before = moved;
    const result = await work();
    if (moved === before) await once(moves, 'move', { signal: AbortSignal.timeout(20_000) });
    return result;
  }

  async function object(kind: string, name: string): Promise<JsonObject | undefined> {
    const text = await kubernetes.kubectl([
      'get',
      kind,
      name,
      '-n',
      namespace,
      '--ignore-not-found',
      '--show-managed-fields',
      '-o',
      'json',
    ]);
    return text === '' ? undefined : toObject(JSON.parse(text));
  }

  /** Where the inventory says that an object is; undefined where it does not name it. */
  async function pathOf(name: string): Promise<string | undefined> {
    const rows = jsonText(valueAt(await object('configmap', 'capstan-dev-0'), '/data/rows'));
    return rows
      .split('\n')
      .filter((row) => row !== '')
      .map((row) => JSON.parse(row) as readonly string[])
      .find((row) => row[3] === name)?.[4];
  }

  return {
    targets,
    target,
    seen,
    object,
    marksObjects: true,
    async requests(work) {
      const before = targets.counts().requests;
      await work();
      return targets.counts().requests - before;
    },
    async read(path) {
      const found = await object('configmap', nameIn(path));
      const known = await pathOf(nameIn(path));
      const isElsewhere = known !== undefined && known !== path && !known.startsWith('lost/');
      return found === undefined || isElsewhere ? undefined : textOf(found);
    },
    async put(path, text) {
      const before = await object('configmap', nameIn(path));
      const wanted = parsed(text);
      if (before === undefined) return void (await kubernetes.kubectl(['create', '-f', '-'], JSON.stringify(wanted)));
      const patch = JSON.stringify({ data: wanted['data'] ?? null });
      const work = () => kubernetes.kubectl(['patch', 'configmap', nameIn(path), '-n', namespace, '--type=merge', '-p', patch]);
      await (isLabelled(before) ? seen(work) : work());
    },
    async remove(path) {
      await seen(() => kubernetes.kubectl(['delete', 'configmap', nameIn(path), '-n', namespace]));
    },
    async loseInventory() {
      await seen(() => kubernetes.kubectl(['delete', 'configmap', 'capstan-dev-0', '-n', namespace]));
    },
  };
}

export async function emptyNamespace({ kubectl }: RunningKubernetes, namespace: string): Promise<void> {
  const names = await kubectl(['get', 'namespace', namespace, '--ignore-not-found', '-o', 'name']);
  if (names === '') return void (await kubectl(['create', 'namespace', namespace]));
  const kinds = ['api/v1/namespaces/*/configmaps', 'api/v1/namespaces/*/secrets', 'apis/apps/v1/namespaces/*/deployments'];
  // One request a kind: kubectl would send one an object, and wait in between.
  await Promise.all(kinds.map((path) => kubectl(['delete', '--raw', `/${path.replace('*', namespace)}`])));
}

/** `core_v1_configmap_acme_a.yaml` -> `a` */
function nameIn(path: string): string {
  return /_([^_]+)\.yaml$/.exec(path)?.[1] ?? '';
}

function isLabelled(object: JsonObject): boolean {
  return jsonText(valueAt(object, '/metadata/labels/capstan.dev~1target')) !== '';
}

/** As `renderedObject` of the tests of plans writes it. */
function textOf(object: JsonObject): string {
  const [name, namespace, content] = ['/metadata/name', '/metadata/namespace', '/data/content'].map((at) => jsonText(valueAt(object, at)));
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\ndata:\n  content: ${content}\n`;
}

function parsed(text: string): JsonObject {
  const read = readKubernetesYaml(text, 'test');
  return toObject(read.ok ? read.value[0]?.value : undefined);
}

function toObject(value: unknown): JsonObject {
  const object = value as JsonObject;
  if (!isJsonObject(object)) throw new Error('not an object');
  return object;
}
