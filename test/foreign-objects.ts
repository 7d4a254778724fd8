import { isJsonObject, type Json } from '#model/json.ts';
import { listedObjects } from '#model/kubernetes-list.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { foreignManifests } from './foreign-manifests.ts';

export interface ForeignObject {
  readonly file: string;
  readonly object: KubernetesObject;
}

/** Every object of three public projects that nobody here wrote; undefined where the data is not on this machine. */
export function foreignObjects(): readonly ForeignObject[] | undefined {
  const files = foreignManifests();
  if (files === undefined) return undefined;
  return [...files].flatMap(([file, bytes]) => {
    if (!/\.(ya?ml|json)$/.test(file)) return [];
    const read = readKubernetesYaml(Buffer.from(bytes).toString('utf8'), file);
    const values = read.ok ? read.value.flatMap(({ value }) => listedObjects(value)) : [];
    return values.filter(isObject).map((object) => ({ file, object }));
  });
}

function isObject(value: Json): value is KubernetesObject {
  if (!isJsonObject(value) || !isJsonObject(value['metadata'])) return false;
  return typeof value['apiVersion'] === 'string' && typeof value['kind'] === 'string' && typeof value['metadata']['name'] === 'string';
}
