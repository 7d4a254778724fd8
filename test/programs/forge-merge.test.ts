import type { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { runningForge, type RunningForge } from '#test/forge/running-forge.ts';

let forge: RunningForge;
let ada: Octokit;
const at = { owner: 'ada', repo: 'platform' };
const LOCK = 'greeter:\n  version: 1.0.0\n  sha256: aa\nredis:\n  version: 7.0.0\n  sha256: bb\n';

beforeAll(async () => {
  forge = await runningForge();
  ada = (await forge.person('ada')).client;
  await ada.rest.repos.createForAuthenticatedUser({ name: 'platform', auto_init: true });
  await write('main', 'lock.yaml', LOCK);
});

afterAll(() => forge.close());

async function write(branch: string, path: string, text: string): Promise<void> {
  const known = await ada.rest.repos.getContent({ ...at, path, ref: branch }).catch(() => undefined);
  const sha = known !== undefined && 'sha' in known.data ? { sha: known.data.sha } : {};
  const content = Buffer.from(text).toString('base64');
  await ada.rest.repos.createOrUpdateFileContents({ ...at, path, branch, message: `write ${path} on ${branch}`, content, ...sha });
}

async function read(branch: string, path: string): Promise<string> {
  const { data } = await ada.rest.repos.getContent({ ...at, path, ref: branch });
  return 'content' in data ? Buffer.from(data.content ?? '', 'base64').toString() : '';
}

async function pullWith(branch: string, text: string): Promise<number> {
  const { data: main } = await ada.rest.git.getRef({ ...at, ref: 'heads/main' });
  const exists = await ada.rest.git.getRef({ ...at, ref: `heads/${branch}` }).catch(() => undefined);
  if (exists === undefined) await ada.rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha: main.object.sha });
  await write(branch, 'lock.yaml', text);
  return (await ada.rest.pulls.create({ ...at, title: branch, head: branch, base: 'main' })).data.number;
}

describe('merging on the forge', () => {
  it('joins two promotions of one lock by rebase and merge, each from the same base', async () => {
    const greeter = await pullWith('greeter', LOCK.replace('1.0.0', '1.1.0').replace('aa', 'cc'));
    const redis = await pullWith('redis', LOCK.replace('7.0.0', '7.2.0').replace('bb', 'dd'));

    await ada.rest.pulls.merge({ ...at, pull_number: greeter, merge_method: 'rebase' });
    await ada.rest.pulls.merge({ ...at, pull_number: redis });

    expect(await read('main', 'lock.yaml')).toBe('greeter:\n  version: 1.1.0\n  sha256: cc\nredis:\n  version: 7.2.0\n  sha256: dd\n');
    const { data: commits } = await ada.rest.repos.listCommits({ ...at, per_page: 5 });
    expect(commits.map((commit) => [commit.commit.message.split('\n')[0], commit.parents.length])).toContainEqual([
      'write lock.yaml on greeter',
      1,
    ]);
    expect(commits[0]?.parents.length).toBe(2);
    expect(commits[0]?.commit.verification?.signature).toContain('BEGIN SSH SIGNATURE');
  });

  it('says 405 for a conflict and shows it beforehand', async () => {
    const base = await read('main', 'lock.yaml');
    const ours = await pullWith('ours', base.replace('7.2.0', '7.3.0'));
    const theirs = await pullWith('theirs', base.replace('7.2.0', '7.4.0'));
    await ada.rest.pulls.merge({ ...at, pull_number: ours });

    const { data: pull } = await ada.rest.pulls.get({ ...at, pull_number: theirs });
    const refused = await ada.rest.pulls.merge({ ...at, pull_number: theirs }).catch((error: { status: number; message: string }) => error);

    expect([pull.mergeable, pull.mergeable_state]).toEqual([false, 'dirty']);
    expect(refused).toMatchObject({ status: 405, message: expect.stringContaining('Pull Request is not mergeable') });
  });

  it('refuses a method the repository does not allow and a rule it cannot enforce', async () => {
    await ada.rest.repos.update({ ...at, allow_squash_merge: false });
    const number = await pullWith('squash', `${await read('main', 'lock.yaml')}more: 1\n`);

    const squash = await ada.rest.pulls
      .merge({ ...at, pull_number: number, merge_method: 'squash' })
      .catch((error: { status: number }) => error);
    const rule = await ada.rest.repos
      .updateBranchProtection({
        ...at,
        branch: 'main',
        required_status_checks: null,
        required_pull_request_reviews: { require_code_owner_reviews: true },
        enforce_admins: null,
        restrictions: null,
      })
      .catch((error: { status: number }) => error);

    expect([squash, rule]).toMatchObject([{ status: 405 }, { status: 422 }]);
  });

  it('refuses to go back in the history of a protected branch, by git itself', async () => {
    await ada.rest.repos.updateBranchProtection({
      ...at,
      branch: 'main',
      required_status_checks: null,
      required_pull_request_reviews: null,
      enforce_admins: null,
      restrictions: null,
    });
    const work = await forge.temporary();
    await forge.git(work, ['clone', '-q', forge.url.replace('://', `://x:${forge.adminToken}@`) + '/ada/platform', '.']);
    await forge.git(work, ['reset', '-q', '--hard', 'HEAD~1']);
    await forge.git(work, ['commit', '-q', '--allow-empty', '-m', 'another history']);

    const refused = await forge.git(work, ['push', '--force', 'origin', 'main']).catch((error: { stderr: string }) => error.stderr);
    const deleted = await forge.git(work, ['push', 'origin', ':main']).catch((error: { stderr: string }) => error.stderr);
    const hidden = await forge.git(work, ['push', 'origin', 'HEAD:refs/pull/1/head']).catch((error: { stderr: string }) => error.stderr);

    expect(refused).toContain('! [remote rejected] main -> main (non-fast-forward)');
    expect(deleted).toContain('remote: error: Cannot delete this protected branch.');
    expect(hidden).toContain('deny updating a hidden ref');
    expect(forge.checked.violations).toEqual([]);
  });
});
