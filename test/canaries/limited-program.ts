import { spawn } from 'node:child_process';
import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a hostile input may cost. */
export const MOST_SECONDS = 20;
export const MOST_MEBIBYTES = 512;

export interface LimitedEnd {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
  /** At its largest, all threads included; what it started is not. */
  readonly mebibytes: number;
}

export interface LimitedProgram {
  /** `capstan ...` in a folder, ended by force after the seconds that it has. */
  run(folder: string, args: readonly string[]): Promise<LimitedEnd>;
}

/** The heap is bounded by V8, everything else of a process is measured; a bound of the kernel would count what V8 only reserves. */
export function limitedProgram(root: string, env: Readonly<Record<string, string>>): LimitedProgram {
  const preload = join(root, 'measure.mjs');
  writeFileSync(
    preload,
    `import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (isMainThread) process.on('exit', () => writeFileSync(process.env.MEASURED, String(process.resourceUsage().maxRSS)));`,
  );
  const main = new URL('../../src/capstan.cjs', import.meta.url).pathname;
  let count = 0;
  return {
    run(folder, args) {
      count += 1;
      const measured = join(root, `measured-${count}`);
      const options = `--import=${preload} --max-old-space-size=${MOST_MEBIBYTES}`;
      const began = performance.now();
      return new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [main, ...args], {
          cwd: folder,
          env: { ...env, NODE_OPTIONS: options, MEASURED: measured },
          stdio: ['ignore', 'pipe', 'pipe'],
          timeout: MOST_SECONDS * 1000,
          killSignal: 'SIGKILL',
        });
        const pieces: Buffer[] = [];
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => pieces.push(piece));
        child.on('error', reject);
        child.on('close', (code) => {
          const seconds = (performance.now() - began) / 1000;
          // What was ended by force, or died of its memory, measured nothing.
          const kibibytes = code === null ? Number.POSITIVE_INFINITY : Number(readFileSync(measured, 'utf8'));
          rmSync(measured, { force: true });
          resolve({ code: code ?? -1, output: Buffer.concat(pieces).toString('utf8'), seconds, mebibytes: kibibytes / 1024 });
        });
      });
    },
  };
}

const LONG_AGO = new Date('2001-01-01T00:00:00Z');

export interface CanaryFile {
  readonly path: string;
  readonly text: string;
  /** Whether anybody read it since it was put there, or since this was asked last. */
  wasRead(): boolean;
}

/** A file that nobody has any business in. Its time of access is older than its content, so that the system notes the next one (relatime). */
export function canaryFile(path: string, text: string, content = `${text}\n`): CanaryFile {
  writeFileSync(path, content, { mode: 0o600 });
  const put = (): void => utimesSync(path, LONG_AGO, new Date('2020-01-01T00:00:00Z'));
  put();
  return {
    path,
    text,
    wasRead() {
      const isOther = statSync(path).atimeMs !== LONG_AGO.getTime();
      put();
      return isOther;
    },
  };
}
