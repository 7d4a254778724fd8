import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

import { afterAll, expect, test } from 'vitest';

import { workbench } from './capstan-program.ts';

const bench = await workbench();
const other = createServer((_request, response) => response.end('{}'));
other.listen(0, '127.0.0.1');
await once(other, 'listening');
const address = other.address();
if (address === null || typeof address === 'string') throw new Error('no port');
const taken = `127.0.0.1:${address.port}`;

afterAll(async () => {
  other.close();
  await bench.close();
});

test('serve ends with a sentence when its port is taken', async () => {
  const folder = await bench.folder();
  await bench.git(folder, 'init', '--quiet', '--bare', 'remote.git');
  await writeFile(join(folder, 'token'), 'no-token-of-value');
  await writeFile(join(folder, 'secret'), 'no-secret-of-value-either');
  await writeFile(
    join(folder, 'capstan.yaml'),
    `apiVersion: capstan.dev/v1alpha1
kind: Configuration
repository:
  url: http://${taken}/ada/platform.git
forge:
  type: github
  baseUrl: http://${taken}
  token:
    file: token
  webhookSecret:
    file: secret
server:
  listen: ${taken}
targets:
  directory:
    root: ./targets
`,
  );

  const ended = await bench.capstan(folder, 'serve');

  expect(ended.err).toContain(`cannot listen on ${taken}`);
  expect(ended.code).toBe(1);
});

test('forge ends with a sentence when its port is taken', async () => {
  const ended = await bench.capstan(await bench.folder(), 'forge', '--listen', taken);

  expect(ended.err).toContain(`cannot listen on ${taken}`);
  expect(ended.code).toBe(1);
});
