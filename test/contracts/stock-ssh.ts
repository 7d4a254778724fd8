import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export async function run(command: string, args: readonly string[], options: { input?: Uint8Array; env?: NodeJS.ProcessEnv } = {}) {
  return new Promise<{ code: number | null; out: string }>((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...options.env }, stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? Buffer.alloc(0));
  });
}

/** What OpenSSH says of a block, whoever's key it is. */
export async function checkNoValidate(payload: Uint8Array, armoured: string, namespace: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'capstan-ssh-'));
  try {
    await writeFile(join(folder, 'sig'), armoured);
    return (await run('ssh-keygen', ['-Y', 'check-novalidate', '-n', namespace, '-s', join(folder, 'sig')], { input: payload })).out;
  } finally {
    await rm(folder, { recursive: true });
  }
}

export interface StockAgent {
  readonly socket: string;
  add(file: string): Promise<void>;
  removeAll(): Promise<void>;
  close(): Promise<void>;
}

/** The ssh-agent of this machine, with nothing in it. */
export async function stockAgent(): Promise<StockAgent> {
  const folder = await mkdtemp(join(tmpdir(), 'capstan-agent-'));
  const socket = join(folder, 's');
  const child: ChildProcess = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  const env = { SSH_AUTH_SOCK: socket };
  for (let tries = 0; (await run('ssh-add', ['-l'], { env })).code === 2; tries += 1) {
    if (tries > 200) throw new Error('ssh-agent did not start');
    await wait(20);
  }
  async function mustRun(args: readonly string[]): Promise<void> {
    const { code, out } = await run('ssh-add', args, { env });
    if (code !== 0) throw new Error(out);
  }
  return {
    socket,
    add: async (file) => mustRun(['-q', file]),
    removeAll: async () => mustRun(['-D']),
    async close() {
      child.kill('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
