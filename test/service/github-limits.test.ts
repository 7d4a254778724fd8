import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { inspect } from 'node:util';

import { afterEach, expect, test } from 'vitest';

import { githubForge, type Github } from '#adapters/github/github.ts';
import { toCommitId } from '#model/digest.ts';
import { toSecret } from '#model/secret.ts';
import { canaryText, searcherOf, told } from '#test/canaries/canaries.ts';
import { silent } from '#test/service/running-intake.ts';

type Answer = readonly [status: number, body: object, headers?: Readonly<Record<string, string>>];

let close: (() => Promise<void>) | undefined;
afterEach(async () => close?.());

/** A forge that gives prepared answers in turn (the last one again and again) and writes down what it was asked. */
async function scripted(answers: readonly Answer[]): Promise<{ readonly port: Github; readonly asked: string[] }> {
  const asked: string[] = [];
  const left = [...answers];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const tag = request.headers['if-none-match'];
    asked.push(`${request.method} ${request.url?.split('?')[0]}${tag === undefined ? '' : ` if not ${tag}`}`);
    const [status, body, headers] = (left.length > 1 ? left.shift() : left[0]) ?? [500, {}];
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(status === 304 ? undefined : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const address = server.address();
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const auth = { kind: 'token', token: toSecret('token-of-the-test') } as const;
  return { port: githubForge({ baseUrl, owner: 'o', repo: 'r', auth, journal: silent, second: 1 }), asked };
}

const COMMIT = toCommitId('a'.repeat(40));

test('a read is sent again after a failure of the server, and counted each time', async () => {
  const { port, asked } = await scripted([
    [502, {}],
    [503, {}],
    [200, { login: 'ada' }],
  ]);

  expect(await port.account()).toEqual({ login: 'ada', kind: 'user' });
  expect([asked.length, port.counts().requests]).toEqual([3, 3]);
});

test('row 76: a write is never sent again: it may have happened', async () => {
  const { port, asked } = await scripted([
    [200, { statuses: [] }],
    [502, { message: 'bad gateway' }],
  ]);

  await expect(port.publish(COMMIT, { name: 'capstan/promote', state: 'success', detail: 'd' })).rejects.toMatchObject({
    kind: 'transient',
  });

  expect(asked.filter((one) => one.startsWith('POST'))).toHaveLength(1);
});

test('row 74: a limit that lasts goes to the queue as transient instead of being slept through', async () => {
  const reset = String(Math.floor(Date.now() / 1000) + 3000);
  const { port, asked } = await scripted([
    [403, { message: 'API rate limit exceeded' }, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }],
  ]);

  await expect(port.account()).rejects.toMatchObject({ kind: 'transient', message: expect.stringContaining('rate limit') });

  expect(asked).toHaveLength(1);
});

test('row 75: a short secondary limit is waited for once', async () => {
  const limited: Answer = [403, { message: 'You have exceeded a secondary rate limit' }, { 'retry-after': '1' }];
  const { port, asked } = await scripted([limited, [200, { login: 'ada' }]]);

  expect((await port.account()).login).toBe('ada');
  expect(asked).toHaveLength(2);
});

test('a refusal without a limit is denied, and is not asked again', async () => {
  const { port, asked } = await scripted([[403, { message: 'Resource not accessible by personal access token' }]]);

  await expect(port.reviews(1)).rejects.toMatchObject({ kind: 'denied' });
  expect(asked).toHaveLength(1);
});

test('what was read before is asked with its tag, and 304 answers from memory', async () => {
  const { port, asked } = await scripted([
    [200, [], { etag: '"one"' }],
    [304, {}],
  ]);

  expect([await port.reviews(1), await port.reviews(1)]).toEqual([[], []]);
  expect(asked).toEqual(['GET /repos/o/r/pulls/1/reviews', 'GET /repos/o/r/pulls/1/reviews if not "one"']);
});

test('a forge that is not there is transient', async () => {
  const { port } = await scripted([[200, {}]]);
  await close?.();
  close = undefined;

  await expect(port.account()).rejects.toMatchObject({ name: 'PortError', kind: 'transient' });
});

test('row 75: writes keep a second between them, however many are asked for at once', async () => {
  const times: number[] = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      if (request.method === 'POST') times.push(performance.now());
      response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(request.method === 'POST' ? {} : { statuses: [] }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const address = server.address();
  const baseUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const auth = { kind: 'token', token: toSecret('token-of-the-test') } as const;
  const port = githubForge({ baseUrl, owner: 'o', repo: 'r', auth, journal: silent, paced: true });

  await Promise.all([1, 2, 3].map((n) => port.publish(COMMIT, { name: `capstan/${n}`, state: 'success', detail: 'd' })));

  expect(times).toHaveLength(3);
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThan(900);
});

test('row 104: a forge that redirects to another place takes no login there', async () => {
  const heard: (string | undefined)[] = [];
  const thief = createServer((request, response) => {
    heard.push(request.headers.authorization);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"login":"eve"}');
  });
  await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
  const address = thief.address();
  const elsewhere = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
  const { port } = await scripted([[307, {}, { location: elsewhere }]]);
  const end = close;
  close = async () => {
    thief.closeAllConnections();
    await new Promise<void>((resolve) => thief.close(() => resolve()));
    await end?.();
  };

  await port.account().catch(() => undefined);
  await port.publish(COMMIT, { name: 'capstan/promote', state: 'success', detail: 'd' }).catch(() => undefined);

  expect(heard.filter((header) => header !== undefined)).toEqual([]);
});

test('row 103: an error of the forge has neither login nor webhook secret in it, however deep one looks', async () => {
  const secret = canaryText('webhook secret of the test', 'rich');
  const search = searcherOf(
    new Map([
      ['token', 'token-of-the-test'],
      ['webhook secret', secret],
    ]),
  );
  const errors: unknown[] = [];
  for (const status of [401, 422, 500]) {
    const { port } = await scripted([
      [200, []],
      [status, { message: `no ${secret} token-of-the-test`, errors: [{ message: secret }] }],
    ]);
    errors.push(await port.installWebhook('https://x.example/hook', toSecret(secret)).catch((error: unknown) => error));
    await close?.();
  }

  const seen = errors.map((error) => inspect(error, { depth: 20, showHidden: true }) + (error instanceof Error ? String(error.stack) : ''));
  expect(errors.map((error) => error instanceof Error && error.message.includes('[secret]'))).toEqual([true, true, true]);
  expect(told(seen.flatMap((text) => search('an error', text)))).toEqual([]);
});
