import type { Json, JsonObject } from '#model/json.ts';
import { valueAt } from '#model/json.ts';
import { PortError } from '#ports/port-error.ts';
import { until } from './demo-stage.ts';
import type { DemoTargets } from './demo-targets.ts';
import type { ClusterInHand } from './powers.ts';

export interface DemoClusterOptions {
  readonly cluster: ClusterInHand;
  /** Absolute path. */
  readonly kubeconfig: string;
  /** In place of the starter's, which nobody can pull; it must keep running and need no probe. */
  readonly image: string | undefined;
  /** The namespaces stay when the demo ends. */
  readonly keep: boolean;
}

const ENVIRONMENTS = ['dev', 'staging', 'prod'];
const LABEL = 'capstan.dev/demo';

/** Three namespaces of a real cluster, made and removed by the demo. */
export function demoCluster({ cluster, kubeconfig, image, keep }: DemoClusterOptions): DemoTargets {
  const namespace = (environment: string): string => `capstan-demo-${environment}`;
  const deployment = (environment: string): string => `/apis/apps/v1/namespaces/${namespace(environment)}/deployments/hello`;
  const made: string[] = [];

  async function found(path: string): Promise<JsonObject | undefined> {
    const { status, body } = await cluster.ask('GET', path);
    return status === 200 ? body : undefined;
  }

  async function makeNamespace(name: string): Promise<void> {
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { [LABEL]: 'true' } } };
    const { status, body } = await cluster.ask('POST', '/api/v1/namespaces', object);
    if (status === 409) {
      throw new PortError('conflict', `namespace ${name} is there already; if a demo left it: kubectl delete namespace ${name}`);
    }
    if (status >= 300) throw new PortError('denied', `namespace ${name} cannot be made: ${textOf(body.message)}`);
    made.push(name);
  }

  return {
    words: `three namespaces of ${cluster.url.origin} as targets (capstan-demo-*)`,
    place: (environment) => `namespace ${namespace(environment)}`,
    namespace,
    declared: (files) =>
      Object.fromEntries(
        Object.entries(files).map(([path, text]) => {
          const environment = ENVIRONMENTS.find((name) => path === `environments/${name}/environment.yaml`);
          if (environment !== undefined) return [path, onCluster(text, environment, namespace(environment))];
          return [path, path === 'capsules/hello/capsule.yaml' && image !== undefined ? withImage(text, image) : text];
        }),
      ),
    configuration: `credentials:\n  demo:\n    kubeconfig:\n      file: ${JSON.stringify(kubeconfig)}\n    allowExec: true\n    namespaces: [capstan-demo-*]\n`,
    async open() {
      for (const environment of ENVIRONMENTS) await makeNamespace(namespace(environment));
    },
    async runs(environment, version) {
      const object = await found(deployment(environment));
      const runs = valueAt(object, '/metadata/annotations/capstan.dev~1version');
      return runs === version ? textOf(valueAt(object, '/metadata/uid')) : undefined;
    },
    async meddle(environment) {
      await cluster.ask('PATCH', deployment(environment), { spec: { replicas: 7 } });
      await until(`${environment} to be put right`, 60, async () =>
        valueAt(await found(deployment(environment)), '/spec/replicas') === 1 ? true : undefined,
      );
    },
    // More than any node has: its pods find no place, and the old one stays.
    spoiled: (capsule) => capsule.replace(/request: 50m\n( +)limit: 100m\n +burst: 200m\n/, "request: '4000'\n$1limit: '4000'\n"),
    spoil: () => Promise.resolve('no node has room for its pod'),
    hasService: async (environment) => (await found(`/api/v1/namespaces/${namespace(environment)}/services/hello`)) !== undefined,
    async close() {
      if (!keep) for (const name of made) await cluster.ask('DELETE', `/api/v1/namespaces/${name}`);
      await cluster.close();
    },
  };
}

/** A name of this machine: nobody else's cluster is written to by mistake. */
export function isOwnMachine({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

function onCluster(text: string, environment: string, namespace: string): string {
  const directory = `      driver: directory\n      path: ${environment}\n`;
  if (!text.includes(directory)) throw new Error(`the starter's ${environment} has no directory`);
  return text
    .replace(directory, `      driver: kubernetes\n      credentials: demo\n      namespace: ${namespace}\n`)
    .replace(`namespace: hello-${environment}`, `namespace: ${namespace}`);
}

function withImage(capsule: string, image: string): string {
  return capsule.replace(/image: \S+/, `image: ${image}`).replace(/ {6}probes:\n(?: {8}.*\n)+/, '');
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
