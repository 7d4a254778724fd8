import { mkdir } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';

import { countsOf } from '#test/servers/audit-log.ts';
import { startKubernetes, type RunningKubernetes } from '#test/servers/kubernetes.ts';
import { type Child, type Effort, startChild } from './child-process.ts';
import type { BareQuestion } from './cluster-bare.ts';
import { type ClusterContent, configMaps, ENVIRONMENT } from './cluster-content.ts';
import type { OursAnswer, OursQuestion } from './cluster-ours.ts';
import { type ClusterRepository, createClusterRepository } from './cluster-repository.ts';
import { applyByKubectl, type ClusterServer, clusterServer, wholeProcess } from './cluster-server.ts';
import { type Spread, spreadOf } from './statistics.ts';

export type Work = 'create' | 'change all' | 'change one' | 'change none';

/** One client at one size and piece of work. Milliseconds; requests of the last round, as the API server counted them. */
export interface ClusterFigure {
  readonly client: string;
  readonly objects: number;
  readonly work: Work;
  readonly time: Spread;
  readonly processor: Spread;
  readonly requests: Readonly<Record<string, number>>;
  readonly times: readonly number[];
}

export interface ClusterResult {
  readonly version: string;
  readonly load: readonly number[];
  readonly figures: readonly ClusterFigure[];
}

interface Client {
  readonly name: string;
  /** User of the API server, whose requests are counted, and namespace. */
  readonly user: string;
  readonly does: readonly Work[];
  /** Before the clock runs: what a round begins with, and what the next piece of work needs. */
  readonly begin: (round: string, content: ClusterContent) => Promise<void>;
  readonly prepare: (content: ClusterContent) => Promise<void>;
  readonly apply: (content: ClusterContent) => Promise<Effort>;
  readonly end: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Clients in turn, round by round, all on one API server; what is there afterwards is looked at before a time counts. */
export async function measureCluster(options: {
  readonly objects: readonly number[];
  readonly rounds: number;
  readonly folder: string;
  readonly clients?: readonly string[];
}): Promise<ClusterResult> {
  const users = Object.fromEntries(Object.keys(CLIENTS).map((name) => [name, ['system:masters']]));
  const scratch = join(options.folder, 'kubernetes');
  await mkdir(scratch, { recursive: true });
  const kubernetes = await startKubernetes(scratch, { auditLog: true, users });
  const server = clusterServer(kubernetes);
  const clients: Client[] = [];
  const seen = new Map<string, Seen>();
  const load: number[] = [];
  try {
    for (const name of options.clients ?? Object.keys(CLIENTS))
      clients.push(await openClient(name, { kubernetes, folder: options.folder }));
    for (const client of clients) await server.createNamespace(namespaceOf(client));
    // The first round warms servers and clients, and is not counted.
    const rounds = Array.from({ length: options.rounds + 1 }, (_, round) => round);
    const turns = options.objects.flatMap((objects) => rounds.map((round) => ({ objects, round })));
    for (const turn of turns) {
      load.push(Math.round((loadavg()[0] ?? 0) * 10) / 10);
      for (const client of turned(clients, turn.round)) {
        const measured = await oneRound({ kubernetes, server, client }, turn);
        if (turn.round > 0) measured.forEach((one) => note(seen, one));
      }
    }
  } finally {
    for (const client of clients) await client.close();
    await server.close();
    await kubernetes.stop();
  }
  return { version: '1.35.4', load, figures: [...seen.values()].map(figureOf) };
}

interface Measured extends Effort {
  readonly client: string;
  readonly objects: number;
  readonly work: Work;
  readonly requests: Readonly<Record<string, number>>;
}

interface Seen {
  readonly all: Measured[];
}

interface Bench {
  readonly kubernetes: RunningKubernetes;
  readonly server: ClusterServer;
  readonly client: Client;
}

async function oneRound(
  { kubernetes, server, client }: Bench,
  of: { readonly objects: number; readonly round: number },
): Promise<readonly Measured[]> {
  const revision = of.round * 10;
  const first = { count: of.objects, revision, first: 'as it was' };
  const second = { ...first, revision: revision + 1 };
  const contents: readonly (readonly [Work, ClusterContent])[] = [
    ['create', first],
    ['change all', second],
    ['change one', { ...second, first: `changed in round ${of.round}` }],
    ['change none', { ...second, first: `changed in round ${of.round}` }],
  ];
  const done: Measured[] = [];
  await client.begin(`${of.objects}-${of.round}`, first);
  for (const [work, content] of contents) {
    if (!client.does.includes(work)) continue;
    await client.prepare(content);
    await kubernetes.audit.forget();
    const effort = await client.apply(content);
    const requests = countsOf(await kubernetes.audit.requests(client.user));
    await server.verify(namespaceOf(client), content);
    done.push({ ...effort, client: client.name, objects: of.objects, work, requests });
  }
  await client.end();
  await server.clear(namespaceOf(client));
  return done;
}

function note(seen: Map<string, Seen>, one: Measured): void {
  const key = `${one.objects} ${one.work} ${one.client}`;
  const at = seen.get(key) ?? { all: [] };
  at.all.push(one);
  seen.set(key, at);
}

function figureOf({ all }: Seen): ClusterFigure {
  const last = all.at(-1);
  if (last === undefined) throw new Error('nothing was measured');
  const times = all.map((one) => one.milliseconds);
  const { client, objects, work, requests } = last;
  return { client, objects, work, time: spreadOf(times), processor: spreadOf(all.map((one) => one.processor)), requests, times };
}

interface Opening {
  readonly kubernetes: RunningKubernetes;
  readonly folder: string;
}

const CLIENTS: Readonly<Record<string, (name: string, opening: Opening) => Promise<Client>>> = {
  kubectl: openKubectl,
  bare: openBare,
  ours: openOurs,
  whole: openWhole,
};

async function openClient(name: string, opening: Opening): Promise<Client> {
  const open = CLIENTS[name];
  if (open === undefined) throw new Error(`no client ${name}; there are ${Object.keys(CLIENTS).join(', ')}`);
  return open(name, opening);
}

/** `BENCH_OURS_ARGV='--cpu-prof --cpu-prof-dir=FOLDER'` tells where the time goes. */
const OURS_ARGV = (process.env['BENCH_OURS_ARGV'] ?? '').split(' ').filter((word) => word !== '');
const PROGRAM = join(import.meta.dirname, '..', 'src', 'capstan.cjs');
/** What a target says of its cluster. */
export function driverOf(namespace: string): readonly string[] {
  return ['driver: kubernetes', 'credentials: bench', `namespace: ${namespace}`];
}
const NOTHING = { begin: nothing, prepare: nothing, end: nothing, close: nothing };

async function openKubectl(user: string, { kubernetes, folder }: Opening): Promise<Client> {
  const home = join(folder, user);
  await mkdir(home, { recursive: true });
  return {
    ...NOTHING,
    name: 'kubectl apply --server-side',
    user,
    does: ['create', 'change all'],
    apply: (content) => applyByKubectl(kubernetes, { user, folder: home, objects: configMaps(content, `bench-${user}`) }),
  };
}

async function openBare(user: string, { kubernetes }: Opening): Promise<Client> {
  const child: Child<BareQuestion, Effort> = startChild(join(import.meta.dirname, 'cluster-bare.ts'));
  const { url, certificateAuthority } = kubernetes;
  const { token } = kubernetes.user(user);
  return {
    ...NOTHING,
    name: 'bare loop, 16 connections',
    user,
    does: ['create', 'change all'],
    apply: (content) => child.ask({ url, token, certificateAuthority, objects: configMaps(content, `bench-${user}`) }),
    close: () => child.close(),
  };
}

/** An engine that stays; each round has a repository and a mirror of its own, on which it has run once before anything is declared. */
async function openOurs(user: string, { kubernetes, folder }: Opening): Promise<Client> {
  const child: Child<OursQuestion, OursAnswer> = startChild(join(import.meta.dirname, 'cluster-ours.ts'), { execArgv: OURS_ARGV });
  const { kubeconfig } = kubernetes.user(user);
  const namespace = `bench-${user}`;
  let repository: ClusterRepository | undefined;
  return {
    name: 'capstan, a process that stays',
    user,
    does: ['create', 'change all', 'change one', 'change none'],
    async begin(round, content) {
      const below = join(folder, `ours-${round}`);
      await mkdir(below, { recursive: true });
      repository = await createClusterRepository({ path: join(below, 'remote.git'), content, namespace, driver: driverOf(namespace) });
      await child.ask({ kind: 'open', folder: below, remote: repository.path, kubeconfig });
      await child.ask({ kind: 'reconcile' });
    },
    prepare: async (content) => repository?.commit(content),
    apply: () => child.ask({ kind: 'reconcile' }),
    end: async () => void (await child.ask({ kind: 'close' })),
    close: () => child.close(),
  };
}

/** `capstan reconcile` in a repository of this machine, started each time: what it writes beside the cluster stays in that repository. */
async function openWhole(user: string, { kubernetes, folder }: Opening): Promise<Client> {
  const { kubeconfig } = kubernetes.user(user);
  const namespace = `bench-${user}`;
  const env = { HOME: folder, PATH: process.env['PATH'] ?? '' };
  let repository: ClusterRepository | undefined;
  const reconciled = (): Promise<Effort> => {
    const args = ['reconcile', ENVIRONMENT, '--repo', repository?.path ?? '', '--kubeconfig', kubeconfig];
    return wholeProcess(process.execPath, [PROGRAM, ...args], { cwd: folder, env });
  };
  return {
    ...NOTHING,
    name: 'capstan reconcile, whole process',
    user,
    does: ['create', 'change all', 'change one', 'change none'],
    async begin(round, content) {
      const path = join(folder, `whole-${round}.git`);
      repository = await createClusterRepository({ path, content, namespace, driver: driverOf(namespace) });
      await reconciled();
    },
    prepare: async (content) => repository?.commit(content),
    apply: reconciled,
  };
}

function namespaceOf({ user }: Client): string {
  return `bench-${user}`;
}

/** Nobody is always first. */
function turned<T>(items: readonly T[], by: number): readonly T[] {
  return items.map((_, at) => items[(at + by) % items.length] as T);
}

async function nothing(): Promise<void> {}

export function printCluster({ version, load, figures }: ClusterResult): void {
  console.log(`\nkube-apiserver ${version}; load average at the beginning of each round: ${load.join(' ')}`);
  console.log('objects  work         client                            n     min  median     max   cpu ms  requests');
  for (const { client, objects, work, time, processor, requests } of figures) {
    const cells = [time.count, ...[time.min, time.median, time.max].map(Math.round), Math.round(processor.median)];
    const counted = Object.entries(requests).map(([name, count]) => `${count} ${name}`);
    console.log(
      `${String(objects).padStart(7)}  ${work.padEnd(11)}  ${client.padEnd(30)}${cells.map((cell) => String(cell).padStart(8)).join('')}  ${counted.join(', ')}`,
    );
  }
}

/** The goals of issue 5, judged by the median of each client in the same run. */
export function clusterVerdicts(result: ClusterResult | undefined): readonly { goal: string; measured: string; held: boolean }[] {
  const verdicts: { goal: string; measured: string; held: boolean }[] = [];
  for (const ours of result?.figures ?? []) {
    const { client, objects, work, requests } = ours;
    if (!client.startsWith('capstan')) continue;
    const what = `${objects} objects, ${work}, ${client}`;
    const beside = (name: string): number | undefined =>
      result?.figures.find((figure) => figure.client.startsWith(name) && figure.objects === objects && figure.work === work)?.time.median;
    const [kubectl, bare] = [beside('kubectl'), beside('bare')];
    if (kubectl !== undefined) {
      const times = kubectl / ours.time.median;
      verdicts.push({ goal: `${what}: at least 2 times as fast as kubectl`, measured: `${times.toFixed(2)} times`, held: times >= 2 });
    }
    if (bare !== undefined) {
      const part = bare / ours.time.median;
      verdicts.push({ goal: `${what}: at least 0.8 of the ceiling`, measured: part.toFixed(2), held: part >= 0.8 });
    }
    const writes = Object.entries(requests).flatMap(([name, count]) => (/^(?:create|update|patch|delete) /.test(name) ? [count] : []));
    const sum = writes.reduce((total, count) => total + count, 0);
    const [most, goal] = MOST_WRITES[work](objects);
    verdicts.push({ goal: `${what}: ${goal}`, measured: `${sum} writes`, held: sum <= most });
  }
  return verdicts;
}

const MOST_WRITES: Readonly<Record<Work, (objects: number) => readonly [number, string]>> = {
  create: (objects) => [objects + 4, '1 request an object and at most 4 for the inventory'],
  'change all': (objects) => [objects + 4, '1 request an object and at most 4 for the inventory'],
  'change one': () => [2, '1 request and at most 1 for the inventory'],
  'change none': () => [0, 'no write'],
};
