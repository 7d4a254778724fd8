import type { LeftOut } from '#model/arrival.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { canonicalJson, isJsonObject } from '#model/json.ts';
import { isClusterScoped } from '#model/kubernetes-kinds.ts';
import { listedObjects } from '#model/kubernetes-list.ts';
import { groupAndVersion, keyText } from '#model/kubernetes-object.ts';
import { writeKubernetesYaml } from '#model/kubernetes-text.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { quoted } from '#model/quoted.ts';
import { splitYamlStream } from '#model/yaml-stream.ts';
import { foreignTo } from './foreign.ts';

/** One object as far as sorting it needs to know it. */
export interface Facts {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  /** Undefined: it names none. */
  readonly namespace: string | undefined;
  readonly labels: JsonObject;
  readonly value: JsonObject;
}

/** One document of a file with its objects (a `List` has many), byte for byte. */
export interface Piece {
  readonly file: string;
  /** Of the first line of the document's content, from 1. */
  readonly line: number;
  /** How many lines of the piece stand above that. */
  readonly lead: number;
  readonly text: string;
  readonly objects: readonly Facts[];
}

export interface ReadManifest {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** In order; documents without an object (comments) stay with the one before them. */
  readonly pieces: readonly Piece[];
}

/** The objects of one file; what is no object of a cluster is left out. Undefined when nothing of the file is one. */
export function readManifest(path: string, bytes: Uint8Array, leftOut: LeftOut[]): ReadManifest | undefined {
  const leave = (line: number | undefined, what: string, why: string): undefined => {
    leftOut.push({ file: path, line, what, why });
    return undefined;
  };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return leave(undefined, 'a file', 'is not UTF-8 text');
  }
  const pieces: Piece[] = [];
  for (const part of path.endsWith('.json') ? [{ text, line: 1 }] : splitYamlStream(text)) {
    const read = readKubernetesYaml(part.text, path);
    if (!read.ok) {
      const [first] = read.problems;
      const line = (first?.place.line ?? 1) + part.line - 1;
      leave(
        line,
        'a document',
        `cannot be read as Kubernetes reads YAML: ${(first?.message ?? '').slice(path.length + 1)}${templateHint(part.text)}`,
      );
      continue;
    }
    const values = read.value.filter((one) => !isJsonObject(one.value) || Object.keys(one.value).length > 0);
    const lead = (values[0]?.place.line ?? 1) - 1;
    const line = part.line + lead;
    const objects = values.flatMap((one) => listedObjects(one.value));
    const good = objects.flatMap((one) => {
      const fault = faultOf(one);
      if (fault !== undefined) leave(line, fault.what, fault.why);
      return fault === undefined ? (factsOf(one) ?? []) : [];
    });
    const piece = { file: path, line, lead, text: part.text, objects: good };
    if (objects.length === 0) {
      const before = pieces.pop();
      if (before !== undefined) pieces.push({ ...before, text: before.text + part.text });
    } else pieces.push(...(good.length === objects.length ? [piece] : separate(piece)));
  }
  if (pieces.length === 0) return leftOut.some((one) => one.file === path) ? undefined : leave(undefined, 'a file', 'holds no object');
  return { path, bytes, pieces };
}

/** A list of objects of which not all go the same way: each becomes a document of its own, written anew. */
export function separate(piece: Piece): readonly Piece[] {
  return piece.objects.map((facts) => ({
    file: piece.file,
    line: piece.line,
    lead: 1,
    text: `---\n${writeKubernetesYaml(facts.value)}`,
    objects: [facts],
  }));
}

function templateHint(text: string): string {
  return text.includes('{{') ? ' (a template? `--from helm` brings charts)' : '';
}

function faultOf(value: Json): { readonly what: string; readonly why: string } | undefined {
  if (!isJsonObject(value)) return { what: 'a document', why: 'is not an object' };
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '')
    return { what: 'a document', why: 'has no apiVersion and kind: it is no object of a cluster' };
  const foreign = foreignTo(apiVersion, kind);
  if (foreign !== undefined) return { what: `${quoted(apiVersion, 80)} ${quoted(kind, 80)}`, why: foreign };
  const name = isJsonObject(metadata) ? metadata['name'] : undefined;
  if (typeof name !== 'string' || name === '') {
    const made = isJsonObject(metadata) && metadata['generateName'] !== undefined;
    return {
      what: kind,
      why: made ? 'has generateName: give it a name, so that it is the same object every time' : 'has no metadata.name',
    };
  }
  if (kind === 'Secret' && apiVersion === 'v1' && ['data', 'stringData'].some((field) => hasKeys(value[field])))
    return {
      what: `Secret ${name}`,
      why: `holds secret values, which do not belong in git (V-80): leave it in the cluster, or declare it in spec.secrets of a capsule and say in spec.secrets of the environment where the values come from (keys: ${secretKeys(value).join(', ')})`,
    };
  return undefined;
}

function hasKeys(value: Json | undefined): boolean {
  return isJsonObject(value) && Object.keys(value).length > 0;
}

function secretKeys(value: JsonObject): readonly string[] {
  return ['data', 'stringData'].flatMap((field) => Object.keys(isJsonObject(value[field]) ? value[field] : {})).slice(0, 20);
}

function factsOf(value: Json): Facts | undefined {
  if (!isJsonObject(value)) return undefined;
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isJsonObject(metadata)) return undefined;
  const { name, namespace, labels } = metadata;
  if (typeof name !== 'string') return undefined;
  return {
    group: groupAndVersion(apiVersion).group,
    kind,
    name,
    namespace: typeof namespace === 'string' && namespace !== '' ? namespace : undefined,
    labels: isJsonObject(labels) ? labels : {},
    value,
  };
}

/** Custom kinds of the whole cluster, as the definitions among the objects say. */
export function clusterKinds(pieces: readonly Piece[]): (facts: Facts) => boolean {
  const declared = new Map<string, boolean>();
  for (const { value, kind } of pieces.flatMap((piece) => piece.objects)) {
    const { spec } = value;
    if (kind !== 'CustomResourceDefinition' || !isJsonObject(spec)) continue;
    const { group, names, scope } = spec;
    const custom = isJsonObject(names) ? names['kind'] : undefined;
    if (typeof group === 'string' && typeof custom === 'string') declared.set(`${group}/${custom}`, scope === 'Cluster');
  }
  return (facts) => declared.get(`${facts.group}/${facts.kind}`) ?? isClusterScoped(facts.group, facts.kind);
}

export function identityOf(facts: Facts, namespace: string | undefined): string {
  return keyText({ group: facts.group, kind: facts.kind, namespace: namespace ?? '', name: facts.name });
}

export function isSame(a: Facts, b: Facts): boolean {
  return canonicalJson(a.value) === canonicalJson(b.value);
}
