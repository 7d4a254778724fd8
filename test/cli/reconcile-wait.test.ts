import { expect, test } from 'vitest';

import { reconcileUntilSettled, type Waiting, waitOf } from '#cli/reconcile-wait.ts';
import type { World } from '#loops/world.ts';
import { sha256Of } from '#model/digest.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import { memoryTargets, type MemoryTarget } from '#test/contracts/memory-target.ts';
import { plantedGarden, worldOf } from '#test/loops/garden.ts';

const REQUEST = { environment: 'dev', target: 'one', trigger: 'person', dryRun: false } as const;
const NEVER = new AbortController().signal;

interface Stage {
  readonly world: World;
  readonly target: MemoryTarget;
  readonly move: (environment: string) => void;
}

/** The garden on a target whose consumer says how it is, and that tells when it moved. */
async function stage(): Promise<Stage> {
  const world = await worldOf(await plantedGarden());
  const targets = memoryTargets();
  const target = targets.at('dev', 'one');
  const apply = target.apply.bind(target);
  target.apply = async (plan, next, signal) => {
    const outcomes = await apply(plan, next, signal);
    if (plan.steps.some((step) => step.action === 'create')) say(target, 'progressing');
    return outcomes;
  };
  let tell: (environment: EnvironmentName, target: TargetName) => void = () => undefined;
  return {
    world: {
      ...world,
      targets: {
        ...targets,
        watch: (moved) => {
          tell = moved;
        },
      },
    },
    target,
    move: (environment) => tell(environment as EnvironmentName, 'one' as TargetName),
  };
}

function say(target: MemoryTarget, state: 'healthy' | 'progressing'): void {
  for (const [path, text] of target.files) target.reports.set(path, { path, state, reason: `is ${state}`, sha256: sha256Of(text) });
}

test('a run waits for what is not well yet, and a move of its target wakes it', async () => {
  const { world, target, move } = await stage();
  const phases: string[] = [];
  const slept: number[] = [];
  const waiting: Waiting = {
    timeout: 600_000,
    tell: (phase) => phases.push(phase),
    sleep: async (milliseconds, signal) => {
      slept.push(milliseconds);
      say(target, slept.length === 1 ? 'progressing' : 'healthy');
      move('prod');
      expect(signal.aborted).toBe(false);
      move('dev');
      expect(signal.aborted).toBe(true);
    },
  };

  const result = await reconcileUntilSettled(world, REQUEST, { ...waiting }, NEVER);

  expect([result.ending.kind, result.isLate]).toEqual(['settled', false]);
  expect(result.receipts.map(({ outcomes }) => outcomes.filter((outcome) => outcome.result === 'done').length)).toEqual([7]);
  expect(slept).toEqual([5000, 5000]);
  expect(phases.map((phase) => phase.split('; ').includes('Deployment web is progressing'))).toEqual([true]);
});

test('what is not well in time is late, and what was done is told all the same', async () => {
  const { world } = await stage();
  const waiting: Waiting = {
    timeout: 1,
    tell: () => undefined,
    sleep: (_milliseconds, signal) =>
      new Promise((done) => {
        if (signal.aborted) done();
        else signal.addEventListener('abort', () => done());
      }),
  };

  const result = await reconcileUntilSettled(world, REQUEST, waiting, NEVER);

  expect([result.ending.kind, result.isLate]).toEqual(['waiting', true]);
  expect(result.receipts.map(({ outcomes }) => outcomes.filter((outcome) => outcome.result === 'done').length)).toEqual([7]);
});

test('a person who ends the wait gets what was done so far', async () => {
  const { world } = await stage();
  const person = new AbortController();
  const sleep: Waiting['sleep'] = () => Promise.resolve(person.abort());

  const result = await reconcileUntilSettled(world, REQUEST, { timeout: 600_000, tell: () => undefined, sleep }, person.signal);

  expect([result.ending.kind, result.isLate]).toEqual(['waiting', false]);
});

test('--wait takes a duration, and says so when it got the environment', () => {
  expect([waitOf(undefined), waitOf(false), waitOf(true), waitOf('10m'), waitOf('1h30m')]).toEqual([
    undefined,
    undefined,
    300_000,
    600_000,
    5_400_000,
  ]);
  expect(() => waitOf('dev')).toThrow('--wait dev: that is no duration; write the environment first, and --wait=5m');
  expect(() => waitOf('0s')).toThrow('no duration');
});
