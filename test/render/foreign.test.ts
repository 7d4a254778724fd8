import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import type { ForeignAnswer } from '#model/foreign.ts';
import { foreignRequests, renderUnit } from '#render/render.ts';
import { unit } from '#test/render/builders.ts';
import type { UnitOptions } from '#test/render/builders.ts';

const CHART_FILES = { 'chart/Chart.yaml': 'apiVersion: v2\nname: greeter\nversion: 1.2.3\n', 'chart/templates/x.yaml': 'x' };
const LAYERS = { 'k/kustomization.yaml': 'resources: [map.yaml]\n', 'k/map.yaml': 'kind: ConfigMap' };

function chart(source: string, more = ''): string {
  return `components: { app: { kind: Helm, source: { tool: 3.22.0, ${source} } ${more} } }`;
}

function layers(): string {
  return 'components: { app: { kind: Kustomize, source: { tool: 5.8.2, path: k } } }';
}

function answered(yaml: string, answer: ForeignAnswer, options: UnitOptions = {}) {
  return renderUnit({ ...unit(yaml, { files: { ...CHART_FILES, ...LAYERS }, ...options }), foreign: new Map([['app', answer]]) });
}

function problemsOf(
  yaml: string,
  files: Readonly<Record<string, string>> = {},
  answer: ForeignAnswer = { kind: 'rendered', text: '' },
): readonly string[] {
  const result = answered(yaml, answer, { files: { ...CHART_FILES, ...LAYERS, ...files } });
  return result.ok ? [] : result.problems.map(({ code, place, message }) => `${code} ${place.pointer} ${message}`);
}

function asked(yaml: string, options: UnitOptions = {}) {
  const request = foreignRequests(unit(yaml, { files: { ...CHART_FILES, ...LAYERS }, ...options })).get('app');
  if (request?.tool !== 'helm') throw new Error('helm was not asked');
  const { files, ...others } = request;
  return { ...others, files: [...files.keys()] };
}

function objects(yaml: string, text: string) {
  const result = answered(yaml, { kind: 'rendered', text });
  if (!result.ok) throw new Error(result.problems.map((problem) => problem.message).join('\n'));
  return result.value.objects;
}

function hook(kind: string, name: string, events: string, weight?: string): string {
  const annotations = {
    'helm.sh/hook': events,
    ...(weight === undefined ? {} : { 'helm.sh/hook-weight': weight }),
    'helm.sh/hook-delete-policy': 'hook-succeeded',
  };
  return `---\n# Source: greeter/templates/${name}.yaml\n${JSON.stringify({ apiVersion: kind === 'Job' ? 'batch/v1' : 'v1', kind, metadata: { name, annotations } })}\n`;
}

test('a chart is asked for with its own files, the release, the values of the component and the version of the cluster', () => {
  expect(
    asked(
      chart(
        'path: chart, apiVersions: [monitoring.coreos.com/v1]',
        ', values: { image: "web:{{config.tag}}", size: { config: /size }, list: [{ config: /none/of/ours, b: 1 }] }',
      ),
      {
        config: { tag: 'v1', size: 3 },
      },
    ),
  ).toEqual({
    tool: 'helm',
    version: '3.22.0',
    path: 'chart',
    name: 'web',
    namespace: 'acme-prod',
    values: { image: 'web:v1', size: 3, list: [{ config: '/none/of/ours', b: 1 }] },
    kubernetes: '1.34.0',
    apiVersions: ['monitoring.coreos.com/v1'],
    files: ['chart/Chart.yaml', 'chart/templates/x.yaml'],
  });
});

test('a chart without values gets the whole configuration, and a target without facts a fixed version of Kubernetes', () => {
  const request = asked(chart('path: chart'), { config: { size: 3, global: { region: 'eu' } }, target: { facts: {} } });

  expect([request.values, request.kubernetes]).toEqual([{ size: 3, global: { region: 'eu' } }, '1.35.0']);
});

test('what a chart gives is treated like a raw manifest', () => {
  const [map] = objects(
    chart('path: chart'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, labels: { app.kubernetes.io/managed-by: Helm } }\ndata: { on: yes }\n',
  );

  expect(map?.object).toEqual({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'a',
      namespace: 'acme-prod',
      labels: { 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: expect.objectContaining({ 'capstan.dev/instance': 'web' }) as unknown,
    },
    data: { true: true },
  });
});

test('hooks become waves by moment and weight, their marks are gone, and a Job has a name of its own for each run', () => {
  const text = [
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: plain }\n',
    hook('Job', 'second', 'pre-install,pre-upgrade', '5'),
    hook('ConfigMap', 'first', 'pre-install', '-5'),
    hook('Job', 'after', 'post-install,pre-upgrade'),
  ].join('\n');

  const found = objects(chart('path: chart'), text).map(({ key, wave = 0, object }) => [
    key.name.replace(/-[0-9a-f]{8}$/, '-DIGEST'),
    wave,
    Object.keys(object.metadata.annotations ?? {}).length,
  ]);

  expect(found.sort((a, b) => Number(a[1]) - Number(b[1]))).toEqual([
    ['first', -1, 3],
    ['second-DIGEST', -0.5, 3],
    ['plain', 0, 3],
    ['after-DIGEST', 1, 3],
  ]);
});

test('a hook of deletion or rollback is refused by name and template, unless it is left out on purpose', () => {
  const text = hook('Job', 'clean', 'pre-delete');

  expect(problemsOf(chart('path: chart'), {}, { kind: 'rendered', text })).toEqual([
    'helm-hook-unsupported /spec/components/app/source/skipHooks component app (greeter/templates/clean.yaml) is a hook pre-delete, a moment that a declared state does not have',
  ]);
  expect(objects(chart('path: chart, skipHooks: [pre-delete]'), text)).toEqual([]);
});

test('a chart that is not in the capsule is refused with the command that vendors it', () => {
  const result = answered(chart('chart: redis, repo: "https://charts.example.com", version: 20.1.0'), { kind: 'rendered', text: '' });

  expect(result.ok ? [] : result.problems).toMatchObject([
    {
      code: 'chart-not-vendored',
      remedy:
        "Run 'helm pull redis --repo https://charts.example.com --version 20.1.0 --destination capsules/web/charts', commit the archive, and set source.path and source.sha256.",
    },
  ]);
});

test('what is declared of a chart is true of the chart', () => {
  const digest = sha256Of('archive');
  const archive = { 'charts/redis-20.1.0.tgz': 'archive' };

  expect(problemsOf(chart(`path: charts/redis-20.1.0.tgz, chart: redis, version: 20.1.0, sha256: ${digest}`), archive)).toEqual([]);
  expect(problemsOf(chart('path: chart, chart: greeter, version: 1.2.3'))).toEqual([]);
  expect(problemsOf(chart(`path: charts/redis-20.1.0.tgz, sha256: ${'a'.repeat(64)}`), archive)).toEqual([
    `chart-differs /spec/components/app/source/sha256 source.sha256 is aaaaaaaaaaaa... but charts/redis-20.1.0.tgz has ${digest}`,
  ]);
  expect(problemsOf(chart('path: charts/redis-20.1.0.tgz'), archive)).toEqual([
    `chart-differs /spec/components/app/source/sha256 source.sha256 is absent but charts/redis-20.1.0.tgz has ${digest}`,
  ]);
  expect(problemsOf(chart('path: chart, chart: other, version: 1.2.4'))).toEqual([
    'chart-differs /spec/components/app/source/chart source.chart is other but chart/Chart.yaml says greeter',
    'chart-differs /spec/components/app/source/version source.version is 1.2.4 but chart/Chart.yaml says 1.2.3',
  ]);
});

test('a program that is not here, a range instead of a version, and a broken chart are problems of the component', () => {
  const missing = answered(chart('path: chart'), { kind: 'missing', found: '/usr/bin/helm is helm 3.14.0' });

  expect(missing.ok ? [] : missing.problems).toMatchObject([
    {
      code: 'tool-missing',
      place: { file: 'capsules/web/capsule.yaml', pointer: '/spec/components/app/source' },
      message: 'component app: helm 3.22.0 is needed and not here (/usr/bin/helm is helm 3.14.0)',
      remedy:
        'Install helm 3.22.0 (go install helm.sh/helm/v3/cmd/helm@v3.22.0) on PATH, or name it in capstan.yaml: tools.helm."3.22.0": { path, sha256 }.',
    },
  ]);
  expect(problemsOf(chart('path: chart').replace('3.22.0', '"^3"'))).toEqual([
    'component-incomplete /spec/components/app/source/tool component app is Helm and source.tool is "^3"',
  ]);
  expect(problemsOf(chart('path: chart'), {}, { kind: 'failed', message: 'no' })).toEqual([
    'tool-failed /spec/components/app/source component app: helm 3.22.0 refused chart: no',
  ]);
  expect(problemsOf(chart('path: chart'), {}, { kind: 'limit', what: 'takes longer than 1 ms' })).toEqual([
    'tool-limit /spec/components/app/source component app: helm 3.22.0 on chart takes longer than 1 ms',
  ]);
  expect(problemsOf(chart('path: chart'), {}, { kind: 'rendered', text: 'a: [' })).toHaveLength(1);
});

test('a kustomization names only what lies in the capsule', () => {
  const whole = {
    'k/kustomization.yaml':
      'resources: [map.yaml, ../base]\npatches: [{ path: p.yaml }, { patch: "- op: add" }]\nconfigMapGenerator: [{ name: a, files: [x=map.yaml] }]\npatchesStrategicMerge: ["kind: A\\nb: c"]\n',
    'k/p.yaml': 'x',
    'base/kustomization.yml': 'resources: [../k/map.yaml]',
  };

  expect(problemsOf(layers(), whole)).toEqual([]);
  for (const [field, text] of [
    ['resources', 'github.com/acme/base?ref=main'],
    ['resources', 'https://example.com/a.yaml'],
    ['resources', '../../outside'],
    ['resources', '/etc/passwd'],
    ['components', 'git@example.com:a/b'],
    ['crds', 'absent.yaml'],
  ] as const) {
    expect(problemsOf(layers(), { 'k/kustomization.yaml': `${field}: [${JSON.stringify(text)}]` })).toEqual([
      `kustomization-invalid /spec/components/app/source/path k/kustomization.yaml: ${field} names ${JSON.stringify(text)}, which is not in the capsule`,
    ]);
  }
  expect(
    problemsOf(layers(), { 'k/kustomization.yaml': 'configMapGenerator: [{ name: a, files: ["x=https://example.com/"] }]' }),
  ).toHaveLength(1);
  expect(problemsOf(layers(), { 'k/kustomization.yaml': 'patches: [{ path: "https://example.com/p.yaml" }]' })).toHaveLength(1);
});

test('what a neighbour of a kustomization names lies in the capsule, too', () => {
  const files = { 'k/kustomization.yaml': 'resources: [../base]', 'base/kustomization.yaml': 'resources: ["https://example.com/a.yaml"]' };

  expect(problemsOf(layers(), files)).toEqual([
    'kustomization-invalid /spec/components/app/source/path base/kustomization.yaml: resources names "https://example.com/a.yaml", which is not in the capsule',
  ]);
});

test('a kustomization does not inflate charts and takes no values', () => {
  expect(problemsOf(layers(), { 'k/kustomization.yaml': 'helmCharts: [{ name: redis }]' })).toEqual([
    'kustomization-invalid /spec/components/app/source/path k/kustomization.yaml has helmCharts, which fetches and runs charts',
  ]);
  expect(problemsOf(layers().replace('path: k }', 'path: k }, values: { a: 1 }'))).toEqual([
    'component-incomplete /spec/components/app/values component app is Kustomize and has values, which only charts take',
  ]);
});

test.each([
  ['a field in other letters', 'Resources: ["http://127.0.0.1/x"]'],
  ['a field in other letters that names a folder', 'Resources: [../other]'],
  ['a field in a letter that folds to another', 're\u017fources: ["http://127.0.0.1/x"]'],
  ['a merge key, which wins over what stands before it', 'resources: [map.yaml]\n<<: { resources: ["http://127.0.0.1/x"] }'],
  ['an entry in other letters', 'configMapGenerator: [{ name: a, Files: ["a=http://127.0.0.1/x"] }]'],
  ['a generator in a file', 'generators: [gen.yaml]'],
  ['a generator in place', 'generators: ["kind: ConfigMapGenerator\\nfiles: [\\"a=HTTP://127.0.0.1/x\\"]"]'],
  ['a folder of generators', 'generators: [../base]'],
  ['a transformer whose text cannot be read', 'transformers: ["a: [\\n"]'],
])('kustomize fetches nothing by way of %s', (_, text) => {
  const files = {
    'k/kustomization.yaml': text,
    'k/gen.yaml': 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: { name: a }\nfiles: ["a=http://127.0.0.1/x"]\n',
    'base/kustomization.yaml': 'resources: [../k/map.yaml]',
  };

  expect(problemsOf(layers(), files).map((problem) => problem.split(' ', 1)[0])).toContain('kustomization-invalid');
});

test('a kustomization may hold addresses as text, and generators of its own files', () => {
  const files = {
    'k/kustomization.yaml':
      'resources: [map.yaml]\ngenerators: [gen.yaml]\ncommonAnnotations: { docs: "https://example.com/" }\nconfigMapGenerator: [{ name: a, literals: ["URL=https://example.com/"] }]\n',
    'k/gen.yaml': 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: { name: a }\nfiles: ["a=map.yaml"]\n',
  };

  expect(problemsOf(layers(), files)).toEqual([]);
});

test('a kustomization of more folders than are checked is refused', () => {
  const files = Object.fromEntries(
    Array.from({ length: 205 }, (_, at) => [at === 0 ? 'k/kustomization.yaml' : `f${at}/kustomization.yaml`, `resources: [../f${at + 1}]`]),
  );

  expect(problemsOf(layers(), { ...files, 'f205/kustomization.yaml': 'resources: ["http://127.0.0.1/x"]' })).toEqual([
    'kustomization-invalid /spec/components/app/source/path k has more than 200 folders',
  ]);
});
