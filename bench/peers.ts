import { execFile, execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { KUBERNETES_RELEASES } from '#schemas/generate-kubernetes.ts';
import { programPath } from '#test/servers/built-programs.ts';
import { GIT_ENVIRONMENT } from './fast-import.ts';
import { generateRepository, type GeneratedRepository } from './generate.ts';
import { ratioOf, type Spread, spreadOf } from './statistics.ts';
import { everythingByStock, generateStock } from './stock.ts';

const run = promisify(execFile);
const MAIN = new URL('../src/main.ts', import.meta.url).pathname;
const MODULES = new URL('../test/servers/modules/kubernetes', import.meta.url).pathname;

export interface PeerResult {
  readonly units: number;
  readonly objects: number;
  /** Whole processes, milliseconds. */
  readonly ours: { readonly render: Spread; readonly validate: Spread };
  readonly peers: readonly {
    readonly name: string;
    readonly against: 'render' | 'validate';
    readonly whole: Spread;
    readonly ratio: Omit<Spread, 'p99'>;
  }[];
}

type Contestant = () => Promise<number>;

/**
 * The same objects by `capstan render` and by the renderers people have, and what judges them: `capstan validate`, which renders every
 * environment twice and judges the objects by the same schemas, beside `kubeconform -strict` on objects that lie there rendered.
 * All are whole processes, in turn, as many at once as there are processors where there are many.
 */
export async function peersOf(options: { readonly units: number; readonly rounds: number; readonly folder: string }): Promise<PeerResult> {
  const { units, rounds, folder } = options;
  const repository = await generateRepository({ units, path: join(folder, 'peers.git') });
  const clone = join(folder, 'peers');
  const out = join(folder, 'peers-rendered');
  execFileSync('git', ['clone', '--quiet', repository.path, clone], { env: GIT_ENVIRONMENT });
  const render = capstan(['render', '--all', '--repo', clone, '--rev', 'HEAD', '--out', out, '-o', 'json']);
  await render();
  const objects = (await readdir(out, { recursive: true })).filter((path) => path.endsWith('.yaml')).length;
  const stock = await generateStock(repository.shape, { folder: join(folder, 'peers-stock'), kustomize: programPath('kustomize') });
  const contestants: Readonly<Record<string, Contestant>> = {
    render,
    validate: capstan(['validate', '--repo', clone, '--rev', 'HEAD']),
    kustomize: async () => (await everythingByStock(stock)).render,
    helm: await helm(repository, join(folder, 'peers-chart')),
    kubeconform: await kubeconform(out, join(folder, 'peers-schemas')),
  };
  const times = new Map(Object.keys(contestants).map((name) => [name, new Array<number>()]));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, contestant] of Object.entries(contestants)) times.get(name)?.push(await contestant());
  const of = (name: string): readonly number[] => times.get(name) ?? [];
  const peer = (name: string, program: string, against: 'render' | 'validate') => ({
    name,
    against,
    whole: spreadOf(of(program)),
    ratio: ratioOf(of(program), of(against)),
  });
  return {
    units,
    objects,
    ours: { render: spreadOf(of('render')), validate: spreadOf(of('validate')) },
    peers: [
      peer('helm template, a process a release', 'helm', 'render'),
      peer('kustomize build, roots of 25', 'kustomize', 'render'),
      peer('kubeconform -strict, local schemas', 'kubeconform', 'validate'),
    ],
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function capstan(args: readonly string[]): Contestant {
  return () => timed(() => run(process.execPath, [MAIN, ...args], { maxBuffer: 1e9 }));
}

/** One chart for all, one release a unit: how a controller asks helm. */
async function helm({ shape }: GeneratedRepository, folder: string): Promise<Contestant> {
  const chart = join(folder, 'app');
  await mkdir(join(chart, 'templates'), { recursive: true });
  await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: app\nversion: 1.0.0\n');
  await writeFile(
    join(chart, 'values.yaml'),
    'name: app\nnamespace: bench\nimage: registry.example.com/apps/app\nlogLevel: info\nworkers: 4\n',
  );
  await writeFile(join(chart, 'templates', 'all.yaml'), CHART);
  const releases = shape.environments.flatMap(({ name: environment, targets }) =>
    targets.flatMap((target) =>
      Array.from({ length: shape.capsules }, (_, at) => [`app-${at}`, '--set', `name=app-${at}-${target},namespace=bench-${environment}`]),
    ),
  );
  const program = programPath('helm');
  const env = { HOME: folder, PATH: '' };
  return () =>
    timed(() => inTurn(releases, ([name = '', ...set]) => run(program, ['template', name, chart, ...set], { env, maxBuffer: 1e8 })));
}

async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

async function kubeconform(rendered: string, folder: string): Promise<Contestant> {
  await mkdir(folder, { recursive: true });
  await writeSchemas(folder);
  const program = programPath('kubeconform');
  const places = (await readdir(rendered, { recursive: true }))
    .filter((path) => path.endsWith('.yaml'))
    .map((path) => join(rendered, path));
  const args = ['-strict', '-n', String(availableParallelism()), '-schema-location', `${folder}/{{ .ResourceKind }}{{ .KindSuffix }}.json`];
  // It reads its list of files from the standard input, which no command line is too short for.
  return () =>
    timed(async () => {
      const running = run(program, [...args, '-summary', '-output', 'json', rendered], { maxBuffer: 1e9 });
      const { summary } = JSON.parse((await running).stdout) as {
        readonly summary: { readonly valid: number; readonly invalid: number; readonly errors: number; readonly skipped: number };
      };
      if (summary.valid !== places.length) throw new Error(`kubeconform judged ${JSON.stringify(summary)} of ${places.length} objects`);
    });
}

type OpenApi = { readonly components: { readonly schemas: Readonly<Record<string, Record<string, unknown>>> } };

/** What kubeconform reads, made of the server's own description: one file a kind, unknown fields refused. */
async function writeSchemas(folder: string): Promise<void> {
  const [{ kubernetes }] = KUBERNETES_RELEASES;
  const go = ['mod', 'download', '-json', `k8s.io/kubernetes@${kubernetes}`];
  const env = { ...process.env, PATH: `/usr/local/go/bin:/usr/lib/go-1.23/bin:${process.env['PATH'] ?? ''}`, GOFLAGS: '-mod=mod' };
  const { Dir } = JSON.parse(execFileSync('go', go, { cwd: MODULES, env, encoding: 'utf8' })) as { readonly Dir: string };
  for (const [file, name, kind] of [
    ['apis__apps__v1_openapi.json', 'io.k8s.api.apps.v1.Deployment', 'deployment-apps-v1'],
    ['api__v1_openapi.json', 'io.k8s.api.core.v1.Service', 'service-v1'],
    ['api__v1_openapi.json', 'io.k8s.api.core.v1.ConfigMap', 'configmap-v1'],
  ] as const) {
    const text = await readFile(join(Dir, 'api', 'openapi-spec', 'v3', file), 'utf8');
    const { components } = JSON.parse(text.replaceAll('#/components/schemas/', '#/definitions/')) as OpenApi;
    const definitions = Object.fromEntries(
      Object.entries(components.schemas).map(([key, schema]) => [
        key,
        'properties' in schema ? { ...schema, additionalProperties: false } : schema,
      ]),
    );
    await writeFile(join(folder, `${kind}.json`), JSON.stringify({ $ref: `#/definitions/${name}`, definitions }));
  }
}

const CHART = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Values.name }}
  namespace: {{ .Values.namespace }}
  labels: { app.kubernetes.io/instance: {{ .Values.name }} }
spec:
  replicas: 2
  selector:
    matchLabels: { app.kubernetes.io/instance: {{ .Values.name }} }
  template:
    metadata:
      labels: { app.kubernetes.io/instance: {{ .Values.name }} }
    spec:
      containers:
        - name: web
          image: {{ .Values.image | quote }}
          env:
            - { name: LOG_LEVEL, value: {{ .Values.logLevel | quote }} }
          ports:
            - { name: http, containerPort: 8080 }
          readinessProbe:
            httpGet: { port: http, path: /readyz }
          resources:
            requests: { cpu: 50m, memory: 64Mi }
            limits: { cpu: 100m, memory: 128Mi }
---
apiVersion: v1
kind: Service
metadata: { name: {{ .Values.name }}, namespace: {{ .Values.namespace }} }
spec:
  selector: { app.kubernetes.io/instance: {{ .Values.name }} }
  ports:
    - { name: http, port: 8080, targetPort: http }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Values.name }}-settings, namespace: {{ .Values.namespace }} }
data:
  settings.json: {{ dict "logLevel" .Values.logLevel "workers" .Values.workers | toJson | quote }}
`;
