import { keyText } from '#model/kubernetes-object.ts';
import type { DriftedObject, Observation, TargetPlan } from '#model/plan.ts';
import type { Fight } from './fights.ts';

export function driftedObjects(
  plan: TargetPlan,
  observation: Observation,
  fights: ReadonlyMap<string, Fight> = new Map(),
): readonly DriftedObject[] {
  if (plan.drifted.length === 0) return [];
  const steps = new Map(plan.steps.map((step) => [keyText(step.key), step]));
  const found = new Map(observation.objects.map((object) => [object.path, object]));
  return plan.drifted.flatMap((key): readonly DriftedObject[] => {
    const step = steps.get(keyText(key));
    if (step === undefined) return [];
    const there = found.get(step.path);
    const isFought = step.action === 'keep' && fights.get(keyText(key))?.sha256 === step.sha256;
    const action = step.action !== 'keep' ? 'corrected' : isFought ? 'fought' : 'reported';
    return [{ key, path: step.path, found: there?.sha256, changedBy: there?.live?.changedBy ?? [], action }];
  });
}
