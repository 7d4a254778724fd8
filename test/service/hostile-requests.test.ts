import { createSign } from 'node:crypto';

import { afterEach, expect, test } from 'vitest';

import { githubEvents } from '#adapters/github/github.ts';
import { randomIds } from '#adapters/machine/machine.ts';
import { toInstant } from '#model/instant.ts';
import { toEnvironmentName } from '#model/names.ts';
import { httpServer, USUAL_LIMITS } from '#service/server.ts';
import { wakesOf } from '#service/wake.ts';
import { runningForge } from '#test/forge/running-forge.ts';
import { runningIntake, silent } from './running-intake.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

test.each([
  ['issue_comment', '/capstan promote prod'],
  ['issue_comment', '@capstan merge'],
  ['pull_request_review_comment', 'capstan approve'],
  ['commit_comment', '/\u0441apstan promote prod'],
  ['discussion_comment', '/capstan rollback'],
])('row 85: a comment (%s, %s) is no command to anybody, whoever wrote it', async (event, body) => {
  const payload = {
    action: 'created',
    comment: { body, author_association: 'OWNER', user: { login: 'ada' } },
    issue: { number: 1, pull_request: {} },
  };
  const wakeUp = await githubEvents().read({ id: 'd', event, body: Buffer.from(JSON.stringify(payload)), receivedAt: toInstant(0) });

  expect(wakeUp.kind).toBe('other');
  expect(wakesOf(wakeUp, [toEnvironmentName('prod')])).toEqual([]);
});

test('row 106: a route without a rule of access stops the start', async () => {
  const app = httpServer({
    ids: randomIds(),
    journal: silent,
    limits: USUAL_LIMITS,
    webhook: () => undefined,
    version: '1.2.3',
    isReady: () => true,
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
  });

  expect(() => app.get('/api/v1/environments', async () => 'all of them')).toThrow('route /api/v1/environments has no access rule');
  expect(() => app.post('/api/v1/sync', { config: {} }, async () => 'done')).toThrow('has no access rule');
  await app.close();
});

test('row 106: what is not one of the public routes is 404 in the same words, with any method and any token', async () => {
  const intake = await runningIntake();
  open.push(() => intake.close());
  const asked = async (method: string, path: string, authorization?: string): Promise<string> => {
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await fetch(`http://127.0.0.1:${intake.port}${path}`, { method, headers });
    return `${answer.status} ${(await answer.text()).trim()}`;
  };
  const paths = [
    '/api',
    '/api/v1/environments/prod',
    '/api/v1/environments/nowhere',
    '/admin',
    '/debug/pprof',
    '/../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/livez/',
  ];
  const answers = await Promise.all(
    paths.flatMap((path) =>
      ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'].flatMap((method) =>
        [undefined, 'Bearer eyJhbGciOiJub25lIn0.e30.'].map((token) => asked(method, path, token)),
      ),
    ),
  );

  expect(new Set(answers)).toEqual(new Set(['404 not found']));
  expect(
    await Promise.all(['POST', 'DELETE'].flatMap((method) => ['/livez', '/metrics', '/version'].map((path) => asked(method, path)))),
  ).toEqual(Array.from({ length: 6 }, () => '404 not found'));
});

test('row 106: the forge takes no token that is absent, unsigned, expired, of another algorithm or of nobody', async () => {
  const forge = await runningForge();
  open.push(() => forge.close());
  const { data: app } = await forge.client(forge.adminToken).request('POST /admin/apps', { name: 'Capstan', account: 'admin' });
  const seconds = Math.floor(Date.now() / 1000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (head: object, claims: object, key: string | undefined): string => {
    const text = `${part(head)}.${part(claims)}`;
    return `${text}.${key === undefined ? '' : createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
  };
  const claims = { iss: String(app.id), iat: seconds - 10, exp: seconds + 300 };
  const { pem } = app as unknown as { pem: string };
  const ask = async (authorization: string): Promise<number> => {
    const headers = authorization === '' ? {} : { authorization };
    return (await fetch(`${forge.url}/api/v3/app`, { headers })).status;
  };
  const statuses = await Promise.all(
    [
      `Bearer ${token({ alg: 'RS256' }, claims, pem)}`,
      '',
      'Bearer ',
      'Bearer a.b.c',
      `Bearer ${token({ alg: 'none' }, claims, undefined)}`,
      `Bearer ${token({ alg: 'none' }, claims, pem)}`,
      `Bearer ${token({ alg: 'HS256' }, claims, pem)}`,
      `Bearer ${token({ alg: 'RS256' }, { ...claims, exp: seconds - 1 }, pem)}`,
      `Bearer ${token({ alg: 'RS256' }, { ...claims, exp: seconds + 86_400 }, pem)}`,
      `Bearer ${token({ alg: 'RS256' }, { iat: claims.iat, exp: claims.exp }, pem)}`,
      `Bearer ${token({ alg: 'RS256' }, { ...claims, iss: '999' }, pem)}`,
      `Bearer ${token({ alg: 'RS256' }, {}, pem)}`,
    ].map(ask),
  );

  expect(statuses).toEqual([200, ...Array.from({ length: 11 }, () => 401)]);
});
