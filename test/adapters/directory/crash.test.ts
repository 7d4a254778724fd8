import { lstat, readdir, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { directoryTargets } from '#adapters/directory/directory.ts';
import { machineDisk } from '#adapters/directory/disk.ts';
import type { Disk } from '#adapters/directory/disk.ts';
import { thisProcess } from '#adapters/directory/lock-file.ts';
import type { LockOwner } from '#adapters/directory/lock-file.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import { openDirectoryBench, putFile } from '#test/contracts/directory-bench.ts';
import type { DirectoryBench } from '#test/contracts/directory-bench.ts';
import { bring, planFor } from '#test/contracts/target.contract.ts';
import { inventoryOf, renderedObject, rowsOf, targetRendering } from '#test/plan/build-target.ts';

/** A disk on which the process dies at its `last`th change: that one and everything after it never happens. */
function mortalDisk(last: number): { readonly disk: Disk; readonly calls: () => number } {
  let calls = 0;
  function count(): void {
    calls += 1;
    if (calls >= last) throw new Error('killed');
  }
  const disk: Disk = {
    async writeNew(path, content) {
      // Dying inside a write leaves half a file behind.
      if (calls + 1 === last) await machineDisk.writeNew(path, content.slice(0, content.length / 2));
      count();
      await machineDisk.writeNew(path, content);
    },
    async rename(from, to) {
      count();
      await machineDisk.rename(from, to);
    },
    async link(from, to) {
      count();
      await machineDisk.link(from, to);
    },
    async remove(path) {
      count();
      await machineDisk.remove(path);
    },
    async makeDirectory(path) {
      count();
      await machineDisk.makeDirectory(path);
    },
    async removeDirectory(path) {
      count();
      await machineDisk.removeDirectory(path);
    },
    async syncDirectory(path) {
      count();
      await machineDisk.syncDirectory(path);
    },
  };
  return { disk, calls: () => calls };
}

/** A process that ran before this machine started. */
async function deadProcess(): Promise<LockOwner> {
  return { host: hostname(), boot: 'before', pid: process.pid, started: '1' };
}

const old = [
  renderedObject('a'),
  renderedObject('gone', { instance: 'old' }),
  renderedObject('moves', { instance: 'old' }),
  renderedObject('same'),
];
const wanted = targetRendering(
  [
    renderedObject('a', { content: 'two' }),
    renderedObject('moves', { instance: 'api' }),
    renderedObject('new', { instance: 'api' }),
    renderedObject('same'),
  ],
  { web: 0, api: 1 },
);

async function filesOf(bench: DirectoryBench): Promise<Readonly<Record<string, string | undefined>>> {
  const files: Record<string, string | undefined> = {};
  for (const folder of (await readdir(bench.base)).toSorted()) {
    if (folder === '.capstan') continue;
    for (const file of (await readdir(join(bench.base, folder))).toSorted())
      files[`${folder}/${file}`] = await bench.read(`${folder}/${file}`);
  }
  return files;
}

async function reopen(bench: DirectoryBench, disk: Disk, owner: () => Promise<LockOwner>) {
  const targets = directoryTargets({ root: bench.root, disk, owner });
  return targets.open(toEnvironmentName('dev'), toTargetName('local'), { driver: 'directory', path: 'out/dev' });
}

async function dieAt(last: number): Promise<boolean> {
  const bench = await openDirectoryBench();
  await bring(bench.target, targetRendering(old));
  await putFile(join(bench.base, 'web/notes.txt'), 'mine');
  const { disk, calls } = mortalDisk(last);
  const dying = await reopen(bench, disk, deadProcess);
  // A step whose disk call dies reports a failure; nothing after it reaches the disk either, so the end is the same as kill -9.
  await bring(dying, wanted).catch((error: unknown) => error);
  const died = calls() >= last;

  const half = await filesOf(bench);
  for (const [path, text] of Object.entries(half)) {
    const whole = [...old, ...wanted.objects].filter((object) => object.path === path).map((object) => object.text);
    expect(path === 'web/notes.txt' ? ['mine'] : whole, `${path} is whole after dying at ${last}`).toContain(text);
  }
  const plan = await planFor(bench.target, wanted);
  expect(plan.problems, `nothing of ours became foreign after dying at ${last}`).toEqual([]);
  expect(plan.drifted, `unfinished work is not drift after dying at ${last}`).toEqual([]);

  await bring(bench.target, wanted);

  expect(await filesOf(bench)).toEqual({
    ...Object.fromEntries(wanted.objects.map((object) => [object.path, object.text])),
    'web/notes.txt': 'mine',
  });
  expect((await bench.target.observe(wanted.objects)).inventory).toEqual(inventoryOf(wanted, rowsOf(wanted.objects)));
  // A run that died while it unlocked has nothing left to do: its lock waits for the next one that writes.
  expect((await readdir(join(bench.base, '.capstan'))).filter((name) => name !== 'lock')).toEqual(['inventory.json', 'staging']);
  expect(await readdir(join(bench.base, '.capstan/staging'))).toEqual([]);
  return died;
}

test('row 94: a process that dies at any change of the disk leaves whole files, and the next one reaches the same end', async () => {
  let last = 1;
  while (await dieAt(last)) last += 1;

  expect(last).toBeGreaterThan(20);
});

describe('the lock', () => {
  const rendering = targetRendering([renderedObject('a')]);

  test('of a living process is a conflict, and stays', async () => {
    const bench = await openDirectoryBench();
    await putFile(join(bench.base, '.capstan/lock'), JSON.stringify(await thisProcess()));

    await expect(bring(bench.target, rendering)).rejects.toMatchObject({ name: 'PortError', kind: 'conflict' });
    expect((await lstat(join(bench.base, '.capstan/lock'))).isFile()).toBe(true);
  });

  test('of another machine is a conflict: it cannot be seen from here', async () => {
    const bench = await openDirectoryBench();
    await putFile(join(bench.base, '.capstan/lock'), JSON.stringify({ ...(await deadProcess()), host: 'elsewhere' }));

    await expect(bring(bench.target, rendering)).rejects.toMatchObject({ kind: 'conflict' });
  });

  test.each([
    ['a process that ended', async () => ({ ...(await thisProcess()), pid: 2 ** 22 + 1 })],
    ['a process whose id was given again', async () => ({ ...(await thisProcess()), started: '1' })],
    ['a process of before the last start of the machine', deadProcess],
    ['nobody: half a file', async () => 'torn'],
  ])('of %s is taken over', async (_, owner) => {
    const bench = await openDirectoryBench();
    const text = await owner();
    await putFile(join(bench.base, '.capstan/lock'), typeof text === 'string' ? '{"pid":' : JSON.stringify(text));

    expect((await bring(bench.target, rendering)).map((each) => each.result)).toEqual(['done']);
    await expect(lstat(join(bench.base, '.capstan/lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('lets one of two runs at once through, or one after the other', async () => {
    const bench = await openDirectoryBench();

    const ends = await Promise.allSettled([bring(bench.target, rendering), bring(bench.target, rendering)]);

    expect(ends.some((end) => end.status === 'fulfilled')).toBe(true);
    expect(ends.every((end) => end.status === 'fulfilled' || end.reason.name === 'PortError')).toBe(true);
    expect(await bench.read(rendering.objects[0]?.path ?? '')).toBe(rendering.objects[0]?.text);
  });
});

test('a look at an unchanged target reads no file again', async () => {
  const bench = await openDirectoryBench();
  const many = targetRendering(Array.from({ length: 200 }, (_, index) => renderedObject(`o${index}`)));
  await bring(bench.target, many);
  const past = new Date('2026-01-01T00:00:00Z');
  for (const object of many.objects) await utimes(join(bench.base, object.path), past, past);
  // ctime cannot be set: wait for the file system's clock to have moved on, as any later tick of a service has.
  await expect.poll(async () => secondLook(bench, many), { timeout: 5000 }).toBe(0);

  await putFile(join(bench.base, many.objects[7]?.path ?? ''), 'edited\n');

  expect((await planFor(bench.target, many)).drifted).toHaveLength(1);
});

async function secondLook(bench: DirectoryBench, many: ReturnType<typeof targetRendering>): Promise<number> {
  await bench.target.observe(many.objects);
  const before = bench.filesRead();
  const seen = await bench.target.observe(many.objects);
  expect(seen.objects).toHaveLength(200);
  return bench.filesRead() - before;
}
