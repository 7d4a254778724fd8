import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const { ownModule, packageFile } = createRequire(import.meta.url)('../src/own-modules.cjs') as {
  readonly ownModule: (specifier: string, parent: string | undefined) => string | undefined;
  readonly packageFile: (specifier: string, parent: string | undefined) => string | undefined;
};

test('every module that the program names is found where Node finds it', () => {
  const answers = globSync('src/**/*.ts', { cwd: ROOT }).flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const named = [...text.matchAll(/(?:from|import) ?\(?'((?:#\w+\/|\.\/)[^']+\.ts)'/g)].map(([, specifier = '']) => specifier);
    const nodes = createRequire(join(ROOT, file));
    return named.map((specifier) => ({
      specifier,
      ours: ownModule(specifier, pathToFileURL(join(ROOT, file)).href),
      nodes: pathToFileURL(nodes.resolve(specifier)).href,
    }));
  });
  expect(answers.length).toBeGreaterThan(1000);
  expect(answers.filter(({ ours, nodes }) => ours !== nodes)).toEqual([]);
});

test('what files of the large packages require beside them is found where Node finds it', () => {
  const answers = globSync('node_modules/@bufbuild/*/dist/cjs/**/*.js', { cwd: ROOT }).flatMap((file) => {
    const named = [...readFileSync(join(ROOT, file), 'utf8').matchAll(/require\("(\.[^"]+)"\)/g)].map(([, specifier = '']) => specifier);
    const nodes = createRequire(join(ROOT, file));
    return named.map((specifier) => ({
      specifier,
      ours: packageFile(specifier, pathToFileURL(join(ROOT, file)).href),
      nodes: pathToFileURL(nodes.resolve(specifier)).href,
    }));
  });
  expect(answers.length).toBeGreaterThan(300);
  expect(answers.filter(({ ours, nodes }) => ours !== nodes)).toEqual([]);
});

test('everything else is left to Node', () => {
  const own = pathToFileURL(join(ROOT, 'src', 'main.ts')).href;
  const others = [
    'node:fs',
    'semver',
    './x.js',
    './../x.ts',
    '#model/../x.ts',
    '#schemas/capsule.schema.json',
    '#bench/run.ts',
    '#package.json',
  ];
  expect(others.map((specifier) => ownModule(specifier, own))).toEqual(others.map(() => undefined));
  expect(ownModule('./names.ts', pathToFileURL(join(ROOT, 'node_modules', 'x', 'y.ts')).href)).toBe(undefined);
  expect(ownModule('./names.ts', undefined)).toBe(undefined);
  expect(others.map((specifier) => packageFile(specifier, own))).toEqual(others.map(() => undefined));
});
