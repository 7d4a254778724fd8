import type { JsonObject } from '#model/json.ts';
import { compareText } from '#model/problem.ts';

/** Identity of an object everywhere: an apiVersion bump within a group is the same object. Empty text: core group, cluster scope. */
export interface ObjectKey {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A Kubernetes object as data; `apiVersion`, `kind` and `metadata.name` are there. */
export interface KubernetesObject extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: JsonObject;
}

export function groupAndVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export function objectKey(object: KubernetesObject): ObjectKey {
  const { name, namespace } = object.metadata;
  return {
    group: groupAndVersion(object.apiVersion).group,
    kind: object.kind,
    namespace: typeof namespace === 'string' ? namespace : '',
    name: typeof name === 'string' ? name : '',
  };
}

/** `apps/Deployment/acme-prod/greeter`; unique per key, for maps and messages. */
export function keyText(key: ObjectKey): string {
  return `${key.group || 'core'}/${key.kind}/${key.namespace || '-'}/${key.name}`;
}

export function compareKeys(a: ObjectKey, b: ObjectKey): number {
  return compareText(keyText(a), keyText(b));
}

/** `<group or core>_<version>_<kind lower case>_<namespace or ->_<name>.yaml`, other bytes percent-encoded, upper case included. */
export function objectFileName(object: KubernetesObject): string {
  const { version } = groupAndVersion(object.apiVersion);
  const key = objectKey(object);
  const parts = [key.group || 'core', version, key.kind.toLowerCase(), key.namespace || '-', key.name];
  return `${parts.map(encodePart).join('_')}.yaml`;
}

function encodePart(text: string): string {
  if (/^[a-z0-9.-]*$/.test(text)) return text;
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[a-z0-9.-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
