import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { isAbsolute, join } from 'node:path';

import { isJsonObject, jsonText } from '#model/json.ts';
import { parseBoundedJson } from '#model/oci-manifest.ts';
import { quoted } from '#model/quoted.ts';
import { PortError } from '#ports/port-error.ts';
import { passwordLogin } from './login.ts';
import type { Environment, Login } from './login.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const WITHIN_MS = 30_000;
const MOST_OUTPUT = 64 * 1024;

/** Asks `docker-credential-<name>` as docker does: `get`, the registry on standard input, a login or "credentials not found" as the answer. */
export async function askCredentialHelper(name: string, registry: string, env: Environment): Promise<Login | undefined> {
  if (!NAME.test(name))
    throw new PortError('invalid', `the docker configuration names the credential helper ${quoted(name)}, which is no name`);
  const named = `docker-credential-${name}`;
  const program = findProgram(named, env['PATH'] ?? '');
  if (program === undefined) throw new PortError('denied', `the credential helper ${named} is not on PATH`);
  const { exit, output } = await run(program, `${registry}\n`, env);
  if (exit !== 0) {
    // The protocol has no other sign for it than this sentence.
    if (/credentials not found/i.test(output.toString('utf8'))) return undefined;
    throw new PortError(
      'denied',
      `the credential helper ${named} failed${exit === undefined ? ': it took too long or said too much' : ` (exit ${exit})`}`,
    );
  }
  const answer = parseBoundedJson(output, 4);
  if (!isJsonObject(answer)) throw new PortError('denied', `the credential helper ${named} did not print a login`);
  const [user, secret] = [jsonText(answer['Username']), jsonText(answer['Secret'])];
  return user === '' && secret === '' ? undefined : passwordLogin(user, secret);
}

/** Only folders that are named from the root: the working directory may be a stranger's. */
function findProgram(named: string, path: string): string | undefined {
  return path
    .split(':')
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, named))
    .find((candidate) => {
      try {
        accessSync(candidate, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Without a shell; ended as a group at the first limit. What it says on standard error is nobody's to repeat. */
function run(program: string, input: string, env: Environment): Promise<{ readonly exit: number | undefined; readonly output: Buffer }> {
  return new Promise((resolve, reject) => {
    const own = Object.fromEntries(Object.entries(env).filter(([key, value]) => value !== undefined && !key.startsWith('CAPSTAN_')));
    const child = spawn(program, ['get'], { env: own as NodeJS.ProcessEnv, stdio: ['pipe', 'pipe', 'ignore'], detached: true, cwd: '/' });
    const streams: readonly unknown[] = [child.stdin, child.stdout];
    if (streams.includes(undefined)) {
      // No file descriptors are left: Node tells of it later, to whoever listens by then.
      child.once('error', () => reject(new PortError('transient', `${program} could not be started: no more files may be opened`)));
      return;
    }
    const pieces: Buffer[] = [];
    let size = 0;
    let isCut = false;
    const cut = (): void => {
      isCut = true;
      endGroup(child.pid);
    };
    const timer = setTimeout(cut, WITHIN_MS);
    child.stdout.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size > MOST_OUTPUT) cut();
      else pieces.push(piece);
    });
    // It may end before it has read what it was asked.
    child.stdin.on('error', () => undefined).end(input);
    child.once('error', () => {
      clearTimeout(timer);
      reject(new PortError('denied', `${program} could not be started`));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      endGroup(child.pid);
      resolve({ exit: isCut ? undefined : (code ?? undefined), output: Buffer.concat(pieces) });
    });
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
