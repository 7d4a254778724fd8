import { sha256Of } from '#model/digest.ts';
import { isJsonObject, type Json, type JsonObject } from '#model/json.ts';
import { compareText, placeInFile, type Problem } from '#model/problem.ts';
import type { AuditRecord } from '#model/receipt.ts';
import type { Pin } from '#model/resolution.ts';
import { digestOf } from './records.ts';
import { trailersOf, valuesOf, type Trailer } from './trailers.ts';

/** A rendered commit as it stands in a clone. */
export interface RenderedCommit {
  readonly message: string;
  /** Of the branch that it stands on. */
  readonly environment: string;
  /** Target -> parsed render.metadata, of the commit and of its parent. */
  readonly before: ReadonlyMap<string, Json>;
  readonly after: ReadonlyMap<string, Json>;
  /** Path from the branch's root -> bytes, of every file of the targets whose files the commit changed. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The trailers say what the tree says, and every object has the digest that render.metadata names. */
export function renderedProblems(commit: RenderedCommit): readonly Problem[] {
  const trailers = trailersOf(commit.message);
  const problems = [...missing(trailers, ['Environment', 'Source-Commit', 'Run-Id', 'Trace-Id', 'Reason'])];
  const named = valuesOf(trailers, 'Environment');
  if (named.length > 0) problems.push(...sameList('Environment', named, [commit.environment]));
  const brought = new Set<string>();
  const targets: string[] = [];
  for (const target of [...new Set([...commit.before.keys(), ...commit.after.keys()])].sort(compareText)) {
    const now = commit.after.get(target);
    const was = commit.before.get(target);
    if (JSON.stringify(now) === JSON.stringify(was)) continue;
    targets.push(target);
    for (const [instance, facts] of instancesOf(now)) {
      const pair = pairOf(facts);
      if (pair !== pairOf(instancesOf(was).find(([name]) => name === instance)?.[1])) brought.add(pair);
      problems.push(...objectProblems(commit, target, facts));
    }
    problems.push(...strayProblems(commit, target, now));
  }
  problems.push(...sameList('Target', valuesOf(trailers, 'Target'), targets));
  problems.push(...sameList('Capsule', pairs(trailers), [...brought].sort(compareText)));
  return problems;
}

/** The capsules that a lock commit names are exactly those whose entries it changes. */
export function lockCommitProblems(message: string, before: readonly Pin[], after: readonly Pin[]): readonly Problem[] {
  const trailers = trailersOf(message);
  const old = new Map(before.map((pin) => [pin.instance, pin]));
  const brought = after
    .filter((pin) => old.get(pin.instance)?.gitTree !== pin.gitTree || old.get(pin.instance)?.version !== pin.version)
    .map((pin) => `${pin.capsule}@${pin.version} ${pin.gitTree}`);
  return [
    ...missing(trailers, ['Environment', 'Change-Set', 'Run-Id', 'Trace-Id', 'Reason']),
    ...sameList('Capsule', pairs(trailers), [...new Set(brought)].sort(compareText)),
  ];
}

/** An audit commit names the digests of exactly the records that it adds. */
export function auditCommitProblems(message: string, added: readonly AuditRecord[]): readonly Problem[] {
  const trailers = trailersOf(message);
  const named = [...valuesOf(trailers, 'Audit-Record')].sort(compareText);
  return [
    ...missing(trailers, ['Audit-Record', 'Run-Id', 'Trace-Id']),
    ...sameList('Audit-Record', named, added.map((record) => digestOf(record)).sort(compareText)),
  ];
}

function instancesOf(metadata: Json | undefined): readonly (readonly [string, JsonObject])[] {
  const instances = isJsonObject(metadata) ? metadata['instances'] : undefined;
  if (!isJsonObject(instances)) return [];
  return Object.entries(instances).flatMap(([name, facts]) => (isJsonObject(facts) ? [[name, facts] as const] : []));
}

function pairOf(facts: JsonObject | undefined): string {
  return `${textOf(facts?.['capsule'])}@${textOf(facts?.['version'])} ${textOf(facts?.['gitTree'])}`;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '?';
}

function objectsOf(facts: JsonObject): readonly JsonObject[] {
  const { objects } = facts;
  return Array.isArray(objects) ? objects.filter((one: Json): one is JsonObject => isJsonObject(one)) : [];
}

function objectProblems(commit: RenderedCommit, target: string, facts: JsonObject): readonly Problem[] {
  return objectsOf(facts).flatMap((object) => {
    const path = `${target}/${textOf(object['path'])}`;
    const bytes = commit.files.get(path);
    if (bytes === undefined) return [problem('rendered-missing', `${path} is named by render.metadata and is not in the commit`, path)];
    const digest = sha256Of(bytes);
    if (digest === object['sha256']) return [];
    return [problem('rendered-digest', `${path} has sha256 ${digest}; render.metadata says ${textOf(object['sha256'])}`, path)];
  });
}

function strayProblems(commit: RenderedCommit, target: string, metadata: Json | undefined): readonly Problem[] {
  const named = new Set(
    instancesOf(metadata).flatMap(([, facts]) => objectsOf(facts).map((object) => `${target}/${textOf(object['path'])}`)),
  );
  named.add(`${target}/render.metadata`);
  return [...commit.files.keys()]
    .filter((path) => path.startsWith(`${target}/`) && !named.has(path))
    .sort(compareText)
    .map((path) => problem('rendered-stray', `${path} is not named by render.metadata`, path));
}

function pairs(trailers: readonly Trailer[]): readonly string[] {
  const capsules = valuesOf(trailers, 'Capsule');
  const trees = valuesOf(trailers, 'Capsule-Tree');
  const rows = Array.from({ length: Math.max(capsules.length, trees.length) }, (_, at) => `${capsules[at] ?? '?'} ${trees[at] ?? '?'}`);
  return [...new Set(rows)].sort(compareText);
}

function missing(trailers: readonly Trailer[], keys: readonly string[]): readonly Problem[] {
  return keys
    .filter((key) => valuesOf(trailers, key).length === 0)
    .map((key) => problem('trailer-missing', `the commit has no trailer ${key}`, undefined));
}

function sameList(key: string, named: readonly string[], found: readonly string[]): readonly Problem[] {
  const sorted = [...named].sort(compareText);
  if (sorted.join('\n') === [...found].sort(compareText).join('\n')) return [];
  const list = (items: readonly string[]): string => (items.length === 0 ? 'nothing' : items.join(', '));
  return [
    problem(
      'trailer-mismatch',
      `the trailers ${key} say ${list(sorted)}; the commit ${key === 'Environment' ? 'stands on the branch of' : 'changes'} ${list(found)}`,
      undefined,
    ),
  ];
}

function problem(code: string, message: string, file: string | undefined): Problem {
  const place = file === undefined ? { file, line: undefined, column: undefined, pointer: undefined } : placeInFile(file);
  const remedy = 'Compare the branch with another clone; only the engine writes it.';
  return { code, rule: undefined, severity: 'error', phase: 'sync', message, remedy, place, related: [] };
}
