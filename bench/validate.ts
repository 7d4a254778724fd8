import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { capsuleFiles, capsuleName, type Shape } from './content.ts';
import { GIT_ENVIRONMENT } from './fast-import.ts';
import { generateRepository } from './generate.ts';
import { spreadOf } from './statistics.ts';
import type { Look } from './validate-process.ts';

export interface ValidateResult {
  readonly capsules: number;
  readonly units: number;
  readonly files: number;
  /** In one process, one after the other. */
  readonly looks: readonly Look[];
  /** Whole processes, milliseconds. */
  readonly process: { readonly everything: number; readonly againstBase: number };
  /** The repository that `init` writes: medians of whole processes. */
  readonly small: { readonly validate: number; readonly help: number };
}

const PROGRAM = join(import.meta.dirname, '..', 'src', 'capstan.cjs');

/** Four environments of three targets each. */
function shape(capsules: number): Shape {
  const environments = [1, 2, 3, 4].map((at) => ({ name: `env-${at}`, targets: ['one', 'two', 'three'] }));
  return { environments, capsules };
}

/** `validate` of a large repository, cold, warm and against a base, and of a small one. */
export async function measureValidate(options: {
  readonly capsules: number;
  readonly rounds: number;
  readonly folder: string;
}): Promise<ValidateResult> {
  const { capsules, rounds, folder } = options;
  const bare = join(folder, 'validate.git');
  const work = join(folder, 'validate');
  const generated = await generateRepository({ units: shape(capsules), path: bare });
  git(folder, 'clone', '--quiet', bare, work);
  const everything = timed(work, 'validate', '--quiet');
  for (const { path, text } of capsuleFiles(capsuleName(2), '1.0.1', 'bench')) {
    execFileSync('tee', [join(work, 'capsules', capsuleName(2), path)], { input: text, stdio: ['pipe', 'ignore', 'inherit'] });
  }
  const againstBase = timed(work, 'validate', '--quiet', '--base', 'HEAD');
  git(work, 'checkout', '--quiet', '.');
  const script = join(import.meta.dirname, 'validate-process.ts');
  const looks = JSON.parse(
    execFileSync(process.execPath, [script, work], { encoding: 'utf8', maxBuffer: 2 ** 24 }),
  ) as unknown as readonly Look[];
  execFileSync(process.execPath, [PROGRAM, 'init', 'small'], { cwd: folder, stdio: 'ignore' });
  const small = join(folder, 'small');
  const repeat = (...args: readonly string[]): number =>
    Math.round(spreadOf(Array.from({ length: Math.max(3, rounds) }, () => timed(small, ...args))).median);
  timed(small, 'validate', '--quiet');
  return {
    capsules,
    units: capsules * 12,
    files: generated.files,
    looks,
    process: { everything, againstBase },
    small: { validate: repeat('validate', '--quiet'), help: repeat('--help') },
  };
}

function timed(folder: string, ...args: readonly string[]): number {
  const began = performance.now();
  execFileSync(process.execPath, [PROGRAM, ...args], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return Math.round(performance.now() - began);
}

function git(folder: string, ...args: readonly string[]): void {
  execFileSync('git', args, { cwd: folder, env: GIT_ENVIRONMENT, stdio: ['ignore', 'ignore', 'inherit'] });
}
