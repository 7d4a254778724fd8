import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A process of its own for what is measured: what others of the bench hold in memory does not slow it down. */
export interface Child<Question, Value> {
  readonly pid: number;
  /** Rejects with the child's own stack when it fails. One question at a time. */
  ask(question: Question): Promise<Value>;
  /** Lets it end by itself. */
  close(): Promise<void>;
}

type Answer<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly message: string };

/** Starts a script that calls `answerParent`. */
export function startChild<Question, Value>(
  script: string,
  options: { readonly execArgv?: readonly string[] } = {},
): Child<Question, Value> {
  const execArgv = [...process.execArgv, ...(options.execArgv ?? [])];
  // As the program has it (src/capstan.cjs), with its threads: without it all sources are stripped and compiled anew, at each start of a thread.
  const env = { ...process.env, NODE_COMPILE_CACHE: join(import.meta.dirname, '..', 'node_modules', '.cache', 'capstan') };
  const child = fork(script, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced', execArgv, env });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${script} cannot be started`);
  return {
    pid,
    ask: (question) => ask<Value>(child, question),
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

async function ask<Value>(child: ChildProcess, question: unknown): Promise<Value> {
  const ended = new AbortController();
  const answer = await Promise.race([
    once(child, 'message', { signal: ended.signal }).then(([message]): Answer<Value> => message),
    once(child, 'exit', { signal: ended.signal }).then((): Answer<Value> => ({ ok: false, message: 'the child ended' })),
    new Promise<never>((_, reject) => child.send(Object(question), (error) => error !== null && reject(error))),
  ]).finally(() => ended.abort());
  if (!answer.ok) throw new Error(answer.message);
  return answer.value;
}

/** The child's side: answers one question after the other until the parent hangs up; then `close`. */
export function answerParent<Question, Value>(parts: {
  readonly answer: (question: Question) => Promise<Value>;
  readonly close: () => Promise<void>;
}): void {
  process.on('message', (question: Question) => {
    void parts.answer(question).then(
      (value) => process.send?.({ ok: true, value }),
      (error: unknown) => process.send?.({ ok: false, message: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.once('disconnect', () => void parts.close());
}

/** What a piece of work took in the process that did it: milliseconds of the clock and of its processors. */
export interface Effort {
  readonly milliseconds: number;
  readonly processor: number;
}

export async function measured<Value>(work: () => Promise<Value>): Promise<Effort & { readonly value: Value }> {
  const before = process.cpuUsage();
  const began = performance.now();
  const value = await work();
  const milliseconds = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return { milliseconds, processor: (user + system) / 1000, value };
}
