import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { APPLIED_ANNOTATION, ENVIRONMENT_LABEL, TARGET_LABEL } from './seen-object.ts';

/** What is put on every object of a target. */
export interface Marks {
  readonly environment: string;
  readonly target: string;
  /** Of the inventory; two targets of one name in other namespaces do not take each other's objects for their own. */
  readonly namespace: string;
}

/** What has to be there for a write to happen. */
export interface Precondition {
  readonly uid: string;
  readonly resourceVersion: string;
}

/** The body of a server-side apply: the object with our marks. With a precondition, nothing is created and nothing newer is changed. */
export function applyBody(object: JsonObject, sha256: string, marks: Marks, precondition?: Precondition): string {
  const metadata = mapOf(object['metadata']);
  const { uid: _uid, resourceVersion: _version, managedFields: _managed, ...declared } = metadata;
  const labels = { ...mapOf(metadata['labels']), [ENVIRONMENT_LABEL]: marks.environment, [TARGET_LABEL]: marks.target };
  const annotations = { ...mapOf(metadata['annotations']), [APPLIED_ANNOTATION]: appliedMark(marks, sha256) };
  return JSON.stringify({ ...asStored(object), metadata: { ...declared, labels, annotations, ...precondition } });
}

/** A Secret with the fields that a server keeps: of `stringData` nobody would be the owner, so that drift and removed keys went unseen. */
function asStored(object: JsonObject): JsonObject {
  if (object['kind'] !== 'Secret' || object['apiVersion'] !== 'v1' || !isJsonObject(object['stringData'])) return object;
  const { stringData, ...rest } = object;
  const encoded = Object.entries(stringData).map(([name, value]): [string, Json] => [
    name,
    typeof value === 'string' ? Buffer.from(value).toString('base64') : value,
  ]);
  return { ...rest, data: { ...mapOf(object['data']), ...Object.fromEntries(encoded) } };
}

/** An apply of nothing to the object of that uid: fields that only we held go, all others stay. */
export function emptyBody(object: JsonObject, uid: string): string {
  const { name, namespace } = mapOf(object['metadata']);
  return JSON.stringify({
    apiVersion: object['apiVersion'],
    kind: object['kind'],
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid },
  });
}

export function appliedMark(marks: Marks, sha256: string): string {
  return `${ownerText(marks)}${sha256}`;
}

/** Digest of the text that a marked object was applied from; undefined where the mark is another target's. */
export function appliedDigest(marks: Marks, applied: string | undefined): string | undefined {
  const owner = ownerText(marks);
  return applied?.startsWith(owner) === true ? applied.slice(owner.length) : undefined;
}

/** Every engine writes under one field manager: this tells their objects apart. */
function ownerText({ environment, target, namespace }: Marks): string {
  return `${environment}/${target}/${namespace}/`;
}

function mapOf(value: JsonObject[string] | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
