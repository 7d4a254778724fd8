import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { AUDIT_POLICY, auditFlags, readAuditLog } from './audit-log.ts';
import type { AuditLog } from './audit-log.ts';
import { programPath } from './built-programs.ts';
import { fakeNodes, startFakeNodes } from './fake-nodes.ts';
import { endServer, freePorts, hasEnded, startServer } from './server-process.ts';

export interface KubernetesOptions {
  /** Starts the controller manager (what workloads, namespaces and garbage need) and the scheduler. */
  readonly controllers?: boolean;
  /** So many nodes on which pods become Ready at once; needs `controllers` for anything to be scheduled there. */
  readonly nodes?: number;
  /** The API server writes down who asks what: `audit` reads it. */
  readonly auditLog?: boolean;
  /** Further users with their groups; `system:masters` may do everything, others what RBAC objects grant. */
  readonly users?: Readonly<Record<string, readonly string[]>>;
  readonly apiserverFlags?: readonly string[];
}

/** One who may ask the API server. */
export interface KubernetesUser {
  readonly name: string;
  readonly token: string;
  /** File for `--kubeconfig`. */
  readonly kubeconfig: string;
  /** Standard output of kubectl; rejects with its message where it fails. */
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
}

/** A real API server on loopback; its first user, `tester`, may do everything. Without `controllers` what is applied stays as it is. */
export interface RunningKubernetes extends KubernetesUser {
  readonly url: string;
  /** The server's own certificate, in PEM, and the file it is in, next to `apiserver.key`. */
  readonly certificateAuthority: string;
  readonly certificateFile: string;
  /** Client URL of etcd, without authentication. */
  readonly etcd: string;
  /**
   * Forgets all but the newest state of everything, as etcd does every few minutes: what is listed page by page gets 410 for its next page. What is
   * watched gets it once the API server, too, has forgotten, by a start.
   */
  readonly compact: () => Promise<void>;
  /** One of `options.users`, or `tester`. */
  readonly user: (name: string) => KubernetesUser;
  /** Rejects without `auditLog`. */
  readonly audit: AuditLog;
  /** The API server alone: its address and data stay, its memory does not. */
  readonly apiserver: {
    /** `SIGTERM` lets it wait for its watchers for up to 20 s; it takes no connections meanwhile. */
    readonly stop: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
    /** Waits until it is ready. `flags` come after those it was first started with. */
    readonly start: (flags?: readonly string[]) => Promise<void>;
    /** Of the running process. */
    readonly pid: () => number | undefined;
    /** The next start makes itself another certificate and key; `certificateAuthority` stays what it was. */
    readonly forgetCertificate: () => void;
  };
  /** Asks all programs to end and waits until they have. */
  readonly stop: () => Promise<void>;
}

const READY_WITHIN_MS = 180_000;
const TESTER = 'tester';
const INTERNAL = { manager: 'system:kube-controller-manager', scheduler: 'system:kube-scheduler', nodes: 'kwok' } as const;
/** Those that a test may wait for: nothing of clouds, disks, certificates and the health of nodes. */
const CONTROLLERS = [
  'clusterrole-aggregation',
  'cronjob',
  'daemonset',
  'deployment',
  'disruption',
  'endpointslice',
  'garbage-collector',
  'job',
  'namespace',
  'pod-garbage-collector',
  'replicaset',
  'resourcequota',
  'root-ca-certificate-publisher',
  'serviceaccount',
  'statefulset',
].map((name) => `${name}-controller`);

/**
 * Starts etcd and kube-apiserver on free ports of 127.0.0.1, and what the options name, and waits until they are ready; all their files lie in
 * `scratch`, an empty folder.
 */
export async function startKubernetes(scratch: string, options: KubernetesOptions = {}): Promise<RunningKubernetes> {
  const [client = 0, peer = 0, secure = 0] = await freePorts(3);
  const etcd = `http://127.0.0.1:${client}`;
  const url = `https://127.0.0.1:${secure}`;
  mkdirSync(join(scratch, 'home'));
  const users = new Map(writeUsers(scratch, url, options.users ?? {}).map((user) => [user.name, user]));
  const user = (name: string): KubernetesUser => {
    const found = users.get(name);
    if (found === undefined) throw new Error(`no user ${name}; there are ${[...users.keys()].join(', ')}`);
    return found;
  };
  const flags = [
    ...apiserverFlags(scratch, { etcd, secure }),
    ...(options.auditLog === true ? audited(scratch) : []),
    ...(options.apiserverFlags ?? []),
  ];
  const tester = user(TESTER);
  const others: ChildProcess[] = [startEtcd(scratch, etcd, `http://127.0.0.1:${peer}`)];
  let apiserver = startServer(scratch, 'kube-apiserver', flags);
  const stop = async (): Promise<void> => {
    // Clients first: none of them shall wait for a server that is gone.
    await Promise.all(others.slice(1).map((child) => endServer(child)));
    await endServer(apiserver);
    await Promise.all(others.map((child) => endServer(child)));
  };
  try {
    await ready(tester, { scratch, servers: () => [...others, apiserver] });
    if (options.controllers === true) others.push(...startControllers(scratch, user));
    if (options.nodes !== undefined) {
      others.push(startFakeNodes(scratch, user(INTERNAL.nodes).kubeconfig));
      await tester.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: fakeNodes(options.nodes) }));
      await tester.kubectl(['wait', 'nodes', '--all', '--for=condition=Ready', '--timeout=60s']);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const certificateFile = join(scratch, 'certificates', 'apiserver.crt');
  return {
    ...tester,
    url,
    certificateAuthority: readFileSync(certificateFile, 'utf8'),
    certificateFile,
    etcd,
    compact: () => compactEtcd(etcd),
    user,
    audit: readAuditLog(scratch, (path) => ask(`${url}${path}`, { token: tester.token, certificateFile })),
    apiserver: {
      stop: (signal) => endServer(apiserver, signal),
      start: async (more = []) => {
        apiserver = startServer(scratch, 'kube-apiserver', [...flags, ...more]);
        await ready(tester, { scratch, servers: () => [...others, apiserver] });
      },
      pid: () => apiserver.pid,
      forgetCertificate: () => rmSync(join(scratch, 'certificates'), { recursive: true }),
    },
    stop,
  };
}

function startEtcd(scratch: string, client: string, peer: string): ChildProcess {
  return startServer(scratch, 'etcd', [
    `--data-dir=${join(scratch, 'etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--log-level=warn',
  ]);
}

/** https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/ */
async function compactEtcd(etcd: string): Promise<void> {
  const ask = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(`${etcd}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd answered ${answer.status} to ${path}: ${await answer.text()}`);
    return answer.json();
  };
  const { header } = Object(await ask('range', { key: 'AA==' }));
  await ask('compaction', { revision: header.revision, physical: true });
}

function apiserverFlags(scratch: string, { etcd, secure }: { readonly etcd: string; readonly secure: number }): readonly string[] {
  const key = join(scratch, 'service-accounts.pem');
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(key, pair.privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  return [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${secure}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--authorization-mode=RBAC',
    // Service accounts are made by a controller that is not always there; nodes are Ready when a fake kubelet says so, and no controller judges it.
    '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
    '--profiling=false',
    `--cert-dir=${join(scratch, 'certificates')}`,
    `--token-auth-file=${join(scratch, 'tokens.csv')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
  ];
}

function audited(scratch: string): readonly string[] {
  const policy = join(scratch, 'audit-policy.json');
  writeFileSync(policy, JSON.stringify(AUDIT_POLICY));
  return auditFlags(scratch, policy);
}

/** The token file of the API server, and each user's kubeconfig. */
function writeUsers(scratch: string, url: string, more: Readonly<Record<string, readonly string[]>>): readonly KubernetesUser[] {
  const names = [TESTER, ...Object.values(INTERNAL)];
  const groups = { ...Object.fromEntries(names.map((name) => [name, ['system:masters']])), ...more };
  const lines = Object.entries(groups).map(([name, of]) => `${tokenOf(name)},${name},${name},"${of.join(',')}"\n`);
  writeFileSync(join(scratch, 'tokens.csv'), lines.join(''), { mode: 0o600 });
  return Object.keys(groups).map((name) => {
    const kubeconfig = join(scratch, name === TESTER ? 'kubeconfig' : `kubeconfig-${name.replaceAll(':', '-')}`);
    writeKubeconfig(kubeconfig, { url, certificateFile: join(scratch, 'certificates', 'apiserver.crt'), name, token: tokenOf(name) });
    return { name, token: tokenOf(name), kubeconfig, kubectl: (args, input = '') => run(kubeconfig, args, input) };
  });
}

function tokenOf(name: string): string {
  return `the-token-of-${name.replaceAll(':', '-')}-in-this-test-only`;
}

/** Writes a kubeconfig of one cluster, one user and one context, whose names do not matter. */
export function writeKubeconfig(
  file: string,
  of: { readonly url: string; readonly certificateFile: string; readonly name: string; readonly token: string },
): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: of.url, 'certificate-authority': of.certificateFile } }],
    users: [{ name: of.name, user: { token: of.token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: of.name } }],
    'current-context': 'test',
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
}

function startControllers(scratch: string, user: (name: string) => KubernetesUser): readonly ChildProcess[] {
  const manager = startServer(scratch, 'kube-controller-manager', [
    `--kubeconfig=${user(INTERNAL.manager).kubeconfig}`,
    `--controllers=${CONTROLLERS.join(',')}`,
    '--leader-elect=false',
    '--profiling=false',
    '--secure-port=0',
    `--root-ca-file=${join(scratch, 'certificates', 'apiserver.crt')}`,
  ]);
  const scheduler = startServer(scratch, 'kube-scheduler', [
    `--kubeconfig=${user(INTERNAL.scheduler).kubeconfig}`,
    '--leader-elect=false',
    '--profiling=false',
    '--secure-port=0',
  ]);
  return [manager, scheduler];
}

async function run(kubeconfig: string, args: readonly string[], input: string): Promise<string> {
  const running = promisify(execFile)(programPath('kubectl'), ['--kubeconfig', kubeconfig, ...args], {
    env: { HOME: join(kubeconfig, '..', 'home') },
    maxBuffer: 64 * 1024 * 1024,
  });
  // It may end without having read: what it says of that is told below.
  running.child.stdin?.on('error', () => {}).end(input);
  return (await running).stdout;
}

async function ask(url: string, as: { readonly token: string; readonly certificateFile: string }): Promise<void> {
  const asking = request(url, { ca: readFileSync(as.certificateFile), headers: { authorization: `Bearer ${as.token}` }, agent: false });
  const [answer] = await once(asking.end(), 'response');
  await once(answer.resume(), 'end');
}

interface Starting {
  readonly scratch: string;
  readonly servers: () => readonly ChildProcess[];
}

async function ready({ kubectl }: KubernetesUser, starting: Starting): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const failure = await kubectl(['get', '--raw', '/readyz']).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) return;
    if (starting.servers().some(hasEnded) || Date.now() > until) {
      throw new Error(`kubernetes did not become ready; its logs are in ${starting.scratch}`, { cause: failure });
    }
    await delay(100);
  }
}
