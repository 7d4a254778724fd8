import type { Sha256 } from '#model/digest.ts';
import { expressedHealth } from '#model/health-expression.ts';
import type { HealthExpressions } from '#model/health-expression.ts';
import type { ObjectHealth, Patience } from '#model/health.ts';
import { durationText, instantText, toInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import { isJsonObject } from '#model/json.ts';
import type { JsonObject } from '#model/json.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import type { LiveObject } from '#model/plan.ts';
import type { RenderedObject } from '#model/rendering.ts';
import { remains } from './cluster-kinds.ts';
import { ruleOf, unlisted } from './kind-table.ts';
import { plainSentence } from './plain-sentence.ts';
import type { Judgement, Seen } from './seen.ts';
import { HEALTHY, conditionsOf, isUnobserved, objectAt, listed, progressing, textsAt, timeAt, toSeen } from './seen.ts';

/** A sentence of ours with up to three of strangers in it. */
const LONGEST = 600;

/** What is said of an object. */
export type Lived = Omit<ObjectHealth, 'key'>;

/**
 * How an object of a cluster is that has the wanted content: what deletes it, then its capsule's own expressions, then the rule of its
 * kind. On its way for longer than the deadline is broken.
 */
export function liveHealth(object: RenderedObject, live: LiveObject, patience: Patience | undefined): Lived {
  const judged = judge(object, live);
  if (judged === HEALTHY) return judged;
  const { state, reason } = judged;
  const since =
    state === 'progressing' && judged.endless === undefined && patience !== undefined ? lastMove(live, patience.now) : undefined;
  if (patience === undefined || since === undefined) return { state, reason: plainSentence(reason, LONGEST) };
  const { now, deadline } = patience;
  const lateAt = toInstant(since + deadline);
  if (now < lateAt) return { state, reason: plainSentence(reason, LONGEST), lateAt };
  return { state: 'degraded', reason: plainSentence(`no progress for ${durationText(deadline)}: ${reason}`, LONGEST) };
}

function judge(object: RenderedObject, live: LiveObject): Judgement {
  const { metadata, status } = live.object;
  const isLeaving = isJsonObject(metadata) && metadata['deletionTimestamp'] !== undefined;
  const rule = ruleOf(object.key);
  if (!isLeaving && object.health === undefined && rule === undefined && status === undefined) {
    // Most objects of most kinds: nothing says how they are, so being there is all there is.
    if (!object.key.group.includes('.')) return HEALTHY;
  }
  const seen = toSeen(live);
  if (isLeaving) return leaving(seen);
  if (object.health !== undefined) return remembered(object, object.health, live);
  return (rule ?? unlisted(object.key))(seen);
}

function leaving(seen: Seen): Judgement {
  const since = timeAt(seen.metadata, 'deletionTimestamp');
  const finalizers = textsAt(seen.metadata, 'finalizers');
  const some = finalizers.length === 1 ? ['finalizer', 'has'] : ['finalizers', 'have'];
  const waits = finalizers.length === 0 ? '' : `; ${some[0]} ${listed(finalizers)} ${some[1]} not ended`;
  return progressing(`is being deleted${since === undefined ? '' : ` since ${secondText(since)}`}${waits}${remains(seen)}`);
}

/** Expressions cost far more than all the rest: their answer is kept for as long as the live object is the same value. */
const ANSWERS = new WeakMap<JsonObject, { readonly sha256: Sha256; readonly health: HealthExpressions; readonly judged: Judgement }>();

function remembered({ object, sha256 }: RenderedObject, health: HealthExpressions, live: LiveObject): Judgement {
  const known = ANSWERS.get(live.object);
  if (known !== undefined && known.sha256 === sha256 && isSame(known.health, health)) return known.judged;
  const judged = expressed(object, health, toSeen(live));
  ANSWERS.set(live.object, { sha256, health, judged });
  return judged;
}

function isSame(a: HealthExpressions, b: HealthExpressions): boolean {
  return a.current === b.current && a.inProgress === b.inProgress && a.failed === b.failed;
}

/** Its own words decide; what they say of an earlier generation says nothing of this one. */
function expressed(object: KubernetesObject, health: HealthExpressions, seen: Seen): Judgement {
  if (Object.keys(seen.status).length === 0) return progressing('its health expressions wait for its status');
  if (isUnobserved(seen)) return progressing('its controller has not seen the last change');
  const whole = { ...object, metadata: { ...object.metadata, ...seen.metadata } };
  return expressedHealth(health, whole, seen.status);
}

/**
 * When it was applied or last moved: what was well for a day has its time again. A time that has not come does not count: a clock that runs
 * ahead must not hold up the deadline.
 */
function lastMove(live: LiveObject, now: Instant): Instant | undefined {
  const { metadata, status, conditions, pods } = toSeen(live);
  const podStatuses = pods.map((pod) => objectAt(pod, 'status'));
  const moves = [...conditions, ...podStatuses.flatMap(conditionsOf)].flatMap((condition) => [
    timeAt(condition, 'lastTransitionTime'),
    timeAt(condition, 'lastUpdateTime'),
  ]);
  const starts = [status, ...podStatuses].map((one) => timeAt(one, 'startTime'));
  return [live.appliedAt, timeAt(metadata, 'deletionTimestamp'), ...starts, ...moves]
    .filter((at) => at !== undefined && at <= now)
    .reduce((latest, at) => (at !== undefined && (latest === undefined || at > latest) ? at : latest), undefined);
}

function secondText(at: Instant): string {
  return instantText(at).replace(/\.\d{3}Z$/u, 'Z');
}
