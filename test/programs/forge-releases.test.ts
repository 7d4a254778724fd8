import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { gitRepository } from '#adapters/git/git.ts';
import { githubForge } from '#adapters/github/github.ts';
import { planLock } from '#loops/lock.ts';
import { verifyClone } from '#loops/verify.ts';
import type { CommitId } from '#model/digest.ts';
import { branchRef } from '#model/names.ts';
import { toSecret } from '#model/secret.ts';
import type { Repository } from '#ports/repository.ts';
import { runningForge, silentJournal, type RunningForge } from '#test/forge/running-forge.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, shopFiles, signerOf, type Files } from '#test/stories/shop.ts';

const LIMITS = { blobBytes: 1 << 20, treeEntries: 10_000, refs: 10_000 };
type Person = Awaited<ReturnType<RunningForge['person']>>;

let forge: RunningForge;
let engineAccount: Person;
let ada: Person;
const open: Repository[] = [];

beforeAll(async () => {
  forge = await runningForge();
  engineAccount = await forge.person('capstan');
  ada = await forge.person('ada');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((repository) => repository.close()));
});
afterAll(() => forge.close());

interface Play {
  readonly at: { readonly owner: string; readonly repo: string };
  readonly outside: Outside;
  readonly engine: Engine;
  readonly hers: Repository;
}

async function mirror(repo: string, { token }: Person): Promise<Repository> {
  const credentials = async () => ({ username: 'x', password: toSecret(token) });
  const remote = { url: `${forge.url}/capstan/${repo}.git`, credentials };
  const repository = await gitRepository({ path: join(await forge.temporary(), 'mirror.git'), remote, limits: LIMITS });
  open.push(repository);
  return repository;
}

/** A commit of ada's on top of `parent`, with her signature or without. */
async function commit(
  { hers, outside }: Pick<Play, 'hers' | 'outside'>,
  on: { readonly branch: string; readonly parent: CommitId | undefined; readonly isSigned?: boolean },
  files: Files,
): Promise<CommitId> {
  const signer = signerOf('ada');
  const ref = branchRef(on.branch);
  const expected = (await hers.refs()).get(ref);
  const next = await hers.writeCommit(
    {
      base: on.parent === undefined ? undefined : (await hers.commit(on.parent)).tree,
      changes: Object.entries(files).map(([path, text]) => ({ kind: 'file', path, content: Buffer.from(text) })),
      parents: on.parent === undefined ? [] : [on.parent],
      author: { name: 'ada', email: signer.email, at: outside.now, zone: '+0000' },
      message: `change ${Object.keys(files).sort().join(', ')}\n`,
    },
    on.isSigned === false ? undefined : (payload) => signer.sign(payload),
  );
  await hers.push([{ ref, expected, next }]);
  return next;
}

/** A repository of the forge that merges in one way only, and an engine that runs what is declared in it. */
async function running(method: 'squash' | 'rebase'): Promise<Play> {
  const at = { owner: 'capstan', repo: `shop-${method}` };
  const { client, token } = engineAccount;
  await client.rest.repos.createForAuthenticatedUser({ name: at.repo });
  await client.request('PUT /repos/{owner}/{repo}/collaborators/{username}', { ...at, username: 'ada', permission: 'push' });
  const outside = newOutside();
  const hers = await mirror(at.repo, ada);
  const declared = await commit({ hers, outside }, { branch: 'main', parent: undefined }, shopFiles([DEV]));
  await client.rest.repos.update({
    ...at,
    allow_merge_commit: false,
    allow_squash_merge: method === 'squash',
    allow_rebase_merge: method === 'rebase',
  });
  const engine = startEngine({
    ...portsOf(outside),
    repository: await mirror(at.repo, engineAccount),
    forge: githubForge({
      baseUrl: `${forge.url}/api/v3`,
      ...at,
      auth: { kind: 'token', token: toSecret(token) },
      journal: silentJournal,
      second: 1,
    }),
  });
  const { world } = engine;
  await world.repository.fetch();
  const declarations = await world.reading.declarations(await world.reading.at(declared));
  const [environment] = declarations.state.environments;
  const lock = environment === undefined ? undefined : await planLock(world, declarations, environment);
  if (lock?.ok !== true) throw new Error('the shop cannot be locked');
  await commit({ hers, outside }, { branch: 'main', parent: declared }, { [lock.value.path]: lock.value.after });
  await engine.start();
  return { at, outside, engine, hers };
}

/** A pull request of ada's with two commits, merged by hers with the only button there is. */
async function release(play: Play, method: 'squash' | 'rebase', what: { readonly version: string; readonly isSigned: boolean }) {
  const { at, hers } = play;
  await hers.fetch();
  const main = await hers.resolve('main');
  const branch = `web-${what.version}`;
  const first = await commit(play, { branch, parent: main, isSigned: what.isSigned }, { 'README.md': `web ${what.version}\n` });
  await commit(play, { branch, parent: first, isSigned: what.isSigned }, capsuleFiles(what.version));
  const { data: pull } = await ada.client.rest.pulls.create({ ...at, title: branch, head: branch, base: 'main' });
  const { data: merged } = await ada.client.rest.pulls.merge({ ...at, pull_number: pull.number, merge_method: method });
  await play.engine.wake({ kind: 'look' });
  return merged.sha;
}

const runs = ({ outside }: Play): string | undefined =>
  /capstan.dev\/version: "(.*)"/.exec(outside.targets.get('dev/one')?.files.get('web/apps_v1_deployment_shop-dev_web.yaml') ?? '')?.[1];

test.each(['squash', 'rebase'] as const)(
  '%s: a signed release that the forge brought in runs, an unsigned one is refused on its commit',
  async (method) => {
    const play = await running(method);
    expect(runs(play)).toBe('1.0.0');

    const signed = await release(play, method, { version: '1.1.0', isSigned: true });

    expect([...play.engine.endings].filter(([, ending]) => ending.kind !== 'settled')).toEqual([]);
    expect(runs(play)).toBe('1.1.0');
    const { world } = play.engine;
    const main = await world.repository.resolve('main');
    const parents = main === undefined ? [] : (await world.repository.commit(main)).parents;
    // The engine's own promotion came in the same way, right on top of the release.
    expect(parents).toEqual([signed]);

    const unsigned = await release(play, method, { version: '1.2.0', isSigned: false });

    expect(runs(play)).toBe('1.1.0');
    const { data: status } = await ada.client.rest.repos.getCombinedStatusForRef({ ...play.at, ref: unsigned });
    expect(status.statuses.map((one) => [one.context, one.state])).toEqual([['capstan/release', 'failure']]);
    expect((await verifyClone(world, { full: true, report: () => undefined })).problems).toEqual([]);
    expect(forge.checked.violations).toEqual([]);
  },
);
