import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

import { PortError } from '#ports/port-error.ts';

export interface RunLimits {
  readonly milliseconds: number;
  readonly outputBytes: number;
  readonly memoryMegabytes: number;
}

export interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
}

export type RunEnd =
  | { readonly kind: 'ended'; readonly exit: number | undefined; readonly stdout: Buffer; readonly stderr: string }
  /** `what` finishes the sentence "helm ...". */
  | { readonly kind: 'limit'; readonly what: string };

const MOST_COMPLAINT = 64 * 1024;
const PRLIMIT = '/usr/bin/prlimit';

/**
 * Runs a program to its end or to the first limit. It is the leader of a process group of its own, which is killed as a whole: nothing
 * that it started outlives it. Where prlimit is installed, the kernel limits its memory, its files and its core dumps.
 */
export function runLimited(run: Run, limits: RunLimits, signal?: AbortSignal): Promise<RunEnd> {
  signal?.throwIfAborted();
  const [program, args] = underLimits(run, limits);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: run.folder, env: { ...run.env }, stdio: 'pipe', detached: true });
    const streams: readonly unknown[] = [child.stdin, child.stdout, child.stderr];
    if (streams.includes(undefined)) {
      // No file descriptors are left: Node tells of it later, to whoever listens by then.
      child.once('error', (error) =>
        reject(new PortError('transient', `${run.program} could not be started: no more files may be opened`, error)),
      );
      return;
    }
    const output: Buffer[] = [];
    let size = 0;
    let complaint = '';
    let limit: string | undefined;
    const end = (what: string): void => {
      limit ??= what;
      killGroup(child.pid);
    };
    const timer = setTimeout(() => end(`takes longer than ${limits.milliseconds} ms`), limits.milliseconds);
    const onAbort = (): void => end('was stopped');
    signal?.addEventListener('abort', onAbort);
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= limits.outputBytes) output.push(chunk);
      else end(`writes more than ${limits.outputBytes} bytes`);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < MOST_COMPLAINT) complaint += text;
    });
    // The program may end before it has read its input.
    child.stdin.on('error', () => undefined).end(run.input);
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    child.once('error', (error) => {
      settle();
      reject(new PortError('invalid', `${run.program} could not be started`, error));
    });
    child.once('close', (code) => {
      settle();
      killGroup(child.pid);
      if (signal?.aborted === true) reject(new PortError('transient', `${run.program} was stopped`));
      else if (limit !== undefined) resolve({ kind: 'limit', what: limit });
      else if (outOfMemory(code, complaint)) resolve({ kind: 'limit', what: `needs more memory than ${limits.memoryMegabytes} MiB` });
      else resolve({ kind: 'ended', exit: code ?? undefined, stdout: Buffer.concat(output), stderr: complaint.slice(0, MOST_COMPLAINT) });
    });
  });
}

function underLimits({ program, args }: Run, limits: RunLimits): readonly [string, readonly string[]] {
  if (!existsSync(PRLIMIT)) return [program, args];
  const seconds = Math.ceil(limits.milliseconds / 1000) + 1;
  return [
    PRLIMIT,
    [
      `--data=${limits.memoryMegabytes * 1024 * 1024}`,
      `--cpu=${seconds * 4}`,
      `--fsize=${64 * 1024 * 1024}`,
      '--core=0',
      '--',
      program,
      ...args,
    ],
  ];
}

/** Go programs say so and exit with 2; the kernel may end them by a signal. */
function outOfMemory(code: number | null, complaint: string): boolean {
  return code !== 0 && /out of memory|cannot allocate memory/i.test(complaint);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
