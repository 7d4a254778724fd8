import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import { describe, expect, test } from 'vitest';

import { brokenRules } from './house-rules.ts';
import type { HouseFile } from './house-rules.ts';

const root = join(import.meta.dirname, '..');

function sources(): readonly HouseFile[] {
  return (
    readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => ({ path: relative(root, file), text: readFileSync(file, 'utf8') }))
      // What `capstan init` writes is content of other repositories, not source.
      .filter((file) => !file.path.startsWith('src/cli/starter/'))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1))
  );
}

test('every file of the house keeps its rules', () => {
  const files = sources();

  expect(files.filter((file) => file.path.endsWith('.ts')).length).toBeGreaterThan(40);
  expect(files.map((file) => file.path)).toContain('src/plan/plan.ts');
  expect(brokenRules(files)).toEqual([]);
});

describe('the rules see', () => {
  test.each([
    ['a chapter that imports another', 'src/plan/x.ts', "import { a } from '#health/health.ts';"],
    ['a chapter that imports another for a type only', 'src/plan/x.ts', "import type { A } from '#health/health.ts';"],
    ['a type taken by import()', 'src/plan/x.ts', "type A = import('#health/health.ts').A;"],
    ['a chapter that imports a port', 'src/plan/x.ts', "import type { A } from '#ports/target.ts';"],
    ['the model that imports a chapter', 'src/model/x.ts', "import { a } from '#plan/plan.ts';"],
    ['a loop that imports an adapter', 'src/loops/x.ts', "import { a } from '#adapters/git/git.ts';"],
    ['the forge that imports a loop', 'src/forge/x.ts', "import { a } from '#loops/reconcile.ts';"],
    ['a command that imports the assembly', 'src/cli/x.ts', "import { a } from '#assembly/assembly.ts';"],
    ['an adapter that imports another', 'src/adapters/sqlite/x.ts', "import { a } from '#adapters/machine/machine.ts';"],
    ['a folder nobody knows', 'src/stuff/x.ts', 'export const a = 1;'],
    ['another file than the door', 'src/loops/x.ts', "import { a } from '#plan/order.ts';"],
    ['a way upwards', 'src/plan/x.ts', "import { a } from '../model/digest.ts';"],
    ['an index', 'src/plan/x.ts', "import { a } from './rules/index.ts';"],
    ['a default export', 'src/plan/x.ts', 'export default function a() {}'],
    ['a re-export', 'src/plan/x.ts', "export { a } from './order.ts';"],
    ['a drawer', 'src/plan/utils.ts', 'export const a = 1;'],
    ['a package at another address', 'src/plan/x.ts', "import { parse } from 'yaml';"],
    ['a package with a scope at another address', 'src/service/x.ts', "import { a } from '@octokit/rest';"],
    ['a builtin in a chapter', 'src/plan/x.ts', "import { readFileSync } from 'node:fs';"],
    ['randomness from crypto', 'src/plan/x.ts', "import { randomUUID } from 'node:crypto';"],
    ['a lazy import of a package', 'src/service/x.ts', "export const a = await import('@octokit/rest');"],
    ['a clock', 'src/plan/x.ts', 'export const a = Date.now();'],
    ['a clock in the model', 'src/model/x.ts', 'export const a = new Date();'],
    ['randomness', 'src/plan/x.ts', 'export const a = Math.random();'],
    ['the environment', 'src/plan/x.ts', 'export const a = process.env;'],
    ['a log line', 'src/plan/x.ts', "console.log('a');"],
    ['a promise', 'src/plan/x.ts', 'export function a(): Promise<void> { return b(); }'],
    ['an async function', 'src/plan/x.ts', 'export async function a() {}'],
    ['an async arrow', 'src/plan/x.ts', 'export const a = { b: async () => 1 };'],
    ['a timer', 'src/plan/x.ts', 'setTimeout(() => {}, 1);'],
    ['401 lines', 'src/plan/x.ts', '// a line\n'.repeat(401)],
    ['a file that does not parse', 'src/plan/x.ts', 'export const = 1;'],
  ])('%s', (_, path, text) => {
    expect(brokenRules([{ path, text }])).toHaveLength(1);
  });

  test('nothing wrong in what is allowed', () => {
    const allowed: readonly HouseFile[] = [
      {
        path: 'src/plan/x.ts',
        text: "import { createHash } from 'node:crypto';\nimport type { A } from '#model/plan.ts';\nimport { b } from './order.ts';\n",
      },
      { path: 'src/plan/y.ts', text: 'export interface A { readonly process: string }\nexport const a = (b: A) => b.process;\n' },
      { path: 'src/loops/x.ts', text: "import { planChanges } from '#plan/plan.ts';\nimport type { A } from '#ports/target.ts';\n" },
      { path: 'src/adapters/github/x.ts', text: "import { a } from '@octokit/rest';\n" },
      { path: 'src/assembly/assembly.ts', text: "export const a = await import('#adapters/github/github.ts');\n" },
    ];

    expect(brokenRules(allowed)).toEqual([]);
  });
});
