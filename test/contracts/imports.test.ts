import { existsSync, readdirSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { gitRepository } from '#adapters/git/git.ts';
import { validateSnapshot } from '#loops/check.ts';
import { createWorld } from '#loops/create-world.ts';
import { fetchImports, fetchProposedImports } from '#loops/imports.ts';
import { planLock } from '#loops/lock.ts';
import type { World } from '#loops/world.ts';
import { toCommitId, type CommitId } from '#model/digest.ts';
import { importRef, type ImportPin } from '#model/imports.ts';
import type { Repository } from '#ports/repository.ts';
import { LIMITS, stockGit, type StockGit } from '#test/contracts/stock-git.ts';
import { portsOf } from '#test/stories/engine.ts';
import { newOutside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, environmentFile } from '#test/stories/shop.ts';

const REDIS = `${capsuleFiles('7.2.5', 'redis')['capsules/redis/capsule.yaml'] ?? ''}  provides:
    redis:
      protocol: redis
      port: http
      outputs:
        url: redis://{{name}}.{{namespace}}.svc:8080
`;
const PROJECT = 'apiVersion: capstan.dev/v1alpha1\nkind: Project\nmetadata:\n  name: shop\nspec:\n  branches:\n    default: main\n';

let git: StockGit;
const open: Repository[] = [];

beforeEach(() => {
  git = stockGit();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map(async (repository) => await repository.close()));
  git.remove();
});

function importing(url: string, commit: string, path = 'platform/redis', name = 'redis'): string {
  const web = capsuleFiles('1.0.0')['capsules/web/capsule.yaml'] ?? '';
  return `${web}      env:
        CACHE_URL:
          dependency: cache
          output: url
  imports:
    ${name}:
      url: ${url}
      commit: ${commit}
      path: ${path}
  dependencies:
    cache:
      capsule: ${name}
      version: ^7.0.0
`;
}

interface Shop {
  readonly world: World;
  readonly repository: Repository;
  readonly head: CommitId;
  readonly path: string;
}

/** A repository whose web imports redis of another one, opened by an engine that remembers nothing. */
async function shopOn(path: string, head: CommitId, paths: readonly string[]): Promise<Shop> {
  const repository = await gitRepository({ path, limits: LIMITS, importPaths: paths });
  open.push(repository);
  return { world: createWorld({ ...portsOf(newOutside()), repository }), repository, head, path };
}

function declared(web: string): { readonly path: string; readonly head: CommitId } {
  return git.bare('shop.git', {
    'environments/project.yaml': PROJECT,
    'environments/dev/environment.yaml': environmentFile(DEV),
    'capsules/web/capsule.yaml': web,
  });
}

async function lockOf({ world, head }: Shop): Promise<string> {
  const declarations = await world.reading.declarations(await world.reading.at(head));
  const [dev] = declarations.state.environments;
  if (dev === undefined) throw new Error('there is a dev');
  const planned = await planLock(world, declarations, dev);
  return planned.ok
    ? planned.value.after
    : planned.problems.map((problem) => `${problem.code}: ${problem.message}. ${problem.remedy}`).join('\n');
}

describe('a capsule of another repository', () => {
  test('is told when it is not here, fetched once, locked with its own commit, and works offline from then on', async () => {
    const platform = git.bare('platform.git', { 'platform/redis/capsule.yaml': REDIS, 'platform/other.txt': 'x', 'README.md': 'y' });
    const { path, head } = declared(importing(platform.path, platform.head));
    const shop = await shopOn(path, head, [platform.path]);

    expect(await lockOf(shop)).toBe(
      `import-missing: web imports redis from ${platform.path} at ${platform.head.slice(0, 12)}, which this clone does not have. ` +
        'Run capstan lock dev where that repository can be reached: it keeps what it fetches in this clone.',
    );
    expect(await fetchImports(shop.world, head)).toEqual([]);
    const calls = shop.repository.counts().remoteCalls;
    const lock = await lockOf(shop);
    expect(lock).toContain(`  redis:\n    capsule: redis\n    version: 7.2.5\n    commit: ${platform.head}\n`);
    const tree = git.git(platform.path, ['rev-parse', `${platform.head}:platform/redis`]).trim();
    expect(lock).toContain(`    gitTree: ${tree}\n`);
    expect(await fetchImports(shop.world, head)).toEqual([]);
    expect(shop.repository.counts().remoteCalls).toBe(calls);

    const locked = git.commit(path, 'main', {
      'environments/project.yaml': PROJECT,
      'environments/dev/environment.yaml': environmentFile(DEV),
      'environments/dev/environment.lock.yaml': lock,
      'capsules/web/capsule.yaml': importing(platform.path, platform.head),
    });
    git.git(path, ['gc', '--prune=now', '--quiet']);
    git.git(path, ['fsck', '--strict']);
    const offline = await shopOn(path, locked, []);
    const { problems } = await validateSnapshot(offline.world, await offline.world.reading.at(locked));
    expect(problems.map((problem) => `${problem.code} ${problem.message}`)).toEqual([]);
    const bystanders = git.git(path, ['cat-file', '--batch-all-objects', '--batch-check']);
    expect(bystanders).not.toContain(git.git(platform.path, ['rev-parse', `${platform.head}:README.md`]).trim());
  });

  test('validates with one clear problem in a clone that never fetched it', async () => {
    const { path, head } = declared(importing('https://git.example.invalid/platform.git', 'a'.repeat(40)));
    const shop = await shopOn(path, head, []);
    const { problems } = await validateSnapshot(shop.world, await shop.world.reading.at(head));

    expect(
      problems.filter((problem) => problem.code !== 'lock-incomplete').map(({ code, rule, place }) => [code, rule, place.file, place.line]),
    ).toEqual([['import-missing', 'V-17', 'capsules/web/capsule.yaml', 41]]);
    expect(shop.repository.counts().remoteCalls).toBe(0);
  });

  test.each<[string, (platform: string) => readonly [string, string, string], RegExp]>([
    ['another name', () => ['redis', 'valkey', ''], /import-refused: .* must be named like metadata.name "valkey"/],
    ['no capsule.yaml', () => ['redis', '', ''], /import-refused: web imports redis/],
  ])('is refused where the directory has %s', async (_, how, expected) => {
    const [, name] = how('');
    const files =
      name === '' ? { 'platform/redis/readme.md': 'x' } : { 'platform/redis/capsule.yaml': REDIS.replace('name: redis', `name: ${name}`) };
    const platform = git.bare('platform.git', files);
    const { path, head } = declared(importing(platform.path, platform.head));
    const shop = await shopOn(path, head, [platform.path]);

    expect(await fetchImports(shop.world, head)).toEqual([]);
    expect(await lockOf(shop)).toMatch(expected);
  });

  test('is refused where what a clone keeps is not what was pinned', async () => {
    const platform = git.bare('platform.git', { 'platform/redis/capsule.yaml': REDIS });
    const other = git.commit(platform.path, 'main', { 'platform/redis/capsule.yaml': REDIS.replace('8080', '8081') });
    const { path, head } = declared(importing(platform.path, platform.head));
    const shop = await shopOn(path, head, [platform.path]);
    const pin = (commit: CommitId): ImportPin => ({ name: 'redis', url: platform.path, commit, path: 'platform/redis' });
    await shop.repository.fetchImport(pin(other));
    git.git(path, ['update-ref', importRef(pin(platform.head)), git.git(path, ['rev-parse', importRef(pin(other))]).trim()]);

    expect(await lockOf(await shopOn(path, head, []))).toMatch(/import-refused: .*what was fetched is not commit/);
  });
});

test('row 81: a proposal is fetched only from where the default branch imports, or the configuration allows', async () => {
  const platform = git.bare('platform.git', { 'platform/redis/capsule.yaml': REDIS });
  const { path, head: main } = declared(capsuleFiles('1.0.0')['capsules/web/capsule.yaml'] ?? '');
  const head = git.commit(path, 'feature', {
    'environments/project.yaml': PROJECT,
    'environments/dev/environment.yaml': environmentFile(DEV),
    'capsules/web/capsule.yaml': importing(platform.path, platform.head).replace('1.0.0', '1.1.0'),
  });
  const { world, repository } = await shopOn(path, head, [platform.path]);
  const ref = importRef({ commit: platform.head, path: 'platform/redis' });

  expect(await fetchProposedImports(world, { head, main })).toEqual([]);
  expect((await repository.refs()).has(ref)).toBe(false);
  const allowed = { ...world, settings: { ...world.settings, importsFrom: [platform.path] } };
  expect(await fetchProposedImports(allowed, { head, main })).toEqual([]);
  expect((await repository.refs()).has(ref)).toBe(true);
});

describe('what is fetched for an import', () => {
  async function fetched(
    pin: Partial<ImportPin>,
    files: Readonly<Record<string, string>> = { 'a/b/capsule.yaml': REDIS },
    paths?: readonly string[],
  ) {
    const platform = git.bare('platform.git', files);
    const { path } = git.bare('shop.git', { x: '1' });
    const { repository } = await shopOn(path, toCommitId('0'.repeat(40)), paths ?? [platform.path]);
    const before = readdirSync(git.folder).sort();
    const answer = await repository
      .fetchImport({ name: 'redis', url: platform.path, commit: platform.head, path: 'a/b', ...pin })
      .then(() => 'fetched')
      .catch((error: unknown) => (error instanceof Error ? `${'kind' in error ? String(error.kind) : ''}: ${error.message}` : ''));
    expect(readdirSync(git.folder).sort()).toEqual(before);
    expect(existsSync(`${path}/shallow`)).toBe(false);
    return answer;
  }

  test.each<[string, Partial<ImportPin>, RegExp]>([
    ['http', { url: 'http://git.example.invalid/a.git' }, /^invalid: the import redis must come by https/],
    ['a helper program', { url: 'ext::sh -c touch% /tmp/x' }, /^invalid: the import redis must come by https/],
    ['ssh', { url: 'git@git.example.invalid:a.git' }, /^invalid: the import redis must come by https/],
    ['an option', { url: '--upload-pack=touch /tmp/x' }, /^invalid: the import redis must come by https/],
    ['an address of this machine', { url: 'https://127.0.0.1/a.git' }, /^invalid: the import redis leads to an address of this machine/],
    ['its number', { url: 'https://2130706433/a.git' }, /^invalid: the import redis leads to/],
    ['the metadata of a cloud', { url: 'https://169.254.169.254/latest' }, /^invalid: the import redis leads to/],
    ['a name of this machine', { url: 'https://localhost:8443/a.git' }, /^invalid: the import redis leads to/],
    ['a password', { url: 'https://a:secret@git.example.invalid/a.git' }, /^invalid: (?!.*secret)/],
    ['a folder that nobody listed', { url: '/etc' }, /^invalid: the import redis must come by https/],
    ['a way out of the repository', { path: '../x' }, /^invalid: the import redis names no directory/],
    ['the whole repository', { path: '.' }, /^invalid: the import redis names no directory/],
    ['a directory that is not there', { path: 'a/c' }, /^missing: commit [0-9a-f]{40} has no directory a\/c/],
    ['a file', { path: 'a/b/capsule.yaml' }, /^missing: commit [0-9a-f]{40} has no directory a\/b\/capsule.yaml/],
    ['a commit that is not there', { commit: toCommitId('a'.repeat(40)) }, /^(transient|missing|denied|invalid): /],
  ])('row 104: is never by %s', async (_, pin, expected) => {
    expect(await fetched(pin)).toMatch(expected);
  });

  test('is bounded in size', async () => {
    const long = 'x'.repeat(LIMITS.blobBytes + 1);
    expect(await fetched({}, { 'a/b/capsule.yaml': REDIS, 'a/b/long': long })).toMatch(/^invalid: object [0-9a-f]{40} is longer than/);
    git.remove();
    git = stockGit();
    const many = Object.fromEntries(Array.from({ length: 12_000 }, (_, at) => [`a/b/${at % 100}/${at}`, String(at)]));
    expect(await fetched({}, many)).toMatch(/^invalid: the import redis has more than 10000 files/);
  });
});
