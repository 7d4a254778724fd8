import { judgeConditions } from './condition-rule.ts';
import type { Judgement, Seen } from './seen.ts';
import { HEALTHY, conditionOf, degraded, isFalse, isStale, isTrue, progressing, saying, told } from './seen.ts';

/**
 * Whatever a controller of Flux writes (fluxcd/pkg/apis/meta: Ready, Reconciling, Stalled). `status.observedGeneration` is -1 until a first
 * success, so the conditions' own say what they speak of. Unlike kstatus: a retry after a failure is a failure, and what is ready stays so
 * while it is looked at again.
 */
export function fluxObject(seen: Seen): Judgement {
  const { spec, conditions } = seen;
  if (spec['suspend'] === true) return { state: 'healthy', reason: 'is suspended, as git says' };
  const ready = conditionOf(conditions, 'Ready');
  const busy = conditionOf(conditions, 'Reconciling');
  const stalled = conditionOf(conditions, 'Stalled');
  if (isTrue(stalled) && stalled !== undefined && !isStale(seen, stalled)) return degraded(told('is stalled', saying(stalled)));
  const isGood = isTrue(ready) && ready !== undefined && !isStale(seen, ready);
  if (isTrue(busy) && !isGood && !(isFalse(ready) && busy?.['reason'] === 'ProgressingWithRetry')) {
    return progressing(told('is being reconciled', saying(busy)));
  }
  return judgeConditions(seen, conditions, { good: ['Ready'], waiting: ['DependencyNotReady', 'SourceNotReady'] });
}

/** A repository of an OCI registry is an address and has no status. */
export function helmRepository(seen: Seen): Judgement {
  return seen.spec['type'] === 'oci' && seen.conditions.length === 0 ? HEALTHY : fluxObject(seen);
}
