import { createHmac, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runningForge, webhookReceiver, type Receiver, type RunningForge } from '#test/forge/running-forge.ts';

let forge: RunningForge;
let hook: Receiver;

beforeAll(async () => {
  forge = await runningForge();
  hook = await webhookReceiver();
});

afterAll(async () => {
  await hook.close();
  await forge.close();
});

async function commitFile(work: string, file: { readonly name: string; readonly content: string; readonly message: string }) {
  await writeFile(join(work, file.name), file.content);
  await forge.git(work, ['add', '.']);
  await forge.git(work, ['commit', '-m', file.message]);
}

describe('the path of a change through the forge', () => {
  it('goes from a stock push over a pull request with review and status to a merge', async () => {
    const ada = await forge.person('ada');
    const grace = await forge.person('grace');
    const at = { owner: 'ada', repo: 'platform' };
    await ada.client.rest.repos.createForAuthenticatedUser({ name: 'platform', auto_init: true });
    await ada.client.request('PUT /repos/{owner}/{repo}/collaborators/{username}', { ...at, username: 'grace', permission: 'push' });
    await ada.client.rest.repos.createWebhook({ ...at, config: { url: hook.url, content_type: 'json', secret: 'hush' }, events: ['*'] });
    const [ping] = await hook.until('ping');
    expect(ping?.body.hook.config.url).toBe(hook.url);

    const work = await forge.temporary();
    const remote = `${forge.url.replace('://', `://x:${ada.token}@`)}/ada/platform.git`;
    await forge.git(work, ['clone', '-q', remote, '.']);
    await forge.git(work, ['checkout', '-q', '-b', 'change']);
    await commitFile(work, { name: 'a.txt', content: 'one\ntwo\n', message: 'add a' });
    await forge.git(work, ['push', '-q', 'origin', 'change']);
    const [push] = await hook.until('push');
    const signature = `sha256=${createHmac('sha256', 'hush')
      .update(push?.raw ?? '')
      .digest('hex')}`;
    expect(push?.headers['x-hub-signature-256']).toBe(signature);
    expect(push?.body.ref).toBe('refs/heads/change');
    expect(push?.body.pusher.name).toBe('ada');
    expect(push?.body.commits.map((commit: { added: string[] }) => commit.added)).toEqual([['a.txt']]);

    const { data: pull } = await ada.client.rest.pulls.create({ ...at, title: 'Add a', head: 'change', base: 'main', body: 'why' });
    expect({ number: pull.number, state: pull.state, mergeable: pull.mergeable, commits: pull.commits, additions: pull.additions }).toEqual(
      {
        number: 1,
        state: 'open',
        mergeable: true,
        commits: 1,
        additions: 2,
      },
    );
    await ada.client.rest.repos.updateBranchProtection({
      ...at,
      branch: 'main',
      required_status_checks: { strict: false, contexts: ['capstan/promote'] },
      required_pull_request_reviews: { required_approving_review_count: 1 },
      enforce_admins: true,
      restrictions: null,
    });

    const merge = { ...at, pull_number: 1, sha: pull.head.sha };
    await expect(ada.client.rest.pulls.merge(merge)).rejects.toMatchObject({
      status: 405,
      response: {
        data: {
          message:
            'At least 1 approving review is required by reviewers with write access. Required status check "capstan/promote" is expected.',
        },
      },
    });
    await expect(ada.client.rest.pulls.createReview({ ...at, pull_number: 1, event: 'APPROVE' })).rejects.toMatchObject({ status: 422 });
    await grace.client.rest.pulls.createReview({ ...at, pull_number: 1, event: 'APPROVE', body: 'fine' });
    await ada.client.rest.repos.createCommitStatus({ ...at, sha: pull.head.sha, state: 'success', context: 'capstan/promote' });
    await expect(ada.client.rest.pulls.merge({ ...merge, sha: '0'.repeat(40) })).rejects.toMatchObject({ status: 409 });
    const { data: merged } = await ada.client.rest.pulls.merge(merge);

    expect(merged.merged).toBe(true);
    await forge.git(work, ['fetch', '-q', 'origin']);
    expect((await forge.git(work, ['rev-parse', 'origin/main'])).trim()).toBe(merged.sha);
    expect((await forge.git(work, ['log', '-1', '--format=%an %cn %s%n%P', 'origin/main'])).trim().split('\n')[0]).toBe(
      'ada Local Forge Merge pull request #1 from ada/change',
    );
    const events = await hook.until('pull_request', 2);
    expect(events.map((event) => [event.body.action, event.body.pull_request.merged])).toEqual([
      ['opened', false],
      ['closed', true],
    ]);
    expect((await hook.until('pull_request_review'))[0]?.body.review.state).toBe('approved');
    expect((await hook.until('status'))[0]?.body.context).toBe('capstan/promote');
  });

  it('refuses a push to a protected branch in words that git prints', async () => {
    const work = await forge.temporary();
    const ada = await forge
      .client(forge.adminToken)
      .request('POST /admin/users/{username}/authorizations', { username: 'ada', scopes: ['repo'] });
    await forge.git(work, ['clone', '-q', `${forge.url.replace('://', `://x:${ada.data.token}@`)}/ada/platform`, '.']);
    await commitFile(work, { name: 'b.txt', content: 'b\n', message: 'add b' });

    const refused = await forge.git(work, ['push', 'origin', 'main']).catch((error: { stderr: string }) => error.stderr);

    expect(refused).toContain('remote: error: GH006: Protected branch update failed for refs/heads/main.');
    expect(refused).toContain('remote: error: Changes must be made through a pull request.');
    expect(refused).toContain('! [remote rejected] main -> main (protected branch hook declined)');
  });

  it('takes pushes larger than one request of git, and refuses them just so', async () => {
    const work = await forge.temporary();
    const ada = await forge
      .client(forge.adminToken)
      .request('POST /admin/users/{username}/authorizations', { username: 'ada', scopes: ['repo'] });
    await forge.git(work, ['clone', '-q', forge.url.replace('://', `://x:${ada.data.token}@`) + '/ada/platform', '.']);
    await commitFile(work, { name: 'large.bin', content: randomBytes(3_000_000).toString('base64'), message: 'add a large file' });

    const refused = await forge.git(work, ['push', 'origin', 'main']).catch((error: { stderr: string }) => error.stderr);
    await forge.git(work, ['push', '-q', 'origin', 'main:large']);
    const tip = (await forge.git(work, ['ls-remote', 'origin', 'refs/heads/large'])).split('\t')[0];

    expect(refused).toContain('! [remote rejected] main -> main (protected branch hook declined)');
    expect(tip).toBe((await forge.git(work, ['rev-parse', 'main'])).trim());
  });

  it('says when a token is wrong, and 404 for what is not there', async () => {
    const work = await forge.temporary();

    const wrong = await forge
      .git(work, ['ls-remote', forge.url.replace('://', '://x:ghp_wrong@') + '/ada/nowhere'])
      .catch((error: { stderr: string }) => error.stderr);
    const nowhere = await forge
      .git(work, ['ls-remote', forge.url.replace('://', `://x:${forge.adminToken}@`) + '/ada/nowhere'])
      .catch((error: { stderr: string }) => error.stderr);

    expect(wrong).toContain('Authentication failed');
    expect(nowhere).toContain('not found');
  });

  it('serves public repositories without a token and refuses to push without one', async () => {
    const work = await forge.temporary();
    await forge.git(work, ['clone', '-q', `${forge.url}/ada/platform.git`, '.']);
    await forge.git(work, ['checkout', '-q', '-b', 'anonymous']);

    const refused = await forge.git(work, ['push', 'origin', 'anonymous']).catch((error: { stderr: string }) => error.stderr);

    expect(refused).toContain('could not read Username');
  });

  it('answered nothing that GitHub does not describe', () => {
    expect(forge.checked.violations).toEqual([]);
    expect(forge.checked.seen.size).toBeGreaterThan(10);
  });
});
