import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';

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

/** One process that looks again and again at a work tree in which something changed. */
export async function measureLooks(capsules: number, path: string): Promise<{ readonly files: number; readonly looks: readonly Look[] }> {
  const generated = await generateRepository({ units: shape(capsules), path: `${path}.git` });
  git(dirname(path), 'clone', '--quiet', `${path}.git`, path);
  return { files: generated.files, looks: looksAt(path) };
}

function looksAt(path: string): readonly Look[] {
  const script = join(import.meta.dirname, 'validate-process.ts');
  return JSON.parse(execFileSync(process.execPath, [script, path], { encoding: 'utf8', maxBuffer: 2 ** 24 })) as readonly Look[];
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
  const looks = looksAt(work);
  execFileSync(process.execPath, [PROGRAM, 'init', 'small'], { cwd: folder, env: environment(), stdio: 'ignore' });
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
  execFileSync(process.execPath, [PROGRAM, ...args], { cwd: folder, env: environment(), stdio: ['ignore', 'ignore', 'inherit'] });
  return Math.round(performance.now() - began);
}

/** `npm run` says where it was called, and the program believes it. */
function environment(): NodeJS.ProcessEnv {
  const { INIT_CWD: _, ...rest } = process.env;
  return rest;
}

function git(folder: string, ...args: readonly string[]): void {
  execFileSync('git', args, { cwd: folder, env: GIT_ENVIRONMENT, stdio: ['ignore', 'ignore', 'inherit'] });
}

export function printValidate(result: ValidateResult): void {
  console.log(`\nvalidate: ${result.capsules} capsules, ${result.units} units, ${result.files} files`);
  for (const look of result.looks) {
    const counts = `${look.filesRead} files read, ${look.blobs} blobs, ${look.parses} parses, ${look.renders} renders`;
    console.log(`  ${look.what.padEnd(32)} ${String(look.milliseconds).padStart(7)} ms  ${counts}; ${look.residentMiB} MiB resident`);
  }
  const { everything, againstBase } = result.process;
  console.log(`  whole processes: everything ${everything} ms, one capsule against a base ${againstBase} ms`);
  console.log(`  the repository that init writes: validate ${result.small.validate} ms, --help ${result.small.help} ms`);
}

export function validateVerdicts(result: ValidateResult | undefined): readonly { goal: string; measured: string; held: boolean }[] {
  if (result === undefined) return [];
  const { small, looks } = result;
  const [, , changed] = looks;
  const isOwnWork = changed !== undefined && changed.filesRead === 1 && changed.parses === 1 && changed.renders === 6;
  return [
    { goal: 'validate of a small repository under 400 ms', measured: `${small.validate} ms`, held: small.validate < 400 },
    { goal: '--help under 100 ms', measured: `${small.help} ms`, held: small.help < 100 },
    {
      goal: 'a second look does the work of the one changed file',
      measured: `${changed?.filesRead ?? 0} file, ${changed?.parses ?? 0} parse, ${changed?.renders ?? 0} renders (3 targets, twice each)`,
      held: isOwnWork,
    },
  ];
}
