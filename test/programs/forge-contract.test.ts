import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { githubForge } from '#adapters/github/github.ts';
import { toCommitId } from '#model/digest.ts';
import { toSecret } from '#model/secret.ts';
import { forgeContract } from '#test/contracts/forge.contract.ts';
import { runningForge, silentJournal } from '#test/forge/running-forge.ts';

const AT = { owner: 'capstan', repo: 'platform' };

forgeContract('GitHub REST, of the local forge', async () => {
  const forge = await runningForge();
  const engine = await forge.person('capstan');
  const ada = await forge.person('ada');
  await engine.client.rest.repos.createForAuthenticatedUser({ name: 'platform', auto_init: true });
  await engine.client.request('PUT /repos/{owner}/{repo}/collaborators/{username}', { ...AT, username: 'ada', permission: 'push' });
  const remote = `${forge.url.replace('://', `://x:${engine.token}@`)}/capstan/platform.git`;
  let serial = 0;

  async function headOf(branch: string) {
    const { data } = await engine.client.rest.git.getRef({ ...AT, ref: `heads/${branch}` });
    return toCommitId(data.object.sha);
  }

  return {
    engine: () =>
      githubForge({
        baseUrl: `${forge.url}/api/v3`,
        ...AT,
        auth: { kind: 'token', token: toSecret(engine.token) },
        journal: silentJournal,
        second: 1,
      }),
    engineLogin: 'capstan',
    personLogin: 'ada',
    headOf,
    async branch(name) {
      serial += 1;
      const work = await forge.temporary();
      await forge.git(work, ['clone', '-q', remote, '.']);
      await forge.git(work, ['checkout', '-q', '-B', name, ...((await isThere(name)) ? [`origin/${name}`] : [])]);
      await writeFile(join(work, name.replaceAll('/', '-')), String(serial));
      await forge.git(work, ['add', '.']);
      await forge.git(work, ['commit', '-q', '-m', name]);
      await forge.git(work, ['push', '-q', 'origin', name]);
      return headOf(name);
    },
    async approve(number) {
      await ada.client.rest.pulls.createReview({ ...AT, pull_number: number, event: 'APPROVE', body: 'fine' });
    },
    async comments(number) {
      const { data } = await ada.client.rest.issues.listComments({ ...AT, issue_number: number });
      return data.map((comment) => comment.body ?? '');
    },
    close: () => forge.close(),
  };

  async function isThere(branch: string): Promise<boolean> {
    return headOf(branch).then(
      () => true,
      () => false,
    );
  }
});
