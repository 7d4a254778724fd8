import { describe, expect, test } from 'vitest';

import type { Api } from '#adapters/kubernetes/api.ts';
import { openPods } from '#adapters/kubernetes/pods.ts';
import type { Workload } from '#adapters/kubernetes/pods.ts';
import type { JsonObject } from '#model/json.ts';
import type { Timers } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';

const UNWELL: Workload = {
  key: { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' },
  resourceVersion: '7',
  live: { spec: { replicas: 2 }, status: { updatedReplicas: 1, availableReplicas: 1 } },
  wanted: { spec: { selector: { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', 'b'] }] } } },
};
const WELL: Workload = {
  ...UNWELL,
  resourceVersion: '8',
  live: { spec: { replicas: 2 }, status: { updatedReplicas: 2, availableReplicas: 2 } },
};
const PATH = '/api/v1/namespaces/shop/pods?labelSelector=app%3Dweb%2Ctier+in+%28a%2Cb%29&limit=20';

function bench() {
  const asked: string[] = [];
  const due: { readonly wait: number; readonly run: () => void; isCancelled: boolean }[] = [];
  let answer: () => { readonly status: number; readonly body: JsonObject } = () => ({ status: 200, body: { items: [pod('Pending')] } });
  let moves = 0;
  const api: Pick<Api, 'request'> = {
    async request({ path }) {
      asked.push(path);
      return { ...answer(), warnings: [] };
    },
  };
  const timers: Timers = {
    after(wait, run) {
      const timer = { wait, run, isCancelled: false };
      due.push(timer);
      return () => {
        timer.isCancelled = true;
      };
    },
  };
  const pods = openPods(api as Api, timers, () => (moves += 1));
  return {
    pods,
    asked,
    moves: () => moves,
    answerWith: (next: typeof answer) => void (answer = next),
    waits: () => due.filter((timer) => !timer.isCancelled).map((timer) => timer.wait),
    tick: async () => {
      const timer = due.filter((one) => !one.isCancelled).at(-1);
      if (timer === undefined) throw new Error('no timer');
      timer.isCancelled = true;
      timer.run();
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    },
  };
}

function pod(phase: string): JsonObject {
  return { metadata: { name: 'web-1', labels: { secret: 'no' } }, spec: { much: 'more' }, status: { phase } };
}

describe('pods of what is not well', () => {
  test('are asked for once, by the selector that git wants, and kept short', async () => {
    const { pods, asked } = bench();

    const seen = await pods.of([UNWELL]);
    await pods.of([UNWELL]);

    expect(asked).toEqual([PATH]);
    expect([...seen]).toEqual([['apps/Deployment/shop/web', [{ metadata: { name: 'web-1' }, status: { phase: 'Pending' } }]]]);
  });

  test('are not asked for where all is well', async () => {
    const { pods, asked, waits } = bench();

    expect([...(await pods.of([WELL]))]).toEqual([]);
    expect([asked, waits()]).toEqual([[], []]);
  });

  test('are looked at ever more rarely, and what they say anew is told', async () => {
    const { pods, asked, waits, tick, moves, answerWith } = bench();
    await pods.of([UNWELL]);

    await tick();
    expect([asked.length, moves(), waits()]).toEqual([2, 0, [2_000]]);
    answerWith(() => ({ status: 200, body: { items: [pod('Failed')] } }));
    await tick();

    expect([moves(), waits()]).toEqual([1, [1_000]]);
    expect([...(await pods.of([UNWELL]))]).toEqual([
      ['apps/Deployment/shop/web', [{ metadata: { name: 'web-1' }, status: { phase: 'Failed' } }]],
    ]);
    expect(asked).toHaveLength(3);
  });

  test('are left alone once it is well, and when it is over', async () => {
    const { pods, waits } = bench();
    await pods.of([UNWELL]);
    await pods.of([WELL]);
    expect(waits()).toEqual([]);

    await pods.of([UNWELL]);
    pods.stop();
    expect(waits()).toEqual([]);
  });

  test('who may not see them is told less, and does not ask for all of them', async () => {
    const { pods, asked, answerWith } = bench();
    answerWith(() => ({ status: 403, body: {} }));
    const many = Array.from({ length: 50 }, (_, at) => ({ ...UNWELL, key: { ...UNWELL.key, name: `web-${at}` } }));

    expect([...(await pods.of(many))]).toEqual([]);
    expect(asked).toHaveLength(10);
  });

  test('an answer that cannot be read ends nothing', async () => {
    const { pods, waits, tick, answerWith } = bench();
    await pods.of([UNWELL]);
    answerWith(() => {
      throw new RangeError('too deep');
    });

    await tick();

    expect(waits()).toEqual([2_000]);
  });

  test('a server that is away costs no run', async () => {
    const { pods, answerWith } = bench();
    answerWith(() => {
      throw new PortError('transient', 'away');
    });

    expect([...(await pods.of([UNWELL]))]).toEqual([]);
  });

  test('one that is being deleted is not told of: its end is wanted', async () => {
    const { pods, answerWith } = bench();
    answerWith(() => ({
      status: 200,
      body: { items: [{ metadata: { name: 'old', deletionTimestamp: '2026-01-05T09:00:00Z' } }, pod('Failed')] },
    }));

    expect([...(await pods.of([UNWELL])).values()].flat()).toEqual([{ metadata: { name: 'web-1' }, status: { phase: 'Failed' } }]);
  });

  test('a server that is away is asked again later', async () => {
    const { pods, waits, tick, moves, answerWith } = bench();
    await pods.of([UNWELL]);
    answerWith(() => {
      throw new PortError('transient', 'away');
    });

    await tick();

    expect([moves(), waits()]).toEqual([0, [2_000]]);
  });

  test('a workload whose selector fits everything is not asked about', async () => {
    const { pods, asked } = bench();

    await pods.of([{ ...UNWELL, wanted: { spec: { selector: {} } } }]);

    expect(asked).toEqual([]);
  });
});
