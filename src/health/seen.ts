import type { HealthState } from '#model/health.ts';
import { parseInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import type { LiveObject } from '#model/plan.ts';
import { plainSentence } from './plain-sentence.ts';

/** How an object is, in words. `endless`: it waits for a person or for nothing at all, so it may take as long as it likes. */
export interface Judgement {
  readonly state: HealthState;
  readonly reason: string;
  readonly endless?: true;
}

/** A live object as rules read it; what is absent or of another shape is empty. */
export interface Seen {
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
  readonly status: JsonObject;
  readonly conditions: readonly JsonObject[];
  readonly pods: readonly JsonObject[];
  readonly appliedAt: Instant | undefined;
}

/** How one kind says how it is. */
export type Rule = (seen: Seen) => Judgement;

/** What is looked at of any list of a stranger. */
const MOST = 100;
const NOTHING: JsonObject = {};
/** Of a message of a stranger inside a sentence of ours. */
const LONGEST_MESSAGE = 200;
const LONGEST_NAME = 100;
const NAMED = 3;

export const HEALTHY: Judgement = { state: 'healthy', reason: 'as it should be' };
export const NOT_SEEN_YET: Judgement = { state: 'progressing', reason: 'waits for its controller' };

export function toSeen({ object, appliedAt, pods = [] }: LiveObject): Seen {
  const status = objectAt(object, 'status');
  return {
    metadata: objectAt(object, 'metadata'),
    spec: objectAt(object, 'spec'),
    status,
    conditions: conditionsOf(status),
    pods: pods.slice(0, MOST),
    appliedAt,
  };
}

export function conditionsOf(status: JsonObject): readonly JsonObject[] {
  return objectsAt(status, 'conditions');
}

export function progressing(reason: string): Judgement {
  return { state: 'progressing', reason };
}

export function degraded(reason: string): Judgement {
  return { state: 'degraded', reason };
}

/** On its way for as long as somebody wants it so. */
export function halted(reason: string): Judgement {
  return { state: 'progressing', reason, endless: true };
}

/** `what: their words`, bounded; only ours where they say nothing. */
export function told(what: string, theirs: Json | undefined): string {
  const words = plainSentence(jsonText(theirs), LONGEST_MESSAGE);
  return words === '' ? what : `${what}: ${words}`;
}

/** What a condition says of itself: its message, else its reason. */
export function saying(condition: JsonObject | undefined): string {
  return jsonText(condition?.['message']) || jsonText(condition?.['reason']);
}

export function conditionOf(conditions: readonly JsonObject[], type: string): JsonObject | undefined {
  return conditions.find((condition) => condition['type'] === type);
}

export function isTrue(condition: JsonObject | undefined): boolean {
  return condition?.['status'] === 'True';
}

export function isFalse(condition: JsonObject | undefined): boolean {
  return condition?.['status'] === 'False';
}

export function objectAt(value: JsonObject, key: string): JsonObject {
  const child = value[key];
  return isJsonObject(child) ? child : NOTHING;
}

export function objectsAt(value: JsonObject, key: string): readonly JsonObject[] {
  const child = value[key];
  return Array.isArray(child) ? (child as readonly Json[]).slice(0, MOST).filter(isJsonObject) : [];
}

export function textsAt(value: JsonObject, key: string): readonly string[] {
  const child = value[key];
  return Array.isArray(child) ? (child as readonly Json[]).slice(0, MOST).filter((item) => typeof item === 'string') : [];
}

export function numberAt(value: JsonObject, key: string, otherwise = 0): number {
  const child = value[key];
  return typeof child === 'number' ? child : otherwise;
}

export function timeAt(value: JsonObject, key: string): Instant | undefined {
  const child = value[key];
  return typeof child === 'string' && child.length < 64 ? parseInstant(child) : undefined;
}

/** Whether a change of the object is still unseen by its controller; false where it does not say what it saw. */
export function isUnobserved(seen: Seen): boolean {
  const { generation } = seen.metadata;
  const { observedGeneration } = seen.status;
  return typeof generation === 'number' && typeof observedGeneration === 'number' && observedGeneration !== generation;
}

/** A condition that speaks of an earlier generation of the object. */
export function isStale(seen: Seen, condition: JsonObject): boolean {
  const { generation } = seen.metadata;
  const { observedGeneration } = condition;
  return typeof generation === 'number' && typeof observedGeneration === 'number' && observedGeneration < generation;
}

/** `1 replica`, `3 replicas`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `a, b, c and 2 more` of names of strangers. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMED).map((name) => plainSentence(name, LONGEST_NAME));
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}
