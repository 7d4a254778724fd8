import { expect, test } from 'vitest';

import { createWorld } from '#loops/create-world.ts';
import { toEnvironmentName } from '#model/names.ts';
import type { Journal, LogFields } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import { serviceWork } from '#service/service.ts';
import { portsOf, startEngine } from '#test/stories/engine.ts';
import { newOutside, peopleOf } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, shopFiles } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';
import { endOf } from '#test/stories/telling.ts';

const { signal } = new AbortController();

test('what keeps a unit from settling is said once, and again when it has changed or come back', async () => {
  const outside = newOutside();
  await peopleOf(outside).push(shopFiles([DEV]));
  const lines: string[] = [];
  const write = (fields: LogFields, message: string): void => void lines.push(`${message}: ${String(fields['because'])}`);
  const journal: Journal = { debug: () => {}, info: () => {}, warn: write, error: write };
  const ports = portsOf(outside);
  let reason = 'the remote is away';
  const away = async (): Promise<never> => {
    throw new PortError('transient', reason);
  };
  const broken = { isBroken: true };
  const fetch = (stop?: AbortSignal): ReturnType<typeof ports.repository.fetch> =>
    broken.isBroken ? away() : ports.repository.fetch(stop);
  const work = serviceWork(createWorld({ ...ports, journal, repository: { ...ports.repository, fetch, hasNews: async () => true } }));

  await work.look('poll', signal);
  await work.look('poll', signal);
  expect(lines).toEqual(['a run is to be repeated: the remote is away']);

  reason = 'the remote is slow';
  await work.look('poll', signal);
  expect(lines.splice(0)).toEqual(['a run is to be repeated: the remote is away', 'a run is to be repeated: the remote is slow']);

  broken.isBroken = false;
  await work.look('poll', signal);
  broken.isBroken = true;
  await work.look('poll', signal);
  expect(lines).toEqual(['a run is to be repeated: the remote is slow']);
});

test('row 84: a login that is taken away is said once, leaves what runs alone, and what it held up is done when it is back', async () => {
  const outside = newOutside();
  await declareShop(outside, [DEV]);
  await startEngine(portsOf(outside)).start();
  const lines: string[] = [];
  const write = (fields: LogFields, message: string): void =>
    void lines.push(`${message}: ${String(fields['unit'])} ${String(fields['because'])}`);
  const journal: Journal = { debug: () => {}, info: () => {}, warn: write, error: write };
  const ports = portsOf(outside);
  const login = { isGone: true };
  const refused = async (): Promise<never> => {
    throw new PortError('denied', 'the forge does not accept our login');
  };
  const { repository, forge } = ports;
  const work = serviceWork(
    createWorld({
      ...ports,
      journal,
      repository: {
        ...repository,
        fetch: (stop) => (login.isGone ? refused() : repository.fetch(stop)),
        push: (updates, stop) => (login.isGone ? refused() : repository.push(updates, stop)),
        hasNews: async () => true,
      },
      forge: forge && {
        ...forge,
        open: (draft) => (login.isGone ? refused() : forge.open(draft)),
        findByHead: (head) => (login.isGone ? refused() : forge.findByHead(head)),
      },
    }),
  );
  const dev = toEnvironmentName('dev');
  const before = [...(outside.targets.get('dev/one')?.files ?? [])];
  await peopleOf(outside).push(capsuleFiles('1.1.0'));

  const endings = [];
  for (let times = 0; times < 3; times += 1) {
    for (const run of [work.look('poll', signal), work.reconcile(dev, 'poll', signal), work.promote(dev, 'poll', signal)])
      endings.push((await run).ending.kind);
  }
  expect(endings.filter((kind) => kind === 'stuck')).toEqual([]);
  expect(lines).toEqual(['a run is to be repeated: look the forge does not accept our login']);
  expect([...(outside.targets.get('dev/one')?.files ?? [])]).toEqual(before);

  login.isGone = false;
  await work.look('poll', signal);
  await work.promote(dev, 'webhook', signal);
  await work.look('poll', signal);
  await work.reconcile(dev, 'webhook', signal);
  expect((await endOf(outside)).history.at(-1)).toBe('dev/two/web 1.0.0 -> 1.1.0 healthy');
});
