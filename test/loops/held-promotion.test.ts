import { expect, test } from 'vitest';

import { createLooker } from '#loops/look.ts';
import { promote } from '#loops/promote.ts';
import { statusOf } from '#loops/status.ts';
import type { CommitId } from '#model/digest.ts';
import { branchRef } from '#model/names.ts';
import { PortError } from '#ports/port-error.ts';
import type { Repository } from '#ports/repository.ts';
import type { Engine } from '#test/stories/engine.ts';
import { portsOf, startEngine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, environmentFile, type Files } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

const ENVIRONMENT = 'environments/dev/environment.yaml';

/** The shop with one more field, running, and then a new release. */
async function releaseInto(files: Files, release: Files = capsuleFiles('1.1.0')): Promise<{ outside: Outside; engine: Engine }> {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  await peopleOf(outside).push(files);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  await peopleOf(outside).push(release, { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });
  return { outside, engine };
}

function gatesOf(outside: Outside): readonly string[] {
  const statuses = [...outside.forge.statuses.values()].filter(({ check }) => check.name === 'capstan/promote');
  return statuses.map(({ check }) => `${check.state} ${check.detail}`);
}

const requests = (outside: Outside) => [...outside.forge.pulls.values()].map(({ request }) => `${request.state} ${request.title}`);

test('verification that is declared and not honoured holds every promotion, in the pull request, on its head and in status', async () => {
  const { outside, engine } = await releaseInto({
    [ENVIRONMENT]: `${environmentFile(DEV)}  verification:\n    after: sync\n    timeout: 5m\n`,
  });

  expect(requests(outside)).toEqual(['open promote(dev): web 1.0.0 → 1.1.0']);
  expect(gatesOf(outside)).toEqual([expect.stringMatching(/^pending not-supported: environments\/dev\/environment.yaml:\d+:\d+: /)]);
  const [pull] = [...outside.forge.pulls.values()];
  expect(pull?.request.body).toContain('| not-supported | not-supported | waiting |');
  expect(pull?.request.body).toContain('/spec/verification');
  const { waiting } = await statusOf(engine.world, 'dev');
  expect(waiting).toEqual([expect.stringContaining('promote(dev): web 1.0.0 → 1.1.0: not-supported: environments/dev')]);
  expect(outside.targets.get('dev/one')?.inventory?.objects.length).toBeGreaterThan(0);
});

test('a capsule that declares what is not honoured holds the promotions that bring it, and no other', async () => {
  const spoiled = capsuleFiles('1.1.0')['capsules/web/capsule.yaml'] ?? '';
  const { outside } = await releaseInto(
    {},
    { 'capsules/web/capsule.yaml': `${spoiled}  verification:\n    smoke:\n      http:\n        url: http://web/readyz\n` },
  );

  expect(gatesOf(outside)).toEqual([expect.stringMatching(/^pending not-supported: capsules\/web\/capsule.yaml:/)]);

  await peopleOf(outside).push(capsuleFiles('1.2.0'), { message: 'web 1.2.0' });
  const engine = startEngine(portsOf(outside));
  await engine.start();

  expect(requests(outside)).toEqual(['closed promote(dev): web 1.0.0 → 1.1.0', 'merged promote(dev): web 1.0.0 → 1.2.0']);
});

test('a lock that a person moves past what holds is stuck, and what runs goes on running', async () => {
  const { outside, engine } = await releaseInto({ [ENVIRONMENT]: `${environmentFile(DEV)}  verification:\n    timeout: 5m\n` });
  const [pull] = [...outside.forge.pulls.values()];
  if (pull === undefined) throw new Error('no pull request');
  const before = outside.targets.get('dev/one')?.inventory;

  outside.forge.protections.delete('main');
  await peopleOf(outside).forge('ada').merge(pull.request.number, { head: pull.request.headCommit, title: 'by hand', message: '' });
  await engine.wake({ kind: 'look' });

  expect(engine.endings.get('reconcile/dev')).toMatchObject({ kind: 'stuck', problems: [{ code: 'gate-not-passed' }] });
  expect(outside.targets.get('dev/one')?.inventory).toEqual(before);
});

test('what makes an environment stuck stops its sync before anything is rendered', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  await peopleOf(outside).push({ [ENVIRONMENT]: `${environmentFile(DEV)}  sync:\n    renderedReview: true\n` });
  const engine = startEngine(portsOf(outside));
  await engine.start();

  expect(engine.endings.get('reconcile/dev')).toMatchObject({ kind: 'stuck' });
  expect(engine.endings.get('promote/dev')).toMatchObject({ kind: 'stuck' });
  expect(outside.targets.get('dev/one')?.files.size ?? 0).toBe(0);
});

test('an environment that cannot be read any more is stuck and says why, and what runs goes on running', async () => {
  const { outside, engine } = await releaseInto({});
  const before = outside.targets.get('dev/one')?.inventory;

  await peopleOf(outside).push({ [ENVIRONMENT]: environmentFile(DEV).replace('risk: low', 'risky: low') });
  await engine.wake({ kind: 'look' });

  expect(engine.endings.get('reconcile/dev')).toMatchObject({ kind: 'stuck', problems: [{ place: { file: ENVIRONMENT } }, {}] });
  expect(engine.endings.get('promote/dev')).toMatchObject({ kind: 'stuck', problems: [{ place: { file: ENVIRONMENT } }, {}] });
  expect(outside.targets.get('dev/one')?.inventory).toEqual(before);
});

test('what a look has fetched is told by the next one if it failed half way', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  const ports = portsOf(outside);
  let fails = false;
  const engine = startEngine({
    ...ports,
    repository: {
      ...ports.repository,
      commit: (id) => (fails ? Promise.reject(new PortError('transient', 'the disk is busy')) : ports.repository.commit(id)),
    },
  });
  await engine.start();
  const { repository, forge } = peopleOf(outside);
  const main = await repository.resolve('main');
  if (main === undefined) throw new Error('no main');
  await peopleOf(outside).push({ 'README.md': 'two\n' });
  const first = await commitOn(repository, main, 'one');
  await repository.push([{ ref: branchRef('topic'), expected: undefined, next: first }]);
  const { number } = await forge('ada').open({ head: 'topic', base: 'main', title: 'topic', body: '', labels: [] });
  const looker = createLooker(engine.world);
  await looker.look();
  await repository.push([{ ref: branchRef('topic'), expected: first, next: await commitOn(repository, first, 'two') }]);
  await forge('ada').follow();
  await peopleOf(outside).push({ 'README.md': 'three\n' });

  fails = true;
  await expect(looker.look()).rejects.toThrow('the disk is busy');
  fails = false;

  expect((await looker.look()).check).toEqual([number]);
});

async function commitOn(repository: Repository, parent: CommitId, text: string): Promise<CommitId> {
  const { tree, author } = await repository.commit(parent);
  const changes = [{ kind: 'file' as const, path: 'notes.md', content: Buffer.from(text) }];
  return repository.writeCommit({ base: tree, changes, parents: [parent], author, message: `${text}\n` }, undefined);
}

test('promotion.automatic: false opens nothing by itself, and what a person asks for', async () => {
  const quiet = environmentFile(DEV).replace('    merge: auto', '    automatic: false\n    merge: auto');
  const { outside, engine } = await releaseInto({ [ENVIRONMENT]: quiet });
  expect(requests(outside)).toEqual([]);

  await promote(engine.world, { environment: 'dev', only: undefined, dryRun: false, byPerson: true });

  expect(requests(outside)).toEqual(['merged promote(dev): web 1.0.0 → 1.1.0']);
});
