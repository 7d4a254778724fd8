import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ArrivedFile } from '#model/arrival.ts';
import { editorSettings, schemaFiles, schemaText } from './schema-files.ts';

const STARTER = fileURLToPath(new URL('./starter', import.meta.url));
/** What a folder may have for reasons of its own: it keeps its own. */
const KEPT = /^(README\.md|\.gitignore|\.github\/.*)$/;

export interface StarterFile extends ArrivedFile {
  readonly content: string;
}

/** The files of a small repository that works at once: three environments, one capsule, one policy. */
export async function starterFiles(): Promise<readonly StarterFile[]> {
  return (await allStarterFiles()).concat(await editorFiles());
}

/** What a repository has around its declarations: `.gitignore`, a workflow, schemas for editors. */
export async function surroundings(): Promise<readonly StarterFile[]> {
  return (await allStarterFiles()).filter((file) => file.ifAbsent && file.path !== 'README.md').concat(await editorFiles());
}

async function allStarterFiles(): Promise<StarterFile[]> {
  const entries = await readdir(STARTER, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.map(async (from) => {
      const path = from.slice(STARTER.length + 1).replace(/^gitignore$/, '.gitignore');
      return { path, content: await readFile(from, 'utf8'), ifAbsent: KEPT.test(path) };
    }),
  );
}

async function editorFiles(): Promise<readonly StarterFile[]> {
  const schemas = (await schemaFiles()).filter((file) => !file.isOutput);
  return [
    { path: '.vscode/settings.json', content: editorSettings(), ifAbsent: true },
    ...(await Promise.all(
      schemas.map(async (file) => ({ path: `schemas/${file.path}`, content: await schemaText(file), ifAbsent: true })),
    )),
  ];
}
