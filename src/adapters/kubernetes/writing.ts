import type { JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import { groupAndVersion, keyText } from '#model/kubernetes-object.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { WritingStep } from '#model/plan.ts';
import type { Problem } from '#model/problem.ts';
import { unsealedText } from '#model/sealed.ts';
import { PortError } from '#ports/port-error.ts';
import { apiPath } from './api.ts';
import type { ApiAnswer, ApiResource } from './api.ts';
import { applyBody } from './body.ts';
import { wantedObjects } from './cluster.ts';
import type { Cluster, Found } from './cluster.ts';
import { ignoredFields } from './ignored-fields.ts';
import { withoutIgnored } from './left-out.ts';
import { readObject } from './look-again.ts';
import { appliedFields } from './managed-fields.ts';
import { FIELD_MANAGER } from './seen-object.ts';
import { unknownKindProblem } from './step-problems.ts';

export const APPLY = 'application/apply-patch+yaml';

/** One step with all that its requests need. */
export interface Writing {
  readonly kind: 'ready';
  readonly cluster: Cluster;
  readonly step: WritingStep;
  /** Opened, where it was sealed. */
  readonly object: JsonObject;
  readonly resource: ApiResource;
}

/** Opens what is sealed, and finds out where the object goes. PortError where its secrets cannot be opened. */
export async function prepareWriting(
  cluster: Cluster,
  step: WritingStep,
  signal: AbortSignal | undefined,
): Promise<Writing | { readonly kind: 'refused'; readonly problem: Problem }> {
  const object = await objectOf(cluster, step, signal);
  const { version } = groupAndVersion(jsonText(object['apiVersion']));
  const resource = await cluster.discovery.resource(step.key.group, step.key.kind, version, signal);
  if (resource === undefined) return { kind: 'refused', problem: unknownKindProblem(step.key, version) };
  return { kind: 'ready', cluster, step, object, resource };
}

interface Sending {
  /** What was seen: nothing newer is changed, and nothing else. Undefined: the object is created. */
  readonly found: Found | undefined;
  readonly force: boolean;
  readonly dryRun?: boolean;
  /** The whole object, where somebody read it already. */
  readonly live?: JsonObject | undefined;
}

/** One server-side apply. */
export async function sendWriting(writing: Writing, sending: Sending, signal: AbortSignal | undefined): Promise<ApiAnswer> {
  const { cluster, step, resource } = writing;
  const { found, force, dryRun = false } = sending;
  const object = await bodyObject(writing, sending, signal);
  const precondition = found && { uid: found.uid, resourceVersion: found.resourceVersion };
  const query = `fieldManager=${FIELD_MANAGER}&fieldValidation=Strict${force ? '&force=true' : ''}${dryRun ? '&dryRun=All' : ''}`;
  const path = `${apiPath(resource, step.key.namespace, step.key.name)}?${query}`;
  const body = applyBody(object, step.sha256, cluster.marks, precondition);
  return cluster.api.request({ method: 'PATCH', path, body, contentType: APPLY }, signal);
}

/** Fields that others may set are given at creation only. */
async function bodyObject({ cluster, step, object, resource }: Writing, sending: Sending, signal: AbortSignal | undefined) {
  const ignored = ignoredFields(step.key, cluster.sync.ignore);
  if (ignored.length === 0 || (sending.found === undefined && sending.live === undefined)) return object;
  const live = sending.live ?? (await readObject(cluster, resource, step.key, signal));
  return live === undefined ? object : withoutIgnored(object, live, appliedFields(live), ignored);
}

async function objectOf(cluster: Cluster, step: WritingStep, signal: AbortSignal | undefined): Promise<JsonObject> {
  if (step.sealed === undefined) {
    const known = wantedObjects(cluster).get(keyText(step.key));
    return known?.sha256 === step.sha256 ? known.object : parsed(step.text);
  }
  if (cluster.secrets === undefined) throw new PortError('unsupported', 'this process opens no encrypted files');
  const text = unsealedText(step.text, await cluster.secrets.open(step.sealed, signal));
  if (text === undefined) throw new PortError('invalid', 'the object has no placeholders for what the encrypted file holds');
  return parsed(text());
}

function parsed(text: string): JsonObject {
  const read = readKubernetesYaml(text, 'rendered object');
  const object = read.ok ? read.value[0]?.value : undefined;
  if (!isJsonObject(object)) throw new PortError('invalid', 'kubernetes target: the text of a step is no object');
  return object;
}
