import { readFile, readdir } from 'node:fs/promises';

import { didYouMean } from '#model/suggest.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';

/** The schemas that stand beside the program: declarations in `schemas/`, outputs in `schemas/output/`. */
const SCHEMAS = new URL(import.meta.resolve('#schemas/capsule.schema.json'));

export async function schema({ words, terminal }: Invocation): Promise<number> {
  const kinds = await schemaFiles();
  const [wanted] = words;
  if (wanted === undefined) {
    terminal.out(
      [...kinds.keys()]
        .sort()
        .map((kind) => `${kind}\n`)
        .join(''),
    );
    return EXIT.ok;
  }
  const found = [...kinds].find(([kind]) => kind.toLowerCase() === wanted.toLowerCase());
  if (found === undefined)
    throw new UsageError(`there is no schema of "${wanted}"${didYouMean(wanted, kinds.keys()) || "; 'capstan schema' lists them all"}`);
  terminal.out(await readFile(found[1], 'utf8'));
  return EXIT.ok;
}

async function schemaFiles(): Promise<ReadonlyMap<string, URL>> {
  const found = new Map<string, URL>();
  for (const folder of [new URL('./', SCHEMAS), new URL('./output/', SCHEMAS)]) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names.filter((item) => item.endsWith('.schema.json'))) found.set(kindOf(name), new URL(name, folder));
  }
  return found;
}

function kindOf(file: string): string {
  return file
    .replace('.schema.json', '')
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');
}
