import { sha256Of } from '#model/digest.ts';
import { healthPart } from '#model/health-fields.ts';
import { parseInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { DriftIgnore } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';
import { childMap } from './answers.ts';
import type { ApiResource } from './api.ts';
import { boundedHealth, isWithin } from './bounded-health.ts';
import { LONGEST_FIELDS } from './changed-by.ts';
import { ignoredFields } from './ignored-fields.ts';
import { ownedText } from './owned-fields.ts';
import { APPLIED_ANNOTATION, FIELD_MANAGER } from './seen-object.ts';
import type { FieldWriter, SeenObject } from './seen-object.ts';

/** Names of Kubernetes are at most 253 characters; whatever is longer is no name. */
const LONGEST_NAME = 512;
const MOST_MANAGERS = 50;

/** One entry of `metadata.managedFields`. */
interface ManagedEntry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource: string;
  readonly time: Instant | undefined;
  readonly fields: JsonObject;
}

/** What is kept of an object as an API server sends it (items of a list name no kind: the resource does); undefined for what is no object. */
export function distil(
  resource: Pick<ApiResource, 'group' | 'kind'>,
  object: JsonObject,
  ignore: readonly DriftIgnore[],
): SeenObject | undefined {
  const metadata = childMap(object, 'metadata');
  const [name, namespace, uid, resourceVersion] = ['name', 'namespace', 'uid', 'resourceVersion'].map((field) =>
    shortText(metadata, field),
  );
  if (name === undefined || name === '' || namespace === undefined || !uid || !resourceVersion) return undefined;
  const key: ObjectKey = { group: resource.group, kind: resource.kind, namespace, name };
  const entries = managedEntries(metadata);
  const own = entries.find(isOurs);
  const readable = key.group === '' && key.kind === 'Secret' ? withoutValues(object) : object;
  const text =
    own && ownedText({ object: readable, fields: own.fields, others: otherFields(entries), ignored: ignoredFields(key, ignore) });
  return {
    key,
    uid,
    resourceVersion,
    owned: text === undefined ? undefined : sha256Of(text),
    applied: appliedFrom(metadata, own),
    managers: managerNames(entries.filter((entry) => !isOurs(entry))),
    writers: writers(entries, own),
    isProtected: isProtected(childMap(metadata, 'annotations')),
    live: {
      uid,
      appliedAt: own?.time,
      object: boundedHealth(healthPart(object)),
      changedBy: managerNames(laterWriters(entries, own)),
    },
  };
}

function writers(entries: readonly ManagedEntry[], own: ManagedEntry | undefined): readonly FieldWriter[] {
  return laterWriters(entries, own)
    .slice(0, MOST_MANAGERS)
    .map(({ manager, fields }) => ({ manager, fields: shortFields(fields) }));
}

function shortFields(fields: JsonObject): string | undefined {
  if (!isWithin(fields, LONGEST_FIELDS)) return undefined;
  const text = JSON.stringify(fields);
  return text.length > LONGEST_FIELDS ? undefined : text;
}

function laterWriters(entries: readonly ManagedEntry[], own: ManagedEntry | undefined): readonly ManagedEntry[] {
  return entries.filter((entry) => !isOurs(entry) && mayHaveChanged(entry, own));
}

/** Somebody who wrote fields, not only the status, when we last did or later; scaling leaves no time. */
function mayHaveChanged(entry: ManagedEntry, own: ManagedEntry | undefined): boolean {
  if (entry.subresource === 'status') return false;
  return entry.time === undefined || own?.time === undefined || entry.time >= own.time;
}

function isOurs(entry: ManagedEntry): boolean {
  return entry.manager === FIELD_MANAGER && entry.operation === 'Apply' && entry.subresource === '';
}

function otherFields(entries: readonly ManagedEntry[]): readonly JsonObject[] {
  return entries.filter((entry) => !isOurs(entry)).map((entry) => entry.fields);
}

function managerNames(entries: readonly ManagedEntry[]): readonly string[] {
  return [...new Set(entries.map((entry) => entry.manager))].toSorted(compareText).slice(0, MOST_MANAGERS);
}

function managedEntries(metadata: JsonObject): readonly ManagedEntry[] {
  const entries = Object.hasOwn(metadata, 'managedFields') ? metadata['managedFields'] : undefined;
  if (!Array.isArray(entries)) return [];
  return entries.filter((entry: Json) => isJsonObject(entry)).map((entry: JsonObject) => managedEntry(entry));
}

function managedEntry(entry: JsonObject): ManagedEntry {
  return {
    manager: jsonText(entry['manager']).slice(0, 128),
    operation: jsonText(entry['operation']),
    subresource: jsonText(entry['subresource']),
    time: parseInstant(jsonText(entry['time'])),
    fields: childMap(entry, 'fieldsV1'),
  };
}

/** An annotation that somebody else wrote tells nothing of what we applied. */
function appliedFrom(metadata: JsonObject, own: ManagedEntry | undefined): string | undefined {
  const annotations = own && childMap(childMap(own.fields, 'f:metadata'), 'f:annotations');
  if (annotations === undefined || !Object.hasOwn(annotations, `f:${APPLIED_ANNOTATION}`)) return undefined;
  return shortText(childMap(metadata, 'annotations'), APPLIED_ANNOTATION) || undefined;
}

/** Annotations of our own and of the tools people come from that say: not to be deleted by a machine. */
function isProtected(annotations: JsonObject): boolean {
  const said = (name: string): string => (Object.hasOwn(annotations, name) ? jsonText(annotations[name]) : '').toLowerCase();
  return (
    said('capstan.dev/prune') === 'false' ||
    said('capstan.dev/prune') === 'disabled' ||
    said('kustomize.toolkit.fluxcd.io/prune') === 'disabled' ||
    said('helm.sh/resource-policy') === 'keep' ||
    said('argocd.argoproj.io/sync-options')
      .split(',')
      .some((option) => /^\s*(prune|delete)=(false|confirm)\s*$/.test(option))
  );
}

/** Empty where there is none; undefined where it is longer than any name. */
function shortText(value: JsonObject, field: string): string | undefined {
  const text = Object.hasOwn(value, field) ? jsonText(value[field]) : '';
  return text.length > LONGEST_NAME ? undefined : text;
}

/**
 * A Secret whose values are not told: its digest is written down where more people may read than the Secret itself, and a short value could be
 * guessed from it. Nothing is missed: who changes a value takes the field from us.
 */
function withoutValues(object: JsonObject): JsonObject {
  const names = Object.keys(childMap(object, 'data')).map((name): [string, string] => [name, '']);
  return { ...object, data: Object.fromEntries(names) };
}
