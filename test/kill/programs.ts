import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** One `node src/main.ts ...` of its own, as a person would start it. */
export interface Program {
  /** Resolves when it says that it serves; throws with what it said if it ends before. */
  readonly serves: Promise<void>;
  /** SIGKILL to this process alone: what it started may go on for a moment, as after a real one. */
  kill(): Promise<void>;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
  /** Everything it wrote to stderr. */
  said(): string;
}

const ROOT = new URL('../..', import.meta.url).pathname;

export function startProgram(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Program {
  const child = spawn(process.execPath, ['src/main.ts', ...args], { cwd: ROOT, env: { ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  const exit = once(child, 'exit');
  const serves = new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (/ serves http/.test(text)) resolve();
    });
    child.once('exit', () => reject(new Error(`capstan ${args[0] ?? ''} ended: ${text.slice(-2000)}`)));
  });
  // Whoever kills it does not wait for it any more.
  serves.catch(() => undefined);
  return {
    serves,
    async kill() {
      child.kill('SIGKILL');
      await exit;
    },
    async stop() {
      child.kill('SIGTERM');
      await exit;
      return child.exitCode;
    },
    said: () => text,
  };
}

/** A port of the loopback that was free a moment ago: a service that is killed must come back at the same address. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port is free');
  return address.port;
}
