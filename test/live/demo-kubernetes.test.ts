import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { workbench } from '#test/programs/capstan-program.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-demo-kubernetes-'));
const bench = await workbench();
let started: RunningKubernetes | undefined;

beforeAll(async () => {
  started = await startKubernetes(scratch, { controllers: true, nodes: 1 });
}, 240_000);

afterAll(async () => {
  await bench.close();
  await started?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

function cluster(): RunningKubernetes {
  if (started === undefined) throw new Error('no server');
  return started;
}

test('the demo tells its whole story on a real cluster, and takes its namespaces away', { timeout: 240_000 }, async () => {
  const folder = await bench.folder();
  const ended = await bench.capstan(folder, 'demo', '--exit', '--directory', await bench.folder(), '--kubernetes', cluster().kubeconfig);

  const steps = ended.out.split('\n').filter((line) => /^ *\d+\. /.test(line));
  expect({ code: ended.code, steps: steps.map((line) => line.slice(4, 10).trim()), said: ended.code === 0 ? '' : ended.out }).toEqual({
    code: 0,
    steps: Array.from({ length: 12 }, () => 'ok'),
    said: '',
  });
  await cluster().kubectl(['wait', '--for=delete', 'namespace', '--selector', 'capstan.dev/demo', '--timeout=60s']);
});

test('namespaces that are there already are nobody to play with', { timeout: 60_000 }, async () => {
  await cluster().kubectl(['create', 'namespace', 'capstan-demo-staging']);
  const ended = await bench.capstan(await bench.folder(), 'demo', '--exit', '--kubernetes', cluster().kubeconfig);

  expect(ended).toMatchObject({ code: 4, out: '' });
  expect(ended.err).toContain(
    'namespace capstan-demo-staging is there already; if a demo left it: kubectl delete namespace capstan-demo-staging',
  );
  await cluster().kubectl(['wait', '--for=delete', 'namespace', 'capstan-demo-dev', '--timeout=60s']);
});

test('a cluster elsewhere is not written to unless that is said', async () => {
  const file = join(scratch, 'elsewhere');
  writeFileSync(file, readFileSync(cluster().kubeconfig, 'utf8').replace(/https:\/\/127\.0\.0\.1:\d+/, 'https://cluster.example:6443'));
  const ended = await bench.capstan(await bench.folder(), 'demo', '--exit', '--kubernetes', file);

  expect(ended).toMatchObject({ code: 64, out: '' });
  expect(ended.err).toContain('https://cluster.example:6443 is not on this machine; if the demo shall make namespaces there, add --yes');
});
