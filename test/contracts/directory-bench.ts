import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { onTestFinished } from 'vitest';

import { directoryTargets } from '#adapters/directory/directory.ts';
import type { DirectoryOptions } from '#adapters/directory/directory.ts';
import { toEnvironmentName, toTargetName } from '#model/names.ts';
import type { Target } from '#ports/target.ts';
import type { TargetBench } from './target.contract.ts';

export interface DirectoryBench extends Required<Omit<TargetBench, 'marksObjects'>> {
  readonly root: string;
  /** `<root>/out/dev` */
  readonly base: string;
  readonly filesRead: () => number;
}

/** A folder of this test's own, gone when the test is over. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'capstan-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function openDirectoryBench(options: Omit<DirectoryOptions, 'root'> = {}): Promise<DirectoryBench> {
  const root = await scratchFolder();
  const base = join(root, 'out/dev');
  const targets = directoryTargets({ root, ...options });
  const target: Target = await targets.open(toEnvironmentName('dev'), toTargetName('local'), { driver: 'directory', path: 'out/dev' });
  return {
    root,
    base,
    target,
    filesRead: () => targets.counts().filesRead,
    read: (path) => textOf(join(base, path)),
    put: (path, text) => putFile(join(base, path), text),
    remove: (path) => rm(join(base, path)),
    report: (path, report) => putFile(join(base, '.capstan/health', `${path}.json`), JSON.stringify(report)),
    loseInventory: () => rm(join(base, '.capstan/inventory.json')),
  };
}

export async function putFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

export async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
