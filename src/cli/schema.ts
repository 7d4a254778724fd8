import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { didYouMean } from '#model/suggest.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import type { Terminal } from './powers.ts';
import type { SchemaFile } from './schema-files.ts';
import { editorSettings, schemaFiles, schemaText } from './schema-files.ts';

export async function schema({ words, options, terminal }: Invocation): Promise<number> {
  if (options.vscode === true) {
    terminal.out(editorSettings());
    return EXIT.ok;
  }
  const files = await schemaFiles();
  const chosen = options.all === true ? files : chooseSchemas(files, words);
  const { out } = options;
  if (typeof out === 'string')
    return writeSchemas(chosen ?? files.filter((file) => !file.isOutput), { out, check: options.check === true }, terminal);
  if (options.check === true) throw new UsageError('--check needs --out DIRECTORY');
  if (chosen === undefined || options.all === true)
    terminal.out(
      files
        .map((file) => `${file.kind}\n`)
        .sort()
        .join(''),
    );
  else for (const file of chosen) terminal.out(await schemaText(file));
  return EXIT.ok;
}

function chooseSchemas(files: readonly SchemaFile[], words: readonly string[]): readonly SchemaFile[] | undefined {
  if (words.length === 0) return undefined;
  return words.map((wanted) => {
    const found = files.find((file) => file.kind.toLowerCase() === wanted.toLowerCase());
    if (found !== undefined) return found;
    const kinds = files.map((file) => file.kind);
    throw new UsageError(`there is no schema of "${wanted}"${didYouMean(wanted, kinds) || "; 'capstan schema' lists them all"}`);
  });
}

/** Writes what differs; with `check` it only names that, and fails. */
async function writeSchemas(
  files: readonly SchemaFile[],
  { out, check }: { readonly out: string; readonly check: boolean },
  terminal: Terminal,
): Promise<number> {
  const root = resolve(terminal.cwd, out);
  let stale = 0;
  for (const file of files) {
    const path = join(root, file.path);
    const text = await schemaText(file);
    if ((await readFile(path, 'utf8').catch(() => undefined)) === text) continue;
    stale += 1;
    terminal.out(`${join(out, file.path)}\n`);
    if (check) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  if (check && stale > 0) terminal.say(`${stale} of ${files.length} schemas are missing or old: capstan schema --all --out ${out}\n`);
  return check && stale > 0 ? EXIT.failed : EXIT.ok;
}
