import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import packageJson from '#package.json' with { type: 'json' };
import type { Invocation } from './cli.ts';
import { EXIT } from './exit-code.ts';
import { outputFormat, printDocument } from './output.ts';

export async function version({ options, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const git = await promisify(execFile)('git', ['--version']).then(
    ({ stdout }) => stdout.trim().replace('git version ', ''),
    () => undefined,
  );
  if (format === 'json')
    printDocument(terminal, 'Version', { version: packageJson.version, node: process.versions.node, git: git ?? null });
  else terminal.out(`capstan ${packageJson.version} (node ${process.versions.node}, git ${git ?? 'not found'})\n`);
  return EXIT.ok;
}
