import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { until } from '#cli/demo-stage.ts';
import { deliveriesOf, endOf, type End } from './kill-end.ts';
import { openKillStage } from './kill-stage.ts';
import { STEPS, tellWithKills } from './kill-story.ts';
import { chanceOf, chooseMoments, dealIntoStories, type Moment } from './moments.ts';

export interface Told {
  readonly moments: readonly Moment[];
  readonly durations: readonly number[];
  readonly end: End;
  /** Deliveries that the forge knows as accepted, and what became of none of them. */
  readonly accepted: number;
  readonly unsettled: readonly string[];
  readonly exitCode: number | null;
  /** Lines of the log at level error. */
  readonly errors: readonly string[];
}

/** One story from an empty folder to its end. */
export async function tellOnce(moments: readonly Moment[], chance: () => number): Promise<Told> {
  const directory = await mkdtemp(join(tmpdir(), 'capstan-kill-'));
  const told = await openKillStage(directory);
  try {
    const durations = await tellWithKills(told, moments, () => Math.floor(chance() * 400));
    await told.untilReady();
    await until('every accepted delivery to be done', 90, async () =>
      (await deliveriesOf(told.stage)).unsettled.length === 0 ? true : undefined,
    ).catch(() => undefined);
    const exitCode = await told.stopService();
    const { accepted, unsettled } = await deliveriesOf(told.stage);
    const end = await endOf(told.stage);
    const errors = told
      .said()
      .split('\n')
      .filter((line) => line.includes('"level":50'));
    return { moments, durations, end, accepted: accepted.length, unsettled, exitCode, errors };
  } catch (error) {
    console.error(told.said().slice(-8000));
    throw error;
  } finally {
    await told.close();
    await rm(directory, { recursive: true, force: true });
  }
}

export interface Rounds {
  readonly undisturbed: Told;
  readonly disturbed: readonly Told[];
}

/** One undisturbed story, and as many stories with kills as the rounds fill. */
export async function tellRounds(rounds: number, seed: number, killsEach: number): Promise<Rounds> {
  const chance = chanceOf(seed);
  const undisturbed = await tellOnce([], chance);
  const moments = chooseMoments(rounds, undisturbed.durations, chance);
  const disturbed: Told[] = [];
  for (const story of dealIntoStories(moments, killsEach, chance)) {
    console.log(`kills at ${story.map((moment) => `${STEPS[moment.step]?.title ?? ''} + ${moment.after} ms`).join(', ')}`);
    disturbed.push(await tellOnce(story, chance));
  }
  return { undisturbed, disturbed };
}

/** `CAPSTAN_KILL_SEED=n` tells the same stories again; without it each run tells others. */
export function seedOf(env: Readonly<Record<string, string | undefined>>): number {
  const seed = Number(env['CAPSTAN_KILL_SEED'] ?? Math.floor(Math.random() * 1_000_000));
  console.log(`CAPSTAN_KILL_SEED=${seed}`);
  return seed;
}
