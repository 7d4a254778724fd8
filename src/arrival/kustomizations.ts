import type { LeftOut, Luggage } from '#model/arrival.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { quoted } from '#model/quoted.ts';
import { blockPairs, splice } from '#model/yaml-splice.ts';
import { comparePaths, folderOf, joined, nameIn } from './paths.ts';

const FILE_NAMES: ReadonlySet<string> = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);

/** Following them is quadratic. */
const MOST = 1000;

/** One folder that kustomize can build. */
export interface Kustomization {
  readonly folder: string;
  readonly file: string;
  /** Without what must not come along. */
  readonly text: string;
  readonly namespace: string | undefined;
  /** Folders of other kustomizations that it takes in. */
  readonly parts: readonly string[];
  /** Files of resources that it lists. */
  readonly resources: readonly string[];
  readonly isComponent: boolean;
  /** Why it cannot be built here; empty when it can. */
  readonly faults: readonly LeftOut[];
}

/** Every kustomization of a folder, by path. */
export function kustomizationsOf(luggage: Luggage, leftOut: LeftOut[]): ReadonlyMap<string, Kustomization> {
  const found = new Map<string, Kustomization>();
  for (const file of [...luggage.files.keys()].filter((path) => FILE_NAMES.has(nameIn(path))).sort(comparePaths)) {
    const bytes = luggage.files.get(file);
    if (bytes === undefined || found.has(folderOf(file))) continue;
    if (found.size >= MOST) {
      leftOut.push({ file, line: undefined, what: 'a kustomization', why: `is one of more than ${MOST}: name a smaller folder` });
      continue;
    }
    const text = new TextDecoder().decode(bytes);
    const read = readKubernetesYaml(text, file);
    const [first] = read.ok ? read.value : [];
    const value = first === undefined && text.trim() !== '' && !read.ok ? undefined : (first?.value ?? {});
    if (!isJsonObject(value)) {
      const [problem] = read.ok ? [] : read.problems;
      leftOut.push({
        file,
        line: problem?.place.line,
        what: 'a kustomization',
        why: problem?.message.slice(file.length + 1) ?? 'is not a map',
      });
      continue;
    }
    found.set(folderOf(file), toKustomization(luggage, { file, text, value }, leftOut));
  }
  return found;
}

function toKustomization(
  luggage: Luggage,
  { file, text, value }: { readonly file: string; readonly text: string; readonly value: JsonObject },
  leftOut: LeftOut[],
): Kustomization {
  const folder = folderOf(file);
  const faults: LeftOut[] = [];
  const parts: string[] = [];
  const resources: string[] = [];
  const fault = (field: string, what: string, why: string): void => {
    faults.push({ file, line: lineOf(text, field), what, why });
  };
  for (const field of ['resources', 'bases', 'components', 'crds']) {
    for (const entry of textsOf(value[field])) {
      const path = isRemote(entry) ? undefined : joined(folder, entry);
      if (isRemote(entry))
        fault(field, `${field}: ${quoted(entry)}`, 'comes over the network: put a copy of it into the repository and name that');
      else if (path === undefined)
        fault(field, `${field}: ${quoted(entry)}`, 'is outside the folder that is read: name a folder that holds both');
      else if (luggage.files.has(path)) resources.push(path);
      else if ([...FILE_NAMES].some((name) => luggage.files.has(path === '' ? name : `${path}/${name}`))) parts.push(path);
      else fault(field, `${field}: ${quoted(entry)}`, 'is not there');
    }
  }
  for (const field of ['generators', 'transformers', 'validators']) {
    if (value[field] !== undefined)
      fault(field, field, 'may run programs (plugins), which Capstan never does: write what they give as files');
  }
  for (const field of ['helmCharts', 'helmChartInflationGenerator']) {
    if (value[field] !== undefined) fault(field, field, 'fetches charts: make a Helm component of the chart (`--from helm`)');
  }
  const kept = withoutSecrets(file, text, value, leftOut);
  const { namespace, kind } = value;
  return {
    folder,
    file,
    text: kept,
    namespace: typeof namespace === 'string' && namespace !== '' ? namespace : undefined,
    parts,
    resources,
    isComponent: kind === 'Component',
    faults,
  };
}

function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

function isRemote(entry: string): boolean {
  return /^[a-z][a-z0-9+.-]*:|^git@|^(?:[a-z0-9-]+\.)+[a-z]{2,}\/|\?(?:ref|version|timeout)=|\/\/.+/i.test(entry);
}

/** Line of a field at the top of a kustomization. */
function lineOf(text: string, field: string): number | undefined {
  const at = text.split('\n').findIndex((line) => line.startsWith(`${field}:`));
  return at < 0 ? undefined : at + 1;
}

/** Generators of secrets hold their values, or name files that do. All else stays byte for byte. */
function withoutSecrets(file: string, text: string, value: JsonObject, leftOut: LeftOut[]): string {
  if (value['secretGenerator'] === undefined) return text;
  const pair = blockPairs(text)?.([])?.find((one) => one.key === 'secretGenerator');
  const generators: Json | undefined = value['secretGenerator'];
  const names = Array.isArray(generators) ? generators.flatMap((one: Json) => (isJsonObject(one) ? [jsonText(one['name'])] : [])) : [];
  leftOut.push({
    file,
    line: lineOf(text, 'secretGenerator'),
    what: `secretGenerator: ${names.map((name) => quoted(name, 80)).join(', ')}`,
    why: 'makes Secrets of values in git (V-80): create them in the cluster under the name that the pods use, or declare them in spec.secrets of the capsule',
  });
  return pair === undefined ? text : splice(text, [{ start: pair.start, end: pair.end, text: '' }]);
}
