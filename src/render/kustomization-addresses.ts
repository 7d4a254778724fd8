import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';

/**
 * Fields of a kustomization, as kustomize 5 has them. It reads them without regard to case (`Resources`, and even letters that fold to
 * others), so a field that is not one of these, letter for letter, could be one of them under another spelling.
 */
const FIELDS: ReadonlySet<string> = new Set(
  (
    'apiVersion kind metadata openapi namePrefix nameSuffix namespace commonLabels labels commonAnnotations patchesStrategicMerge ' +
    'patchesJson6902 patches images imageTags replacements replicas vars sortOptions resources components crds bases configMapGenerator ' +
    'secretGenerator helmGlobals helmCharts helmChartInflationGenerator generatorOptions configurations generators transformers validators ' +
    'buildMetadata inventory'
  ).split(' '),
);
/** What stands below these is text of objects, never the name of a file. */
const TEXTS: ReadonlySet<string> = new Set(
  'literals commonLabels labels commonAnnotations annotations metadata options patch images'.split(' '),
);
/** Whatever kustomize loads as a file it fetches if it looks like this; `key=` may stand before it. */
const ADDRESS = /^(?:[^=]*=)?https?:/i;
/** Kustomize lets a merge key win over what stands before it, other readers do not: what it reads would not be what was checked. */
const MERGE_KEY = /<<(?![\w'"<-])/;

/** Finishes the sentence "<file> ...", for each thing in a kustomization that could make kustomize read what was not checked. */
export function kustomizationTricks(text: string, document: JsonObject): readonly string[] {
  return [
    ...(MERGE_KEY.test(text) ? ['has a merge key (<<), which kustomize reads in its own way'] : []),
    ...Object.keys(document)
      .filter((field) => !FIELDS.has(field))
      .map((field) => `has ${JSON.stringify(field.slice(0, 60))}, which is no field of a kustomization`),
  ];
}

/** Texts of a document that kustomize would fetch if it took them for files. */
export function addressesIn(value: Json): readonly string[] {
  if (typeof value === 'string') return ADDRESS.test(value) ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item: Json) => addressesIn(item));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]: [string, Json]) => (TEXTS.has(key) ? [] : addressesIn(item)));
}

/** Whether the configuration of a generator, transformer or validator surely names nothing to fetch. */
export function isHarmlessPlugin(text: string): boolean {
  const read = readKubernetesYaml(text, '');
  return read.ok && !MERGE_KEY.test(text) && read.value.every(({ value }) => addressesIn(value).length === 0);
}
