import { createHmac } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';

import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';

import { PortError } from '#ports/port-error.ts';
import { memoryInbox } from '#test/contracts/memory-inbox.ts';
import { delivery, OLD_SECRET, runningIntake, signature, type IntakeWishes, type RunningIntake } from '#test/service/running-intake.ts';

let running: RunningIntake | undefined;
afterEach(async () => running?.close());

async function start(wishes: IntakeWishes = {}): Promise<RunningIntake> {
  running = await runningIntake(wishes);
  return running;
}

const BODY = '{"ref":"refs/heads/main"}';

async function ids(intake: RunningIntake): Promise<readonly string[]> {
  return (await intake.inbox.pending(100)).map((one) => one.id);
}

describe('a good delivery', () => {
  test('is stored byte for byte before 202', async () => {
    const intake = await start();
    const body = '{ "text": "ö \\ud800" }\n';

    const answer = await intake.post(body);
    const [row] = await intake.inbox.pending(10);

    expect(answer).toEqual({ status: 202, text: 'accepted\n' });
    expect([row?.event, Buffer.from(row?.body ?? []).toString()]).toEqual(['push', body]);
    expect(intake.counted).toEqual(['accepted current']);
  });

  test('in chunks is one body', async () => {
    const intake = await start();
    const lines = Object.entries(delivery(BODY)).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST /webhooks/github HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n${lines.join('')}\r\n`;

    const answer = await intake.raw([head, `5\r\n${BODY.slice(0, 5)}\r\n`, `14\r\n${BODY.slice(5, 25)}\r\n0\r\n\r\n`]);

    expect(answer).toMatch(/^HTTP\/1\.1 202 /);
    expect(await ids(intake)).toHaveLength(1);
  });
});

test('row 1: 200 MB without a signature end as 413 or a closed connection, at constant memory', async () => {
  const intake = await start();
  const piece = Buffer.alloc(1024 * 1024, 65);
  const before = process.memoryUsage().rss;
  let highest = before;
  let sent = 0;
  async function* flood(): AsyncGenerator<string | Uint8Array> {
    yield 'POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
    for (; sent < 200; sent++) {
      yield '100000\r\n';
      yield piece;
      yield '\r\n';
      highest = Math.max(highest, process.memoryUsage().rss);
    }
  }

  const answer = await intake.raw(flood());

  expect(answer === '' || answer.startsWith('HTTP/1.1 413 ')).toBe(true);
  expect(intake.counted).toEqual(['too-large']);
  expect(highest - before).toBeLessThan(64 * 1024 * 1024);
});

test('row 1: a length over the cap is refused before the body comes', async () => {
  const intake = await start({ limit: 1000 });
  const head = 'POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1001\r\n\r\n';

  expect(await intake.raw([head])).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close/i);
});

test('row 1: a signed body over the cap is refused as well, one at the cap is taken', async () => {
  const intake = await start({ limit: 100 });
  const body = `{"a":"${'x'.repeat(92)}"}`;

  expect([body.length, (await intake.post(body)).status]).toEqual([100, 202]);
  expect((await intake.post(`${body} `)).status).toBe(413);
  expect(await ids(intake)).toHaveLength(1);
});

test('row 2: headers and bodies that trickle are cut off, and others are served meanwhile', async () => {
  const intake = await start({ limits: { headersTimeout: 150, requestTimeout: 300, checkEvery: 30 } });
  async function* trickle(head: string): AsyncGenerator<string> {
    yield head;
    for (let n = 0; n < 100; n++) {
      await pass(50);
      yield 'x';
    }
  }
  const slowHeaders = intake.raw(trickle('POST /webhooks/github HTTP/1.1\r\nhost: '));
  const slowBody = intake.raw(
    trickle('POST /webhooks/github HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n'),
  );

  const meanwhile = await intake.post(BODY);

  expect(meanwhile.status).toBe(202);
  expect(await slowHeaders).toMatch(/^(HTTP\/1\.1 408 [\s\S]*)?$/);
  expect(await slowBody).toMatch(/^(HTTP\/1\.1 408 [\s\S]*)?$/);
});

test('row 2: connections over the cap are dropped', async () => {
  const intake = await start({ limits: { connections: 2, headersTimeout: 200, checkEvery: 30 } });

  const answers = await Promise.all([1, 2, 3, 4].map(() => intake.raw(['POST /webhooks/github HTTP/1.1\r\n'])));

  expect(answers.filter((answer) => answer === '')).toHaveLength(2);
});

test.each([
  ['missing', {}],
  ['of another secret', { 'x-hub-signature-256': signature(BODY, 'guess') }],
  ['sha1 only', { 'x-hub-signature': `sha1=${createHmac('sha1', 'current-webhook-secret').update(BODY).digest('hex')}` }],
  [
    'sha1 in the place of sha256',
    { 'x-hub-signature-256': `sha1=${createHmac('sha1', 'current-webhook-secret').update(BODY).digest('hex')}` },
  ],
  ['in upper case', { 'x-hub-signature-256': signature(BODY).toUpperCase().replace('SHA256', 'sha256') }],
  ['with an upper-case name of the hash', { 'x-hub-signature-256': signature(BODY).replace('sha256', 'SHA256') }],
  ['truncated', { 'x-hub-signature-256': signature(BODY).slice(0, -1) }],
  ['lengthened', { 'x-hub-signature-256': `${signature(BODY)}0` }],
  ['twice in one header', { 'x-hub-signature-256': `${signature(BODY)}, ${signature(BODY)}` }],
  ['empty', { 'x-hub-signature-256': '' }],
  ['of other bytes', { 'x-hub-signature-256': signature(`${BODY} `) }],
])('row 3: a signature that is %s is 401 and leaves nothing', async (_name, signatures) => {
  const intake = await start();
  const { 'x-hub-signature-256': right, ...unsigned } = delivery(BODY);
  const lines = Object.entries({ ...unsigned, ...signatures }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST /webhooks/github HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${BODY.length}\r\n${lines.join('')}\r\n`;

  const answer = await intake.raw([head, BODY]);

  expect(answer).toMatch(/^HTTP\/1\.1 401 [\s\S]*signature missing or wrong; correlation [0-9a-f]{32}\n$/);
  expect(intake.counted).toEqual(['unauthorized']);
  expect(await ids(intake)).toEqual([]);
  const again = await intake.post(BODY, { ...unsigned, 'x-hub-signature-256': right ?? '' });
  expect(again.status).toBe(202);
});

test('row 3: two signature headers are 401, even if both are right', async () => {
  const intake = await start();
  const right = delivery(BODY);
  const lines = Object.entries(right).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST /webhooks/github HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${BODY.length}\r\n${lines.join('')}`;

  const answer = await intake.raw([`${head}x-hub-signature-256: ${right['x-hub-signature-256']}\r\n\r\n`, BODY]);

  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
});

test('row 3: an empty body is 401', async () => {
  expect((await (await start()).post('')).status).toBe(401);
});

test('row 5: the old and the new secret both count, and the metric tells them apart', async () => {
  const intake = await start();

  const answers = [
    await intake.post(BODY),
    await intake.post(BODY, delivery(BODY, OLD_SECRET)),
    await intake.post(BODY, delivery(BODY, 'third')),
  ];

  expect(answers.map((one) => one.status)).toEqual([202, 202, 401]);
  expect(intake.counted).toEqual(['accepted current', 'accepted previous', 'unauthorized']);
});

test('row 6: the same delivery again is 202 and stored once; the same body under a new id is a second row', async () => {
  const intake = await start();
  const headers = delivery(BODY);

  const answers = [await intake.post(BODY, headers), await intake.post(BODY, headers), await intake.post(BODY)];

  expect(answers.map((one) => one.status)).toEqual([202, 202, 202]);
  expect(intake.counted).toEqual(['accepted current', 'repeated current', 'accepted current']);
  expect(await ids(intake)).toHaveLength(2);
});

test.each([
  ['no JSON', 'hello'],
  ['an array', '[]'],
  ['a number', '1e3'],
  ['only spaces', '   '],
  ['half an object', '{"a":1'],
])('row 8: signed but %s is 400 in small fixed words', async (_name, body) => {
  const intake = await start();

  const answer = await intake.post(body);

  expect(answer.status).toBe(400);
  expect(answer.text).toMatch(/^body is not a JSON object; correlation [0-9a-f]{32}\n$/);
  expect(await ids(intake)).toEqual([]);
});

test('row 8: whatever is signed, the answer is 202 or a fixed 4xx and the process lives', async () => {
  const intake = await start();

  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.json().map((text) => Buffer.from(text)),
      ),
      async (body) => {
        const answer = await intake.post(body);
        return (answer.status === 202 || answer.status === 400 || answer.status === 401) && answer.text.length < 120;
      },
    ),
    { numRuns: 200 },
  );

  expect((await intake.post(BODY)).status).toBe(202);
});

test('row 10: what breaks inside is answered in fixed words, and only the log says why', async () => {
  const inbox = {
    ...memoryInbox(),
    accept: () => Promise.reject(new PortError('transient', 'inbox: disk full at /var/lib/db')),
  };
  const intake = await start({ inbox });

  const answer = await intake.post(BODY);

  expect(answer.status).toBe(503);
  expect(answer.text).toMatch(/^not stored, send again; correlation [0-9a-f]{32}\n$/);
  expect(intake.lines.join()).toContain('disk full');
});

test('row 15: a compressed body is 415', async () => {
  const intake = await start();

  const answer = await intake.post(BODY, { ...delivery(BODY), 'content-encoding': 'gzip' });

  expect([answer.status, await ids(intake)]).toEqual([415, []]);
});

test('row 15: a length beside chunks, or two lengths, is 400', async () => {
  const intake = await start();
  const lines = Object.entries(delivery(BODY))
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  const head = `POST /webhooks/github HTTP/1.1\r\nhost: x\r\n${lines}`;
  const smuggled = `0\r\n\r\nGET /metrics HTTP/1.1\r\nhost: x\r\n\r\n`;

  const answers = [
    await intake.raw([`${head}content-length: ${smuggled.length}\r\ntransfer-encoding: chunked\r\n\r\n`, smuggled]),
    await intake.raw([`${head}content-length: 5\r\ncontent-length: 25\r\n\r\n`, BODY]),
  ];

  for (const answer of answers) {
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain('capstan_up');
  }
  expect(await ids(intake)).toEqual([]);
});

test.each([
  ['another content type', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['no delivery id', { 'x-github-delivery': '' }, 400],
  ['a delivery id with other characters', { 'x-github-delivery': "1'; DROP TABLE delivery" }, 400],
  ['an event with other characters', { 'x-github-event': '__proto__.x' }, 400],
])('%s is refused', async (_name, headers, status) => {
  const intake = await start();

  expect((await intake.post(BODY, { ...delivery(BODY), ...headers })).status).toBe(status);
});

test('another method is 405, another path is 404, and the open routes answer', async () => {
  const intake = await start();
  const at = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${intake.port}${path}`, { method });

  expect((await at('/webhooks/github')).status).toBe(405);
  expect((await at('/webhooks/githubx', 'POST')).status).toBe(404);
  expect((await at('/api/v1/environments')).status).toBe(404);
  expect(await (await at('/livez')).text()).toBe('ok\n');
  expect(await (await at('/version')).json()).toEqual({ name: 'capstan', version: '1.2.3' });
  expect(await (await at('/metrics')).text()).toBe('capstan_up 1\n');
});
