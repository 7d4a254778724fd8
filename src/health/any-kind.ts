import type { Judgement, Seen } from './seen.ts';
import { HEALTHY, conditionOf, degraded, isFalse, isStale, isTrue, progressing, saying, told } from './seen.ts';

/** Conditions that say it is broken while they are true. */
const BROKEN: readonly string[] = ['Stalled', 'Failed', 'Degraded'];
/** Conditions of which each one that is there must be true; the last one is a work that ends, and does not come back from false. */
const GOOD: readonly string[] = ['Ready', 'Available', 'Succeeded'];

/**
 * A kind that no row of the table knows, by the conditions that many controllers share: `Reconciling` and `Stalled` are kstatus' own,
 * the others are convention. An object that says nothing is as it should be once it is applied.
 */
export function anyKind(seen: Seen): Judgement {
  const { conditions } = seen;
  if (conditions.length === 0) return HEALTHY;
  for (const type of BROKEN) {
    const condition = conditionOf(conditions, type);
    if (isTrue(condition)) return degraded(told(`is ${type.toLowerCase()}`, saying(condition)));
  }
  const busy = conditionOf(conditions, 'Reconciling');
  if (isTrue(busy)) return progressing(told('is being reconciled', saying(busy)));
  for (const type of GOOD) {
    const condition = conditionOf(conditions, type);
    if (condition === undefined) continue;
    if (isStale(seen, condition)) return progressing('its controller has not seen the last change');
    if (type === 'Succeeded' && isFalse(condition)) return degraded(told('has failed', saying(condition)));
    if (!isTrue(condition))
      return progressing(told(type === 'Succeeded' ? 'is at work' : `is not ${type.toLowerCase()}`, saying(condition)));
  }
  return HEALTHY;
}
