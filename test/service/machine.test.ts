import { inspect } from 'node:util';

import { describe, expect, test } from 'vitest';

import { pinoJournal, randomIds, giveBackMemory, systemTimers } from '#adapters/machine/machine.ts';
import { toInstant } from '#model/instant.ts';
import { toSecret } from '#model/secret.ts';

describe('a secret', () => {
  const secret = toSecret('hunter2-hunter2');

  test('prints as [secret] wherever it is printed, and is had by asking only', () => {
    const printed = [
      String(secret),
      `${secret.toString()}`,
      JSON.stringify({ secret }),
      inspect({ secret }),
      inspect({ deep: [{ ...secret }] }),
    ];

    expect(printed.slice(0, 4)).toEqual(['[secret]', '[secret]', '{"secret":"[secret]"}', '{ secret: [secret] }']);
    expect(printed.join()).not.toContain('hunter2');
    expect(secret.reveal()).toBe('hunter2-hunter2');
  });
});

describe('the journal', () => {
  function journal(level: 'debug' | 'info' = 'info') {
    const lines: string[] = [];
    const secrets = [toSecret('hunter2-hunter2')];
    return { lines, journal: pinoJournal({ level, destination: { write: (line) => lines.push(line) }, secrets }) };
  }

  test('writes one JSON line with the fields and the message', () => {
    const { lines, journal: log } = journal();

    log.info({ environment: 'dev', milliseconds: 3 }, 'a unit of work ended');
    log.debug({}, 'not at this level');

    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 30, environment: 'dev', milliseconds: 3, msg: 'a unit of work ended' });
  });

  test.each([
    ['plain', 'hunter2-hunter2'],
    ['base64', Buffer.from('hunter2-hunter2').toString('base64')],
    ['hex', Buffer.from('hunter2-hunter2').toString('hex')],
    ['a token of the forge', `ghp_${'a'.repeat(36)}`],
    ['an address with credentials', 'https://x:topsecret@forge.example/a/b.git'],
    ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----'],
    ['a bearer header', 'authorization: Bearer abc.def.ghi'],
  ])('masks a secret that is %s, in fields and in messages', (_name, text) => {
    const { lines, journal: log } = journal();

    log.error({ reason: `failed with ${text} today` }, `could not use ${text}`);

    expect(lines.join()).toContain('[secret]');
    expect(lines.join()).not.toMatch(/hunter2-hunter2|topsecret|AAAA|aaaaaaaa|abc\.def/);
    expect(lines.join()).not.toContain(text);
  });

  test('masks fields by their names', () => {
    const { lines, journal: log } = journal();

    log.warn({ token: 'short', password: 'x', environment: 'dev' }, 'm');

    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ token: '[secret]', password: '[secret]', environment: 'dev' });
  });
});

test('ids grow within one millisecond, and trace ids are 32 hex digits', () => {
  const ids = randomIds({ now: () => toInstant(1_700_000_000_000) });
  const run = Array.from({ length: 200 }, () => ids.runId());

  expect(run).toEqual([...run].sort());
  expect(new Set(run).size).toBe(200);
  expect(ids.traceId()).toMatch(/^[0-9a-f]{32}$/);
});

test('a cancelled timer does not fire, and one of zero does', async () => {
  const fired: string[] = [];
  const cancel = systemTimers.after(0, () => fired.push('cancelled'));
  cancel();

  await new Promise<void>((resolve) => systemTimers.after(0, () => (fired.push('kept'), resolve())));

  expect(fired).toEqual(['kept']);
});

test('memory that nobody uses any more is given back at once', async () => {
  const used = new WeakRef({ text: 'x'.repeat(1000) });
  // Whatever was looked at in this turn of the event loop is held until its end.
  await new Promise((resolve) => setImmediate(resolve));

  giveBackMemory();

  expect(used.deref()).toBeUndefined();
});
