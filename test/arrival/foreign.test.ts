import { expect, test } from 'vitest';

import { planArrival } from '#loops/arrive.ts';
import { foreignManifests } from '#test/foreign-manifests.ts';

const files = foreignManifests();

test.skipIf(files === undefined).each([
  ['microservices-demo', { brought: 15, differs: 60 }],
  ['examples', { brought: 150, differs: 140 }],
  ['kube-prometheus', { brought: 100, differs: 1 }],
])('%s comes along: it validates, and only namespaces are added', async (project, least) => {
  const own = [...(files ?? [])].flatMap(([path, bytes]): readonly [string, Uint8Array][] =>
    path.startsWith(`${project}/`) ? [[path.slice(project.length + 1), bytes]] : [],
  );
  const luggage = { name: project, files: new Map(own), unread: [] };

  const plan = await planArrival({
    kind: 'manifests',
    luggage,
    namespace: 'default',
    environment: 'dev',
    signal: new AbortController().signal,
  });

  expect(plan.problems).toEqual([]);
  expect(plan.arrival.mapped.length).toBeGreaterThanOrEqual(least.brought);
  expect(plan.differences.length).toBeGreaterThanOrEqual(least.differs);
  expect([...new Set(plan.differences.map(({ what }) => what))]).toEqual(['metadata.namespace is default']);
  const told = new Set(plan.arrival.leftOut.map(({ file }) => file));
  const came = new Set(plan.arrival.mapped.map(({ file }) => file));
  expect(own.map(([path]) => path).filter((path) => !told.has(path) && !came.has(path))).toEqual([]);
});
