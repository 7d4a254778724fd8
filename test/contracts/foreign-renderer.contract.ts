import { describe, expect, test } from 'vitest';

import type { ForeignRequest, HelmRequest, KustomizeRequest } from '#model/foreign.ts';
import type { Json } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { ForeignRenderer } from '#ports/foreign-renderer.ts';

export interface ForeignRendererBench {
  readonly renderer: ForeignRenderer;
  /** Versions that it has. */
  readonly helm: string;
  readonly kustomize: string;
}

export function files(texts: Readonly<Record<string, string>>): ReadonlyMap<string, Uint8Array> {
  return new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));
}

const CHART = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: greeter\nversion: 1.2.3\n',
  'chart/values.yaml': 'greeting: hello\nsize: 1\n',
  'chart/templates/map.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  greeting: {{ .Values.greeting }}\n',
};

export function helmRequest(bench: Pick<ForeignRendererBench, 'helm'>, overrides: Partial<HelmRequest> = {}): HelmRequest {
  return {
    tool: 'helm',
    version: bench.helm,
    files: files(CHART),
    path: 'chart',
    name: 'shop',
    namespace: 'acme-prod',
    values: { greeting: 'hola' },
    kubernetes: '1.35.0',
    apiVersions: [],
    ...overrides,
  };
}

export function kustomizeRequest(
  bench: Pick<ForeignRendererBench, 'kustomize'>,
  texts: Readonly<Record<string, string>>,
): KustomizeRequest {
  return { tool: 'kustomize', version: bench.kustomize, files: files(texts), path: 'k' };
}

export async function objectsOf(renderer: ForeignRenderer, request: ForeignRequest): Promise<readonly Json[]> {
  const answer = await renderer.render(request);
  if (answer.kind !== 'rendered') throw new Error(JSON.stringify(answer));
  const read = readKubernetesYaml(answer.text, 'output.yaml');
  if (!read.ok) throw new Error(read.problems.map((problem) => problem.message).join('\n'));
  return read.value.map((document) => document.value);
}

/** What every foreign renderer keeps, the real programs and the double. */
export function foreignRendererContract(name: string, open: () => ForeignRendererBench): void {
  describe(`${name} as a foreign renderer`, () => {
    test('renders a chart with the values, the name and the namespace it is given', async () => {
      const bench = open();

      expect(await objectsOf(bench.renderer, helmRequest(bench))).toEqual([
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shop', namespace: 'acme-prod' }, data: { greeting: 'hola' } },
      ]);
    });

    test('takes what is not given from the values of the chart', async () => {
      const bench = open();

      const [map] = await objectsOf(bench.renderer, helmRequest(bench, { values: { size: 2 } }));

      expect(map).toMatchObject({ data: { greeting: 'hello' } });
    });

    test('renders the resources of a kustomization', async () => {
      const bench = open();
      const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
      const texts = { 'k/kustomization.yaml': 'resources: [map.yaml]\n', 'k/map.yaml': JSON.stringify(map) };

      expect(await objectsOf(bench.renderer, kustomizeRequest(bench, texts))).toEqual([map]);
    });

    test('gives the same text for the same request', async () => {
      const bench = open();

      const [one, other] = [await bench.renderer.render(helmRequest(bench)), await bench.renderer.render(helmRequest(bench))];

      expect(one.kind).toBe('rendered');
      expect(other).toEqual(one);
    });

    test('says what is wrong with a folder that is no chart, without a path of this machine', async () => {
      const bench = open();

      const answer = await bench.renderer.render(helmRequest(bench, { files: files({ 'chart/README.md': 'x' }) }));

      expect(answer).toMatchObject({ kind: 'failed', message: expect.stringContaining('Chart.yaml') });
      expect(JSON.stringify(answer)).not.toMatch(/tmp|home/i);
    });

    test('says so when it has another version only, and starts nothing', async () => {
      const bench = open();
      const before = bench.renderer.counts().runs;

      const answer = await bench.renderer.render(helmRequest(bench, { version: '0.0.1' }));

      expect(answer).toMatchObject({ kind: 'missing', found: expect.stringContaining('helm') });
      expect(bench.renderer.counts().runs).toBe(before);
    });
  });
}
