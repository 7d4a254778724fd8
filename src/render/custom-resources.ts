import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';

/** One version of a kind that a CustomResourceDefinition brings. */
export interface CustomVersion {
  readonly isServed: boolean;
  /** `spec.versions[].schema.openAPIV3Schema`; undefined: the definition says nothing of the shape. */
  readonly schema: JsonObject | undefined;
  /** Its own sentence, where the version is deprecated. */
  readonly deprecation: string | undefined;
}

/** `<group>/<Kind>` -> version -> what the definition says of it. */
export type CustomKinds = ReadonlyMap<string, ReadonlyMap<string, CustomVersion>>;

export function isDefinition(object: KubernetesObject): boolean {
  return object.kind === 'CustomResourceDefinition' && object.apiVersion.startsWith('apiextensions.k8s.io/');
}

/** The kinds that these definitions bring; the first definition of a kind counts. */
export function customKinds(definitions: readonly KubernetesObject[]): CustomKinds {
  const kinds = new Map<string, ReadonlyMap<string, CustomVersion>>();
  for (const { spec } of definitions as readonly JsonObject[]) {
    if (!isJsonObject(spec) || !isJsonObject(spec['names'])) continue;
    const key = `${textOf(spec['group'])}/${textOf(spec['names']['kind'])}`;
    if (!kinds.has(key)) kinds.set(key, versionsOf(spec));
  }
  return kinds;
}

function versionsOf(spec: JsonObject): ReadonlyMap<string, CustomVersion> {
  const versions: readonly Json[] = Array.isArray(spec['versions']) ? spec['versions'] : [];
  return new Map(
    versions.filter(isJsonObject).map((version): [string, CustomVersion] => {
      const schema = isJsonObject(version['schema']) ? version['schema']['openAPIV3Schema'] : undefined;
      const isKept = spec['preserveUnknownFields'] === true;
      return [
        textOf(version['name']),
        {
          isServed: version['served'] !== false,
          schema: isJsonObject(schema) ? (isKept ? { ...schema, 'x-kubernetes-preserve-unknown-fields': true } : schema) : undefined,
          deprecation:
            version['deprecated'] === true
              ? textOf(version['deprecationWarning']) || 'its definition says that it is deprecated'
              : undefined,
        },
      ];
    }),
  );
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
