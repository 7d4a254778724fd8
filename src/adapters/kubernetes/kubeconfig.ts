import { isAbsolute, join, dirname } from 'node:path';

import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, pointerToken, valueAt } from '#model/json.ts';
import { placeInKubernetesYaml } from '#model/kubernetes-yaml-place.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import type { Place } from '#model/problem.ts';
import { listed, quoted } from '#model/quoted.ts';
import type { PortErrorKind } from '#ports/port-error.ts';
import { PortError } from '#ports/port-error.ts';
import { readTextFile } from './text-file.ts';

/** One entry of a kubeconfig with what is needed to speak of it. */
export interface Entry {
  readonly kind: 'cluster' | 'user' | 'context';
  readonly name: string;
  readonly value: JsonObject;
  /** JSON pointer of `value`. */
  readonly pointer: string;
}

/** The cluster and user that one context of a kubeconfig names, still as they are written. */
export interface ChosenContext {
  readonly file: string;
  readonly cluster: Entry;
  readonly user: Entry;
  /** Error at a field of the file, with its line. */
  readonly refuse: Refuse;
}

export type Refuse = (pointer: string, message: string, remedy: string, kind?: PortErrorKind) => PortError;

const LIMIT = 1024 * 1024;

/** Reads a kubeconfig and picks a context of it, the file's own without a name. PortError `invalid` says what is wrong and where. */
export async function chooseContext(file: string, name: string | undefined): Promise<ChosenContext> {
  const { root, refuse } = await readRoot(file);
  const wanted = name ?? textOf(root['current-context']);
  if (wanted === undefined || wanted === '') {
    throw refuse('', 'names no current-context', `Add current-context, one of: ${listed(namesOf(root, 'contexts'))}.`);
  }
  const from = name === undefined ? '/current-context' : '';
  const context = find({ root, refuse, kind: 'context', from }, wanted);
  return {
    file,
    cluster: find({ root, refuse, kind: 'cluster', from: `${context.pointer}/cluster` }, required(context, 'cluster', refuse)),
    user: find({ root, refuse, kind: 'user', from: `${context.pointer}/user` }, required(context, 'user', refuse)),
    refuse,
  };
}

/** The names of its contexts, in their order. PortError `invalid` where it cannot be read. */
export async function contextNames(file: string): Promise<readonly string[]> {
  return namesOf((await readRoot(file)).root, 'contexts');
}

/** A text of an entry; absent and empty are the same, as for kubectl. */
export function entryText(entry: Entry, field: string, refuse: Refuse): string | undefined {
  const value = entry.value[field];
  if (value === undefined || value === null || value === '') return undefined;
  const text = textOf(value);
  if (text === undefined) {
    throw refuse(
      `${entry.pointer}${pointerToken(field)}`,
      `${field} of ${entry.kind} ${quoted(entry.name)} is no text`,
      'Put it in quotes.',
    );
  }
  return text;
}

/** A file that an entry names: relative to the kubeconfig, not to where the engine runs. */
export function besideFile(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path);
}

async function readRoot(file: string): Promise<{ readonly root: JsonObject; readonly refuse: Refuse }> {
  const read = await readTextFile(file, LIMIT);
  if (read.kind === 'unreadable') {
    throw new PortError(
      'invalid',
      `kubeconfig ${file} cannot be used: ${read.why}. Correct the file's name in the configuration's credentials.`,
    );
  }
  return parse(read.text, file);
}

function parse(text: string, file: string): { readonly root: JsonObject; readonly refuse: Refuse } {
  const documents = readKubernetesYaml(text, file);
  if (!documents.ok) {
    // At least one, or it would have been read; the first is where to begin.
    const said = documents.problems.slice(0, 1).map(({ place, message }) => `${placeText(place)}: ${message}`);
    throw new PortError('invalid', `${said.join('')}. Correct it, or write it again with kubectl config.`);
  }
  const [document] = documents.value;
  if (documents.value.length !== 1 || document === undefined || !isJsonObject(document.value)) {
    throw new PortError(
      'invalid',
      `${file}: a kubeconfig is one document with clusters, users and contexts, and this has ${documents.value.length}. Write it again with kubectl config.`,
    );
  }
  const { value: root, place } = document;
  const refuse: Refuse = (pointer, message, remedy, kind = 'invalid') =>
    new PortError(kind, `${placeText(placeInKubernetesYaml(text, place, pointer))}: ${message}. ${remedy}`);
  return { root, refuse };
}

interface Search {
  readonly root: JsonObject;
  readonly refuse: Refuse;
  readonly kind: Entry['kind'];
  /** Who asks for the name. */
  readonly from: string;
}

function find({ root, refuse, kind, from }: Search, name: string): Entry {
  const list = `${kind}s`;
  const entries = root[list];
  const found = Array.isArray(entries)
    ? entries.flatMap((entry: Json, index) => (valueAt(entry, '/name') === name ? [{ entry, index }] : []))
    : [];
  const [first, second] = found;
  if (first === undefined) {
    throw refuse(from, `there is no ${kind} ${quoted(name)}`, `Name one of: ${listed(namesOf(root, list))}.`);
  }
  if (second !== undefined) {
    throw refuse(`/${list}/${second.index}`, `${kind} ${quoted(name)} is there twice`, 'Remove one of them.');
  }
  const value = valueAt(first.entry, `/${kind}`);
  const pointer = `/${list}/${first.index}/${kind}`;
  if (value === undefined || value === null) return { kind, name, value: {}, pointer };
  if (!isJsonObject(value)) throw refuse(pointer, `${kind} ${quoted(name)} is no mapping`, 'Write it again with kubectl config.');
  return { kind, name, value, pointer };
}

function required(context: Entry, field: 'cluster' | 'user', refuse: Refuse): string {
  const text = entryText(context, field, refuse);
  if (text !== undefined) return text;
  throw refuse(context.pointer, `context ${quoted(context.name)} names no ${field}`, `Add ${field} to it.`);
}

function namesOf(root: JsonObject, list: string): readonly string[] {
  const entries = root[list];
  if (!Array.isArray(entries)) return [];
  return entries.flatMap((entry: Json) => textOf(valueAt(entry, '/name')) ?? []);
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function placeText({ file, line, column }: Place): string {
  return [file, line, column].filter((part) => part !== undefined).join(':');
}
