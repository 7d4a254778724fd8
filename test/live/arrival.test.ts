import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { workbench } from '#test/programs/capstan-program.ts';
import type { Workbench } from '#test/programs/capstan-program.ts';
import { programPath } from '#test/servers/built-programs.ts';

/** What was brought along renders what `kustomize build` and `helm template` give, object by object. */

let bench: Workbench;
let folder: string;
let kustomize: string;
let helm: string;

beforeAll(async () => {
  bench = await workbench();
  folder = await bench.folder();
  [kustomize, helm] = [programPath('kustomize'), programPath('helm')];
});

afterAll(() => bench.close());

const WEB = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1
          envFrom:
            - configMapRef:
                name: settings
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: { app: web }
  ports: [{ port: 80 }]
`;

async function plant(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Imports a folder, and answers the objects that an environment of it renders, without what Capstan adds. */
async function brought(kind: string, from: string, environment: string): Promise<readonly Json[]> {
  const to = `${from}-platform`;
  const tools = { ...bench.env, PATH: `${dirname(kustomize)}:${dirname(helm)}:${bench.env['PATH'] ?? ''}` };
  const run = (cwd: string, ...args: readonly string[]): string =>
    execFileSync(process.execPath, [join(import.meta.dirname, '../../src/capstan.cjs'), ...args], {
      cwd,
      env: tools,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  if ((await readdir(folder)).includes(to)) run(join(folder, to), 'validate');
  else run(folder, 'init', '--from', kind, from, to);
  const out = join(folder, `${from}-${environment}-rendered`);
  run(join(folder, to), 'render', environment, '--out', out);
  const files = (await readdir(out, { recursive: true })).filter((path) => path.endsWith('.yaml'));
  const objects = await Promise.all(files.map(async (path) => objectsIn(await readFile(join(out, path), 'utf8'))));
  return byName(objects.flat().map(withoutOurs));
}

function objectsIn(text: string): readonly Json[] {
  const read = readKubernetesYaml(text, 'objects');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value.map((one) => one.value);
}

function withoutOurs(object: Json): Json {
  if (!isJsonObject(object) || !isJsonObject(object['metadata'])) return object;
  const { annotations, ...metadata } = object['metadata'];
  const own = Object.entries(isJsonObject(annotations ?? null) ? (annotations as JsonObject) : {}).filter(
    ([key]) => !key.startsWith('capstan.dev/'),
  );
  return { ...object, metadata: { ...metadata, ...(own.length === 0 ? {} : { annotations: Object.fromEntries(own) }) } };
}

function byName(objects: readonly Json[]): readonly Json[] {
  const name = (object: Json): string => JSON.stringify(isJsonObject(object) ? [object['kind'], object['metadata']] : object);
  return objects.toSorted((a, b) => (name(a) < name(b) ? -1 : 1));
}

test('overlays render what kustomize builds', async () => {
  const overlay = (name: string): string => `namespace: shop-${name}
nameSuffix: -${name}
resources: [../../base]
replicas:
  - { name: web, count: 3 }
patches:
  - path: patch.yaml
`;
  const patch =
    'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      priorityClassName: high\n';
  await plant({
    'shop/base/kustomization.yaml': 'resources: [web.yaml]\nconfigMapGenerator:\n  - name: settings\n    literals: [greeting=hello]\n',
    'shop/base/web.yaml': WEB,
    ...Object.fromEntries(
      ['dev', 'prod'].flatMap((name) => [
        [`shop/overlays/${name}/kustomization.yaml`, overlay(name)],
        [`shop/overlays/${name}/patch.yaml`, patch],
      ]),
    ),
  });

  for (const environment of ['dev', 'prod']) {
    const built = objectsIn(execFileSync(kustomize, ['build', `shop/overlays/${environment}`], { cwd: folder, encoding: 'utf8' }));
    expect(built).toHaveLength(3);
    expect(await brought('kustomize', 'shop', environment)).toEqual(byName(built));
  }
});

test('a chart renders what helm does with the same values', async () => {
  await plant({
    'chart/web/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.2.3\n',
    'chart/web/values.yaml': 'replicas: 1\nimage: { tag: a }\nextra: {}\n',
    'chart/web/values-dev.yaml': 'image:\n  tag: b\n',
    'chart/web/values-prod.yaml': 'replicas: 5\nextra:\n  on: "yes"\n  number: 0o10\n',
    'chart/web/templates/web.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\n  labels:\n    chart: {{ .Chart.Name }}-{{ .Chart.Version }}\ndata:\n  replicas: {{ .Values.replicas | quote }}\n  tag: {{ .Values.image.tag | quote }}\n  extra: {{ .Values.extra | toJson | quote }}\n',
  });

  for (const environment of ['dev', 'prod']) {
    const values = `chart/web/values-${environment}.yaml`;
    const args = ['template', 'web', 'chart/web', '--namespace', 'default', '--values', values];
    const given = objectsIn(execFileSync(helm, args, { cwd: folder, encoding: 'utf8', env: { ...bench.env } }));
    expect(given).toHaveLength(1);
    expect(await brought('helm', 'chart', environment)).toEqual(byName(given));
  }
});
