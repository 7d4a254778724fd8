import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { endServer, freePorts, hasEnded, startServer } from './server-process.ts';

/**
 * - `docker`: Debian's docker-registry, without referrers API; what is pushed lies below the scratch folder
 * - `referrers`: go-containerregistry's, in memory, with the referrers API
 */
export type RegistryKind = 'docker' | 'referrers';

export interface RunningRegistry {
  readonly kind: RegistryKind;
  /** `127.0.0.1:PORT`; it speaks plain HTTP, unless it was given certificates. */
  readonly host: string;
  end(): Promise<void>;
}

const DOCKER_REGISTRY = '/usr/bin/docker-registry';
const READY_WITHIN_MS = 20_000;

/** Sections of docker-registry's configuration, `auth` and `http.tls` for two. */
export interface DockerSettings {
  readonly auth?: object;
  readonly tls?: object;
}

/** Starts a registry on a free port of 127.0.0.1. It keeps its files and its log in `scratch`, which has to exist. */
export async function startRegistry(kind: RegistryKind, scratch: string, more: DockerSettings = {}): Promise<RunningRegistry> {
  const [port] = await freePorts(1);
  const host = `127.0.0.1:${port}`;
  const child = kind === 'docker' ? startDocker(host, scratch, more) : startServer(scratch, 'referrers-registry', [host]);
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await isReady(host))) {
    if (hasEnded(child) || Date.now() > deadline) {
      await endServer(child, 'SIGKILL');
      throw new Error(`the ${kind} registry did not start; see its log in ${scratch}`);
    }
    await delay(20);
  }
  return { kind, host, end: () => endServer(child) };
}

function startDocker(host: string, scratch: string, { auth, tls }: DockerSettings): ChildProcess {
  if (!existsSync(DOCKER_REGISTRY)) throw new Error(`${DOCKER_REGISTRY} is missing: apt-get install docker-registry`);
  const data = join(scratch, 'registry-data');
  mkdirSync(data, { recursive: true });
  const config = join(scratch, 'registry.json');
  const settings = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: data }, delete: { enabled: true } },
    http: { addr: host, secret: 'of this test', ...(tls === undefined ? {} : { tls }) },
    ...(auth === undefined ? {} : { auth }),
  };
  // JSON is YAML, too.
  writeFileSync(config, JSON.stringify(settings));
  const log = openSync(join(scratch, 'docker-registry.log'), 'a');
  const child = spawn(DOCKER_REGISTRY, ['serve', config], {
    stdio: ['ignore', log, log],
    env: { HOME: scratch, OTEL_TRACES_EXPORTER: 'none' },
  });
  closeSync(log);
  return child;
}

async function isReady(host: string): Promise<boolean> {
  const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
  await answer?.body?.cancel();
  return answer !== undefined;
}
