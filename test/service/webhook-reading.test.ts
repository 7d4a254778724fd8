import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { githubEvents } from '#adapters/github/github.ts';
import { toInstant } from '#model/instant.ts';
import { toEnvironmentName } from '#model/names.ts';
import type { WakeUp } from '#ports/webhooks.ts';
import { wakesOf } from '#service/wake.ts';

const reader = githubEvents();
const SHA = 'a'.repeat(40);

function read(event: string, payload: unknown): Promise<WakeUp> {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return reader.read({ id: 'd', event, body: Buffer.from(text), receivedAt: toInstant(0) });
}

const KINDS = ['push', 'pull-request', 'review', 'status', 'check', 'ping', 'other'];
const PULL = { action: 'opened', number: 7, pull_request: { number: 7, head: { ref: 'promote/prod/cs-1' } } };

describe('events', () => {
  test.each([
    ['ping', { zen: 'x' }, { kind: 'ping' }],
    ['push', { ref: 'refs/heads/main', after: SHA }, { kind: 'push', ref: 'refs/heads/main', after: SHA }],
    ['pull_request', PULL, { kind: 'pull-request', number: 7, head: 'promote/prod/cs-1', action: 'opened' }],
    ['pull_request_review', { ...PULL, action: 'submitted' }, { kind: 'review', number: 7, head: 'promote/prod/cs-1' }],
    ['status', { sha: SHA, context: 'ci/build' }, { kind: 'status', commit: SHA, name: 'ci/build' }],
    ['check_run', { action: 'completed', check_run: { head_sha: SHA, name: 'build' } }, { kind: 'check', commit: SHA, name: 'build' }],
  ])('%s', async (event, payload, wakeUp) => {
    expect(await read(event, payload)).toEqual(wakeUp);
  });

  test.each(['issues', 'constructor', 'toString', '__proto__', 'error', '*', 'push.x'])('%s concerns nobody', async (event) => {
    expect((await read(event, { ref: 'refs/heads/main', after: SHA })).kind).toBe('other');
  });
});

test.each([
  ['push', PULL],
  ['pull_request', { ref: 'refs/heads/main', after: SHA }],
  ['check_run', { sha: SHA, context: 'x' }],
  ['status', { action: 'completed' }],
  ['pull_request_review', { action: 'submitted', pull_request: null }],
])('row 7: a body under the header of another event (%s) is nothing', async (event, payload) => {
  expect((await read(event, payload)).kind).toBe('other');
});

test.each([
  ['deep arrays', `{"ref":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ['deep objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ['__proto__ keys', '{"__proto__":{"ref":"refs/heads/main"},"constructor":{"prototype":{"after":1}}}'],
  ['numbers that are none', '{"ref":NaN}'],
  ['huge numbers', '{"number":1e999,"action":"opened","pull_request":{"head":{"ref":"x"}}}'],
  ['lone surrogates', '{"ref":"\\ud800","after":"\\udfff"}'],
  ['null', 'null'],
  ['a ref that is no text', '{"ref":{"toString":1},"after":["a"]}'],
])('row 8: %s are harmless', async (_name, text) => {
  for (const event of ['push', 'pull_request', 'status']) expect((await read(event, text)).kind).toBe('other');
  expect(Object.hasOwn(Object.prototype, 'ref')).toBe(false);
});

test('row 8: any JSON under any event is read without a throw', async () => {
  const events = fc.constantFrom('push', 'pull_request', 'pull_request_review', 'status', 'check_run', 'ping', 'other');
  const keys = fc.constantFrom('ref', 'after', 'action', 'number', 'pull_request', 'head', 'check_run', 'sha', 'context', '__proto__');
  const value = fc.letrec((tie) => ({
    node: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), fc.dictionary(keys, tie('node')), fc.array(tie('node'), { maxLength: 3 })),
  })).node;

  await fc.assert(
    fc.asyncProperty(events, value, async (event, payload) => {
      expect(KINDS).toContain((await read(event, JSON.stringify(payload))).kind);
    }),
    { numRuns: 500 },
  );
});

describe('what a wake-up wakes', () => {
  const known = ['dev', 'prod'].map((name) => toEnvironmentName(name));
  const [dev, prod] = known;

  test('a push to a branch of people is a look', () => {
    expect(wakesOf({ kind: 'push', ref: 'refs/heads/main', after: SHA }, known)).toEqual([{ kind: 'look' }]);
    expect(wakesOf({ kind: 'push', ref: 'refs/heads/release-1', after: SHA }, known)).toEqual([{ kind: 'look' }]);
  });

  test.each(['rendered/dev', 'audit', 'evidence', 'promote/prod/cs-1', 'rollback/prod/web-1.0.0', 'drift/prod/0123456789ab'])(
    'the own push to %s wakes nobody',
    (branch) => {
      expect(wakesOf({ kind: 'push', ref: `refs/heads/${branch}`, after: SHA }, known)).toEqual([]);
    },
  );

  test('the own status wakes nobody, another one asks the promotions', () => {
    expect(wakesOf({ kind: 'status', commit: SHA, name: 'capstan/promote' }, known)).toEqual([]);
    expect(wakesOf({ kind: 'check', commit: SHA, name: 'capstan/check' }, known)).toEqual([]);
    expect(wakesOf({ kind: 'status', commit: SHA, name: 'ci' }, known)).toEqual([
      { kind: 'promote', environment: dev },
      { kind: 'promote', environment: prod },
    ]);
  });

  test('a promotion pull request asks for its check and its environment, another one for its check', () => {
    const event = { kind: 'pull-request', number: 7, action: 'opened' } as const;

    expect(wakesOf({ ...event, head: 'promote/prod/cs-1' }, known)).toEqual([
      { kind: 'check', number: 7 },
      { kind: 'promote', environment: prod },
    ]);
    expect(wakesOf({ ...event, head: 'feature' }, known)).toEqual([{ kind: 'look' }, { kind: 'check', number: 7 }]);
    expect(wakesOf({ ...event, head: 'promote/prod/cs-1', action: 'closed' }, known)).toEqual([{ kind: 'promote', environment: prod }]);
    expect(wakesOf({ ...event, head: 'promote/prod/cs-1', action: 'edited' }, known)).toEqual([]);
    expect(wakesOf({ kind: 'review', number: 7, head: 'promote/nowhere/cs-1' }, known)).toEqual([]);
  });

  test('a pull request about drift is checked like one of people, and its end asks its environment', () => {
    const event = { kind: 'pull-request', number: 7, head: 'drift/prod/0123456789ab' } as const;

    expect(wakesOf({ ...event, action: 'opened' }, known)).toEqual([{ kind: 'look' }, { kind: 'check', number: 7 }]);
    expect(wakesOf({ ...event, action: 'closed' }, known)).toEqual([{ kind: 'reconcile', environment: prod }]);
    expect(wakesOf({ ...event, head: 'drift/nowhere/0123456789ab', action: 'closed' }, known)).toEqual([]);
  });
});
