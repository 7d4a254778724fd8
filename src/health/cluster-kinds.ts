import { jsonText } from '#model/json.ts';
import { plainSentence } from './plain-sentence.ts';
import { areLost, podWords } from './pod-trouble.ts';
import type { Judgement, Seen } from './seen.ts';
import {
  HEALTHY,
  NOT_SEEN_YET,
  conditionOf,
  counted,
  degraded,
  isFalse,
  isTrue,
  numberAt,
  objectAt,
  objectsAt,
  progressing,
  saying,
  told,
} from './seen.ts';

/** Healthy once it is done: what depends on a migration must not start while it runs. kstatus calls a running Job current. */
export function job({ spec, status, conditions, pods }: Seen): Judgement {
  const failed = conditionOf(conditions, 'Failed');
  if (isTrue(failed)) return degraded(`${told('job failed', failed?.['reason'])}${podWords(pods)}`);
  if (isTrue(conditionOf(conditions, 'Complete'))) return HEALTHY;
  if (spec['suspend'] === true) return { state: 'healthy', reason: 'is suspended, as git says' };
  const failing = conditionOf(conditions, 'FailureTarget');
  if (isTrue(failing)) return degraded(`${told('job is failing', failing?.['reason'])}${podWords(pods)}`);
  if (status['startTime'] === undefined) return progressing('has not started');
  const done = `${numberAt(status, 'succeeded')} of ${counted(numberAt(spec, 'completions', 1), 'completion')}`;
  const ended = numberAt(status, 'failed');
  const reason = `runs: ${done}${ended === 0 ? '' : `, ${counted(ended, 'pod')} failed`}${podWords(pods)}`;
  return areLost(pods) ? degraded(reason) : progressing(reason);
}

export function service({ spec, status }: Seen): Judgement {
  if (spec['type'] !== 'LoadBalancer' || objectsAt(objectAt(status, 'loadBalancer'), 'ingress').length > 0) return HEALTHY;
  return progressing('waits for a load balancer address');
}

export function persistentVolumeClaim({ status }: Seen): Judgement {
  const { phase } = status;
  if (phase === 'Bound') return HEALTHY;
  if (phase === 'Lost') return degraded('its volume is lost');
  return progressing('waits for a volume (some storage classes bind one when the first pod uses it)');
}

export function podDisruptionBudget(seen: Seen): Judgement {
  const allowed = conditionOf(seen.conditions, 'DisruptionAllowed');
  if (seen.status['observedGeneration'] === undefined) return NOT_SEEN_YET;
  return allowed?.['reason'] === 'SyncFailed' ? degraded(told('cannot be computed', saying(allowed))) : HEALTHY;
}

export function customResourceDefinition({ conditions }: Seen): Judgement {
  const accepted = conditionOf(conditions, 'NamesAccepted');
  const established = conditionOf(conditions, 'Established');
  if (isFalse(accepted)) return degraded(told('its names are not accepted', saying(accepted)));
  if (isTrue(established)) return HEALTHY;
  if (isFalse(established) && established?.['reason'] !== 'Installing') return degraded(told('is not established', saying(established)));
  return progressing('is not established yet');
}

export function namespace({ status }: Seen): Judgement {
  return status['phase'] === 'Terminating' ? progressing('is being deleted') : HEALTHY;
}

/** Metrics that are not there yet are waited for; what cannot be read however long one waits is broken. Version 1 has no conditions. */
export function horizontalPodAutoscaler({ status, conditions }: Seen): Judgement {
  if (conditions.length === 0) return status['desiredReplicas'] === undefined ? NOT_SEEN_YET : HEALTHY;
  const able = conditionOf(conditions, 'AbleToScale');
  if (isFalse(able) && able?.['reason'] !== 'BackoffBoth') return degraded(told('cannot scale', saying(able)));
  const active = conditionOf(conditions, 'ScalingActive');
  if (!isFalse(active) || active?.['reason'] === 'ScalingDisabled') return HEALTHY;
  const reason = told('does not scale', saying(active));
  return typeof active?.['reason'] === 'string' && active['reason'].startsWith('Invalid') ? degraded(reason) : progressing(reason);
}

export function apiService({ conditions }: Seen): Judgement {
  const available = conditionOf(conditions, 'Available');
  if (available === undefined) return NOT_SEEN_YET;
  return isTrue(available) ? HEALTHY : progressing(told('is not available', saying(available)));
}

/** What a namespace or another object that goes away says it still waits for. */
export function remains({ conditions }: Seen): string {
  const names = new Set([
    'NamespaceFinalizersRemaining',
    'NamespaceContentRemaining',
    'NamespaceDeletionContentFailure',
    'NamespaceDeletionDiscoveryFailure',
  ]);
  const left = conditions.find((condition) => isTrue(condition) && names.has(jsonText(condition['type'])));
  return left === undefined ? '' : `; ${plainSentence(saying(left), 200)}`;
}
