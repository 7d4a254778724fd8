import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { programPath } from './built-programs.ts';

/** A real API server on loopback, its user a cluster admin. There is no controller manager: what is applied stays as it is. */
export interface RunningKubernetes {
  /** File for `--kubeconfig`. */
  readonly kubeconfig: string;
  readonly url: string;
  readonly token: string;
  /** The server's own certificate, in PEM. */
  readonly certificateAuthority: string;
  /** Standard output of kubectl; rejects with its message where it fails. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
  /** Asks both programs to end and waits until they have. */
  readonly stop: () => Promise<void>;
}

const READY_WITHIN_MS = 180_000;
const TOKEN = 'a-token-of-this-test-only';

/** Starts etcd and kube-apiserver on free ports of 127.0.0.1 and waits until they are ready; all their files lie in `scratch`, an empty folder. */
export async function startKubernetes(scratch: string): Promise<RunningKubernetes> {
  const [client, peer, secure] = await freePorts(3);
  const etcd = start(scratch, 'etcd', [
    `--data-dir=${join(scratch, 'etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=http://127.0.0.1:${client}`,
    `--advertise-client-urls=http://127.0.0.1:${client}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-cluster=default=http://127.0.0.1:${peer}`,
    '--log-level=warn',
  ]);
  const apiserver = start(scratch, 'kube-apiserver', [
    `--etcd-servers=http://127.0.0.1:${client}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${secure}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--authorization-mode=RBAC',
    '--disable-admission-plugins=ServiceAccount',
    `--cert-dir=${join(scratch, 'certificates')}`,
    ...credentials(scratch),
  ]);
  const url = `https://127.0.0.1:${secure}`;
  const kubeconfig = writeKubeconfig(scratch, url);
  const kubectl = (args: readonly string[], input = ''): Promise<string> => run(kubeconfig, args, input);
  const stop = async (): Promise<void> => {
    await Promise.all([apiserver, etcd].map(end));
  };
  try {
    await ready(kubectl, { scratch, servers: [etcd, apiserver] });
  } catch (error) {
    await stop();
    throw error;
  }
  const certificateAuthority = readFileSync(join(scratch, 'certificates', 'apiserver.crt'), 'utf8');
  return { kubeconfig, url, token: TOKEN, certificateAuthority, kubectl, stop };
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => Object(server.address()).port as number);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

function start(scratch: string, name: string, args: readonly string[]): ChildProcess {
  const log = openSync(join(scratch, `${name}.log`), 'a');
  const child = spawn(programPath(name), args, { stdio: ['ignore', log, log], env: {} });
  closeSync(log);
  return child;
}

/** Who may come in, and the key that service account tokens are signed with. */
function credentials(scratch: string): readonly string[] {
  const tokens = join(scratch, 'tokens.csv');
  const key = join(scratch, 'service-accounts.pem');
  writeFileSync(tokens, `${TOKEN},tester,tester,system:masters\n`, { mode: 0o600 });
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(key, pair.privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  return [
    `--token-auth-file=${tokens}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
  ];
}

function writeKubeconfig(scratch: string, url: string): string {
  const cluster = { server: url, 'certificate-authority': join(scratch, 'certificates', 'apiserver.crt') };
  const file = join(scratch, 'kubeconfig');
  mkdirSync(join(scratch, 'home'));
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'tester', user: { token: TOKEN } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'tester' } }],
      'current-context': 'test',
    }),
    { mode: 0o600 },
  );
  return file;
}

async function run(kubeconfig: string, args: readonly string[], input: string): Promise<string> {
  const running = promisify(execFile)(programPath('kubectl'), ['--kubeconfig', kubeconfig, ...args], {
    env: { HOME: join(kubeconfig, '..', 'home') },
    maxBuffer: 64 * 1024 * 1024,
  });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

interface Starting {
  readonly scratch: string;
  readonly servers: readonly ChildProcess[];
}

async function ready(kubectl: RunningKubernetes['kubectl'], starting: Starting): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const failure = await kubectl(['get', '--raw', '/readyz']).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    if (starting.servers.some(hasEnded) || Date.now() > until) {
      throw new Error(`kubernetes did not become ready; its logs are in ${starting.scratch}`, { cause: failure });
    }
    await delay(100);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await gone;
  clearTimeout(killer);
}
