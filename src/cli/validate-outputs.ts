import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { UsageError } from './exit-code.ts';
import { outputFormat } from './output.ts';
import type { Terminal } from './powers.ts';

export const VALIDATE_FORMATS = ['text', 'json', 'sarif', 'junit', 'github'] as const;
export type ValidateFormat = (typeof VALIDATE_FORMATS)[number];

/** One of `-o text,json=FILE`: a format, and the file it goes to; standard output where there is none. */
export interface Output {
  readonly format: ValidateFormat;
  readonly file: string | undefined;
}

/** Several formats at once; only one of them can have standard output. */
export function parseOutputs(given: string | undefined): readonly Output[] {
  const outputs = (given ?? 'text').split(',').map((part): Output => {
    const [, name = '', , file] = /^([^=]*)(=(.*))?$/s.exec(part) ?? [];
    if (file === '') throw new UsageError(`-o ${name}= names no file`);
    return { format: outputFormat(name, VALIDATE_FORMATS), file };
  });
  const shown = outputs.filter((output) => output.file === undefined);
  if (shown.length > 1)
    throw new UsageError(
      `${shown.map((output) => output.format).join(' and ')} cannot both go to standard output; give all but one a file: -o text,json=report.json`,
    );
  const files = outputs.flatMap((output) => output.file ?? []);
  if (new Set(files).size < files.length) throw new UsageError('two outputs name the same file');
  return outputs;
}

export async function writeOutput(terminal: Terminal, output: Output, text: string): Promise<void> {
  if (output.file === undefined) {
    terminal.out(text);
    return;
  }
  const path = resolve(terminal.cwd, output.file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
