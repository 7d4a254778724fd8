import { afterAll, beforeAll, expect, test } from 'vitest';

import { changeOneCapsule, generateRepository, type GeneratedRepository } from '#bench/generate.ts';
import { pinsOfLock } from '#resolve/resolve.ts';
import { type StockGit, stockGit } from '#test/contracts/stock-git.ts';
import { problemsOf, readFiles, shown } from '#test/desired/declarations.ts';

let git: StockGit;
let repository: GeneratedRepository;

beforeAll(async () => {
  git = stockGit();
  repository = await generateRepository({ units: 12, path: git.path('twelve'), seed: 'a' });
});
afterAll(() => git.remove());

function filesAt(path: string, revision: string): Record<string, Uint8Array> {
  const names = git.git(path, ['ls-tree', '-r', '--name-only', revision]).trim().split('\n');
  return Object.fromEntries(names.map((name) => [name, Buffer.from(git.git(path, ['cat-file', 'blob', `${revision}:${name}`]))]));
}

test('twelve units are four environments, four targets and three capsules, and valid', () => {
  const files = filesAt(repository.path, 'main');
  expect(shown(problemsOf(files))).toEqual([]);
  const { state } = readFiles(files);
  const units = state.environments.flatMap(({ targets }) => targets.flatMap(() => state.capsules.map((capsule) => capsule.name)));
  expect(units).toHaveLength(12);
  expect(state.environments.map((one) => one.name)).toEqual(['dev', 'prod', 'prod2', 'staging']);
  expect(Object.keys(files)).toHaveLength(repository.files);
});

test('each lock names the commit, the tree and the digest that git has', () => {
  const { state } = readFiles(filesAt(repository.path, 'main'));
  for (const environment of state.environments) {
    const pins = environment.lock === undefined ? [] : pinsOfLock(environment.lock.value);
    expect(pins.map((pin) => [pin.capsule, pin.version, pin.commit, pin.sha256])).toEqual(
      state.capsules.map((capsule) => [capsule.name, '1.0.0', repository.release, capsule.sha256]),
    );
    for (const pin of pins) {
      expect(git.git(repository.path, ['rev-parse', `${pin.commit}:capsules/${pin.capsule}`]).trim()).toBe(pin.gitTree);
    }
  }
});

test('the same options give the same commits, another seed gives others', async () => {
  const again = await generateRepository({ units: 12, path: git.path('again'), seed: 'a' });
  const other = await generateRepository({ units: 12, path: git.path('other'), seed: 'b' });
  expect([again.release, again.tip]).toEqual([repository.release, repository.tip]);
  expect(other.release).not.toBe(repository.release);
});

test('a repository can be filled up with files that declare nothing', async () => {
  const filled = await generateRepository({ units: 12, path: git.path('filled'), files: 200 });
  const files = filesAt(filled.path, 'main');
  expect(Object.keys(files)).toHaveLength(200);
  expect(shown(problemsOf(files))).toEqual([]);
});

test('a change is one new version and four lines of one lock, and the repository stays valid', async () => {
  const { path } = await generateRepository({ units: 12, path: git.path('changed'), seed: 'a' });
  await changeOneCapsule(path, 1, { seed: 'a' });
  const change = await changeOneCapsule(path, 2, { seed: 'a' });

  expect(change).toMatchObject({ capsule: 'app-00001', from: '1.0.0', version: '1.0.1', environment: 'prod' });
  expect(
    git
      .git(path, ['rev-list', '--first-parent', `${change.before}..main`])
      .trim()
      .split('\n'),
  ).toEqual([change.tip, change.release]);
  expect(git.git(path, ['diff', '--numstat', change.release, change.tip]).trim()).toBe('4\t4\tenvironments/prod/environment.lock.yaml');
  expect(git.git(path, ['diff', '--name-only', change.before, change.release]).trim()).toBe('capsules/app-00001/capsule.yaml');
  const files = filesAt(path, 'main');
  expect(shown(problemsOf(files))).toEqual([]);
  const { state } = readFiles(files);
  const moved = state.capsules.find((capsule) => capsule.name === change.capsule);
  const lock = state.environments.find((one) => one.name === 'prod')?.lock;
  expect(lock && pinsOfLock(lock.value).find((pin) => pin.capsule === change.capsule)).toMatchObject({
    version: '1.0.1',
    commit: change.release,
    gitTree: git.git(path, ['rev-parse', `${change.release}:capsules/${change.capsule}`]).trim(),
    sha256: moved?.sha256,
  });
});

test('a number of units that no shape has is refused', async () => {
  await expect(generateRepository({ units: 7, path: git.path('seven') })).rejects.toThrow('7 units: a multiple of 10 or of 4 is needed');
});
