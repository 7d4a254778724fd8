import { jsonText } from '#model/json.ts';
import { byConditions, judgeConditions } from './condition-rule.ts';
import type { Judgement, Seen } from './seen.ts';
import { HEALTHY, NOT_SEEN_YET, conditionOf, degraded, isFalse, isTrue, objectAt, progressing, saying, told } from './seen.ts';

/** cert-manager: a renewal of a certificate that is good leaves it good; an issuance that failed is tried again after an hour and more. */
export function certificate(seen: Seen): Judgement {
  const { conditions } = seen;
  const ready = conditionOf(conditions, 'Ready');
  const issuing = conditionOf(conditions, 'Issuing');
  if (isTrue(ready)) return judgeConditions(seen, conditions, { good: ['Ready'] });
  if (isTrue(issuing)) return progressing(told('is being issued', saying(issuing)));
  if (isFalse(issuing) && issuing?.['reason'] !== 'Issued') return degraded(told('could not be issued', saying(issuing)));
  if (ready === undefined) return NOT_SEEN_YET;
  const waits = new Set(['DoesNotExist', 'MissingData', 'RequestChanged', 'SecretMismatch', 'IncorrectIssuer', 'Renewing']);
  const isWaiting = !isFalse(ready) || waits.has(jsonText(ready['reason']));
  return isWaiting ? progressing(told('is not issued yet', saying(ready))) : degraded(told('is not ready', saying(ready)));
}

/** KEDA. */
export function scaledObject(seen: Seen): Judgement {
  if (isTrue(conditionOf(seen.conditions, 'Paused'))) return { state: 'healthy', reason: 'is paused' };
  return judgeConditions(seen, seen.conditions, { good: ['Ready'], bad: ['Fallback'] });
}

/** KServe: the model has a state of its own beside that of what serves it. */
export function inferenceService(seen: Seen): Judgement {
  const { status, conditions } = seen;
  if (isTrue(conditionOf(conditions, 'Stopped'))) return { state: 'healthy', reason: 'is stopped, as git says' };
  const model = objectAt(status, 'modelStatus');
  const ready = conditionOf(conditions, 'Ready');
  if (model['transitionStatus'] === 'BlockedByFailedLoad' || model['transitionStatus'] === 'InvalidSpec') {
    const failure = objectAt(model, 'lastFailureInfo')['message'] ?? saying(isFalse(ready) ? ready : undefined);
    return degraded(told('its model cannot be loaded', failure));
  }
  if (model['transitionStatus'] === 'InProgress') return progressing(told('its model is being loaded', isTrue(ready) ? '' : saying(ready)));
  return judgeConditions(seen, conditions, { good: ['Ready'] });
}

/** Cluster API: until v1beta2 a false condition has a severity; from then on only the phase tells failures. */
export function clusterApiObject({ status, conditions }: Seen): Judgement {
  const ready = conditionOf(conditions, 'Ready') ?? conditionOf(conditions, 'Available');
  const { phase } = status;
  if (phase === 'Failed') return degraded(told('failed', status['failureMessage'] ?? saying(ready)));
  if (isFalse(ready) && ready?.['severity'] === 'Error') return degraded(told('is not ready', saying(ready)));
  if (ready === undefined) return NOT_SEEN_YET;
  const isThere = phase === 'Provisioned' || phase === 'Running' || phase === undefined;
  return isTrue(ready) && isThere ? HEALTHY : progressing(told('is being provisioned', isTrue(ready) ? '' : saying(ready)));
}

/** Kinds that say all with one condition. */
export const READY = byConditions({ good: ['Ready'] });
export const ACCEPTED = byConditions({ good: ['Accepted'], waiting: ['Pending', 'Waiting'] });
