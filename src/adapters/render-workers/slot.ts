import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { RenderUnit, UnitResult } from '#model/rendering.ts';
import type { BatchMessage, FromWorker, ThreadData, ToWorker, WorkerLimits } from './messages.ts';

export type BatchAnswer =
  | { readonly kind: 'rendered'; readonly results: readonly UnitResult[] }
  /** The thread had to be ended; `what` finishes the sentence "rendering x ...". */
  | { readonly kind: 'lost'; readonly what: string };

/** One place in the pool: a thread that is started when first used and replaced when it had to be ended. One batch at a time. */
export interface Slot {
  render(units: readonly RenderUnit[]): Promise<BatchAnswer>;
  close(): Promise<void>;
}

/** Capsule contents a thread keeps, oldest forgotten first. */
const MOST_CAPSULES = 200;

interface Thread {
  readonly worker: Worker;
  readonly capsules: Set<string>;
  ready: boolean;
}

export function openSlot(limits: WorkerLimits): Slot {
  let thread: Thread | undefined;
  let resting: NodeJS.Timeout | undefined;

  async function end(): Promise<void> {
    const ending = thread;
    thread = undefined;
    await ending?.worker.terminate();
  }

  function start(): Thread {
    if (thread !== undefined) return thread;
    const started = startThread(limits);
    started.worker.once('exit', () => {
      if (thread === started) thread = undefined;
    });
    thread = started;
    return started;
  }

  async function render(units: readonly RenderUnit[]): Promise<BatchAnswer> {
    clearTimeout(resting);
    const started = start();
    const { worker } = started;
    worker.ref();
    const answer = await exchange(started, units, limits);
    if (answer.kind === 'lost') await end();
    else rest(worker);
    return answer;
  }

  /** A thread holds as much memory as it ever needed, and a service may have nothing to render for days; to start one takes a moment. */
  function rest(worker: Worker): void {
    worker.unref();
    resting = setTimeout(() => void end(), limits.restMilliseconds).unref();
  }

  return {
    render,
    async close() {
      clearTimeout(resting);
      await end();
    },
  };
}

function startThread(limits: WorkerLimits): Thread {
  const worker = new Worker(new URL('./render-worker-thread.ts', import.meta.url), {
    workerData: { ...limits, compileCache: compileCacheFolder() } satisfies ThreadData,
    env: {},
    argv: [],
    execArgv: ['--no-warnings'],
    resourceLimits: { maxOldGenerationSizeMb: limits.heapMegabytes, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
  });
  // A terminated thread may still report, and an 'error' without listener would end the process.
  worker.on('error', () => undefined);
  worker.unref();
  const thread: Thread = { worker, capsules: new Set(), ready: false };
  worker.once('message', () => {
    thread.ready = true;
  });
  return thread;
}

/** Sends what the thread does not have yet, then the batch. The time of a batch begins when its thread has loaded. */
function exchange(thread: Thread, units: readonly RenderUnit[], limits: WorkerLimits): Promise<BatchAnswer> {
  const { worker } = thread;
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout;
    const settle = (answer: BatchAnswer): void => {
      clearTimeout(timer);
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.off('exit', onExit);
      resolve(answer);
    };
    const wait = (milliseconds: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => settle({ kind: 'lost', what: `takes longer than ${milliseconds} ms` }), milliseconds);
    };
    const onMessage = (message: FromWorker): void => {
      if (message.kind === 'results') return settle({ kind: 'rendered', results: message.results });
      thread.ready = true;
      wait(limits.unitMilliseconds);
    };
    const onError = (error: unknown): void => settle({ kind: 'lost', what: causeOf(error, limits) });
    const onExit = (): void => settle({ kind: 'lost', what: 'ended its thread' });
    wait(thread.ready ? limits.unitMilliseconds : START_MILLISECONDS);
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.on('exit', onExit);
    for (const message of messagesFor(units, thread.capsules)) worker.postMessage(message);
  });
}

/** Loading the program on a busy machine is not a unit's fault. */
const START_MILLISECONDS = 30_000;

function causeOf(error: unknown, limits: WorkerLimits): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return `needs more memory than ${limits.heapMegabytes} MiB`;
  return `broke its thread: ${error instanceof Error ? (error.message.split('\n', 1)[0] ?? '').slice(0, 200) : 'unknown error'}`;
}

function messagesFor(units: readonly RenderUnit[], capsules: Set<string>): readonly ToWorker[] {
  const messages: ToWorker[] = [];
  const batch: BatchMessage['units'][number][] = [];
  const needed = new Set<string>();
  for (const { capsule, ...unit } of units) {
    const id = `${unit.pin.gitTree} ${unit.pin.sha256} ${capsule.directory} ${capsule.lineage ?? ''}`;
    needed.add(id);
    if (!capsules.has(id)) messages.push({ kind: 'capsule', id, capsule });
    capsules.delete(id);
    capsules.add(id);
    batch.push({ capsule: id, unit });
  }
  messages.push({ kind: 'batch', units: batch });
  for (const id of capsules) {
    if (capsules.size <= MOST_CAPSULES || needed.has(id)) break;
    capsules.delete(id);
    messages.push({ kind: 'forget', id });
  }
  return messages;
}

/** Where this program keeps compiled modules: the folder above that of this version of Node. */
function compileCacheFolder(): string | undefined {
  const folder = getCompileCacheDir();
  return folder === undefined ? undefined : dirname(folder);
}
