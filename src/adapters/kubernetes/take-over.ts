import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText, pointerToken } from '#model/json.ts';
import { childMap } from './answers.ts';
import { isAppliedEntry, managedEntries } from './managed-fields.ts';
import { FIELD_MANAGER } from './seen-object.ts';

/** How a tool shows on an object that it brought to a cluster. */
export interface FormerTool {
  readonly name: string;
  /** Names under which it writes fields. */
  readonly managers: readonly string[];
  /** What it knows its objects by; patterns of whole names. */
  readonly annotations: readonly RegExp[];
  readonly labels: readonly RegExp[];
}

/** Fields that one of these wrote become ours when git adopts the object, so that those git does not name go away. */
export const FORMER_TOOLS: readonly FormerTool[] = [
  {
    name: 'kubectl',
    managers: ['kubectl-client-side-apply', 'kubectl', 'kubectl-create', 'kubectl-replace', 'before-first-apply'],
    annotations: [/^kubectl\.kubernetes\.io\/last-applied-configuration$/],
    labels: [],
  },
  { name: 'Helm', managers: ['helm', 'Helm'], annotations: [/^meta\.helm\.sh\/release-(?:name|namespace)$/], labels: [] },
  {
    name: 'Argo CD',
    managers: ['argocd-controller', 'argocd-application-controller'],
    annotations: [/^argocd\.argoproj\.io\/(?:tracking-id|installation-id)$/],
    labels: [/^argocd\.argoproj\.io\/instance$/],
  },
  {
    name: 'Flux',
    managers: ['kustomize-controller', 'helm-controller'],
    annotations: [/^kustomize\.toolkit\.fluxcd\.io\/checksum$/],
    labels: [/^(?:kustomize|helm)\.toolkit\.fluxcd\.io\/(?:name|namespace)$/],
  },
];

/** A label that two tools and people use: only this value says whose the object is. */
const MANAGED_BY = { label: 'app.kubernetes.io/managed-by', values: ['Helm', 'flux', 'argocd'] };

/**
 * A JSON patch that makes what former tools hold of an object ours and takes their signs from it; it holds only for the version that was
 * read. Undefined where no tool was there. `wanted`: what git says, whose labels and annotations stay.
 */
export function takeOverPatch(live: JsonObject, wanted: JsonObject): readonly JsonObject[] | undefined {
  const metadata = childMap(live, 'metadata');
  const managers = new Set(FORMER_TOOLS.flatMap((tool) => tool.managers));
  const entries = managedEntries(live);
  const theirs = entries.filter((entry) => managers.has(jsonText(entry['manager'])) && jsonText(entry['subresource']) === '');
  const signs = signsOf(metadata, childMap(wanted, 'metadata'));
  if (theirs.length === 0 && signs.length === 0) return undefined;
  return [
    { op: 'replace', path: '/metadata/resourceVersion', value: jsonText(metadata['resourceVersion']) },
    ...(theirs.length === 0 ? [] : [{ op: 'replace', path: '/metadata/managedFields', value: migrated(entries, theirs) }]),
    ...signs.map((path) => ({ op: 'remove', path })),
  ];
}

/** All that they hold and all that we hold, as ours; everybody else's as it was. */
function migrated(entries: readonly JsonObject[], theirs: readonly JsonObject[]): readonly JsonObject[] {
  const own = entries.find(isAppliedEntry);
  const [first] = own === undefined ? theirs : [own];
  const fields = [...(own === undefined ? [] : [own]), ...theirs].map((entry) => childMap(entry, 'fieldsV1')).reduce(united, {});
  const rest = entries.filter((entry) => entry !== own && !theirs.includes(entry));
  return [...rest, { ...first, manager: FIELD_MANAGER, operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1: fields }];
}

/** Fields that one of two sets names. An empty map is the field itself, which `.` says where something below it is named, too. */
function united(a: JsonObject, b: JsonObject): JsonObject {
  const both: Record<string, Json> = {};
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const [left, right] = [a[key], b[key]];
    if (!isJsonObject(left) || !isJsonObject(right)) both[key] = left ?? right ?? {};
    else if (isEmpty(left) && isEmpty(right)) both[key] = {};
    else both[key] = united(withSelf(left), withSelf(right));
  }
  return both;
}

function withSelf(fields: JsonObject): JsonObject {
  return isEmpty(fields) ? { '.': {} } : fields;
}

function isEmpty(fields: JsonObject): boolean {
  return Object.keys(fields).length === 0;
}

/** Pointers of labels and annotations by which a tool would know the object for its own, and that git does not want. */
function signsOf(metadata: JsonObject, wanted: JsonObject): readonly string[] {
  const annotations = FORMER_TOOLS.flatMap((tool) => tool.annotations);
  const labels = FORMER_TOOLS.flatMap((tool) => tool.labels);
  const managedBy = childMap(metadata, 'labels')[MANAGED_BY.label];
  return [
    ...namesIn(metadata, wanted, 'annotations')
      .filter((name) => annotations.some((sign) => sign.test(name)))
      .map((name) => `/metadata/annotations${pointerToken(name)}`),
    ...namesIn(metadata, wanted, 'labels')
      .filter(
        (name) => labels.some((sign) => sign.test(name)) || (name === MANAGED_BY.label && MANAGED_BY.values.includes(jsonText(managedBy))),
      )
      .map((name) => `/metadata/labels${pointerToken(name)}`),
  ];
}

function namesIn(metadata: JsonObject, wanted: JsonObject, field: 'labels' | 'annotations'): readonly string[] {
  const stays = childMap(wanted, field);
  return Object.keys(childMap(metadata, field)).filter((name) => !Object.hasOwn(stays, name));
}
