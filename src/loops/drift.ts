import type { DesiredEnvironment } from '#model/desired.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { DriftedObject, Outcome, TargetPlan } from '#model/plan.ts';
import type { Problem } from '#model/problem.ts';
import type { Ending } from '#model/receipt.ts';
import { findFights } from '#plan/plan.ts';
import type { World } from './world.ts';

export interface DriftPolicy {
  readonly onDetect: 'correct' | 'report' | 'pullRequest';
  /** Corrections of one object within an hour. */
  readonly maxPerHour: number;
}

export type Fights = ReturnType<typeof findFights>;

const USUAL_MOST = 6;

/** What becomes of drift: `selfHeal: false` reports it, and so does an allowance of no corrections. */
export function driftPolicy(environment: DesiredEnvironment): DriftPolicy {
  const sync = environment.declared.value.spec.sync;
  const maxPerHour = sync?.drift?.maxPerHour ?? USUAL_MOST;
  const onDetect = sync?.drift?.onDetect ?? 'correct';
  if (onDetect !== 'correct') return { onDetect, maxPerHour };
  return { onDetect: sync?.selfHeal === false || maxPerHour === 0 ? 'report' : 'correct', maxPerHour };
}

export function fightsOn(world: Pick<World, 'corrections' | 'clock'>, environment: DesiredEnvironment, target: string): Fights {
  const { maxPerHour } = driftPolicy(environment);
  return findFights(world.corrections.of(environment.name, target), world.clock.now(), Math.max(1, maxPerHour));
}

/** Remembers what was taken back, so that a fight is seen. */
export function noteCorrections(
  world: Pick<World, 'corrections' | 'clock'>,
  plan: TargetPlan,
  outcomes: readonly Outcome[],
  drift: readonly DriftedObject[],
): void {
  const done = new Set(outcomes.flatMap((outcome) => (outcome.result === 'done' ? [keyText(outcome.key)] : [])));
  const wanted = new Map(plan.steps.map((step) => [keyText(step.key), step]));
  const at = world.clock.now();
  const made = drift.flatMap(({ key, action }) => {
    const step = wanted.get(keyText(key));
    if (action !== 'corrected' || step === undefined || !('sha256' in step) || !done.has(keyText(key))) return [];
    return [{ key: keyText(key), sha256: step.sha256, at }];
  });
  world.corrections.note(plan.environment, plan.target, made);
}

/** A warning for each object that is left alone because something else keeps setting it back. */
export function fightProblems(environment: DesiredEnvironment, plan: TargetPlan, drift: readonly DriftedObject[]): readonly Problem[] {
  const reasons = new Map(plan.steps.map((step) => [keyText(step.key), step.reason]));
  return drift
    .filter((object) => object.action === 'fought')
    .map(({ key }) => ({
      code: 'drift-fight',
      rule: undefined,
      severity: 'warning',
      phase: 'sync',
      message: `${keyText(key)} on target ${plan.target} of ${plan.environment} ${reasons.get(keyText(key)) ?? 'is set back'}`,
      remedy:
        'Stop the other writer, or let it have its fields: add them to sync.drift.ignore, or take them out of git. ' +
        'A change of this object in git is applied at once.',
      place: environment.declared.at('/spec/sync/drift/maxPerHour'),
      related: [],
    }));
}

/** While something is fought over, the run is repeated when the next correction is within the allowance. */
export function afterFights(ending: Ending, plan: TargetPlan, drift: readonly DriftedObject[], fights: Fights): Ending {
  if (ending.kind !== 'settled' && ending.kind !== 'waiting') return ending;
  const fought = drift.filter((object) => object.action === 'fought');
  const times = fought.flatMap(({ key }) => fights.get(keyText(key))?.until ?? []);
  if (times.length === 0) return ending;
  const until = times.reduce((a, b) => (a < b ? a : b));
  const reasons = fought.map(({ key }) => `${key.kind} ${key.name} on ${plan.target} is fought over`);
  if (ending.kind === 'settled') return { kind: 'waiting', reasons, until };
  return {
    ...ending,
    reasons: [...ending.reasons, ...reasons],
    until: ending.until === undefined || until < ending.until ? until : ending.until,
  };
}
