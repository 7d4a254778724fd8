import { areLost, podTrouble, podWords } from './pod-trouble.ts';
import type { Judgement, Seen } from './seen.ts';
import {
  HEALTHY,
  NOT_SEEN_YET,
  conditionOf,
  counted,
  degraded,
  halted,
  isFalse,
  isTrue,
  numberAt,
  objectAt,
  progressing,
  saying,
  told,
} from './seen.ts';

/*
 * Source of what the numbers mean: pkg/kstatus/status/core.go of kubernetes-sigs/cli-utils (Flux judges by it) and the controllers of
 * Kubernetes 1.35. docs/health.md says where these rules differ.
 */

/** How many of a workload's pods there should be, and how many there are. */
interface Replicas {
  readonly wanted: number;
  readonly available: number;
  readonly present: number;
  readonly updated: number;
  /** How many are to be updated; fewer than wanted where a partition holds some back. */
  readonly toUpdate: number;
}

export function deployment(seen: Seen): Judgement {
  const { spec, status, conditions } = seen;
  if (!isObserved(seen)) return NOT_SEEN_YET;
  const wanted = numberAt(spec, 'replicas', 1);
  const short = shortage({ ...replicasOf(seen), wanted, updated: numberAt(status, 'updatedReplicas'), toUpdate: wanted });
  if (conditionOf(conditions, 'Progressing')?.['reason'] === 'ProgressDeadlineExceeded') {
    return degraded(`rollout stopped: it exceeded its progress deadline${short === undefined ? '' : `; ${short}${podWords(seen.pods)}`}`);
  }
  if (short === undefined) {
    const available = conditionOf(conditions, 'Available');
    return isFalse(available) ? progressing(told('is not available', saying(available))) : HEALTHY;
  }
  if (spec['paused'] === true) return halted(`its rollout is paused; ${short}`);
  return shortOf(seen, short);
}

export function replicaSet(seen: Seen): Judgement {
  if (!isObserved(seen)) return NOT_SEEN_YET;
  const short = shortage(replicasOf(seen));
  return short === undefined ? HEALTHY : shortOf(seen, short);
}

/** Its controller sets no conditions: the numbers are all there is. */
export function statefulSet(seen: Seen): Judgement {
  const { spec, status } = seen;
  if (!isObserved(seen)) return NOT_SEEN_YET;
  const strategy = objectAt(spec, 'updateStrategy');
  const partition = numberAt(objectAt(strategy, 'rollingUpdate'), 'partition');
  const replicas = replicasOf(seen);
  const isUpdated = status['currentRevision'] === status['updateRevision'] || strategy['type'] === 'OnDelete';
  const updated = isUpdated ? replicas.wanted : numberAt(status, 'updatedReplicas');
  const short = shortage({ ...replicas, updated, toUpdate: Math.max(0, replicas.wanted - partition) });
  if (short !== undefined) return shortOf(seen, short);
  return isUpdated || partition > 0 ? HEALTHY : progressing('its new revision is not the current one yet');
}

export function daemonSet(seen: Seen): Judgement {
  const { spec, status } = seen;
  if (!isObserved(seen) || typeof status['desiredNumberScheduled'] !== 'number') return NOT_SEEN_YET;
  const wanted = status['desiredNumberScheduled'];
  const byHand = objectAt(spec, 'updateStrategy')['type'] === 'OnDelete';
  const updated = byHand ? wanted : numberAt(status, 'updatedNumberScheduled');
  const short = shortage({ wanted, available: numberAt(status, 'numberAvailable'), present: wanted, updated, toUpdate: wanted });
  return short === undefined ? HEALTHY : shortOf(seen, short);
}

export function pod({ status }: Seen): Judgement {
  if (status['phase'] === undefined) return NOT_SEEN_YET;
  const trouble = podTrouble(status);
  if (trouble === undefined) return HEALTHY;
  return status['phase'] === 'Failed' || trouble.isLasting ? degraded(trouble.words) : progressing(trouble.words);
}

function replicasOf({ spec, status }: Seen): Replicas {
  const wanted = numberAt(spec, 'replicas', 1);
  const available = numberAt(status, 'availableReplicas', numberAt(status, 'readyReplicas'));
  return { wanted, available, present: numberAt(status, 'replicas'), updated: wanted, toUpdate: wanted };
}

/** What is missing, in words; undefined where nothing is. */
function shortage({ wanted, available, present, updated, toUpdate }: Replicas): string | undefined {
  if (available < wanted) return `${of(available, wanted)} available`;
  if (updated < toUpdate) return `${of(updated, toUpdate)} updated`;
  if (present > wanted) return `${counted(present - wanted, 'old replica')} ${present - wanted === 1 ? 'has' : 'have'} not ended`;
  return undefined;
}

function of(some: number, all: number): string {
  return `${some} of ${counted(all, 'replica')} ${some === 1 || all === 1 ? 'is' : 'are'}`;
}

function shortOf({ conditions, pods }: Seen, short: string): Judgement {
  const failure = conditionOf(conditions, 'ReplicaFailure');
  const why = isTrue(failure) ? `; ${told('its pods cannot be created', saying(failure))}` : podWords(pods);
  return areLost(pods) ? degraded(`${short}${why}`) : progressing(`${short}${why}`);
}

/** These controllers always say which generation they saw: none means that nobody has looked. */
function isObserved({ metadata, status }: Seen): boolean {
  return metadata['generation'] === undefined || metadata['generation'] === status['observedGeneration'];
}
