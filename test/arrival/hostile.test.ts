import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { SourceKind } from '#model/arrival.ts';
import { planned } from './luggage.ts';

const KINDS: readonly SourceKind[] = ['manifests', 'kustomize', 'helm', 'argocd', 'flux'];
const PATHS = [
  'a.yaml',
  'kustomization.yaml',
  'x/kustomization.yaml',
  'Chart.yaml',
  'c/Chart.yaml',
  'values-prod.yaml',
  'apps/web/w.json',
  'clusters/prod/k.yaml',
];
const VALUE = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(
      null,
      true,
      1,
      '',
      '..',
      '../../etc',
      '/etc',
      './a.yaml',
      'x',
      'apps/web',
      '{{name}}',
      '{{.path.basename}}',
      'prod',
      '__proto__',
      '1h0m0s',
      '*',
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'resources',
        'components',
        'namespace',
        'spec',
        'source',
        'path',
        'helm',
        'values',
        'parameters',
        'name',
        'generators',
        'list',
        'elements',
        'git',
        'directories',
        'template',
        'metadata',
        'destination',
        'syncPolicy',
        'automated',
        'dependsOn',
        'sourceRef',
        'chart',
        'interval',
        'dependencies',
        'secretGenerator',
        'constructor',
      ),
      tie('value'),
      { maxKeys: 5 },
    ),
  ),
})).value;
const HEAD = fc.constantFrom(
  {},
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'List', items: [{}] },
  { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', metadata: { name: 'a' } },
  { apiVersion: 'argoproj.io/v1alpha1', kind: 'ApplicationSet', metadata: { name: 'a' } },
  { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization', metadata: { name: 'a' } },
  { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', metadata: { name: 'a' } },
);
const TEXT = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(HEAD, VALUE).map(([head, value]) => JSON.stringify({ ...(typeof value === 'object' ? value : {}), ...head })),
  },
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    '---\n---\n',
    'a: &a [*a]\n',
    '%YAML 1.1\n---\na: 1\n',
    '\ufeffa: 1\n',
    '- - - -\n',
    '{',
    'a: |\n',
    '<<: 1\n',
    '? {a: b}\n: c\n',
  ),
);

test('whatever lies in a folder, an import ends with files below it and names for the rest', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...KINDS), fc.dictionary(fc.constantFrom(...PATHS), TEXT, { maxKeys: 6 }), async (kind, files) => {
      const { arrival } = await planned(kind, files);

      for (const { path } of arrival.files) expect(path).toMatch(/^(?:capsules|environments)\/(?!.*(?:^|\/)\.\.?(?:\/|$))/);
      for (const { file, why } of arrival.leftOut) expect([file, why.length > 0]).toEqual([expect.any(String), true]);
    }),
    { numRuns: 400 },
  );
});
