import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { gitRepository } from '#adapters/git/git.ts';
import { addForgePerson } from '#forge/forge.ts';
import { toCommitId } from '#model/digest.ts';
import { toInstant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';
import { webhookReceiver, type Receiver } from '#test/forge/running-forge.ts';

let root: string;
let data: string;
let hook: Receiver;
let child: ChildProcess;
let url = '';

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'capstan-killed-'));
  data = join(root, 'forge');
  hook = await webhookReceiver();
  await start('0');
});

afterAll(async () => {
  await kill();
  await hook.close();
  await rm(root, { recursive: true, force: true });
});

async function start(port: string): Promise<void> {
  const program = new URL('../forge/forge-process.ts', import.meta.url).pathname;
  child = spawn(process.execPath, [program, data, port], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout ?? process.stdin, 'data');
  url = String(line).trim();
}

async function kill(): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

describe('a forge that is killed', () => {
  it('has everything it answered, and follows refs that moved unseen', async () => {
    const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
    const admin = new Octokit({ baseUrl: `${url}/api/v3`, auth: token });
    const at = { owner: 'admin', repo: 'platform' };
    const { data: repository } = await admin.rest.repos.createForAuthenticatedUser({ name: 'platform', auto_init: true });
    await admin.rest.repos.createWebhook({
      ...at,
      config: { url: hook.url, content_type: 'json', secret: 's' },
      events: ['push', 'pull_request'],
    });
    const { data: main } = await admin.rest.git.getRef({ ...at, ref: 'heads/main' });
    await admin.rest.git.createRef({ ...at, ref: 'refs/heads/change', sha: main.object.sha });
    await admin.rest.repos.createOrUpdateFileContents({ ...at, path: 'a', message: 'add a', content: 'YQ==', branch: 'change' });
    const { data: pull } = await admin.rest.pulls.create({ ...at, title: 'a', head: 'change', base: 'main' });
    await hook.until('pull_request');
    await hook.until('push', 2);
    await kill();

    // What a kill between git's ref update and the forge's own bookkeeping leaves behind.
    const bare = await gitRepository({
      path: join(data, 'repositories', `${repository.id}.git`),
      limits: { blobBytes: 1 << 20, treeEntries: 1000, refs: 1000 },
    });
    await bare.push([{ ref: branchRef('main'), expected: toCommitId(main.object.sha), next: toCommitId(pull.head.sha) }]);
    await bare.close();
    await start(new URL(url).port);

    const [, , push] = await hook.until('push', 3);
    const [, closed] = await hook.until('pull_request', 2);
    const { data: after } = await admin.rest.pulls.get({ ...at, pull_number: pull.number });
    expect([push?.body.ref, push?.body.after]).toEqual(['refs/heads/main', pull.head.sha]);
    expect([closed?.body.action, closed?.body.pull_request.merged]).toEqual(['closed', true]);
    expect({ merged: after.merged, commit: after.merge_commit_sha }).toEqual({ merged: true, commit: pull.head.sha });
    expect(hook.received.length).toBe(6);
  });

  it('counts a delivery that was under way as failed and sends it again only when asked', async () => {
    const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
    const admin = new Octokit({ baseUrl: `${url}/api/v3`, auth: token });
    const at = { owner: 'admin', repo: 'platform' };
    const { data: hooks } = await admin.rest.repos.listWebhooks(at);
    const id = { ...at, hook_id: hooks[0]?.id ?? 0 };
    const before = hook.received.length;
    hook.hold();
    await admin.rest.repos.pingWebhook(id);
    await hook.until('ping', 2);
    await kill();
    hook.release();
    await start(new URL(url).port);

    const { data: deliveries } = await admin.rest.repos.listWebhookDeliveries(id);
    await admin.rest.repos.redeliverWebhookDelivery({ ...id, delivery_id: deliveries[0]?.id ?? 0 });
    const pings = await hook.until('ping', 3);

    expect(deliveries[0]).toMatchObject({ event: 'ping', status: 'the forge was stopped', status_code: 0 });
    expect(pings.at(-1)?.headers['x-github-delivery']).toBe(deliveries[0]?.guid);
    expect(hook.received.length).toBe(before + 2);
  });

  it('keeps the admin token to its owner and takes people from the command line meanwhile', async () => {
    const added = addForgePerson({ dataDirectory: data, clock: { now: () => toInstant(1_800_000_000_000) } }, 'linus');
    const client = new Octokit({ baseUrl: `${url}/api/v3`, auth: added?.token ?? '' });

    const { data: user } = await client.rest.users.getAuthenticated();

    expect(user.login).toBe('linus');
    expect((await stat(join(data, 'admin-token'))).mode & 0o777).toBe(0o600);
    expect(addForgePerson({ dataDirectory: data, clock: { now: () => toInstant(0) } }, '../x')).toBeUndefined();
  });
});
