import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { workbench } from '#test/programs/capstan-program.ts';
import { ROOT, scriptOf, shellBlocks } from '#test/programs/readme-blocks.ts';
import { programPath } from '#test/servers/built-programs.ts';
import { startKubernetes } from '#test/servers/kubernetes.ts';
import type { RunningKubernetes } from '#test/servers/kubernetes.ts';

const scratch = mkdtempSync(join(tmpdir(), 'capstan-readme-cluster-'));
const bench = await workbench();
let started: RunningKubernetes | undefined;

beforeAll(async () => {
  started = await startKubernetes(scratch);
}, 240_000);

afterAll(async () => {
  await bench.close();
  await started?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

test('what the README says of a cluster holds, line by line', { timeout: 120_000 }, async () => {
  const platform = await bench.platform();
  const script = `capstan() { "${ROOT}src/capstan.cjs" "$@"; }\n${scriptOf(await shellBlocks('Point it at a cluster'))}`;
  const env = {
    ...bench.env,
    CLUSTER: started?.kubeconfig ?? '',
    PATH: `${dirname(process.execPath)}:${dirname(programPath('kubectl'))}:${bench.env['PATH'] ?? ''}`,
  };

  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', script], { cwd: platform, env });

  expect(stdout).toContain('3 of 3 steps done');
  expect(stdout).toContain('capstan.dev/environment=dev');
  expect(stderr).not.toMatch(/\berror:/);
});
