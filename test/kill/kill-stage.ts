import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { assemble } from '#assembly/assembly.ts';
import { openStage, until, type Stage } from '#cli/demo-stage.ts';
import { demoDirectories } from '#cli/demo-targets.ts';
import type { Powers, Terminal } from '#cli/powers.ts';
import { toInstant } from '#model/instant.ts';
import { encodeSshPrivateKey } from '#model/ssh-key.ts';
import type { Repository } from '#ports/repository.ts';
import { freePort, startProgram, type Program } from './programs.ts';

/** The demo's stage with forge and service as processes of their own, and a hand on the service's throat. */
export interface KillStage {
  readonly stage: Stage;
  /** Kills the service at once, leaves it dead for so many milliseconds, and starts it again without waiting for it to serve. */
  killService(dead: number): Promise<void>;
  /** Waits until the running service has looked at everything once. */
  untilReady(): Promise<void>;
  /** What all services of this story said. */
  said(): string;
  /** Stops the running service in good order; answers its exit code. */
  stopService(): Promise<number | null>;
  close(): Promise<void>;
}

export async function openKillStage(directory: string): Promise<KillStage> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...process.env,
    CAPSTAN_SERVER_LISTEN: `127.0.0.1:${port}`,
    CAPSTAN_SERVER_PUBLIC_URL: url,
    CAPSTAN_SCHEDULE_POLL: '2s',
    CAPSTAN_LOG_LEVEL: 'warn',
  };
  await writeKeys(directory);
  const services: Program[] = [];
  let start: () => Program = () => {
    throw new Error('the service was not started yet');
  };
  let isStopped = false;
  const base = assemble();
  const powers: Powers = {
    ...base,
    openClone: async (path) => datedByCount(await base.openClone(path)),
    async forge({ data }) {
      const at = await freePort();
      const program = startProgram(['forge', '--data', data, '--listen', `127.0.0.1:${at}`], env);
      await program.serves;
      return { url: `http://127.0.0.1:${at}`, ended: Promise.resolve(), close: async () => void (await program.stop()) };
    },
    serve(config, terminal) {
      start = () => {
        const program = startProgram(['serve', '--config', config], terminal.env);
        services.push(program);
        return program;
      };
      start();
      return Promise.resolve({ url, ended: Promise.resolve(), close: async () => void (await stopService()) });
    },
  };

  async function stopService(): Promise<number | null> {
    isStopped = true;
    const last = services.at(-1);
    // Right after its start a process does not yet know what a signal should mean.
    await last?.serves;
    return (await last?.stop()) ?? null;
  }

  const stage = await openStage({
    directory,
    listen: '127.0.0.1:0',
    targets: demoDirectories(directory),
    powers,
    terminal: terminalOf(directory, env),
  });
  return {
    stage,
    stopService,
    async killService(dead) {
      await services.at(-1)?.kill();
      await sleep(dead);
      start();
    },
    async untilReady() {
      await until('the service to be ready', 90, async () => {
        const answer = await fetch(`${url}/readyz`).catch(() => undefined);
        return answer?.status === 200 ? true : undefined;
      });
    },
    said: () => services.map((service) => service.said()).join(''),
    async close() {
      if (!isStopped) await services.at(-1)?.kill();
      await stage.close();
    },
  };
}

function terminalOf(cwd: string, env: Terminal['env']): Terminal {
  const silent = (): void => undefined;
  return { out: silent, err: silent, say: silent, isVerbose: false, env, cwd, isTerminal: false, signal: new AbortController().signal };
}

/** The same keys in every story, so that locks and renderings, which name commits, can be compared byte for byte. */
async function writeKeys(directory: string): Promise<void> {
  await mkdir(join(directory, '.capstan'), { recursive: true });
  for (const [path, name] of [
    ['ada_ed25519', 'ada'],
    ['.capstan/engine_ed25519', 'engine'],
  ] as const) {
    await writeFile(join(directory, path), encodeSshPrivateKey(Buffer.alloc(32, name), name, 7), { mode: 0o600 });
  }
}

/** Ada's commits a minute apart from a fixed time on: the same ids in every story. */
function datedByCount(repository: Repository): Repository {
  let minutes = 0;
  return {
    ...repository,
    writeCommit(draft, sign) {
      minutes += 1;
      const at = toInstant(Date.UTC(2026, 0, 5, 9, minutes));
      return repository.writeCommit({ ...draft, author: { ...draft.author, at } }, sign);
    },
  };
}
