import { expect, test } from 'vitest';

import { createWorld } from '#loops/create-world.ts';
import type { Journal, LogFields } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import { serviceWork } from '#service/service.ts';
import { portsOf } from '#test/stories/engine.ts';
import { newOutside, peopleOf } from '#test/stories/outside.ts';
import { DEV, shopFiles } from '#test/stories/shop.ts';

const { signal } = new AbortController();

test('row 84: what keeps a unit from settling is said once, and again when it has changed or come back', async () => {
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
