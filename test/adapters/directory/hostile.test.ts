import { mkdir, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { directoryTargets } from '#adapters/directory/directory.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import { nextInventory } from '#plan/plan.ts';
import { openDirectoryBench, putFile, scratchFolder, textOf } from '#test/contracts/directory-bench.ts';
import { bring, planFor } from '#test/contracts/target.contract.ts';
import { renderedObject, targetRendering } from '#test/plan/build-target.ts';

const a = renderedObject('a');
const rendering = targetRendering([a]);
const environment = toEnvironmentName('dev');
const target = toTargetName('local');

describe('where a target may lie', () => {
  test.each(['/etc', '../out', 'out/../../etc', 'out/..', '.', '', 'a\0b', 'out\\dev', 'out/.capstan', '.capstan/health'])(
    'refuses the path %j',
    async (path) => {
      const targets = directoryTargets({ root: await scratchFolder() });

      await expect(targets.open(environment, target, { driver: 'directory', path })).rejects.toMatchObject({ kind: 'denied' });
    },
  );

  test('refuses another driver and a missing path', async () => {
    const targets = directoryTargets({ root: await scratchFolder() });

    await expect(targets.open(environment, target, { driver: 'kubernetes' })).rejects.toMatchObject({ kind: 'unsupported' });
    await expect(targets.open(environment, target, { driver: 'directory' })).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('makes the root and the folders to the target on the first apply, not on a look', async () => {
    const root = join(await scratchFolder(), 'not/yet');
    const opened = await directoryTargets({ root }).open(environment, target, { driver: 'directory', path: 'out/dev' });

    expect((await opened.observe(rendering.objects)).complete).toBe(true);
    await expect(readdir(root)).rejects.toMatchObject({ code: 'ENOENT' });
    await bring(opened, rendering);

    expect(await textOf(join(root, 'out/dev', a.path))).toBe(a.text);
  });
});

describe('links are not followed', () => {
  test('one on the way to the target stops everything', async () => {
    const { root, base, target: opened } = await openDirectoryBench();
    const outside = await scratchFolder();
    await mkdir(dirname(base), { recursive: true });
    await symlink(outside, base);

    await expect(opened.observe(rendering.objects)).rejects.toMatchObject({ kind: 'denied' });
    await expect(opened.apply({ ...(await emptyPlan()) }, { ...nextInventory(await emptyPlan()) })).rejects.toMatchObject({
      kind: 'denied',
    });
    expect(await readdir(outside)).toEqual([]);
    expect(await readdir(join(root, 'out'))).toEqual(['dev']);
  });

  test('one in place of an instance folder is a foreign object', async () => {
    const { base, target: opened } = await openDirectoryBench();
    const outside = await scratchFolder();
    await mkdir(base, { recursive: true });
    await symlink(outside, join(base, 'web'));

    const plan = await planFor(opened, rendering);

    expect(plan.problems.map((problem) => problem.code)).toEqual(['foreign-object']);
    expect((await opened.apply({ ...plan, steps: (await freshPlan()).steps }, nextInventory(plan))).map((each) => each.result)).toEqual([
      'failed',
    ]);
    expect(await readdir(outside)).toEqual([]);
  });

  test('one in place of our own file is drift: it is replaced, and what it names is left alone', async () => {
    const { base, target: opened, read } = await openDirectoryBench();
    await bring(opened, rendering);
    const outside = join(await scratchFolder(), 'precious');
    await writeFile(outside, a.text);
    await rm(join(base, a.path));
    await symlink(outside, join(base, a.path));

    const plan = await planFor(opened, rendering);
    const outcomes = await opened.apply(plan, nextInventory(plan));

    expect(plan.drifted).toEqual([a.key]);
    expect(outcomes.map((each) => each.result)).toEqual(['done']);
    expect(await read(a.path)).toBe(a.text);
    expect(await textOf(outside)).toBe(a.text);
  });

  test('a linked inventory is refused', async () => {
    const { base, target: opened } = await openDirectoryBench();
    const outside = join(await scratchFolder(), 'inventory.json');
    await putFile(outside, '{}');
    await mkdir(join(base, '.capstan'), { recursive: true });
    await symlink(outside, join(base, '.capstan/inventory.json'));

    await expect(opened.observe([])).rejects.toMatchObject({ kind: 'invalid' });
  });
});

describe('what stands in the way', () => {
  test('a huge foreign file is not read', async () => {
    const { base, target: opened, filesRead } = await openDirectoryBench();
    await putFile(join(base, a.path), '');
    await truncate(join(base, a.path), 1024 ** 4);

    const plan = await planFor(opened, rendering);

    expect(plan.problems.map((problem) => problem.code)).toEqual(['foreign-object']);
    expect(filesRead()).toBe(0);
  });

  test('a folder where a file belongs fails that one step and keeps removals back', async () => {
    const { base, target: opened, read } = await openDirectoryBench();
    const b = renderedObject('b');
    await bring(opened, targetRendering([a, b]));
    await rm(join(base, a.path));
    await mkdir(join(base, a.path));
    const next = targetRendering([renderedObject('a', { content: 'two' }), renderedObject('c')]);

    const plan = await planFor(opened, next);
    const outcomes = await opened.apply(plan, nextInventory(plan));

    expect(outcomes.map((each) => [each.action, each.result, each.problem?.code])).toEqual([
      ['update', 'failed', 'target-write-failed'],
      ['create', 'done', undefined],
      ['prune', 'refused', 'prune-skipped'],
    ]);
    await rm(join(base, a.path), { recursive: true });
    await bring(opened, next);
    expect([await read(a.path), await read(b.path)]).toEqual([next.objects[0]?.text, undefined]);
  });
});

describe('an inventory that cannot be used stops everything', () => {
  const row = { key: { group: '', kind: 'ConfigMap', namespace: 'acme', name: 'a' }, path: a.path, sha256: a.sha256 };
  const whole = { formatVersion: 1, environment: 'dev', target: 'local', rendering: rendering.digest, objects: [row] };

  test.each([
    ['is not JSON', '{"formatVersion":1,'],
    ['is a list', '[]'],
    ['is of a later version', JSON.stringify({ ...whole, formatVersion: 2 })],
    ['has a path that leaves', JSON.stringify({ ...whole, objects: [{ ...row, path: '../../etc/passwd' }] })],
    ['has a path into our own folder', JSON.stringify({ ...whole, objects: [{ ...row, path: '.capstan/lock' }] })],
    ['has a digest that is none', JSON.stringify({ ...whole, objects: [{ ...row, sha256: 'A'.repeat(64) }] })],
    ['has a forbidden key', JSON.stringify(whole).replace('"formatVersion"', '"__proto__":{},"formatVersion"')],
    ['names no environment', JSON.stringify({ ...whole, environment: '../prod' })],
  ])('because it %s', async (_, text) => {
    const { base, target: opened } = await openDirectoryBench();
    await putFile(join(base, '.capstan/inventory.json'), text);

    await expect(opened.observe([])).rejects.toMatchObject({ name: 'PortError', kind: 'invalid' });
  });

  test('while a whole one is understood', async () => {
    const { base, target: opened } = await openDirectoryBench();
    await putFile(join(base, '.capstan/inventory.json'), JSON.stringify(whole));

    expect((await opened.observe([])).inventory?.objects).toEqual([{ ...row, pending: false }]);
  });
});

describe('a report that cannot be used keeps its object from being healthy', () => {
  test.each([
    ['it is not JSON', '{"state":"heal'],
    ['it is larger than 65536 bytes', ' '.repeat(70_000)],
    ['its state is none of healthy, progressing, degraded', JSON.stringify({ state: 'fine', sha256: a.sha256 })],
    ['its sha256 is not a digest', JSON.stringify({ state: 'healthy' })],
    ['its reason is not text', JSON.stringify({ state: 'healthy', reason: {}, sha256: a.sha256 })],
    ['it has a key that is never allowed', `{"__proto__":{"state":"healthy"},"sha256":"${a.sha256}"}`],
  ])('because %s', async (why, text) => {
    const { base, target: opened } = await openDirectoryBench();
    await bring(opened, rendering);
    await putFile(join(base, '.capstan/health', `${a.path}.json`), text);

    expect((await opened.observe(rendering.objects)).reports).toEqual([
      { path: a.path, state: 'progressing', reason: `its health report cannot be used: ${why}`, sha256: a.sha256 },
    ]);
  });
});

describe('a plan that was tampered with', () => {
  test.each(['../a.yaml', 'web/../../a.yaml', '/etc/a.yaml', '.capstan/lock', 'web/.hidden', 'a.yaml', 'web/b/c.yaml'])(
    'with the path %s is refused',
    async (path) => {
      const { target: opened } = await openDirectoryBench();
      const plan = await planFor(opened, rendering);
      const steps = plan.steps.map((step) => ({ ...step, path }));

      await expect(opened.apply({ ...plan, steps }, nextInventory({ ...plan, steps }))).rejects.toMatchObject({ kind: 'invalid' });
    },
  );

  test('with other text than its digest names is refused', async () => {
    const { target: opened } = await openDirectoryBench();
    const plan = await planFor(opened, rendering);
    const steps = plan.steps.map((step) => ('text' in step ? { ...step, text: 'other' } : step));

    await expect(opened.apply({ ...plan, steps }, nextInventory(plan))).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('with a removal of what the inventory does not name deletes nothing', async () => {
    const { base, target: opened, read } = await openDirectoryBench();
    await putFile(join(base, a.path), a.text);
    const plan = await planFor(opened, targetRendering([]));

    const outcomes = await opened.apply(
      { ...plan, steps: [{ action: 'prune', key: a.key, path: a.path, basis: a.sha256, reason: 'forged' }] },
      nextInventory(plan),
    );

    expect(outcomes.map((each) => each.result)).toEqual(['refused']);
    expect(await read(a.path)).toBe(a.text);
  });
});

test('folders that become empty go, those with files of others stay', async () => {
  const { base, target: opened } = await openDirectoryBench();
  const b = renderedObject('b', { instance: 'api' });
  await bring(opened, targetRendering([a, b], { web: 0, api: 0 }));
  await putFile(join(base, 'api/notes.txt'), 'mine');

  await bring(opened, targetRendering([]));

  expect((await readdir(base)).toSorted()).toEqual(['.capstan', 'api']);
  expect(await readdir(join(base, '.capstan/staging'))).toEqual([]);
});

async function freshPlan() {
  const { target: empty } = await openDirectoryBench();
  return planFor(empty, rendering);
}

async function emptyPlan() {
  const { target: empty } = await openDirectoryBench();
  return planFor(empty, targetRendering([]));
}
