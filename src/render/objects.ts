import { sha256Of } from '#model/digest.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { forbiddenKind, isClusterScoped } from '#model/kubernetes-kinds.ts';
import { listedObjects } from '#model/kubernetes-list.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { groupAndVersion, keyText, objectFileName, objectKey } from '#model/kubernetes-object.ts';
import { writeKubernetesYaml } from '#model/kubernetes-text.ts';
import type { Place } from '#model/problem.ts';
import { compareText } from '#model/problem.ts';
import type { ObjectOrigin, RenderedObject, RenderedUnit } from '#model/rendering.ts';
import type { SealedDocument } from '#model/sealed.ts';
import type { Scope } from './scope.ts';
import { problemAt } from './scope.ts';
import { secretIn } from './secret-scan.ts';

export const OBJECT_LIMITS = { bytes: 1024 * 1024 - 1, objects: 2000 } as const;

/** An object as a template, a manifest or a component gave it, and where it came from. */
export interface RawObject {
  readonly value: Json;
  readonly place: Place;
  /** `template deployment.yaml.hbs`, `component web`, for messages. */
  readonly source: string;
  /** Order inside the instance; absent: 0. */
  readonly wave?: number;
  readonly patches?: ObjectOrigin['patches'];
  /** It is a document of a manifest or template as it stands there, not made from what capsule.yaml declares. */
  readonly isWritten?: boolean;
  /** Where its values come from when it is applied. */
  readonly sealed?: SealedDocument;
}

interface Made {
  readonly object: RenderedObject;
  readonly raw: RawObject;
}

/** V-87: makes each raw object one of ours, or says why it cannot be. By path; of one that is there twice, both. */
export function toObjects(scope: Scope, raws: readonly RawObject[]): readonly Made[] {
  if (raws.length > OBJECT_LIMITS.objects) {
    refuse(scope, raws[0], `gives ${raws.length} objects; the limit is ${OBJECT_LIMITS.objects}`);
    return [];
  }
  const customScopes = declaredScopes(raws);
  const byKey = new Map<string, Made>();
  const made: Made[] = [];
  for (const raw of raws) {
    const checked = toKubernetesObject(scope, raw, customScopes);
    const object = checked === undefined ? undefined : toRendered(scope, checked, raw);
    if (object === undefined) continue;
    const other = byKey.get(keyText(object.key));
    if (other !== undefined) refuse(scope, raw, `produced ${keyText(object.key)}, which ${other.raw.source} produced, too`);
    byKey.set(keyText(object.key), { object, raw });
    made.push({ object, raw });
  }
  return made.sort((a, b) => compareText(a.object.path, b.object.path));
}

export function unitOf(made: readonly Made[]): Pick<RenderedUnit, 'objects' | 'origins'> {
  return {
    objects: made.map((one) => one.object),
    origins: made.map(({ raw: { place, source, patches } }) => ({ place, source, patches: patches ?? [] })),
  };
}

/** The items of a list; anything else is itself. */
export function unpackList(raw: RawObject): readonly RawObject[] {
  const values = listedObjects(raw.value);
  return values.map((value, at) => (value === raw.value ? raw : { ...raw, value, place: placeOfItem(raw, at) }));
}

/** Where it stands in a list that holds no other lists. */
function placeOfItem({ value, place }: RawObject, at: number): Place {
  const isFlat =
    isJsonObject(value) && Array.isArray(value['items']) && value['items'].every((item: Json) => listedObjects(item).length === 1);
  return isFlat && place.pointer !== undefined ? { ...place, pointer: `${place.pointer}/items/${at}` } : place;
}

/** `<group>/<kind>` of the custom resources that this unit itself defines -> is it cluster-scoped. */
function declaredScopes(raws: readonly RawObject[]): ReadonlyMap<string, boolean> {
  const scopes = new Map<string, boolean>();
  for (const { value } of raws) {
    if (!isJsonObject(value) || value['kind'] !== 'CustomResourceDefinition' || !isJsonObject(value['spec'])) continue;
    const { group, names, scope } = value['spec'];
    const kind = isJsonObject(names) ? names['kind'] : undefined;
    if (typeof group === 'string' && typeof kind === 'string') scopes.set(`${group}/${kind}`, scope === 'Cluster');
  }
  return scopes;
}

/** First line of a pointer of git-lfs. */
const LARGE_FILE = 'version https://git-lfs.github.com/spec/';
/** RFC 1035: names of Services become host names. */
const SERVICE_NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const NAME = /^[a-z0-9]([-a-z0-9.:]*[a-z0-9])?$/i;

function toKubernetesObject(scope: Scope, raw: RawObject, customScopes: ReadonlyMap<string, boolean>): KubernetesObject | undefined {
  const { value } = raw;
  if (typeof value === 'string' && value.startsWith(LARGE_FILE)) return refuse(scope, raw, 'is a pointer to a large file, not the file');
  if (!isJsonObject(value)) return refuse(scope, raw, 'produced a document that is not an object');
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string' || apiVersion === '') return refuse(scope, raw, 'produced a document without apiVersion');
  if (typeof kind !== 'string' || kind === '') return refuse(scope, raw, 'produced a document without kind');
  if (!isJsonObject(metadata) || typeof metadata['name'] !== 'string' || metadata['name'] === '') {
    return refuse(scope, raw, `produced a ${kind} without metadata.name`);
  }
  const { name, namespace } = metadata;
  if (typeof name !== 'string' || name.length > 253 || !NAME.test(name))
    return refuse(scope, raw, `produced a ${kind} named ${JSON.stringify(name)}, which is no name of an object`);
  if (!/^[A-Za-z0-9]+$/.test(kind) || !/^[a-z0-9.-]+(\/[a-z0-9]+)?$/.test(apiVersion))
    return refuse(scope, raw, `produced a document of kind ${JSON.stringify(`${apiVersion} ${kind}`)}`);
  if (kind === 'Service' && !SERVICE_NAME.test(name))
    return refuse(scope, raw, `produced a Service named ${JSON.stringify(name)}; its name must be a DNS label that begins with a letter`);
  const untexted = ['labels', 'annotations'].find((field) => !isTextMap(metadata[field]));
  if (untexted !== undefined) return refuse(scope, raw, `produced ${kind} ${name} with ${untexted} that are not texts (quote them)`);
  const { group } = groupAndVersion(apiVersion);
  const reason = forbiddenKind(group, kind);
  if (reason !== undefined) return refuse(scope, raw, `produced ${kind} ${name}: ${reason}`);
  const cluster = customScopes.get(`${group}/${kind}`) ?? isClusterScoped(group, kind);
  if (cluster && namespace !== undefined)
    return refuse(scope, raw, `produced ${kind} ${name} with a namespace, but it belongs to the whole cluster`);
  if (!cluster && namespace !== undefined && namespace !== scope.namespace) {
    return refuse(scope, raw, `produced ${kind} ${name} in namespace ${JSON.stringify(namespace)}; the target's is ${scope.namespace}`);
  }
  return { ...value, apiVersion, kind, metadata: ownMetadata(scope, metadata, cluster) };
}

function isTextMap(value: Json | undefined): boolean {
  return value === undefined || value === null || (isJsonObject(value) && Object.values(value).every((one) => typeof one === 'string'));
}

/** The target's namespace and the four annotations of the engine; nothing else of the object is touched. */
function ownMetadata(scope: Scope, metadata: JsonObject, cluster: boolean): JsonObject {
  const { pin } = scope.unit;
  const given = isJsonObject(metadata['annotations']) ? metadata['annotations'] : {};
  const annotations: JsonObject = {
    ...given,
    'capstan.dev/content': pin.sha256.slice(0, 12),
    'capstan.dev/instance': pin.instance,
    'capstan.dev/version': pin.version,
  };
  return cluster ? { ...metadata, annotations } : { ...metadata, annotations, namespace: scope.namespace };
}

function toRendered(scope: Scope, object: KubernetesObject, raw: RawObject): RenderedObject | undefined {
  let text: string;
  try {
    text = writeKubernetesYaml(object);
  } catch (error) {
    return refuse(
      scope,
      raw,
      `produced ${keyText(objectKey(object))}, which cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > OBJECT_LIMITS.bytes)
    return refuse(scope, raw, `produced ${keyText(objectKey(object))} of ${bytes} bytes; the limit is 1 MiB`);
  const secret = secretIn(object, text);
  if (secret !== undefined) {
    scope.problems.push(
      problemAt(raw.place, {
        code: 'rendered-secret',
        rule: 'V-87',
        message: `${raw.source} of ${scope.unit.pin.instance} produced ${keyText(objectKey(object))} with ${secret}`,
        remedy: 'Keep the value out of git: declare it in spec.secrets and let the environment say where it comes from.',
      }),
    );
    return undefined;
  }
  return {
    key: objectKey(object),
    instance: scope.unit.pin.instance,
    path: `${scope.unit.pin.instance}/${objectFileName(object)}`,
    sha256: sha256Of(text),
    ...(raw.wave === undefined || raw.wave === 0 ? {} : { wave: raw.wave }),
    ...(raw.sealed === undefined ? {} : { sealed: raw.sealed }),
    object,
    text,
  };
}

function refuse(scope: Scope, raw: RawObject | undefined, what: string): undefined {
  const { pin, target } = scope.unit;
  scope.problems.push(
    problemAt(raw?.place ?? { file: scope.unit.capsule.directory, line: undefined, column: undefined, pointer: undefined }, {
      code: 'rendered-object-invalid',
      rule: 'V-87',
      message: `${raw?.source ?? 'the capsule'} ${what} (${pin.instance} ${pin.version} for ${target.environment}/${target.name})`,
      remedy: 'Correct the template or manifest so that it gives a complete object of this target.',
    }),
  );
  return undefined;
}
