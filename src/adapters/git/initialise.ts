import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { PortError } from '#ports/port-error.ts';
import { isDirectory } from './place.ts';

/** Makes a repository of a folder (branch main) if it is none, and commits everything in it as the person git knows here. */
export async function initialise(path: string, message: string): Promise<void> {
  if (!(await isDirectory(join(path, '.git')))) await run(path, ['init', '--quiet', '--initial-branch=main']);
  await run(path, ['add', '--all']);
  const who = await run(path, ['config', 'user.email']).catch(() => '');
  const person = who === '' ? ['-c', 'user.name=Capstan', '-c', 'user.email=init@capstan.invalid'] : [];
  await run(path, [...person, 'commit', '--quiet', '--message', message]);
}

async function run(path: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)('git', ['-C', path, ...args])).stdout.trim();
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new PortError('invalid', `git ${args[0] ?? ''} in ${path} failed${said === '' ? '' : `: ${said}`}`, error);
  }
}
