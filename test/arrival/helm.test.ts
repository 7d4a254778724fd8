import { expect, test } from 'vitest';

import { planned, writtenBy } from './luggage.ts';

const CHART = {
  'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.2.3\n',
  'values.yaml': 'replicas: 1\nimage: { tag: a }\n',
  'templates/web.yaml': 'kind: {{ .Values.kind }}\n',
};

test('a chart is a capsule, and each file of values an environment with its layer', async () => {
  const plan = await planned('helm', {
    ...CHART,
    'values-dev.yaml': 'replicas: 2\n',
    'values-prod.yaml': 'replicas: 0o7\nimage:\n  tag: "on"\n',
  });

  const written = writtenBy(plan);
  expect(plan.problems).toEqual([]);
  expect(plan.arrival.leftOut).toEqual([]);
  expect(Object.keys(written)).toEqual([
    'capsules/web/capsule.yaml',
    'capsules/web/files/Chart.yaml',
    'capsules/web/files/templates/web.yaml',
    'capsules/web/files/values-dev.yaml',
    'capsules/web/files/values-prod.yaml',
    'capsules/web/files/values.yaml',
    'environments/dev/config/web.yaml',
    'environments/dev/environment.yaml',
    'environments/prod/config/web.yaml',
    'environments/prod/environment.yaml',
    'environments/project.yaml',
  ]);
  expect(written['capsules/web/capsule.yaml']).toContain('kind: Helm\n      source:\n        path: files\n');
  expect(written['environments/prod/config/web.yaml']).toBe("replicas: 7\nimage:\n  tag: 'on'\n");
});

test('a chart that would fetch its parts, values that delete defaults, and files of no chart are named', async () => {
  const plan = await planned('helm', {
    'charts/web/Chart.yaml': CHART['Chart.yaml'],
    'charts/big/Chart.yaml':
      'name: big\nversion: 1.0.0\ndependencies:\n  - name: redis\n    repository: https://example.com\n    version: 1.0.0\n',
    'envs/prod/values.yaml': 'a:\n  b: null\n  c: 1\n',
    'notes.txt': 'hello\n',
  });

  expect(writtenBy(plan)['environments/prod/config/web.yaml']).toBe('a:\n  c: 1\n');
  expect(plan.arrival.leftOut.map(({ file, what }) => `${file} ${what}`)).toEqual([
    'charts/big/Chart.yaml a chart',
    'envs/prod/values.yaml a.b: null',
    'notes.txt a file',
  ]);
});
