import { planLock } from '#loops/lock.ts';
import type { EnvironmentName } from '#model/names.ts';
import { toEnvironmentName } from '#model/names.ts';
import { portsOf, startEngine, type Engine } from './engine.ts';
import { peopleOf, type Outside } from './outside.ts';
import { capsuleFiles, DEV, PROD, shopFiles, STAGING, type Files, type Stage } from './shop.ts';

/** One thing that happens outside, and how the engine learns of it. */
export interface Step {
  readonly title: string;
  /** What people do, before the engine knows. */
  happen(outside: Outside): Promise<void>;
  /** How the engine is woken. */
  wake(engine: Engine): Promise<void>;
}

export interface Story {
  readonly name: string;
  /** A repository as it stands before the first step. */
  begin(outside: Outside): Promise<void>;
  readonly steps: readonly Step[];
}

const look = (engine: Engine): Promise<void> => engine.wake({ kind: 'look' });
const tick = (engine: Engine): Promise<void> => engine.tick();

/** Declares the stages, then locks them: two signed commits. */
export async function declareShop(outside: Outside, stages: readonly Stage[]): Promise<void> {
  const people = peopleOf(outside);
  await people.push(shopFiles(stages), { message: 'Declare the shop' });
  await people.push(await freshLocks(outside), { message: 'Lock versions' });
  for (const branch of ['main', 'audit', ...stages.map((stage) => `rendered/${stage.name}`)]) {
    outside.forge.protections.set(branch, { protected: true, requiredChecks: [], requiredApprovals: 0 });
  }
  outside.forge.protections.set('main', { protected: true, requiredChecks: ['capstan/promote'], requiredApprovals: 0 });
}

/** What `capstan lock --all` writes. */
export async function freshLocks(outside: Outside): Promise<Files> {
  const { world } = startEngine({ ...portsOf(outside), repository: peopleOf(outside).repository });
  const main = await world.repository.resolve('main');
  if (main === undefined) throw new Error('nothing is pushed yet');
  const declarations = await world.reading.declarations(await world.reading.at(main));
  const files: Record<string, string> = {};
  for (const environment of declarations.state.environments) {
    const planned = await planLock(world, declarations, environment);
    if (!planned.ok) throw new Error(JSON.stringify(planned.problems));
    files[planned.value.path] = planned.value.after;
  }
  return files;
}

function waits(title: string, milliseconds: number): Step {
  return {
    title,
    happen: async (outside) => {
      outside.now = (outside.now + milliseconds) as Outside['now'];
    },
    wake: tick,
  };
}

const MINUTE = 60_000;
/** Three targets, one after the other. */
const ROLLED = '  rollout:\n    autoPartitionSize: 34%\n    pauseBetween: 5m\n';

/** Push of a declared environment -> rendered branch -> targets -> audit record -> settled; then a change of configuration. */
export const RECONCILE: Story = {
  name: 'reconcile',
  begin: (outside) => declareShop(outside, [{ ...DEV, name: 'dev' }]),
  steps: [
    { title: 'the engine starts', happen: async () => undefined, wake: (engine) => engine.start() },
    {
      title: 'a person configures the instance',
      happen: async (outside) => {
        await peopleOf(outside).push({
          'environments/dev/environment.yaml': shopFiles([{ ...DEV, targets: ['one', 'two', 'three'] }])[
            'environments/dev/environment.yaml'
          ] as string,
        });
      },
      wake: look,
    },
  ],
};

/** A new signed release travels from the entry environment to prod. */
export const PROMOTE: Story = {
  name: 'promote',
  begin: (outside) => declareShop(outside, [DEV, STAGING, PROD]),
  steps: [
    { title: 'the engine starts', happen: async () => undefined, wake: (engine) => engine.start() },
    {
      title: 'ada releases web 1.1.0',
      happen: async (outside) => {
        outside.now = (outside.now + MINUTE) as Outside['now'];
        await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
      },
      wake: look,
    },
    waits('the soak of staging passes', 11 * MINUTE),
    waits('the soak of prod passes', 61 * MINUTE),
    {
      title: 'bob approves',
      happen: async (outside) => {
        const forge = peopleOf(outside).forge('bob');
        const request = (await forge.list('promote/prod/', undefined)).find((one) => one.state === 'open');
        if (request !== undefined) await forge.review(request.number, 'approved');
      },
      wake: (engine) => engine.wake({ kind: 'promote', environment: environment('prod') }),
    },
    {
      title: 'bob merges',
      happen: async (outside) => {
        const forge = peopleOf(outside).forge('bob');
        const request = (await forge.list('promote/prod/', undefined)).find((one) => one.state === 'open');
        if (request === undefined) return;
        await forge.merge(request.number, { head: request.headCommit, title: request.title, message: 'merged by hand' });
      },
      wake: look,
    },
    waits('a quiet minute passes', MINUTE),
  ],
};

/** The same on a forge that squashes: nothing of a request's commits reaches main but their content. */
export const SQUASH: Story = {
  ...PROMOTE,
  name: 'squash',
  async begin(outside) {
    outside.forge.mergeMethod = 'squash';
    await PROMOTE.begin(outside);
  },
};

function environment(name: string): EnvironmentName {
  return toEnvironmentName(name);
}

/** Two pauses, and a look before each of them ends: better health may be recorded a minute late. */
const PAUSES: readonly Step[] = ['first', 'second'].flatMap((which) => [
  waits(`the ${which} pause goes on`, 2 * MINUTE),
  waits(`the ${which} pause passes`, 6 * MINUTE),
]);

/** A release goes through an environment partition by partition, with a pause between them. */
export const ROLLOUT: Story = {
  name: 'rollout',
  begin: (outside) => declareShop(outside, [{ ...DEV, targets: ['one', 'three', 'two'], rollout: ROLLED }]),
  steps: [
    { title: 'the engine starts', happen: async () => undefined, wake: (engine) => engine.start() },
    ...PAUSES,
    {
      title: 'ada releases web 1.1.0',
      happen: async (outside) => {
        outside.now = (outside.now + MINUTE) as Outside['now'];
        await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
      },
      wake: look,
    },
    ...PAUSES,
  ],
};
