import { expect, test } from 'vitest';

import { beginDrift, DEPLOYMENT, devWith, editOn, openRequest, replicasOn } from './drift.ts';
import { portsOf, startEngine } from './engine.ts';
import { newOutside, peopleOf, targetOf, type Outside } from './outside.ts';
import { PROJECT_FILE } from './shop.ts';

const SERVICE = 'web/core_v1_service_shop-dev_web.yaml';

async function started(drift: string, project?: string) {
  const outside = newOutside();
  await beginDrift(outside, drift, project);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
  return { outside, engine };
}

function later(outside: Outside, minutes: number): void {
  outside.now = (outside.now + minutes * 60_000) as Outside['now'];
}

test('drift is corrected where nothing else is said', async () => {
  const { outside, engine } = await started('maxPerHour: 6');
  editOn(outside, ['one'], 'replicas: 1', 'replicas: 3');
  await engine.drift();
  expect(replicasOn(outside)).toEqual({ one: '1', two: '1' });
});

test('drift is only reported where git says so, and what git newly wants is applied all the same', async () => {
  const { outside, engine } = await started('onDetect: report');
  editOn(outside, ['one'], 'replicas: 1', 'replicas: 3');
  await engine.drift();
  expect(replicasOn(outside)).toEqual({ one: '3', two: '1' });
  expect(engine.endings.get('reconcile/dev')).toEqual({
    kind: 'waiting',
    reasons: ['Deployment web was changed outside git'],
    until: undefined,
  });
  expect(outside.forge.pulls.size).toBe(0);

  await peopleOf(outside).push({ 'environments/dev/config/web.yaml': '{}\n' });
  await engine.wake({ kind: 'look' });
  expect(replicasOn(outside)).toEqual({ one: '3', two: '1' });
});

test('the seventh correction of an object within an hour is not made; after the hour it is', async () => {
  const { outside, engine } = await started('maxPerHour: 6');
  for (let count = 1; count <= 8; count += 1) {
    if (replicasOn(outside)['one'] === '1') editOn(outside, ['one'], 'replicas: 1', 'replicas: 3');
    later(outside, 1);
    await engine.drift();
  }
  expect(replicasOn(outside)).toEqual({ one: '3', two: '1' });
  const ending = engine.endings.get('reconcile/dev');
  expect(ending?.kind === 'waiting' && ending.reasons).toContain('Deployment web on one is fought over');

  later(outside, 56);
  await engine.tick();
  expect(replicasOn(outside)).toEqual({ one: '1', two: '1' });
});

test('a drift of all targets becomes a pull request; merged, git says what is there', async () => {
  const { outside, engine } = await started('onDetect: pullRequest');
  editOn(outside, ['one', 'two'], 'replicas: 1', 'replicas: 3');
  await engine.drift();
  const request = await openRequest(outside);
  expect(request?.title).toBe('drift(dev): adopt what was changed in Deployment web');
  expect(request?.body).toContain('| /spec/replicas | 1 | 3 |');
  expect(request?.labels).toEqual(['drift']);
  expect(engine.endings.get('reconcile/dev')).toEqual({
    kind: 'waiting',
    reasons: [
      'Deployment web was changed outside git',
      'Deployment web was changed outside git',
      `drift waits for a person: merge ${request?.url} to adopt it, close it to revert it`,
    ],
    until: undefined,
  });
  if (request === undefined) return;

  await engine.wake({ kind: 'look' }, { kind: 'check', number: request.number });
  const ada = peopleOf(outside).forge('ada');
  expect((await ada.merge(request.number, { head: request.headCommit, title: request.title, message: '' })).kind).toBe('merged');
  await engine.wake({ kind: 'look' });
  expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
  expect(replicasOn(outside)).toEqual({ one: '3', two: '3' });

  await engine.drift();
  expect([...(await peopleOf(outside).repository.refs()).keys()].filter((ref) => ref.includes('drift'))).toEqual([]);
  expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
});

test('closed by a person, what was found is taken back', async () => {
  const { outside, engine } = await started('onDetect: pullRequest');
  editOn(outside, ['one', 'two'], 'replicas: 1', 'replicas: 3');
  await engine.drift();
  const request = await openRequest(outside);
  await peopleOf(outside)
    .forge('ada')
    .edit(request?.number ?? 0, { state: 'closed' });
  await engine.drift();
  expect(replicasOn(outside)).toEqual({ one: '1', two: '1' });
  await engine.drift();
  expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
  expect([...outside.forge.pulls.values()].map((pull) => pull.request.state)).toEqual(['closed']);
});

test('another drift replaces the request; drift that is gone by itself closes it', async () => {
  const { outside, engine } = await started('onDetect: pullRequest');
  editOn(outside, ['one', 'two'], 'replicas: 1', 'replicas: 3');
  await engine.drift();
  editOn(outside, ['one', 'two'], 'replicas: 3', 'replicas: 4');
  await engine.drift();
  expect([...outside.forge.pulls.values()].map((pull) => pull.request.state)).toEqual(['closed', 'open']);
  editOn(outside, ['one', 'two'], 'replicas: 4', 'replicas: 1');
  await engine.drift();
  expect([...outside.forge.pulls.values()].map((pull) => pull.request.state)).toEqual(['closed', 'closed']);
  expect([...outside.forge.pulls.values()].map((pull) => pull.comments[0]?.split(':')[0])).toEqual([
    'Something else was changed since',
    'What it speaks of is not there any more.',
  ]);
  expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
});

test('drift of one target of two, and removed objects, are only reported', async () => {
  const { outside, engine } = await started('onDetect: pullRequest');
  editOn(outside, ['one'], 'replicas: 1', 'replicas: 3');
  await engine.drift();
  expect(outside.forge.pulls.size).toBe(0);
  expect(replicasOn(outside)).toEqual({ one: '3', two: '1' });

  for (const name of ['one', 'two']) targetOf(outside, `dev/${name}`).files.clear();
  await engine.drift();
  expect(outside.forge.pulls.size).toBe(0);
  expect(replicasOn(outside)).toEqual({ one: '-', two: '-' });
});

test('what no patch can say, and what looks like a secret, is only reported', async () => {
  const token = `ghp_${'Zk4tQ9wLx2Vb7Rn3Hs8Jd6Fy1Gc5Mp0TaUeI'.slice(0, 36)}`;
  const edits = [
    ['namespace: shop-dev', 'namespace: elsewhere'],
    ['replicas: 1', `minReadySeconds: ${token}\n  replicas: 1`],
    ['replicas: 1', 'replicas: 1 # one'],
  ] as const;
  for (const [from, to] of edits) {
    const { outside, engine } = await started('onDetect: pullRequest');
    editOn(outside, ['one', 'two'], from, to);
    await engine.drift();
    expect([to, outside.forge.pulls.size, engine.endings.get('reconcile/dev')?.kind]).toEqual([to, 0, 'waiting']);
    expect(targetOf(outside, 'dev/one').files.get(DEPLOYMENT)).toContain(to);
  }
});

test('what cannot be adopted is named in the request for the rest, with the reason, and its secrets are not shown', async () => {
  const { outside, engine } = await started('onDetect: pullRequest');
  const token = `ghp_${'Zk4tQ9wLx2Vb7Rn3Hs8Jd6Fy1Gc5Mp0TaUeI'.slice(0, 36)}`;
  editOn(outside, ['one', 'two'], 'replicas: 1', 'replicas: 3');
  for (const name of ['one', 'two']) {
    const { files } = targetOf(outside, `dev/${name}`);
    files.set(SERVICE, `${files.get(SERVICE) ?? ''}status:\n  note: ${token}\n`);
  }
  await engine.drift();
  const body = (await openRequest(outside))?.body ?? '';
  expect(body).toContain('| /spec/replicas | 1 | 3 |');
  expect(body).toContain('- core/Service/shop-dev/web: something that looks like a secret was put into it');
  expect(body).not.toContain(token);
});

test('what cannot be rendered does not keep the rest from being proposed', async () => {
  const { outside, engine } = await started('onDetect: pullRequest');
  editOn(outside, ['one', 'two'], 'replicas: 1', 'replicas: 3');
  for (const name of ['one', 'two']) {
    const { files } = targetOf(outside, `dev/${name}`);
    files.set(SERVICE, `${files.get(SERVICE) ?? ''}status:\n  nobody: knows this\n`);
  }
  await engine.drift();
  const body = (await openRequest(outside))?.body ?? '';
  expect(body).toContain('| /spec/replicas | 1 | 3 |');
  expect(body).toContain('- core/Service/shop-dev/web: with it the environment cannot be rendered: ');
});

test('without a forge drift is only reported', async () => {
  const outside = newOutside();
  await beginDrift(outside, 'onDetect: pullRequest');
  const engine = startEngine({ ...portsOf(outside), forge: undefined });
  await engine.start();
  editOn(outside, ['one', 'two'], 'replicas: 1', 'replicas: 3');
  await engine.drift();
  expect([replicasOn(outside), engine.endings.get('reconcile/dev')?.kind]).toEqual([{ one: '3', two: '3' }, 'waiting']);
});

test('a request that the engine closed is no decision: the same drift is asked about again', async () => {
  const { outside, engine } = await started('onDetect: pullRequest');
  for (let round = 0; round < 2; round += 1) {
    editOn(outside, ['one', 'two'], 'replicas: 1', 'replicas: 3');
    await engine.drift();
    expect((await openRequest(outside))?.state).toBe('open');
    editOn(outside, ['one', 'two'], 'replicas: 3', 'replicas: 1');
    await engine.drift();
    expect(await openRequest(outside)).toBeUndefined();
  }
});

test('a request follows what people change in the environment meanwhile', async () => {
  const { outside, engine } = await started('onDetect: pullRequest');
  editOn(outside, ['one', 'two'], 'replicas: 1', 'replicas: 3');
  await engine.drift();
  const before = await openRequest(outside);
  const { repository } = peopleOf(outside);
  await peopleOf(outside).push({ 'environments/dev/environment.yaml': devWith('onDetect: pullRequest # ask us') });
  await engine.wake({ kind: 'look' });
  await engine.drift();
  const after = await openRequest(outside);
  expect([after?.number, after?.headCommit === before?.headCommit]).toEqual([before?.number, false]);
  const head = await repository.commit(after?.headCommit ?? ('' as never));
  expect(head.parents).toEqual([await repository.resolve('main')]);
});

test('where the engine is not trusted for commits, the request asks for a signature', async () => {
  const { outside, engine } = await started('onDetect: pullRequest', PROJECT_FILE);
  editOn(outside, ['one', 'two'], 'replicas: 1', 'replicas: 3');
  await engine.drift();
  expect((await openRequest(outside))?.body).toContain('merge with a signature of your own');
});
