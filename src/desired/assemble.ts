import type { CapsuleSource, Declared, DeclaredTarget, DesiredEnvironment, DesiredState } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import { pointerToken } from '#model/json.ts';
import { isName, toEnvironmentName, toInstanceName, toTargetName } from '#model/names.ts';
import { compareText, type Place, placeInFile, type Problem } from '#model/problem.ts';
import { quoted } from '#model/quoted.ts';
import type { ParsedDocument } from './documents.ts';
import { problemOf, relatedTo } from './finding.ts';

export interface Snapshot {
  /** Undefined for a working directory. */
  readonly commit: CommitId | undefined;
  readonly documents: readonly ParsedDocument[];
  readonly capsules: readonly CapsuleSource[];
  /** Paths of declarations that did not parse: nothing is called missing because of them. */
  readonly unreadable: readonly string[];
}

export interface Assembled {
  readonly state: DesiredState;
  readonly problems: readonly Problem[];
}

/** Puts documents together by name; what is declared twice (V-04) counts once, the first by path. */
export function assemble(snapshot: Snapshot): Assembled {
  const problems: Problem[] = [];
  const documents = [...snapshot.documents].sort((a, b) => compareText(a.declared.file, b.declared.file));
  const project = unique(
    problems,
    'project',
    documents.filter((document) => document.kind === 'project').map((item) => ({ name: 'project', declared: item.declared, item })),
  );
  const policies = unique(
    problems,
    'policy',
    documents
      .filter((document) => document.kind === 'policy')
      .map((item) => ({ name: item.declared.value.metadata.name, declared: item.declared, item })),
  );
  const capsules = unique(
    problems,
    'capsule',
    [...snapshot.capsules]
      .sort((a, b) => compareText(a.directory, b.directory))
      .map((source) => ({ name: source.name, declared: source.declared, item: source })),
  );
  const state: DesiredState = {
    commit: snapshot.commit,
    project: project[0]?.declared,
    environments: assembleEnvironments(documents, problems),
    capsules: capsules.map((entry) => entry.item).sort((a, b) => compareText(a.name, b.name)),
    policies: policies.map((entry) => entry.declared),
  };
  problems.push(...orphanProblems(documents, brokenEnvironments(snapshot.unreadable)));
  return { state, problems };
}

interface Entry<D extends Declared<unknown>, T> {
  readonly name: string;
  readonly declared: D;
  readonly item: T;
}

/** The first of each name, in name order; the others are V-04. */
function unique<D extends Declared<unknown>, T>(
  problems: Problem[],
  kind: string,
  entries: readonly Entry<D, T>[],
): readonly Entry<D, T>[] {
  const first = new Map<string, Entry<D, T>>();
  for (const entry of entries) {
    const before = first.get(entry.name);
    if (before === undefined) first.set(entry.name, entry);
    else problems.push(twice(kind, entry.name, { a: before.declared.at(''), b: entry.declared.at('') }));
  }
  return [...first.values()].sort((a, b) => compareText(a.name, b.name));
}

function twice(kind: string, name: string, places: { readonly a: Place; readonly b: Place }): Problem {
  return problemOf({
    code: 'declared-twice',
    rule: 'V-04',
    place: places.b,
    message: `${kind} ${quoted(name)} is declared twice: ${places.a.file ?? ''} and ${places.b.file ?? ''}`,
    remedy: 'Keep one of them, or rename the other.',
    related: relatedTo(places.a, 'first declared here'),
  });
}

function assembleEnvironments(documents: readonly ParsedDocument[], problems: Problem[]): readonly DesiredEnvironment[] {
  const byEnvironment = new Map<string, ParsedDocument[]>();
  for (const document of documents) {
    if (!('environment' in document)) continue;
    const known = byEnvironment.get(document.environment);
    if (known === undefined) byEnvironment.set(document.environment, [document]);
    else known.push(document);
  }
  const environments: DesiredEnvironment[] = [];
  for (const [name, own] of [...byEnvironment].sort(([a], [b]) => compareText(a, b))) {
    const environment = isName(name) ? assembleEnvironment(name, own, problems) : undefined;
    if (environment !== undefined) environments.push(environment);
  }
  return environments;
}

function assembleEnvironment(name: string, documents: readonly ParsedDocument[], problems: Problem[]): DesiredEnvironment | undefined {
  const declared = unique(
    problems,
    'environment',
    documents.filter((document) => document.kind === 'environment').map((item) => ({ name, declared: item.declared, item })),
  )[0]?.declared;
  const lock = unique(
    problems,
    'lock',
    documents.filter((document) => document.kind === 'lock').map((item) => ({ name, declared: item.declared, item })),
  )[0]?.declared;
  const fleets = unique(
    problems,
    'fleet',
    documents
      .filter((document) => document.kind === 'fleet')
      .map((item) => ({ name: item.declared.value.metadata.name, declared: item.declared, item })),
  );
  const devices = unique(
    problems,
    'device',
    documents
      .filter((document) => document.kind === 'device')
      .map((item) => ({ name: item.declared.value.metadata.name, declared: item.declared, item })),
  );
  const configs = unique(
    problems,
    'configuration layer',
    documents.filter((document) => document.kind === 'config').map((item) => ({ name: item.name, declared: item.declared, item })),
  );
  if (declared === undefined) return undefined;
  return {
    name: toEnvironmentName(name),
    declared,
    lock,
    targets: targetsOf({ declared, documents }, problems),
    configs: new Map(configs.map((entry) => [toInstanceName(entry.name), entry.declared])),
    fleets: fleets.map((entry) => entry.declared),
    devices: devices.map((entry) => entry.declared),
  };
}

function targetsOf(
  own: { readonly declared: DesiredEnvironment['declared']; readonly documents: readonly ParsedDocument[] },
  problems: Problem[],
): readonly DeclaredTarget[] {
  const targets = new Map<string, DeclaredTarget>();
  for (const [name, value] of Object.entries(own.declared.value.spec.targets ?? {})) {
    const base = `/spec/targets${pointerToken(name)}`;
    targets.set(name, { name: toTargetName(name), value, at: (pointer) => own.declared.at(`${base}${pointer}`) });
  }
  for (const document of own.documents) {
    if (document.kind !== 'target') continue;
    const before = targets.get(document.name);
    const { declared } = document;
    if (before !== undefined) problems.push(twice('target', document.name, { a: before.at(''), b: declared.at('') }));
    else targets.set(document.name, { name: toTargetName(document.name), value: declared.value, at: (pointer) => declared.at(pointer) });
  }
  return [...targets.values()].sort((a, b) => compareText(a.name, b.name));
}

/** Files below environments/<name>/ without an environment.yaml there. */
function orphanProblems(documents: readonly ParsedDocument[], broken: ReadonlySet<string>): readonly Problem[] {
  const declared = new Set(documents.flatMap((document) => (document.kind === 'environment' ? [document.environment] : [])));
  return documents.flatMap((document) => {
    if (!('environment' in document) || declared.has(document.environment) || broken.has(document.environment)) return [];
    const file = document.declared.file;
    return [
      problemOf({
        code: 'environment-missing',
        place: placeInFile(file),
        message: `${file} belongs to environment ${quoted(document.environment)}, which has no environment.yaml`,
        remedy: 'Declare the environment, or delete the file.',
      }),
    ];
  });
}

export function brokenEnvironments(unreadable: readonly string[]): ReadonlySet<string> {
  return new Set(unreadable.flatMap((path) => /^environments\/([^/]+)\/environment\.ya?ml$/.exec(path)?.[1] ?? []));
}

export function brokenCapsules(unreadable: readonly string[]): ReadonlySet<string> {
  return new Set(unreadable.flatMap((path) => /^capsules\/([^/]+)\//.exec(path)?.[1] ?? []));
}
