import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { type Engine, startEngine } from './engine.ts';
import type { GeneratedChange } from './generate.ts';

/** What one push took and cost, and how much it changed; milliseconds from the last byte of the webhook. */
export interface MeasuredPush {
  readonly woken: number;
  readonly looked: number;
  readonly whole: number;
  readonly counts: ReturnType<Engine['counts']>;
  readonly targets: number;
  readonly objects: number;
}

/** An engine in a process of its own, as a service is: what others of the bench hold in memory does not slow it down. */
export interface EngineProcess {
  readonly first: number;
  push(change: GeneratedChange): Promise<MeasuredPush>;
  close(): Promise<void>;
}

type Asked =
  | { readonly kind: 'open'; readonly folder: string; readonly remote: string }
  | { readonly kind: 'push'; readonly change: GeneratedChange };
type Answer =
  | { readonly ok: true; readonly value: MeasuredPush | { readonly first: number } }
  | { readonly ok: false; readonly message: string };

const self = fileURLToPath(import.meta.url);

export async function forkEngine(options: { readonly folder: string; readonly remote: string }): Promise<EngineProcess> {
  const child = fork(self, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const opened = await ask<{ readonly first: number }>(child, { kind: 'open', ...options });
  return {
    first: opened.first,
    push: (change) => ask<MeasuredPush>(child, { kind: 'push', change }),
    async close() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function ask<T>(child: ChildProcess, question: Asked): Promise<T> {
  const ended = new AbortController();
  const answer = await Promise.race([
    once(child, 'message', { signal: ended.signal }).then(([message]): Answer => message),
    once(child, 'exit', { signal: ended.signal }).then((): Answer => ({ ok: false, message: 'the engine ended' })),
    new Promise<never>((_, reject) => child.send(question, (error) => error !== null && reject(error))),
  ]).finally(() => ended.abort());
  if (!answer.ok) throw new Error(answer.message);
  return answer.value as T;
}

async function measured(engine: Engine, change: GeneratedChange): Promise<MeasuredPush> {
  const before = engine.counts();
  const { woken, looked, whole, difference } = await engine.push(change);
  const after = engine.counts();
  const [problem] = difference.problems;
  if (problem !== undefined) throw new Error(`the push has a problem: ${problem.message}`);
  const [environment, second] = difference.environments;
  if (environment === undefined || second !== undefined) throw new Error('the difference is not that of the push');
  return {
    woken,
    looked,
    whole,
    counts: {
      renders: after.renders - before.renders,
      parses: after.parses - before.parses,
      blobs: after.blobs - before.blobs,
      trees: after.trees - before.trees,
      forks: after.forks - before.forks,
      remoteCalls: after.remoteCalls - before.remoteCalls,
    },
    targets: environment.targets.length,
    objects: environment.targets.flatMap((target) => target.objects).length,
  };
}

/** The child's side: one question after the other, until the parent hangs up. */
function serve(): void {
  let engine: Engine | undefined;
  async function answered(question: Asked): Promise<Answer> {
    try {
      if (question.kind === 'open') {
        engine = await startEngine({ folder: question.folder, remote: question.remote });
        return { ok: true, value: { first: engine.first } };
      }
      if (engine === undefined) throw new Error('the engine is not open');
      return { ok: true, value: await measured(engine, question.change) };
    } catch (error) {
      return { ok: false, message: error instanceof Error ? (error.stack ?? error.message) : 'failed' };
    }
  }
  process.on('message', (question: Asked) => {
    void answered(question).then((answer) => process.send?.(answer));
  });
  process.once('disconnect', () => void engine?.close());
}

if (process.argv[1] === self && process.send !== undefined) serve();
