import { assess } from '#health/health.ts';
import type { Patience } from '#model/health.ts';
import { parseInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import type { JsonObject } from '#model/json.ts';
import type { LiveObject } from '#model/plan.ts';
import type { RenderedObject } from '#model/rendering.ts';
import { inventoryOf, observationOf, renderedObject, targetRendering } from '#test/plan/build-target.ts';

/** Of an object in a cluster what a test cares about; `kind` is `group/version Kind`, `v1 Pod` for the core group. */
export interface LiveSketch {
  readonly kind: string;
  readonly metadata?: JsonObject;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
  readonly pods?: readonly JsonObject[];
  readonly appliedAt?: Instant;
}

export function instant(text: string): Instant {
  const at = parseInstant(text);
  if (at === undefined) throw new Error(`${text} is no time`);
  return at;
}

export function renderedKind(kind: string): RenderedObject {
  const [apiVersion = '', name = ''] = kind.split(' ');
  return renderedObject('web', { apiVersion, kind: name });
}

export function liveOf({ metadata = {}, spec, status, pods, appliedAt }: Omit<LiveSketch, 'kind'>): LiveObject {
  return {
    uid: '0a1b',
    appliedAt,
    object: {
      metadata: { generation: 1, ...metadata },
      ...(spec === undefined ? {} : { spec }),
      ...(status === undefined ? {} : { status }),
    },
    ...(pods === undefined ? {} : { pods }),
    changedBy: [],
  };
}

/** State and reason of an object that has the wanted content; the state alone where it is as it should be. */
export function judged(sketch: LiveSketch, patience?: Patience, object: RenderedObject = renderedKind(sketch.kind)): string {
  const rendering = targetRendering([object], { web: 0 });
  const observation = observationOf(inventoryOf(rendering), [object]);
  const objects = observation.objects.map((one) => ({ ...one, live: liveOf(sketch) }));
  const health = assess(rendering, { ...observation, objects }, patience);
  const [instance] = health.instances;
  return [health.state, ...(instance?.reasons ?? []).map(({ reason }) => reason)].join(': ');
}

/** `['Ready', 'False', 'Failed', 'no such key']` as a condition. */
export function condition(type: string, status: string, reason = '', message = ''): JsonObject {
  return { type, status, ...(reason === '' ? {} : { reason }), ...(message === '' ? {} : { message }) };
}

/** A condition that speaks of one generation. */
export function seenAt(observedGeneration: number, one: JsonObject): JsonObject {
  return { ...one, observedGeneration };
}

/** What a controller wrote once, cut down to the fields that decide; `source` is the project whose files or issues show it. */
export interface Recorded extends LiveSketch {
  readonly source: string;
  readonly said: string;
}
