import { afterEach, expect, it } from 'vitest';

import type { Connection } from '#adapters/kubernetes/connection.ts';
import { json } from './faulty-server.ts';
import { endScenes, failure, NAMED, scene } from './scene.ts';

afterEach(endScenes);

async function events(api: Connection['api'], path: string, signal = new AbortController().signal): Promise<readonly unknown[]> {
  const seen: unknown[] = [];
  try {
    for await (const event of api.watch(path, signal, () => seen.push('opened'))) seen.push(event);
    return seen;
  } catch (error) {
    return [...seen, await failure(Promise.reject(error))];
  }
}

it('reads a watch whose pieces end in the middle of characters and lines', async () => {
  const lines = [
    { type: 'ADDED', object: { a: 'äö😀' } },
    { type: 'BOOKMARK', object: {} },
    { type: 'MODIFIED', object: { b: '€'.repeat(50) } },
  ];
  const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const { api } = await scene((_request, response) => {
    const next = (at: number): void => {
      if (at >= bytes.length) response.end();
      else response.write(bytes.subarray(at, at + 1), () => setImmediate(next, at + 1));
    };
    next(0);
  });

  expect(await events(api, '/api/v1/pods?watch=true')).toEqual(['opened', ...lines]);
  expect(api.counts()).toEqual({ requests: 0, watches: 1, retries: 0 });
});

it('tells a refused watch as one line, waits where it is asked to, and throws what is no answer', async () => {
  let asked = 0;
  const { api } = await scene(
    (request, response) => {
      asked++;
      const { url = '' } = request;
      const status = Number(url.slice(5));
      if (status === 429 && asked > 2) response.end('{"type":"ADDED"}\n');
      else if (status > 200) json(response, status, { kind: 'Status', reason: 'Expired' }, status === 429 ? { 'retry-after': '0' } : {});
      else if (url === '/api/garbage') response.end('{"type":"ADDED"}\nno\n');
      else if (url === '/api/long') response.end(`${'x'.repeat(300)}\n`);
      else if (url === '/api/half') response.end('{"type":"ADDED"}\n{"ty');
      else if (url === '/api/cut') response.write('{"type":"ADDED"}\n', () => setImmediate(() => request.socket.destroy()));
      else response.write('{"type":"ADDED"}\n');
    },
    { line: 200, silence: 50 },
  );
  const added = { type: 'ADDED' };

  expect(await events(api, '/api/429')).toEqual(['opened', added]);
  expect(await events(api, '/api/410')).toEqual([{ type: 'ERROR', object: { kind: 'Status', reason: 'Expired', code: 410 } }]);
  expect(await events(api, '/api/403')).toEqual([{ type: 'ERROR', object: { kind: 'Status', reason: 'Expired', code: 403 } }]);
  expect(await events(api, '/api/401')).toEqual([
    `denied ${NAMED} does not accept user "capstan" of config (401): expired, revoked, or of another cluster. Renew it.`,
  ]);
  expect(await events(api, '/api/garbage')).toEqual(['opened', added, `invalid ${NAMED} sent a line in a watch that is no JSON object`]);
  expect(await events(api, '/api/long')).toEqual(['opened', `invalid ${NAMED} sent an event of more than 200 bytes in a watch`]);
  expect(await events(api, '/api/half')).toEqual(['opened', added, `transient ${NAMED} ended a watch in the middle of a line`]);
  expect(await events(api, '/api/cut')).toEqual(['opened', added, `transient ${NAMED} cannot be reached: the connection was cut`]);
  expect(await events(api, '/api/silent')).toEqual(['opened', added, `transient ${NAMED} was silent in a watch for 0.05 s`]);
});

it('ends a watch when it is told to, and when nobody reads it any more', async () => {
  let closed = (): void => undefined;
  const { api } = await scene((request, response) => {
    response.write('{"type":"ADDED"}\n');
    request.socket.on('close', () => closed());
  });
  const stop = new AbortController();
  const gone = new Promise<void>((resolve) => (closed = resolve));
  const seen: unknown[] = [];
  for await (const event of api.watch('/api', stop.signal)) {
    seen.push(event);
    break;
  }
  await gone;
  const goneAgain = new Promise<void>((resolve) => (closed = resolve));
  const told = (async () => {
    for await (const event of api.watch('/api', stop.signal)) {
      seen.push(event);
      stop.abort(new Error('enough'));
    }
  })();

  expect(await failure(told)).toBe('Error: enough');
  await goneAgain;
  expect(seen).toEqual([{ type: 'ADDED' }, { type: 'ADDED' }]);
});
