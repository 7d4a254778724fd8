import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { githubForge, type Github } from '#adapters/github/github.ts';
import { toCommitId, type CommitId } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { toSecret } from '#model/secret.ts';
import { runningForge, silentJournal, webhookReceiver, type Receiver, type RunningForge } from '#test/forge/running-forge.ts';

const AT = { owner: 'ada', repo: 'platform' };
let forge: RunningForge;
let hook: Receiver;
let ada: { readonly token: string; readonly client: Octokit };
let grace: { readonly token: string; readonly client: Octokit };
let app: { readonly id: number; readonly installation: number; readonly pem: string };
let main: CommitId;

beforeAll(async () => {
  forge = await runningForge();
  hook = await webhookReceiver();
  ada = await forge.person('ada');
  grace = await forge.person('grace');
  await ada.client.rest.repos.createForAuthenticatedUser({ name: 'platform', auto_init: true });
  await ada.client.request('PUT /repos/{owner}/{repo}/collaborators/{username}', { ...AT, username: 'grace', permission: 'push' });
  const { data } = await forge.client(forge.adminToken).request('POST /admin/apps', { name: 'Capstan', account: 'ada' });
  app = { id: data.id, installation: data.installation.id, pem: data.pem };
  main = await headOf('main');
});

afterAll(async () => {
  await hook.close();
  await forge.close();
});

async function headOf(branch: string): Promise<CommitId> {
  const { data } = await ada.client.rest.git.getRef({ ...AT, ref: `heads/${branch}` });
  return toCommitId(data.object.sha);
}

/** A branch with one commit of its own, pushed by stock git. */
async function branch(name: string): Promise<CommitId> {
  const work = await forge.temporary();
  await forge.git(work, ['clone', '-q', `${forge.url.replace('://', `://x:${ada.token}@`)}/ada/platform.git`, '.']);
  await forge.git(work, ['checkout', '-q', '-b', name]);
  await writeFile(join(work, `${name.replaceAll('/', '-')}.txt`), name);
  await forge.git(work, ['add', '.']);
  await forge.git(work, ['commit', '-q', '-m', name]);
  await forge.git(work, ['push', '-q', 'origin', name]);
  return headOf(name);
}

function byToken(person: { readonly token: string } = ada): Github {
  const auth = { kind: 'token', token: toSecret(person.token) } as const;
  return githubForge({ baseUrl: `${forge.url}/api/v3`, ...AT, auth, journal: silentJournal, second: 1 });
}

function byApp(): Github {
  const auth = { kind: 'app', id: app.id, installation: app.installation, privateKey: toSecret(app.pem) } as const;
  return githubForge({ baseUrl: `${forge.url}/api/v3`, ...AT, auth, journal: silentJournal, second: 1 });
}

async function requestsOf<T>(port: Github, run: () => Promise<T>): Promise<{ readonly value: T; readonly requests: number }> {
  const before = port.counts().requests;
  const value = await run();
  return { value, requests: port.counts().requests - before };
}

const LOGINS = [
  ['a token', () => byToken(), 'ada', 'user'],
  ['an App', () => byApp(), 'capstan[bot]', 'app'],
] as const;

describe.each(LOGINS)('with %s', (name, login, account, kind) => {
  const slug = kind;

  test('knows who it is, and asks once', async () => {
    const port = login();

    expect(await port.account()).toEqual({ login: account, kind });
    expect((await requestsOf(port, () => port.account())).requests).toBe(0);
  });

  test('opens a pull request in four requests at most, and finds it the second time', async () => {
    const head = `promote/prod/${slug}-open`;
    const headCommit = await branch(head);
    const port = login();
    await port.account();
    const draft = { head, base: 'main', title: 'promote(prod): web', body: 'why', labels: ['capstan', 'promotion'] };

    const first = await requestsOf(port, () => port.open(draft));
    const again = await requestsOf(login(), () => login().open(draft));

    expect(first.requests).toBeLessThanOrEqual(4);
    expect(first.value).toMatchObject({
      state: 'open',
      title: 'promote(prod): web',
      body: 'why',
      head,
      headCommit,
      base: 'main',
      labels: ['capstan', 'promotion'],
      author: account,
    });
    expect(again.value.number).toBe(first.value.number);
    const { data } = await ada.client.rest.pulls.list({ ...AT, head: `ada:${head}`, state: 'all' });
    expect(data).toHaveLength(1);
  });

  test('opens one pull request although two ask at the same moment', async () => {
    const head = `promote/prod/${slug}-race`;
    await branch(head);
    const draft = { head, base: 'main', title: 'race', body: '', labels: [] };

    const [one, two] = await Promise.all([login().open(draft), login().open(draft)]);

    expect(one.number).toBe(two.number);
  });

  test('edits, comments once, closes, and says who closed it', async () => {
    const head = `promote/prod/${slug}-edit`;
    await branch(head);
    const port = login();
    const { number } = await port.open({ head, base: 'main', title: 'a', body: 'b', labels: [] });

    await port.edit(number, { title: 'c', comment: 'superseded' });
    await port.edit(number, { body: 'd', comment: 'superseded' });
    await port.edit(number, { state: 'closed' });
    await port.edit(number, { state: 'closed' });

    expect(await port.findByHead(head)).toMatchObject({ number, title: 'c', body: 'd', state: 'closed', closedBy: account });
    const { data } = await ada.client.rest.issues.listComments({ ...AT, issue_number: number });
    expect(data.map((comment) => comment.body)).toEqual(['superseded']);
  });

  test('lists by prefix, closed ones included, and nothing twice', async () => {
    const port = login();
    await branch(`promote/prod/${slug}-list`);
    await port.open({ head: `promote/prod/${slug}-list`, base: 'main', title: 'l', body: '', labels: [] });

    const heads = (await port.list('promote/prod/', undefined)).map((one) => one.head);
    const recent = await port.list('promote/prod/', toInstant(Date.parse('2100-01-01T00:00:00Z')));

    expect(heads).toContain(`promote/prod/${slug}-list`);
    expect(heads).toContain(`promote/prod/${slug}-edit`);
    expect(new Set(heads).size).toBe(heads.length);
    expect(recent.every((one) => one.state === 'open')).toBe(true);
    expect(await port.list('nowhere/', undefined)).toEqual([]);
  });

  test('publishes a status or a check run once, and reads before it writes after a restart', async () => {
    const commit = await branch(`feature/${slug}-publish`);
    const port = login();
    await port.account();
    const check = { name: 'capstan/promote', state: 'pending', detail: 'soak: 4m of 10m' } as const;

    await port.publish(commit, check);
    expect((await requestsOf(port, () => port.publish(commit, check))).requests).toBe(0);
    const restarted = login();
    await restarted.publish(commit, check);
    await restarted.publish(commit, { ...check, state: 'success', detail: 'x'.repeat(300) });

    const readings = (await port.checks(commit)).filter((one) => one.name === 'capstan/promote');
    expect(readings.map((one) => [one.state, one.detail.length])).toEqual([['success', 140]]);
    const statuses = await ada.client.rest.repos.listCommitStatusesForRef({ ...AT, ref: commit });
    expect(statuses.data).toHaveLength(kind === 'user' ? 2 : 0);
  });

  test('merges exactly the head that was read; a refusal is an answer in the words of the forge', async () => {
    const head = `promote/prod/${slug}-merge`;
    const headCommit = await branch(head);
    const port = login();
    const { number } = await port.open({ head, base: 'main', title: 'm', body: '', labels: [] });
    const words = { title: 'promote(prod): web 1.0.0', message: 'Change-Set: cs-1\n' };

    const stale = await port.merge(number, { head: main, ...words });
    const merged = await port.merge(number, { head: headCommit, ...words });
    const again = await port.merge(number, { head: headCommit, ...words });

    expect(stale).toEqual({ kind: 'refused', reason: expect.stringMatching(/head/i) });
    expect(merged.kind).toBe('merged');
    expect(again).toEqual(merged);
    const commit = merged.kind === 'merged' ? merged.commit : main;
    expect(await headOf('main')).toBe(commit);
    expect(await port.changeRequestOf(commit)).toMatchObject({ number, state: 'merged', mergeCommit: commit });
    expect(await port.changeRequestOf(main)).toBe(undefined);
  });

  test('logs git in', async () => {
    const { username, password } = await login().credentials();
    const work = await forge.temporary();

    await forge.git(work, ['clone', '-q', `${forge.url.replace('://', `://${username}:${password.reveal()}@`)}/ada/platform.git`, '.']);
    await forge.git(work, ['push', '-q', 'origin', `HEAD:refs/heads/feature/${slug}-pushed`]);

    expect(await headOf(`feature/${slug}-pushed`)).toMatch(/^[0-9a-f]{40}$/);
  });

  test(`what is absent or forbidden is a port error (${name})`, async () => {
    await expect(login().reviews(9999)).rejects.toMatchObject({ name: 'PortError', kind: 'missing' });
    await expect(login().merge(9999, { head: main, title: 't', message: 'm' })).rejects.toMatchObject({ kind: 'missing' });
  });
});

test('reads reviews of other people', async () => {
  await branch('promote/prod/reviewed');
  const port = byApp();
  const { number, headCommit } = await port.open({ head: 'promote/prod/reviewed', base: 'main', title: 'r', body: '', labels: [] });

  await grace.client.rest.pulls.createReview({ ...AT, pull_number: number, event: 'APPROVE', body: 'fine' });

  expect(await port.reviews(number)).toEqual([
    { reviewer: 'grace', state: 'approved', commit: headCommit, at: expect.any(Number), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ]);
});

test('a repeated read of what did not change is answered from memory', async () => {
  const port = byToken();
  const first = await port.findByHead('promote/prod/reviewed');

  expect(await port.findByHead('promote/prod/reviewed')).toEqual(first);
  expect(first?.state).toBe('open');
});

test('protects a branch, adds to what is required, and a refusal names the missing check', async () => {
  const port = byToken();
  await port.protect('main', ['capstan/promote']);
  await port.protect('main', ['capstan/promote', 'ci']);
  const head = await branch('promote/prod/held');
  const { number } = await port.open({ head: 'promote/prod/held', base: 'main', title: 'h', body: '', labels: [] });

  expect(await port.protection('main')).toMatchObject({ protected: true, requiredChecks: ['capstan/promote', 'ci'] });
  expect(await port.protection('promote/prod/held')).toEqual({ protected: false, requiredChecks: [], requiredApprovals: 0 });
  expect(await port.merge(number, { head, title: 't', message: 'm' })).toEqual({
    kind: 'refused',
    reason: expect.stringContaining('required status checks'),
  });
  await ada.client.rest.repos.deleteBranchProtection({ ...AT, branch: 'main' });
});

test('merges by squash, then by rebase, where the repository allows no merge commit', async () => {
  const port = byToken();
  const merges: { readonly parents: number; readonly message: string }[] = [];
  for (const [name, allowed] of [
    ['squash', { allow_merge_commit: false, allow_squash_merge: true }],
    ['rebase', { allow_merge_commit: false, allow_squash_merge: false }],
  ] as const) {
    await ada.client.rest.repos.update({ ...AT, ...allowed, allow_rebase_merge: true });
    const head = await branch(`promote/prod/${name}`);
    const { number } = await port.open({ head: `promote/prod/${name}`, base: 'main', title: name, body: '', labels: [] });
    const merged = await port.merge(number, { head, title: `by ${name}`, message: 'Change-Set: cs-2\n' });
    expect(merged.kind).toBe('merged');
    const { data } = await ada.client.rest.git.getCommit({ ...AT, commit_sha: await headOf('main') });
    merges.push({ parents: data.parents.length, message: data.message });
  }
  await ada.client.rest.repos.update({ ...AT, allow_merge_commit: true });

  expect(merges.map((one) => one.parents)).toEqual([1, 1]);
  expect(merges[0]?.message).toContain('Change-Set: cs-2');
});

test('installs the webhook once and asks again for deliveries that failed', async () => {
  const port = byToken();
  expect(await port.hasWebhook(hook.url)).toBe(false);
  await port.installWebhook(hook.url, toSecret('first'));
  expect(await port.hasWebhook(hook.url)).toBe(true);
  await port.installWebhook(hook.url, toSecret('second'));
  const { data: hooks } = await ada.client.rest.repos.listWebhooks(AT);
  expect(hooks).toHaveLength(1);
  const pings = (await hook.until('ping')).length;
  hook.answerWith(500);
  await branch('feature/lost');
  const [lost] = await hook.until('push');
  hook.answerWith(202);

  await expect.poll(() => port.redeliverFailed(hook.url, toInstant(0))).toBe(1);
  const pushes = await hook.until('push', 2);

  expect(pushes.map((one) => one.headers['x-github-delivery'])).toEqual([
    lost?.headers['x-github-delivery'],
    lost?.headers['x-github-delivery'],
  ]);
  expect(pings).toBeGreaterThan(0);
  await expect.poll(() => port.redeliverFailed(hook.url, toInstant(0))).toBe(0);
  expect(await port.redeliverFailed('http://127.0.0.1:9/elsewhere', toInstant(0))).toBe(0);
});

test('a login that is refused is `denied`, and the token is not in the error', async () => {
  const port = byToken({ token: 'ghp_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' });

  const error = await port.account().catch((reason: unknown) => reason);

  expect(error).toMatchObject({ name: 'PortError', kind: 'denied' });
  expect(String(error)).not.toContain('ghp_');
});
