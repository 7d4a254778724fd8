import { execFile, spawn } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = new URL('../../src/capstan.cjs', import.meta.url).pathname;

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Temporary folders and the two programs that run in them, with nothing of the caller's own git configuration. */
export interface Workbench {
  /** Runs the real program in a folder. */
  capstan(folder: string, ...args: readonly string[]): Promise<Ended>;
  /** Runs another program; throws with what it said if it fails. */
  run(folder: string, program: string, ...args: readonly string[]): Promise<string>;
  /** Runs stock git; throws with what it said if it fails. */
  git(folder: string, ...args: readonly string[]): Promise<string>;
  folder(): Promise<string>;
  /** A repository as `init` makes it, in a folder of its own. */
  platform(): Promise<string>;
  /** What the programs see of the environment. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function workbench(): Promise<Workbench> {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'capstan-test-')));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    NO_COLOR: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@acme.example',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@acme.example',
  };

  function run(folder: string, program: string, ...args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile(program, args, { cwd: folder, env }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout.trim());
        else reject(new Error(`${program} ${args.join(' ')}: ${stderr}`));
      });
    });
  }

  function capstan(folder: string, ...args: readonly string[]): Promise<Ended> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      child.on('error', reject);
      child.on('close', (code) =>
        resolve({ code: code ?? -1, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8') }),
      );
    });
  }

  const folder = (): Promise<string> => mkdtemp(join(home, 'f-'));

  async function platform(): Promise<string> {
    const around = await folder();
    const made = await capstan(around, 'init', 'platform');
    if (made.code !== 0) throw new Error(made.err);
    return join(around, 'platform');
  }

  return {
    env,
    capstan,
    platform,
    run,
    git: (folder, ...args) => run(folder, 'git', ...args),
    folder,
    close: () => rm(home, { recursive: true, force: true }),
  };
}
