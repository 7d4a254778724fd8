import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/rest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { ROUTES } from '#forge/routes.ts';
import { githubPath, OWN_ROUTES } from '#test/forge/github-description.ts';
import { runningForge, webhookReceiver, type Receiver, type RunningForge } from '#test/forge/running-forge.ts';

let forge: RunningForge;
let hook: Receiver;
let admin: Octokit;
let ada: Octokit;
let grace: Octokit;
const at = { owner: 'acme', repo: 'platform' };

beforeAll(async () => {
  forge = await runningForge();
  hook = await webhookReceiver();
  admin = forge.client(forge.adminToken);
  ada = (await forge.person('ada')).client;
  grace = (await forge.person('grace')).client;
});

afterAll(async () => {
  await hook.close();
  await forge.close();
});

async function refusal(asking: Promise<unknown>): Promise<{ readonly status: number; readonly message: string }> {
  const error: unknown = await asking.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (typeof error !== 'object' || error === null || !('response' in error) || !('status' in error)) throw new Error('nothing was refused');
  const { data } = error.response as { data: { message: string } };
  return { status: Number(error.status), message: data.message };
}

describe('the local forge in the words of GitHub', () => {
  it('keeps people, organizations, teams and repositories', async () => {
    await admin.request('POST /admin/organizations', { login: 'acme', admin: 'ada' });
    await ada.rest.orgs.get({ org: 'acme' });
    await ada.rest.orgs.setMembershipForUser({ org: 'acme', username: 'grace', role: 'member' });
    await ada.rest.orgs.checkMembershipForUser({ org: 'acme', username: 'grace' });
    await ada.rest.teams.create({ org: 'acme', name: 'Release Managers' });
    const team = { org: 'acme', team_slug: 'release-managers' };
    await ada.rest.teams.getByName(team);
    await ada.rest.teams.addOrUpdateMembershipForUserInOrg({ ...team, username: 'grace' });
    const membership = await ada.rest.teams.getMembershipForUserInOrg({ ...team, username: 'grace' });
    const members = await ada.rest.teams.listMembersInOrg(team);
    const teams = await ada.rest.teams.list({ org: 'acme' });
    await ada.rest.teams.removeMembershipForUserInOrg({ ...team, username: 'grace' });
    const gone = await refusal(ada.rest.teams.getMembershipForUserInOrg({ ...team, username: 'grace' }));
    await ada.rest.teams.addOrUpdateMembershipForUserInOrg({ ...team, username: 'grace' });
    const { data: repository } = await ada.rest.repos.createInOrg({ org: 'acme', name: 'platform', auto_init: true });
    await ada.rest.repos.createForAuthenticatedUser({ name: 'notes', private: true });
    const hidden = await refusal(grace.rest.repos.get({ owner: 'ada', repo: 'notes' }));
    await ada.rest.repos.listForOrg({ org: 'acme' });
    const mine = await ada.rest.repos.listForAuthenticatedUser();
    const twice = await refusal(ada.rest.repos.createInOrg({ org: 'acme', name: 'platform' }));
    await ada.rest.repos.update({ ...at, description: 'what runs' });
    const { data: read } = await ada.rest.repos.get(at);
    await ada.rest.repos.addCollaborator({ ...at, username: 'grace', permission: 'maintain' });
    await ada.rest.repos.checkCollaborator({ ...at, username: 'grace' });
    const permission = await ada.rest.repos.getCollaboratorPermissionLevel({ ...at, username: 'grace' });
    await ada.rest.repos.removeCollaborator({ ...at, username: 'grace' });
    const user = await ada.rest.users.getAuthenticated();
    const other = await ada.rest.users.getByUsername({ username: 'grace' });

    expect(membership.data.state).toBe('active');
    expect(members.data.map((member) => member.login)).toEqual(['grace']);
    expect(teams.data.map((item) => item.slug)).toEqual(['release-managers']);
    expect(gone.status).toBe(404);
    expect(repository.default_branch).toBe('main');
    expect(hidden.status).toBe(404);
    expect(mine.data.map((item) => item.full_name)).toEqual(['acme/platform', 'ada/notes']);
    expect(twice).toEqual({ status: 422, message: 'Repository creation failed.' });
    expect({ description: read.description, admin: read.permissions?.admin }).toEqual({ description: 'what runs', admin: true });
    expect(permission.data.permission).toBe('write');
    expect([user.data.login, other.data.login]).toEqual(['ada', 'grace']);
    expect(user.headers['x-oauth-scopes']).toBe('repo, admin:repo_hook, admin:org');
  });

  it('reads and writes files, trees, commits and references', async () => {
    const { data: put } = await ada.rest.repos.createOrUpdateFileContents({
      ...at,
      path: 'docs/a.md',
      message: 'add a',
      content: Buffer.from('one\n').toString('base64'),
    });
    const { data: file } = await ada.rest.repos.getContent({ ...at, path: 'docs/a.md' });
    const { data: listed } = await ada.rest.repos.getContent({ ...at, path: 'docs' });
    await ada.request('GET /repos/{owner}/{repo}/contents', at);
    const unsaid = await refusal(
      ada.rest.repos.createOrUpdateFileContents({ ...at, path: 'docs/a.md', message: 'again', content: 'b25l' }),
    );
    const stale = await refusal(
      ada.rest.repos.createOrUpdateFileContents({ ...at, path: 'docs/a.md', message: 'again', content: 'b25l', sha: '0'.repeat(40) }),
    );
    const { data: ref } = await ada.rest.git.getRef({ ...at, ref: 'heads/main' });
    const head = ref.object.sha;
    const { data: blob } = await ada.rest.git.createBlob({ ...at, content: 'two\n' });
    await ada.rest.git.getBlob({ ...at, file_sha: blob.sha });
    const { data: commit } = await ada.rest.git.getCommit({ ...at, commit_sha: head });
    const { data: tree } = await ada.rest.git.createTree({
      ...at,
      base_tree: commit.tree.sha,
      tree: [
        { path: 'bin/run', mode: '100755', type: 'blob', sha: blob.sha },
        { path: 'docs/b.md', mode: '100644', type: 'blob', content: 'b\n' },
      ],
    });
    const { data: whole } = await ada.rest.git.getTree({ ...at, tree_sha: tree.sha, recursive: 'true' });
    const { data: made } = await ada.rest.git.createCommit({ ...at, message: 'add run', tree: tree.sha, parents: [head] });
    await ada.rest.git.createRef({ ...at, ref: 'refs/heads/feature/run', sha: made.sha });
    const exists = await refusal(ada.rest.git.createRef({ ...at, ref: 'refs/heads/feature/run', sha: made.sha }));
    const backwards = await refusal(ada.rest.git.updateRef({ ...at, ref: 'heads/feature/run', sha: head }));
    await ada.rest.git.updateRef({ ...at, ref: 'heads/feature/run', sha: head, force: true });
    await ada.rest.git.updateRef({ ...at, ref: 'heads/feature/run', sha: made.sha });
    const { data: matching } = await ada.rest.git.listMatchingRefs({ ...at, ref: 'heads/feature' });
    const { data: comparison } = await ada.rest.repos.compareCommitsWithBasehead({ ...at, basehead: 'main...feature/run' });
    const { data: commits } = await ada.rest.repos.listCommits({ ...at, path: 'docs' });
    const { data: shown } = await ada.rest.repos.getCommit({ ...at, ref: made.sha });
    await ada.rest.repos.deleteFile({ ...at, path: 'docs/a.md', message: 'remove a', sha: put.content?.sha ?? '' });
    const missing = await refusal(ada.rest.repos.getContent({ ...at, path: 'docs/a.md' }));

    expect(file).toMatchObject({ type: 'file', content: 'b25lCg==\n', encoding: 'base64' });
    expect(listed).toMatchObject([{ path: 'docs/a.md', type: 'file', size: 4 }]);
    expect([unsaid.status, stale.status]).toEqual([422, 409]);
    expect(whole.tree.map((item) => [item.path, item.mode])).toEqual([
      ['README.md', '100644'],
      ['bin', '040000'],
      ['bin/run', '100755'],
      ['docs', '040000'],
      ['docs/a.md', '100644'],
      ['docs/b.md', '100644'],
    ]);
    expect([exists, backwards]).toEqual([
      { status: 422, message: 'Reference already exists' },
      { status: 422, message: 'Update is not a fast forward' },
    ]);
    expect(matching.map((item) => item.ref)).toEqual(['refs/heads/feature/run']);
    expect({ status: comparison.status, files: comparison.files?.map((item) => item.filename) }).toEqual({
      status: 'ahead',
      files: ['bin/run', 'docs/b.md'],
    });
    expect(commits.map((item) => item.commit.message)).toEqual(['add a']);
    expect(shown.stats).toEqual({ total: 2, additions: 2, deletions: 0 });
    expect(missing.status).toBe(404);
  });

  it('carries a pull request through review, labels, comments and every way of merging', async () => {
    const pull = await ada.rest.pulls.create({ ...at, title: 'Run', head: 'feature/run', base: 'main', body: 'please' });
    const number = { ...at, pull_number: pull.data.number };
    const issue = { ...at, issue_number: pull.data.number };
    const twice = await refusal(ada.rest.pulls.create({ ...at, title: 'Run', head: 'feature/run', base: 'main' }));
    await ada.rest.pulls.list({ ...at, head: 'acme:feature/run' });
    await ada.rest.pulls.update({ ...number, title: 'Run it' });
    const files = await ada.rest.pulls.listFiles(number);
    const commits = await ada.rest.pulls.listCommits(number);
    const ofCommit = await ada.rest.repos.listPullRequestsAssociatedWithCommit({ ...at, commit_sha: pull.data.head.sha });
    await ada.rest.pulls.requestReviewers({ ...number, reviewers: ['grace'], team_reviewers: ['release-managers'] });
    const reviewers = await ada.rest.pulls.listRequestedReviewers(number);
    await ada.rest.pulls.removeRequestedReviewers({ ...number, reviewers: [], team_reviewers: ['release-managers'] });
    const own = await refusal(ada.rest.pulls.createReview({ ...number, event: 'APPROVE' }));
    const pending = await grace.rest.pulls.createReview({ ...number, body: 'looking' });
    await grace.rest.pulls.submitReview({ ...number, review_id: pending.data.id, event: 'REQUEST_CHANGES', body: 'no' });
    await grace.rest.pulls.getReview({ ...number, review_id: pending.data.id });
    await ada.rest.pulls.dismissReview({ ...number, review_id: pending.data.id, message: 'done' });
    await grace.rest.pulls.createReview({ ...number, event: 'APPROVE' });
    const reviews = await ada.rest.pulls.listReviews(number);
    const comment = await grace.rest.issues.createComment({ ...issue, body: 'nice' });
    await grace.rest.issues.updateComment({ ...at, comment_id: comment.data.id, body: 'very nice' });
    await ada.rest.issues.getComment({ ...at, comment_id: comment.data.id });
    const comments = await ada.rest.issues.listComments(issue);
    await grace.rest.issues.deleteComment({ ...at, comment_id: comment.data.id });
    await ada.rest.issues.createLabel({ ...at, name: 'promotion', color: '00ff00' });
    await ada.rest.issues.getLabel({ ...at, name: 'promotion' });
    await ada.rest.issues.listLabelsForRepo(at);
    await ada.rest.issues.addLabels({ ...issue, labels: ['promotion', 'new'] });
    await ada.rest.issues.removeLabel({ ...issue, name: 'new' });
    await ada.rest.issues.setLabels({ ...issue, labels: ['promotion'] });
    const labels = await ada.rest.issues.listLabelsOnIssue(issue);
    await ada.rest.issues.update({ ...issue, labels: ['promotion'] });
    await ada.rest.issues.get(issue);
    await ada.rest.pulls.updateBranch(number);
    const unmerged = await refusal(ada.rest.pulls.checkIfMerged(number));
    const { data: now } = await ada.rest.pulls.get(number);
    const merged = await ada.rest.pulls.merge({ ...number, sha: now.head.sha, merge_method: 'squash' });
    await ada.rest.pulls.checkIfMerged(number);
    const { data: after } = await ada.rest.pulls.get(number);

    expect(twice.status).toBe(422);
    expect(files.data.map((file) => [file.filename, file.status, file.patch])).toEqual([
      ['bin/run', 'added', '@@ -0,0 +1 @@\n+two'],
      ['docs/b.md', 'added', '@@ -0,0 +1 @@\n+b'],
    ]);
    expect(commits.data.map((commit) => commit.commit.message)).toEqual(['add run']);
    expect(ofCommit.data.map((item) => item.number)).toEqual([pull.data.number]);
    expect(reviewers.data.users.map((user) => user.login)).toEqual(['grace']);
    expect(own).toEqual({ status: 422, message: 'Unprocessable Entity' });
    expect(reviews.data.map((review) => review.state)).toEqual(['DISMISSED', 'APPROVED']);
    expect(comments.data.map((item) => item.body)).toEqual(['very nice']);
    expect(labels.data.map((label) => label.name)).toEqual(['promotion']);
    expect(unmerged.status).toBe(404);
    expect({ merged: after.merged, commit: after.merge_commit_sha, by: after.merged_by?.login, state: after.state }).toEqual({
      merged: true,
      commit: merged.data.sha,
      by: 'ada',
      state: 'closed',
    });
  });

  it('protects branches and shows statuses', async () => {
    const branch = { ...at, branch: 'main' };
    const open = await refusal(ada.rest.repos.getBranchProtection(branch));
    await ada.rest.repos.updateBranchProtection({
      ...branch,
      required_status_checks: { strict: true, contexts: ['ci'] },
      required_pull_request_reviews: { required_approving_review_count: 2, dismiss_stale_reviews: true },
      enforce_admins: true,
      restrictions: { users: ['ada'], teams: ['release-managers'] },
    });
    const { data: rule } = await ada.rest.repos.getBranchProtection(branch);
    await ada.rest.repos.getBranch(branch);
    const branches = await ada.rest.repos.listBranches({ ...at, protected: true });
    const write = await refusal(ada.rest.repos.createOrUpdateFileContents({ ...at, path: 'x', message: 'x', content: 'eA==' }));
    const { data: ref } = await ada.rest.git.getRef({ ...at, ref: 'heads/main' });
    await ada.rest.repos.createCommitStatus({ ...at, sha: ref.object.sha, state: 'pending', context: 'ci' });
    await ada.rest.repos.createCommitStatus({ ...at, sha: ref.object.sha, state: 'success', context: 'ci', description: 'green' });
    const combined = await ada.rest.repos.getCombinedStatusForRef({ ...at, ref: 'heads/main' });
    const statuses = await ada.rest.repos.listCommitStatusesForRef({ ...at, ref: ref.object.sha });
    await ada.rest.repos.deleteBranchProtection(branch);
    await ada.rest.git.deleteRef({ ...at, ref: 'heads/feature/run' });

    expect(open).toEqual({ status: 404, message: 'Branch not protected' });
    expect(rule.required_status_checks?.contexts).toEqual(['ci']);
    expect(branches.data.map((item) => item.name)).toEqual(['main']);
    expect(write.status).toBe(409);
    expect([combined.data.state, combined.data.total_count]).toEqual(['success', 1]);
    expect(statuses.data.map((status) => status.state)).toEqual(['success', 'pending']);
  });

  it('delivers webhooks, records them and sends them again when asked', async () => {
    const config = { url: hook.url, content_type: 'json', secret: 'hush' };
    const { data: made } = await ada.rest.repos.createWebhook({ ...at, config, events: ['push', 'status'] });
    const id = { ...at, hook_id: made.id };
    await hook.until('ping');
    hook.answerWith(500);
    await ada.rest.git.createRef({
      ...at,
      ref: 'refs/heads/told',
      sha: (await ada.rest.git.getRef({ ...at, ref: 'heads/main' })).data.object.sha,
    });
    await hook.until('push');
    hook.answerWith(202);
    await ada.rest.repos.pingWebhook(id);
    await hook.until('ping', 2);
    const deliveries = await ada.rest.repos.listWebhookDeliveries({ ...id, per_page: 2 });
    const failed = (await ada.paginate(ada.rest.repos.listWebhookDeliveries, { ...id, per_page: 2 })).filter(
      (item) => item.status_code === 500,
    );
    await ada.rest.repos.redeliverWebhookDelivery({ ...id, delivery_id: failed[0]?.id ?? 0 });
    const pushes = await hook.until('push', 2);
    const { data: delivery } = await ada.rest.repos.getWebhookDelivery({ ...id, delivery_id: failed[0]?.id ?? 0 });
    await ada.rest.repos.updateWebhook({ ...id, active: false, add_events: ['pull_request'] });
    const { data: read } = await ada.rest.repos.getWebhook(id);
    await ada.rest.repos.listWebhooks(at);
    const stranger = await refusal(grace.rest.repos.getWebhook(id));
    await ada.rest.repos.deleteWebhook(id);

    expect(deliveries.data.length).toBe(2);
    expect(failed.map((item) => [item.event, item.status, item.redelivery])).toEqual([['push', 'Invalid HTTP Response: 500', false]]);
    expect(pushes.map((item) => item.headers['x-github-delivery'])).toEqual([failed[0]?.guid, failed[0]?.guid]);
    expect(delivery.request.payload).toMatchObject({ ref: 'refs/heads/told', created: true });
    expect({ active: read.active, events: read.events, secret: read.config.secret }).toEqual({
      active: false,
      events: ['pull_request', 'push', 'status'],
      secret: '********',
    });
    expect(stranger.status).toBe(404);
  });

  it('lets Apps log in and lets only Apps write check runs', async () => {
    const { data: app } = await admin.request('POST /admin/apps', { name: 'Capstan', account: 'acme', repositories: ['platform'] });
    const installed = new Octokit({
      baseUrl: `${forge.url}/api/v3`,
      authStrategy: createAppAuth,
      auth: { appId: app.id, privateKey: app.pem, installationId: app.installation.id },
      request: { fetch: forge.fetch },
    });
    const asApp = new Octokit({
      baseUrl: `${forge.url}/api/v3`,
      authStrategy: createAppAuth,
      auth: { appId: app.id, privateKey: app.pem },
      request: { fetch: forge.fetch },
    });
    const self = await asApp.rest.apps.getAuthenticated();
    await asApp.rest.apps.listInstallations();
    await asApp.rest.apps.getInstallation({ installation_id: app.installation.id });
    await asApp.rest.apps.getRepoInstallation(at);
    const { data: repositories } = await installed.rest.apps.listReposAccessibleToInstallation();
    const { data: ref } = await installed.rest.git.getRef({ ...at, ref: 'heads/main' });
    const head = ref.object.sha;
    const asPerson = await refusal(ada.rest.checks.create({ ...at, name: 'ci', head_sha: head }));
    const { data: run } = await installed.rest.checks.create({ ...at, name: 'ci', head_sha: head, status: 'in_progress' });
    await installed.rest.checks.update({
      ...at,
      check_run_id: run.id,
      conclusion: 'success',
      output: { title: 'fine', summary: 'all of it' },
    });
    await installed.rest.checks.get({ ...at, check_run_id: run.id });
    const runs = await installed.rest.checks.listForRef({ ...at, ref: 'main' });
    const suites = await installed.rest.checks.listSuitesForRef({ ...at, ref: head });
    await installed.rest.checks.getSuite({ ...at, check_suite_id: run.check_suite?.id ?? 0 });
    await installed.rest.checks.listForSuite({ ...at, check_suite_id: run.check_suite?.id ?? 0 });
    const user = await refusal(installed.rest.users.getAuthenticated());

    expect(self.data?.slug).toBe('capstan');
    expect(repositories.repositories.map((item) => item.full_name)).toEqual(['acme/platform']);
    expect(asPerson).toEqual({ status: 403, message: 'You must authenticate via a GitHub App.' });
    expect(runs.data.check_runs.map((item) => [item.name, item.status, item.conclusion])).toEqual([['ci', 'completed', 'success']]);
    expect(suites.data.check_suites.map((suite) => suite.conclusion)).toEqual(['success']);
    expect(user).toEqual({ status: 403, message: 'Resource not accessible by integration' });
  });

  it("answers with ETags, pages, rate limits and GitHub's errors", async () => {
    const first = await ada.rest.repos.listCommits({ ...at, per_page: 1 });
    const etag = first.headers.etag ?? '';
    const unchanged = await refusal304(
      ada.request('GET /repos/{owner}/{repo}/commits', { ...at, per_page: 1, headers: { 'if-none-match': etag } }),
    );
    const all = await ada.paginate(ada.rest.repos.listCommits, { ...at, per_page: 1 });
    const bad = await refusal(forge.client('ghp_wrong').rest.users.getAuthenticated());
    const nobody = await refusal(forge.client(undefined).rest.users.getAuthenticated());
    const nowhere = await refusal(ada.rest.repos.get({ owner: 'acme', repo: 'nowhere' }));
    const outsider = await refusal(forge.client(undefined).rest.issues.createLabel({ ...at, name: 'x' }));
    await ada.rest.repos.delete(at);

    expect(first.headers['x-ratelimit-limit']).toBe('15000');
    expect(first.headers.link).toContain('rel="next"');
    expect(unchanged).toBe(304);
    expect(all.map((commit) => commit.commit.message.split('\n')[0])).toEqual(['Run it (#1)', 'remove a', 'add a', 'Initial commit']);
    expect([bad, nobody, nowhere]).toEqual([
      { status: 401, message: 'Bad credentials' },
      { status: 401, message: 'Requires authentication' },
      { status: 404, message: 'Not Found' },
    ]);
    expect(outsider.status).toBe(401);
  });

  it("gave no answer that GitHub's OpenAPI description does not allow, and every path was asked", () => {
    const asked = new Set([...forge.checked.seen].map((name) => name.replace(/ \d+$/, '')));
    const unasked = ROUTES.map((route) => `${route.method} ${githubPath(route.path)}`).filter(
      (name) => !asked.has(name) && !OWN_ROUTES.has(name),
    );

    expect(forge.checked.violations).toEqual([]);
    expect(unasked).toEqual([]);
  });
});

async function refusal304(asking: Promise<unknown>): Promise<number> {
  const error: unknown = await asking.catch((reason: unknown) => reason);
  return typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 0;
}
