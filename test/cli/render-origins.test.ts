import { expect, test } from 'vitest';

import { runCli } from '#cli/cli.ts';
import type { Powers, Terminal } from '#cli/powers.ts';
import { changed, edit, edits, GARDEN, plantedGarden, worldOf } from '#test/loops/garden.ts';
import { NO_POWERS } from '#test/no-powers.ts';

const SCHEMA = 'capsules/web/config.schema.json';

test('render -o json says of every leaf of the configuration which layer it comes from, by file and line', async () => {
  const garden = await changed(await plantedGarden(), {
    'environments/dev/environment.yaml': edits(
      edit('  capsules:\n', '  config:\n    region: eu\n  capsules:\n'),
      edit(
        '      path: dev/one\n',
        '      path: dev/one\n      config:\n        zone: a\n      overrides:\n        web:\n          config:\n            greeting: Hola\n',
      ),
    ),
    'environments/dev/config/web.yaml': 'replicas: 3\n',
  });
  const world = await worldOf(garden);
  const powers: Powers = {
    ...NO_POWERS,
    openWorld: async () => ({
      ...world,
      workingDirectory: undefined,
      webhook: undefined,
      artifactsOf: undefined,
      path: '/garden',
      close: async () => undefined,
    }),
  };
  let out = '';
  let err = '';
  const terminal: Terminal = {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    say: (text) => void (err += text),
    isVerbose: false,
    env: {},
    cwd: '/',
    isTerminal: false,
    signal: new AbortController().signal,
  };

  const code = await runCli(['render', 'dev', '-o', 'json'], async () => powers, terminal);

  expect({ code, err }).toEqual({ code: 0, err: '' });
  const { targets } = JSON.parse(out) as { targets: { name: string; instances: Record<string, { config: object; origins: object }> }[] };
  const shown = targets.map(({ name, instances }) => ({ name, config: instances['web']?.config, origins: instances['web']?.origins }));
  expect(shown).toEqual([
    {
      name: 'one',
      config: { greeting: 'Hola', replicas: 3, global: { region: 'eu', zone: 'a' } },
      origins: {
        '/replicas': 'environments/dev/config/web.yaml:1',
        '/global/region': 'environments/dev/environment.yaml:26',
        '/global/zone': 'environments/dev/environment.yaml:17',
        '/greeting': 'environments/dev/environment.yaml:21',
      },
    },
    {
      name: 'two',
      config: { greeting: 'Hello', replicas: 3, global: { region: 'eu' } },
      origins: {
        '/replicas': 'environments/dev/config/web.yaml:1',
        '/global/region': 'environments/dev/environment.yaml:26',
        '/greeting': 'capsules/web/capsule.yaml:45',
      },
    },
  ]);

  out = '';
  await runCli(['render', 'prod', '-o', 'json'], async () => powers, terminal);
  const line = (GARDEN[SCHEMA] ?? '').split('\n').findIndex((text) => text.includes('"default": 2')) + 1;
  expect(out).toContain(`"/replicas": "${SCHEMA}:${line}"`);
});
