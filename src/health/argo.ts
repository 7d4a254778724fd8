import type { JsonObject } from '#model/json.ts';
import { jsonText } from '#model/json.ts';
import { areLost, podWords } from './pod-trouble.ts';
import type { Judgement, Seen } from './seen.ts';
import {
  HEALTHY,
  NOT_SEEN_YET,
  conditionOf,
  degraded,
  halted,
  isTrue,
  numberAt,
  objectAt,
  progressing,
  saying,
  timeAt,
  told,
} from './seen.ts';

/** Argo Rollouts from 1.0 on: the controller sums itself up in `status.phase`. Its observed generation is a text. */
export function rollout(seen: Seen): Judgement {
  const { status, conditions, pods } = seen;
  if (isUnseenRollout(seen)) return progressing('its controller has not seen the last change');
  const invalid = conditionOf(conditions, 'InvalidSpec');
  if (isTrue(invalid)) return degraded(told('is not valid', saying(invalid)));
  const stop = conditionOf(conditions, 'Progressing');
  if (stop?.['reason'] === 'RolloutAborted')
    return degraded(`${told('rollout stopped: it was aborted', status['message'])}${podWords(pods)}`);
  if (stop?.['reason'] === 'ProgressDeadlineExceeded') {
    return degraded(`rollout stopped: it exceeded its progress deadline${podWords(pods)}`);
  }
  const phase = jsonText(status['phase']);
  if (phase === 'Healthy') return HEALTHY;
  if (phase === 'Paused') return halted(told('its rollout is paused', status['message']));
  if (phase === 'Degraded' || areLost(pods)) return degraded(`${told('is degraded', status['message'])}${podWords(pods)}`);
  return phase === '' ? NOT_SEEN_YET : progressing(`${told('is rolling out', status['message'])}${podWords(pods)}`);
}

function isUnseenRollout({ metadata, status }: Seen): boolean {
  const generation = numberAt(metadata, 'generation');
  const observed = Number(jsonText(status['observedGeneration']) || Number.NaN);
  // Before 0.10 it is a hash of the specification, which may look like a large number.
  if (observed < generation) return true;
  const workload = objectAt(metadata, 'annotations')['rollout.argoproj.io/workload-generation'];
  return workload !== undefined && status['workloadObservedGeneration'] !== undefined && workload !== status['workloadObservedGeneration'];
}

/**
 * Argo CD: what it deploys must be well and be what its git says. Its status has no observed generation: one that was made before our
 * last change says nothing of it.
 */
export function application({ status, conditions, appliedAt }: Seen): Judgement {
  const reconciled = timeAt(status, 'reconciledAt');
  if (appliedAt !== undefined && reconciled !== undefined && reconciled < appliedAt) {
    return progressing('its controller has not seen the last change');
  }
  const error = conditions.find((condition) => jsonText(condition['type']).endsWith('Error'));
  if (error !== undefined) return degraded(told('cannot be synced', saying(error)));
  const operation = objectAt(status, 'operationState');
  const phase = jsonText(operation['phase']);
  if (phase === 'Failed' || phase === 'Error') return degraded(told('its last sync failed', operation['message']));
  if (phase === 'Running' || phase === 'Terminating') return progressing(told('is being synced', operation['message']));
  const health = objectAt(status, 'health');
  const deployed = deployedState(health);
  if (deployed !== HEALTHY) return deployed;
  // Many run with a drift that never ends, or wait for somebody to press sync: not a failure, and not what git says either.
  return objectAt(status, 'sync')['status'] === 'OutOfSync' ? halted('is out of sync with its git') : HEALTHY;
}

function deployedState(health: JsonObject): Judgement {
  const { status, message } = health;
  if (status === 'Healthy') return HEALTHY;
  if (status === 'Degraded') return degraded(told('what it deploys is degraded', message));
  if (status === 'Suspended') return halted(told('what it deploys is suspended', message));
  if (status === 'Missing') return progressing(told('what it deploys is not there', message));
  if (status === 'Progressing') return progressing(told('what it deploys is on its way', message));
  return status === undefined ? NOT_SEEN_YET : { state: 'unknown', reason: told('nobody knows how what it deploys is', message) };
}

/** Healthy once it is done, like a Job. */
export function workflow({ spec, status }: Seen): Judgement {
  const { phase, message } = status;
  if (phase === 'Succeeded') return HEALTHY;
  if (phase === 'Failed' || phase === 'Error') return degraded(told('workflow failed', message));
  if (spec['suspend'] === true) return halted('is suspended');
  return phase === undefined || phase === '' ? NOT_SEEN_YET : progressing(told('runs', message));
}
