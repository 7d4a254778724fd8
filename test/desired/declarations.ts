import { createHash } from 'node:crypto';

import { assembleDesiredState, capsuleSource, checkDesiredState, isDeclarationPath, parseDeclaration } from '#desired/desired.ts';
import type { CapsuleFile, CapsuleSource, DesiredState } from '#model/desired.ts';
import { toBlobId, toTreeId } from '#model/digest.ts';
import type { Problem } from '#model/problem.ts';

type Facts = Parameters<typeof checkDesiredState>[1];

export const NO_FACTS: Facts = { unreadable: [], released: undefined, history: undefined, engineVersion: '0.1.0' };

export interface ReadRepository {
  readonly state: DesiredState;
  readonly problems: readonly Problem[];
  readonly unreadable: readonly string[];
}

/** Reads files as a loop would: parse, put capsules together, assemble. `modes` overrides file modes. */
export function readFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  modes: Readonly<Record<string, string>> = {},
): ReadRepository {
  const problems: Problem[] = [];
  const unreadable: string[] = [];
  const documents = [];
  const capsules: CapsuleSource[] = [];
  const bytes = new Map(
    Object.entries(files).map(([path, text]) => [path, typeof text === 'string' ? new TextEncoder().encode(text) : text]),
  );
  for (const [path, content] of bytes) {
    if (!isDeclarationPath(path)) continue;
    const parsed = parseDeclaration({ path, id: blobId(content), bytes: content });
    problems.push(...parsed.problems);
    if (parsed.document === undefined) unreadable.push(path);
    else documents.push(parsed.document);
    if (parsed.document?.kind !== 'capsule') continue;
    const directory = `capsules/${parsed.document.name}`;
    const own = [...bytes]
      .filter(([file]) => file.startsWith(`${directory}/`))
      .map(([file, body]) => [file.slice(directory.length + 1), body] as const);
    const list: CapsuleFile[] = own.map(([file, body]) => ({
      path: file,
      mode: modes[`${directory}/${file}`] ?? '100644',
      id: blobId(body),
    }));
    const read = capsuleSource({
      directory,
      gitTree: toTreeId('a'.repeat(40)),
      files: list,
      contents: new Map(own),
      declared: parsed.document.declared,
    });
    problems.push(...read.problems);
    if (read.source !== undefined) capsules.push(read.source);
  }
  const assembled = assembleDesiredState({ commit: undefined, documents, capsules, unreadable });
  return { state: assembled.state, problems: [...problems, ...assembled.problems], unreadable };
}

/** Every problem of a repository, its rules across documents included. */
export function problemsOf(files: Readonly<Record<string, string | Uint8Array>>, facts: Partial<Facts> = {}): readonly Problem[] {
  const read = readFiles(files);
  return [...read.problems, ...checkDesiredState(read.state, { ...NO_FACTS, unreadable: read.unreadable, ...facts })];
}

/** `V-07 error file:line message` for comparing. */
export function shown(problems: readonly Problem[]): readonly string[] {
  return problems.map(
    (problem) =>
      `${problem.rule ?? problem.code} ${problem.severity} ${problem.place.file ?? ''}:${problem.place.line ?? ''} ${problem.message}`,
  );
}

/** The messages of one rule. */
export function ofRule(problems: readonly Problem[], rule: string): readonly string[] {
  return shown(problems.filter((problem) => problem.rule === rule));
}

/** A capsule.yaml; `spec` is appended below spec, indented by two. */
export function capsule(name: string, version: string, spec = ''): string {
  return `apiVersion: capstan.dev/v1alpha1\nkind: Capsule\nmetadata:\n  name: ${name}\n  version: ${version}\nspec:\n  type: service\n${indent(spec)}`;
}

/** An environment.yaml with one directory target. */
export function environment(name: string, spec: string, risk = 'low'): string {
  const targets = /^targets:/m.test(spec) ? '' : `  targets:\n    local:\n      driver: directory\n      path: ${name}\n`;
  return `apiVersion: capstan.dev/v1alpha1\nkind: Environment\nmetadata:\n  name: ${name}\nspec:\n  risk: ${risk}\n${targets}${indent(spec)}`;
}

function indent(text: string): string {
  return text === '' ? '' : `${text.trimEnd().replaceAll(/^(?=.)/gm, '  ')}\n`;
}

function blobId(content: Uint8Array): ReturnType<typeof toBlobId> {
  return toBlobId(createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex'));
}
