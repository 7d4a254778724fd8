import { execFileSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { startKubernetes } from '#test/servers/kubernetes.ts';
import { type Child, startChild } from './child-process.ts';
import { type ClusterContent, configMaps } from './cluster-content.ts';
import type { OursAnswer, OursQuestion } from './cluster-ours.ts';
import { createClusterRepository } from './cluster-repository.ts';
import { type ClusterServer, clusterServer } from './cluster-server.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** A service that has nothing to do, one that starts, and one whose objects are changed by somebody else. */
export interface SteadyResult {
  readonly objects: number;
  readonly load: number;
  /** Milliseconds from the start of a process until its first run has found that all is as it should be. */
  readonly coldStart: number;
  readonly coldRequests: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Of the quiet time: everything the API server was asked, watches that began included. */
  readonly requests: Readonly<Record<string, number>>;
  /** Share of one processor, 0.01 is 1 %. */
  readonly processor: number;
  /** Bytes: after the first apply of everything, after a cold start, at the end of the quiet time. */
  readonly resident: { readonly applied: number; readonly started: number; readonly quiet: number };
  /** Milliseconds from the answer to somebody's write until the object was as declared again. */
  readonly corrected: Spread;
  readonly correctedRequests: Readonly<Record<string, number>>;
}

const USER = 'ours';
const NAMESPACE = 'bench-steady';

export async function measureSteady(options: {
  readonly objects: number;
  readonly seconds: number;
  readonly edits: number;
  readonly folder: string;
}): Promise<SteadyResult> {
  const scratch = join(options.folder, 'kubernetes');
  const below = join(options.folder, 'engine');
  await Promise.all([scratch, below].map((path) => mkdir(path, { recursive: true })));
  const kubernetes = await startKubernetes(scratch, { auditLog: true, users: { [USER]: ['system:masters'] } });
  const server = clusterServer(kubernetes);
  const content: ClusterContent = { count: options.objects, revision: 1, first: 'as it was' };
  const children: Child<OursQuestion, OursAnswer>[] = [];
  const start = (): Child<OursQuestion, OursAnswer> => {
    const child = startChild<OursQuestion, OursAnswer>(join(import.meta.dirname, 'cluster-ours.ts'));
    children.push(child);
    return child;
  };
  try {
    await server.createNamespace(NAMESPACE);
    const driver = ['driver: kubernetes', 'credentials: bench', `namespace: ${NAMESPACE}`];
    const remote = join(below, 'remote.git');
    const repository = await createClusterRepository({ path: remote, content, namespace: NAMESPACE, driver });
    await repository.commit(content);
    const open: OursQuestion = { kind: 'open', folder: below, remote, kubeconfig: kubernetes.user(USER).kubeconfig };

    const first = start();
    await first.ask(open);
    const applied = await first.ask({ kind: 'reconcile' });
    await server.verify(NAMESPACE, content);
    await first.close();

    await kubernetes.audit.forget();
    const began = performance.now();
    const engine = start();
    await engine.ask(open);
    const started = await engine.ask({ kind: 'serve' });
    const coldStart = performance.now() - began;
    const coldRequests = await kubernetes.audit.counts(USER);

    // What begins half a minute after the work is over, and gives its memory back, belongs to the quiet.
    await kubernetes.audit.forget();
    const before = processorOf(engine.pid);
    await delay(options.seconds * 1000);
    const processor = (processorOf(engine.pid) - before) / options.seconds;
    const requests = await kubernetes.audit.counts(USER);
    const quiet = await residentOf(engine.pid);

    await kubernetes.audit.forget();
    const corrected = await corrections({ server, content, edits: options.edits });
    const correctedRequests = await kubernetes.audit.counts(USER);
    return {
      objects: options.objects,
      load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
      coldStart: Math.round(coldStart),
      coldRequests,
      seconds: options.seconds,
      requests,
      processor,
      resident: { applied: applied.resident, started: started.resident, quiet },
      corrected: spreadOf(corrected),
      correctedRequests,
    };
  } finally {
    for (const child of children) await child.close();
    await server.close();
    await kubernetes.stop();
  }
}

interface Corrected {
  readonly server: ClusterServer;
  readonly content: ClusterContent;
  readonly edits: number;
}

/** One edit after the other, each on another object, each waited for. */
async function corrections({ server, content, edits }: Corrected): Promise<readonly number[]> {
  const times: number[] = [];
  const wanted = new Map(configMaps(content, NAMESPACE).map(({ metadata, data }) => [metadata.name, data['text']]));
  let waiting: { readonly name: string; readonly done: () => void; isChanged: boolean } | undefined;
  const stop = await server.watch(NAMESPACE, ({ metadata, data }) => {
    if (waiting?.name !== metadata.name) return;
    if (data['text'] !== wanted.get(metadata.name)) waiting.isChanged = true;
    else if (waiting.isChanged) waiting.done();
  });
  try {
    for (let at = 0; at < edits; at += 1) {
      // Spread over all of them, with time in between for what one correction brings: its record.
      const name = [...wanted.keys()][(at * 7919) % wanted.size] ?? '';
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting = { name, done: resolve, isChanged: false };
      await server.edit(NAMESPACE, name, { text: `by hand ${at}` });
      const began = performance.now();
      const late = setTimeout(resolve, 60_000);
      await promise;
      clearTimeout(late);
      times.push(performance.now() - began);
      await delay(500);
    }
  } finally {
    stop();
  }
  return times;
}

/** Seconds of processor time that a process has used: fields 14 and 15 of proc(5)'s stat, in ticks. */
function processorOf(pid: number): number {
  const stat = execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' });
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

export function printSteady(result: SteadyResult): void {
  const { objects, load, coldStart, coldRequests, seconds, requests, processor, resident, corrected, correctedRequests } = result;
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  const counted = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none';
  console.log(`\nA service with ${objects} objects on one cluster (load average ${load})`);
  console.log(`  cold start: ${coldStart} ms, ${mebibytes(resident.started)} resident; requests: ${counted(coldRequests)}`);
  console.log(
    `  ${seconds} s of quiet: ${(processor * 100).toFixed(2)} % of a processor, ${mebibytes(resident.quiet)}; requests: ${counted(requests)}`,
  );
  console.log(`  the process that applied all of them: ${mebibytes(resident.applied)}`);
  console.log(
    `  ${corrected.count} edits by hand corrected: median ${corrected.median} ms, p99 ${corrected.p99}, at most ${corrected.max}; ${counted(correctedRequests)}`,
  );
}

export function steadyVerdicts(result: SteadyResult | undefined): readonly { goal: string; measured: string; held: boolean }[] {
  if (result === undefined) return [];
  const { objects, coldStart, requests, processor, resident, corrected } = result;
  const asked = Object.entries(requests).reduce((sum, [name, count]) => (name.startsWith('watch ') ? sum : sum + count), 0);
  const mebibytes = resident.quiet / 2 ** 20;
  return [
    { goal: `${objects} objects, quiet: no request beside watches`, measured: String(asked), held: asked === 0 },
    {
      goal: `${objects} objects, quiet: at most 1 % of a processor`,
      measured: `${(processor * 100).toFixed(2)} %`,
      held: processor <= 0.01,
    },
    { goal: `${objects} objects, quiet: at most 300 MB resident`, measured: `${Math.round(mebibytes)} MiB`, held: resident.quiet <= 300e6 },
    { goal: `${objects} objects: cold start within 60 s`, measured: `${coldStart} ms`, held: coldStart <= 60_000 },
    { goal: 'what somebody changed is corrected within a second (p99)', measured: `${corrected.p99} ms`, held: corrected.p99 <= 1_000 },
  ];
}
