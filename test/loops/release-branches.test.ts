import { describe, expect, test } from 'vitest';

import { validateSnapshot } from '#loops/check.ts';
import { releaseBranches } from '#loops/release-branches.ts';
import { toCommitId } from '#model/digest.ts';
import { branchRef, type RefName } from '#model/names.ts';
import { portsOf, startEngine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, environmentFile, PROJECT_FILE, signerOf, STAGING, type Files, type Stage } from '#test/stories/shop.ts';
import { declareShop, freshLocks } from '#test/stories/stories.ts';
import { fileOf, heldIn, requestsIn, type Running } from './composition-shop.ts';

const PROJECT = 'environments/project.yaml';
const RELEASES = PROJECT_FILE.replace(
  '    default: main\n',
  '    default: main\n    release: ["release/*"]\n'.replace('["release/*"]', '\n      - release/*'),
);
const BRANCH = 'release/1.x';

interface Shop extends Running {
  readonly fork: ReturnType<typeof toCommitId>;
}

/** Main is at 2.0.0; environments stay with 1. */
async function shopAtTwo(stages: readonly Stage[] = [DEV], project = RELEASES): Promise<Shop> {
  const outside = newOutside();
  await declareShop(outside, stages);
  const people = peopleOf(outside);
  const fork = await people.push({ [PROJECT]: project }, { message: 'Name the release branches' });
  await people.push(capsuleFiles('2.0.0'), { message: 'web 2.0.0' });
  const engine = startEngine(portsOf(outside));
  await engine.start();
  const shop = {
    outside,
    engine,
    fork,
    async push(files: Files, message = 'change') {
      await people.push(files, { message });
      await engine.wake({ kind: 'look' });
    },
  };
  return shop;
}

async function release(shop: Shop, files: Files, options: Parameters<ReturnType<typeof peopleOf>['push']>[1] = {}) {
  const commit = await peopleOf(shop.outside).push(files, { branch: BRANCH, from: shop.fork, message: 'backport', ...options });
  await shop.engine.wake({ kind: 'look' });
  return commit;
}

const versionIn = (outside: Outside, target: string): string | undefined =>
  /capstan.dev\/version: "?([^"\n]+)/.exec(fileOf(outside, target, 'deployment_'))?.[1];

test('a backport on a release branch is promoted and locked with its own commit while main is ahead', async () => {
  const shop = await shopAtTwo([DEV, STAGING]);
  expect(requestsIn(shop.outside)).toEqual([]);

  const commit = await release(shop, capsuleFiles('1.4.3'));

  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): web 1.0.0 → 1.4.3', 'open promote(staging): web 1.0.0 → 1.4.3']);
  expect(versionIn(shop.outside, 'dev/one')).toBe('1.4.3');
  const main = await shop.engine.world.repository.resolve('main');
  const at = await shop.engine.world.reading.at(main ?? commit);
  const { state } = await shop.engine.world.reading.declarations(at);
  expect(state.environments[0]?.lock?.value.capsules['web']).toMatchObject({ version: '1.4.3', commit });

  const before = [...shop.outside.remote.refs];
  await shop.engine.tick();
  await shop.engine.wake({ kind: 'look' });
  expect([...shop.outside.remote.refs]).toEqual(before);
});

test('a second release of the branch follows the first, also for an engine that remembers nothing', async () => {
  const shop = await shopAtTwo();
  await release(shop, capsuleFiles('1.4.3'));
  await peopleOf(shop.outside).push(capsuleFiles('1.4.4'), { branch: BRANCH, message: 'backport' });
  await startEngine(portsOf(shop.outside)).start();

  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): web 1.0.0 → 1.4.3', 'merged promote(dev): web 1.4.3 → 1.4.4']);
});

test('a release branch that was merged into main again keeps its releases', async () => {
  const shop = await shopAtTwo();
  const commit = await release(shop, capsuleFiles('1.4.3'));
  const { repository } = peopleOf(shop.outside);
  const ref = branchRef('main');
  const tip = (await repository.refs()).get(ref);
  if (tip === undefined) throw new Error('there is a main');
  const ada = signerOf('ada');
  const next = await repository.writeCommit(
    {
      base: (await repository.commit(tip)).tree,
      changes: [],
      parents: [tip, commit],
      author: { name: 'ada', email: ada.email, at: shop.outside.now, zone: '+0000' },
      message: 'Merge the release branch\n',
    },
    (payload) => ada.sign(payload),
  );
  await repository.push([{ ref, expected: tip, next }]);
  const engine = startEngine(portsOf(shop.outside));
  await engine.start();

  expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
  expect([...((await engine.world.history.upTo(next)).index.releases.get('web' as never)?.keys() ?? [])].sort()).toEqual([
    '1.0.0',
    '1.4.3',
    '2.0.0',
  ]);
});

test('without a pattern, or on a branch that no pattern names, nothing is released', async () => {
  const unnamed = await shopAtTwo([DEV], PROJECT_FILE);
  await release(unnamed, capsuleFiles('1.4.3'));
  expect(requestsIn(unnamed.outside)).toEqual([]);

  const named = await shopAtTwo();
  await release(named, capsuleFiles('1.4.3'), { branch: 'feature/x' });
  await release(named, capsuleFiles('1.4.4'), { branch: 'release/1/x' });
  expect(requestsIn(named.outside)).toEqual([]);
});

test('a branch with a history of its own releases nothing: its first commit is nobody to trust', async () => {
  const shop = await shopAtTwo();
  const theirs = RELEASES.replaceAll(signerOf('ada').publicKey, signerOf('eve').publicKey);
  await release(shop, { ...capsuleFiles('1.4.3'), [PROJECT]: theirs }, { by: 'eve', from: 'nothing' });

  expect(requestsIn(shop.outside)).toEqual([]);
  expect(await heldIn(shop, 'dev')).toEqual([]);
});

test('a release that nobody signed, or somebody who left since, does not come in; what came in before goes on', async () => {
  const both = RELEASES.replace(
    '    - name: engine\n',
    `    - name: bob\n      user: bob\n      sshKey: ${signerOf('bob').publicKey}\n      for:\n        - capsule\n    - name: engine\n`,
  );
  const shop = await shopAtTwo([DEV], both);
  await release(shop, capsuleFiles('1.4.3'), { by: 'bob' });
  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): web 1.0.0 → 1.4.3']);

  await shop.push({ [PROJECT]: RELEASES }, 'bob leaves');
  await release(shop, capsuleFiles('1.4.4'), { by: 'bob' });
  await release(shop, capsuleFiles('1.4.5'), { by: 'nobody' });

  expect(requestsIn(shop.outside)).toHaveLength(1);
  expect(await heldIn(shop, 'dev')).toEqual([expect.stringMatching(/^web 1\.4\.5: 1\.4\.5 is unsigned/)]);
  const fresh = startEngine(portsOf(shop.outside));
  await fresh.start();
  expect(fresh.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
  expect(versionIn(shop.outside, 'dev/one')).toBe('1.4.3');
});

test('what came in while its key was good goes on after the key has ended, also for an engine that remembers nothing', async () => {
  const until = RELEASES.replace(
    '    - name: engine\n',
    `    - name: bob\n      user: bob\n      sshKey: ${signerOf('bob').publicKey}\n      validUntil: "2026-02-01"\n      for:\n        - capsule\n    - name: engine\n`,
  );
  const shop = await shopAtTwo([DEV], until);
  await release(shop, capsuleFiles('1.4.3'), { by: 'bob' });
  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): web 1.0.0 → 1.4.3']);

  shop.outside.now = (shop.outside.now + 60 * 86_400_000) as Outside['now'];
  await peopleOf(shop.outside).push(capsuleFiles('1.4.4'), { branch: BRANCH, by: 'bob' });
  const fresh = startEngine(portsOf(shop.outside));
  await fresh.start();

  expect(fresh.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
  expect(requestsIn(shop.outside)).toHaveLength(1);
  expect(await heldIn({ ...shop, engine: fresh }, 'dev')).toEqual([expect.stringMatching(/^web 1\.4\.4: 1\.4\.4 is refused/)]);
});

test('V-09: of one version on two branches the default branch has the release, and the other commit is told', async () => {
  const shop = await shopAtTwo();
  const commit = await release(shop, {
    'capsules/web/capsule.yaml': `${capsuleFiles('2.0.0')['capsules/web/capsule.yaml'] ?? ''}  system: other\n`,
  });
  const view = await shop.engine.world.history.upTo((await shop.engine.world.repository.resolve('main')) ?? commit);

  expect(view.index.releases.get('web' as never)?.get('2.0.0')?.commit).not.toBe(commit);
  expect(view.index.conflicts.map((one) => [one.release.version, one.commit])).toEqual([['2.0.0', commit]]);
  expect([...shop.outside.forge.statuses.values()].map(({ check }) => `${check.name} ${check.state}`)).toContain('capstan/release failure');
});

test('V-08: versions rise along each branch by itself', async () => {
  const shop = await shopAtTwo();
  await release(shop, capsuleFiles('1.4.3'));
  const lower = await release(shop, capsuleFiles('1.4.2'));
  const world = startEngine(portsOf(shop.outside)).world;
  await world.repository.fetch();
  const rules = async (commit: typeof lower): Promise<readonly string[]> =>
    (await validateSnapshot(world, await world.reading.at(commit))).problems.flatMap((problem) => problem.rule ?? []);

  expect(await rules(lower)).toContain('V-08');
  const [above] = (await world.repository.commit(lower)).parents;
  expect(above === undefined ? undefined : await rules(above)).not.toContain('V-08');
});

test('row 80: where risk is high an unprotected release branch lets nothing run or move, a protected one does', async () => {
  const shop = await shopAtTwo([{ ...DEV, risk: 'high' }]);
  await release(shop, capsuleFiles('1.4.3'));
  await shop.engine.drift();

  expect(shop.engine.endings.get('reconcile/dev')).toMatchObject({ kind: 'stuck', problems: [{ code: 'protection-missing' }] });
  expect(requestsIn(shop.outside)).toEqual([]);

  shop.outside.forge.protections.set(BRANCH, { protected: true, requiredChecks: [], requiredApprovals: 0 });
  const fresh = startEngine(portsOf(shop.outside));
  await fresh.start();
  expect(fresh.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
  expect(requestsIn(shop.outside)).toEqual(['merged promote(dev): web 1.0.0 → 1.4.3']);
});

test('a lock is written from a release branch, too', async () => {
  const shop = await shopAtTwo();
  await peopleOf(shop.outside).push(capsuleFiles('1.4.3'), { branch: BRANCH, from: shop.fork });
  await peopleOf(shop.outside).push(
    { 'environments/qa/environment.yaml': environmentFile({ ...DEV, name: 'qa', targets: ['q'] }) },
    { message: 'qa' },
  );

  const locks = await freshLocks(shop.outside);
  expect(locks['environments/qa/environment.lock.yaml']).toContain('version: 1.4.3');
});

describe('near misses', () => {
  test('V-49: a lock that names a commit of a release branch', async () => {
    const shop = await shopAtTwo();
    await release(shop, capsuleFiles('1.4.3'));
    const { world } = shop.engine;
    const main = await world.repository.resolve('main');
    if (main === undefined) throw new Error('there is a main');
    const { problems } = await validateSnapshot(world, await world.reading.at(main));

    expect(problems.map((problem) => `${problem.rule} ${problem.message}`)).toEqual([]);
  });
});

describe('the names of release branches', () => {
  const tip = toCommitId('a'.repeat(40));
  const other = toCommitId('b'.repeat(40));
  const named = (names: readonly (readonly [string, typeof tip])[], patterns: readonly string[]): readonly string[] => {
    const refs = new Map(names.map(([name, at]) => [name as RefName, at]));
    return [...releaseBranches(refs, patterns, 'main')].map(([name, at]) => `${name} ${at === tip ? 'tip' : 'other'}`);
  };

  test.each<[string, readonly (readonly [string, typeof tip])[], readonly string[], readonly string[]]>([
    [
      'are sorted',
      [
        ['refs/heads/release/2', tip],
        ['refs/heads/release/1', tip],
      ],
      ['release/*'],
      ['release/1 tip', 'release/2 tip'],
    ],
    [
      'are whole names',
      [
        ['refs/heads/x/release/2', tip],
        ['refs/heads/release/2/x', tip],
      ],
      ['release/*'],
      [],
    ],
    ['are of the remote where they are not here', [['refs/remotes/origin/release/2', tip]], ['release/*'], ['release/2 tip']],
    [
      'are those here first',
      [
        ['refs/remotes/origin/r', other],
        ['refs/heads/r', tip],
      ],
      ['r'],
      ['r tip'],
    ],
    [
      'are never those of the engine or main',
      [
        ['refs/heads/main', tip],
        ['refs/heads/audit', tip],
        ['refs/heads/rendered/dev', tip],
      ],
      ['*', '*/*'],
      [],
    ],
    [
      'have no other signs than the star',
      [
        ['refs/heads/v1x2', tip],
        ['refs/heads/v1.2', tip],
      ],
      ['v1.2'],
      ['v1.2 tip'],
    ],
  ])('%s', (_, names, patterns, expected) => {
    expect(named(names, patterns)).toEqual(expected);
  });
});
