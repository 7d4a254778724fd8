import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { directoryTargets } from '#adapters/directory/directory.ts';
import { machineDisk } from '#adapters/directory/disk.ts';
import type { Disk } from '#adapters/directory/disk.ts';
import type { LockOwner } from '#adapters/directory/lock-file.ts';
import { sha256Of } from '#model/digest.ts';
import { writeKubernetesYaml } from '#model/kubernetes-text.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import type { RenderedObject } from '#model/rendering.ts';
import { SEALED_VALUE } from '#model/sealed.ts';
import { toSecret } from '#model/secret.ts';
import { PortError } from '#ports/port-error.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import { openDirectoryBench } from '#test/contracts/directory-bench.ts';
import { bring, planFor } from '#test/contracts/target.contract.ts';
import { renderedObject, targetRendering } from '#test/plan/build-target.ts';

/** A process that ran before this machine started. */
const BEFORE_THE_BOOT: LockOwner = { host: hostname(), boot: 'another', pid: 1, started: '1' };

/** Opens every document to `canary of <text>`. */
const opener: SealedSecrets = {
  open: async ({ keys, text }) => new Map(Object.keys(keys).map((key) => [key, toSecret(`canary of ${text}`)])),
};

function sealedObject(ciphertext: string): RenderedObject {
  const made = renderedObject('a');
  const object = { ...made.object, kind: 'Secret', stringData: { token: SEALED_VALUE }, type: ciphertext };
  const text = writeKubernetesYaml(object);
  return {
    ...made,
    object,
    text,
    sha256: sha256Of(text),
    sealed: { format: 'sops', type: 'yaml', text: ciphertext, keys: { token: 'token' } },
  };
}

const first = targetRendering([sealedObject('one')]);
const second = targetRendering([sealedObject('two')]);
const { path } = sealedObject('one');

test('a sealed object is written opened, is as it should be afterwards, and is opened once', async () => {
  let opened = 0;
  const secrets: SealedSecrets = { open: (document) => ((opened += 1), opener.open(document)) };
  const bench = await openDirectoryBench({ secrets });

  expect((await bring(bench.target, first)).map((one) => one.result)).toEqual(['done']);
  const again = await planFor(bench.target, first);

  expect(await bench.read(path)).toContain('token: canary of one');
  expect(again.steps.map((step) => step.action)).toEqual(['keep']);
  expect(again.drifted).toEqual([]);
  expect((await bring(bench.target, first)).map((one) => one.result)).toEqual(['unchanged']);
  expect(opened).toBe(1);
});

test('another encrypted file is written over the old one, a changed one is healed, and it is pruned like any other', async () => {
  const bench = await openDirectoryBench({ secrets: opener });
  await bring(bench.target, first);

  expect((await planFor(bench.target, second)).steps.map((step) => [step.action, step.reason])).toEqual([
    ['update', 'the rendering changed'],
  ]);
  await bring(bench.target, second);
  expect(await bench.read(path)).toContain('canary of two');
  await bench.put(path, 'changed by hand\n');
  expect((await bring(bench.target, second)).map((one) => [one.action, one.result])).toEqual([['update', 'done']]);
  expect(await bench.read(path)).toContain('canary of two');
  expect((await bring(bench.target, targetRendering([]))).map((one) => [one.action, one.result])).toEqual([['prune', 'done']]);
  expect(await bench.read(path)).toBeUndefined();
});

test('a report of health about the opened bytes speaks of the object', async () => {
  const bench = await openDirectoryBench({ secrets: opener });
  await bring(bench.target, first);
  const bytes = (await bench.read(path)) ?? '';
  await bench.report(path, { state: 'degraded', reason: 'x', sha256: sha256Of(bytes) });

  expect((await bench.target.observe(first.objects)).reports).toEqual([
    { path, state: 'degraded', reason: 'x', sha256: sealedObject('one').sha256 },
  ]);
});

test('what cannot be opened is an outcome that failed, and nothing is written in its place', async () => {
  const refusing: SealedSecrets = { open: () => Promise.reject(new PortError('denied', 'no age key of this machine opens it')) };
  for (const secrets of [refusing, undefined]) {
    const bench = await openDirectoryBench({ secrets });

    const [outcome] = await bring(bench.target, first);

    expect(outcome?.result).toBe('failed');
    expect(outcome?.problem?.message).toMatch(/no age key of this machine opens it|this process opens no encrypted files/);
    expect(await bench.read(path)).toBeUndefined();
  }
});

test('whenever the process dies, the next one knows the opened bytes as its own', async () => {
  let survived = false;
  for (let last = 1; !survived && last < 100; last += 1) {
    let calls = 0;
    const dying = new Proxy(machineDisk, {
      get:
        (disk, name: keyof Disk) =>
        (...args: Parameters<Disk[typeof name]>) => {
          calls += 1;
          if (calls >= last) throw new Error('killed');
          return Reflect.apply(disk[name], disk, args) as unknown;
        },
    });
    const bench = await openDirectoryBench({ secrets: opener });
    await bring(bench.target, first);
    const mortal = directoryTargets({
      root: bench.root,
      secrets: opener,
      disk: dying,
      owner: async () => BEFORE_THE_BOOT,
    });
    const target = await mortal.open(toEnvironmentName('dev'), toTargetName('local'), { driver: 'directory', path: 'out/dev' });
    survived = await bring(target, second).then(
      () => true,
      () => false,
    );

    const plan = await planFor(bench.target, second);

    expect(plan.problems).toEqual([]);
    expect(['keep', 'update']).toContain(plan.steps[0]?.action);
  }
  expect(survived).toBe(true);
});

test('the notes beside the objects name digests only', async () => {
  const bench = await openDirectoryBench({ secrets: opener });
  await bring(bench.target, first);

  expect(await readFile(join(bench.base, '.capstan/inventory.json'), 'utf8')).not.toContain('canary');
});
