import { describe, expect, test } from 'vitest';

import { toInstant } from '#model/instant.ts';
import { WorkQueue, type Job } from '#service/queue.ts';
import { nextTurn, USUAL_POLICY, type Outcome, type RetryRule } from '#service/schedule.ts';
import { breathe, settableTime } from '#test/service/settable-time.ts';

const SETTLED: Outcome = { kind: 'settled' };
const RETRY: Outcome = { kind: 'retry', because: 'the forge is away' };
const STUCK: Outcome = { kind: 'stuck', problems: [] };

function world(concurrency = 4) {
  const time = settableTime();
  const told: string[] = [];
  const queue = new WorkQueue({
    clock: time.clock,
    timers: time.timers,
    concurrency,
    decide: (_key, outcome, past) => nextTurn(outcome, past, time.now(), { policy: USUAL_POLICY, chance: () => 0 }),
    ended: (key, outcome) => told.push(`${key} ${outcome.kind}`),
  });
  return { time, queue, told };
}

function job(key: string, run: Job['run'], over: Partial<Job> = {}): Job {
  return { key, priority: 1, inputs: 'changed', run, ...over };
}

/** A run that ends when told to. */
function held() {
  let end: (outcome: Outcome) => void = () => {};
  const ending = new Promise<Outcome>((resolve) => (end = resolve));
  return { run: () => ending, end: (outcome: Outcome) => end(outcome) };
}

describe('one key', () => {
  test('runs one at a time, and of several newer jobs only the newest follows', async () => {
    const { queue, told } = world();
    const first = held();
    const ran: string[] = [];
    queue.submit(job('a', first.run));

    queue.submit(job('a', async () => (ran.push('second'), SETTLED)));
    queue.submit(job('a', async () => (ran.push('third'), SETTLED)));
    await breathe();
    expect(ran).toEqual([]);
    first.end(SETTLED);
    await queue.settled();

    expect(ran).toEqual(['third']);
    expect(told).toEqual(['a settled', 'a settled']);
    expect(queue.state('a')).toBe('idle');
  });

  test('backs off exponentially while it says retry, and begins anew after it settled', async () => {
    const { queue, time } = world();
    const outcomes = [RETRY, RETRY, RETRY, SETTLED, RETRY];
    queue.submit(job('a', async () => outcomes.shift() ?? SETTLED));

    const delays: (number | undefined)[] = [];
    for (let round = 0; round < 3; round++) {
      await breathe();
      delays.push(time.next());
      await time.advance(time.next() ?? 0);
    }
    await breathe();
    expect(queue.state('a')).toBe('idle');
    queue.submit(job('a', async () => outcomes.shift() ?? SETTLED));
    await breathe();
    delays.push(time.next());

    expect(delays).toEqual([1000, 2000, 4000, 1000]);
  });

  test('a retry never waits longer than the longest delay', () => {
    const turn = nextTurn(RETRY, { failures: 1000, failedAt: [] }, toInstant(0), { policy: USUAL_POLICY, chance: () => 1 });

    expect(turn).toEqual({ kind: 'back-off', after: 330_000 });
  });

  test('is not hurried out of its back-off by a poll, but by changed inputs', async () => {
    const { queue } = world();
    let runs = 0;
    queue.submit(job('a', async () => (runs++, RETRY)));
    await breathe();

    const byPoll = queue.submit(job('a', async () => (runs++, SETTLED), { inputs: 'same' }));
    await breathe();
    expect([byPoll, runs]).toEqual([false, 1]);
    const byPush = queue.submit(job('a', async () => (runs++, SETTLED)));
    await breathe();

    expect([byPush, runs, queue.state('a')]).toEqual([true, 2, 'idle']);
  });

  test('waits until the instant it named, knows that a timer woke it, and comes earlier when asked', async () => {
    const { queue, time } = world();
    const byTimer: boolean[] = [];
    const waiting: Outcome = { kind: 'waiting', reasons: ['soak'], until: toInstant(time.now() + 600_000) };
    const run: Job['run'] = async (_signal, timer) => {
      byTimer.push(timer);
      return byTimer.length < 3 ? waiting : SETTLED;
    };
    queue.submit(job('a', run));
    await breathe();
    expect([queue.state('a'), time.next()]).toEqual(['waiting', 600_000]);

    queue.submit(job('a', run, { inputs: 'same' }));
    await breathe();
    await time.advance(599_999);
    expect(byTimer).toEqual([false, false]);
    await time.advance(1);

    expect(byTimer).toEqual([false, false, true]);
  });

  test('waiting without an instant sets no timer', async () => {
    const { queue, time } = world();
    queue.submit(job('a', async () => ({ kind: 'waiting', reasons: ['review'], until: undefined })));
    await breathe();

    expect([queue.state('a'), time.next()]).toEqual(['waiting', undefined]);
  });

  test('stuck stays parked until its inputs change', async () => {
    const { queue, time } = world();
    queue.submit(job('a', async () => STUCK));
    await time.advance(10_000_000);

    expect([queue.state('a'), time.next(), queue.submit(job('a', async () => SETTLED, { inputs: 'same' }))]).toEqual([
      'parked',
      undefined,
      false,
    ]);
    queue.submit(job('a', async () => SETTLED));
    await breathe();
    expect(queue.state('a')).toBe('idle');
  });

  test('a changed input that came while it ran is not lost when a poll follows it and the run gets stuck', async () => {
    const { queue } = world();
    const first = held();
    queue.submit(job('a', first.run));
    queue.submit(job('a', async () => SETTLED));
    queue.submit(job('a', async () => SETTLED, { inputs: 'same' }));

    first.end(STUCK);
    await queue.settled();

    expect(queue.state('a')).toBe('idle');
  });
});

describe('many keys', () => {
  test('run at once up to the bound, the most urgent first', async () => {
    const { queue } = world(1);
    const first = held();
    const ran: string[] = [];
    queue.submit(job('blocker', first.run));
    for (const [key, priority] of [
      ['late', 9],
      ['b', 2],
      ['a', 2],
      ['now', 0],
    ] as const) {
      queue.submit(job(key, async () => (ran.push(key), SETTLED), { priority }));
    }
    expect(queue.depth()).toMatchObject({ running: 1, queued: 4 });

    first.end(SETTLED);
    await queue.settled();

    expect(ran).toEqual(['now', 'b', 'a', 'late']);
  });

  test('row 101: one that throws is parked with back-off and the others go on', async () => {
    const { queue, time, told } = world(1);
    let throws = 2;
    queue.submit(
      job('bad', async () => {
        if (throws-- > 0) throw new Error('impossible');
        return SETTLED;
      }),
    );
    for (const key of ['a', 'b', 'c']) queue.submit(job(key, async () => SETTLED));
    await queue.settled();

    expect(told).toEqual(['bad threw', 'a settled', 'b settled', 'c settled']);
    expect([queue.state('bad'), time.next()]).toEqual(['parked', 30_000]);
    await time.advance(30_000);
    expect([queue.state('bad'), time.next()]).toEqual(['parked', 60_000]);
    await time.advance(60_000);
    expect(queue.state('bad')).toBe('idle');
  });

  test('a synchronous throw parks as well', async () => {
    const { queue } = world();
    queue.submit(
      job('bad', () => {
        throw new Error('at once');
      }),
    );
    await breathe();

    expect(queue.depth()).toMatchObject({ parked: 1, running: 0 });
  });

  test('a flood for few keys stays small', async () => {
    const { queue } = world(2);
    const first = held();
    queue.submit(job('k0', first.run));
    let runs = 0;
    for (let n = 0; n < 10_000; n++) queue.submit(job(`k${n % 10}`, async () => (runs++, SETTLED)));

    expect(queue.keys()).toHaveLength(10);
    first.end(SETTLED);
    await queue.settled();
    expect(runs).toBeGreaterThanOrEqual(10);
    expect(runs).toBeLessThanOrEqual(20);
  });
});

describe('drain', () => {
  test('starts nothing more and waits for what runs', async () => {
    const { queue } = world(1);
    const first = held();
    let started = false;
    queue.submit(job('a', first.run));
    queue.submit(job('b', async () => ((started = true), SETTLED)));

    const drained = queue.drain(5000, 100);
    await breathe();
    first.end(RETRY);

    expect(await drained).toEqual([]);
    expect([started, queue.submit(job('c', async () => SETTLED))]).toEqual([false, false]);
  });

  test('asks what still runs at the deadline to stop, and names it', async () => {
    const { queue, time } = world();
    queue.submit(job('slow', (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(SETTLED)))));

    const drained = queue.drain(5000, 100);
    await time.advance(5000);

    expect(await drained).toEqual(['slow']);
    expect(queue.state('slow')).toBe('idle');
  });
});

describe('what an environment says of its failures', () => {
  const given = (rule: RetryRule) => ({ policy: USUAL_POLICY, chance: () => 0, rule });
  const at = (...minutes: readonly number[]) => minutes.map((minute) => toInstant(minute * 60_000));

  test('after an interval of its own the run is repeated, also where it is stuck', () => {
    const rule = { interval: 20_000, budget: undefined };
    expect(nextTurn(RETRY, { failures: 7, failedAt: [] }, toInstant(0), given(rule))).toEqual({ kind: 'back-off', after: 20_000 });
    expect(nextTurn(STUCK, { failures: 7, failedAt: [] }, toInstant(0), given(rule))).toEqual({ kind: 'park', after: 20_000 });
  });

  test('a budget that is used up parks it until an attempt is old enough', () => {
    const rule = { interval: 20_000, budget: { attempts: 3, per: 3_600_000 } };
    const now = toInstant(70 * 60_000);
    expect(nextTurn(RETRY, { failures: 3, failedAt: at(30, 40, 70) }, now, given(rule))).toEqual({
      kind: 'park',
      after: 20 * 60_000,
      isSpent: true,
    });
    expect(nextTurn(RETRY, { failures: 3, failedAt: at(5, 40, 70) }, now, given(rule))).toEqual({ kind: 'back-off', after: 20_000 });
    expect(nextTurn({ kind: 'settled' }, { failures: 1, failedAt: at(30, 40, 70) }, now, given(rule))).toEqual({ kind: 'rest' });
  });

  test('once it is used up, a look at targets starts nothing, and a change in git does', async () => {
    const time = settableTime();
    let runs = 0;
    const rule = { interval: 1_000, budget: { attempts: 2, per: 3_600_000 } };
    const queue = new WorkQueue({
      clock: time.clock,
      timers: time.timers,
      concurrency: 1,
      decide: (_key, outcome, past) => nextTurn(outcome, past, time.now(), given(rule)),
    });
    const run = async (): Promise<Outcome> => {
      runs += 1;
      return RETRY;
    };
    const job = { key: 'reconcile/dev', priority: 1, inputs: 'changed' as const, run };
    queue.submit(job);
    await time.advance(60_000);
    expect([runs, queue.state(job.key)]).toEqual([2, 'parked']);

    expect(queue.submit({ ...job, onlyLooks: true })).toBe(false);
    await time.advance(60_000);
    expect(runs).toBe(2);
    expect(queue.submit(job)).toBe(true);
    await time.advance(60_000);
    expect(runs).toBe(3);
    await time.advance(3_600_000);
    expect(runs).toBeGreaterThan(3);
  });
});
