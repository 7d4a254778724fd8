import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { problemsOf, readFiles, shown } from '#test/desired/declarations.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

function ownFiles(): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (const folder of ['environments', 'capsules', 'policies']) {
    for (const entry of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      files[path.slice(ROOT.length)] = readFileSync(path);
    }
  }
  return files;
}

test('the repository is valid under its own rules', () => {
  expect(shown(problemsOf(ownFiles()))).toEqual([]);
});

test('the repository declares four environments and five capsules', () => {
  const { state } = readFiles(ownFiles());
  expect(state.environments.map((environment) => [environment.name, environment.targets.map((target) => target.name)])).toEqual([
    ['dev', ['local']],
    ['edge', ['kiosks']],
    ['prod', ['eu-1', 'us-1']],
    ['staging', ['eu-staging']],
  ]);
  expect(state.capsules.map((one) => `${one.name} ${one.declared.value.metadata.version}`)).toEqual([
    'gateway 2.0.1',
    'greeter 1.4.2',
    'greeter-tools 0.3.0',
    'redis 7.2.5',
    'web-console 1.0.0',
  ]);
});
