import type { Instant } from '#model/instant.ts';
import type { Clock, Timers } from '#ports/machine.ts';
import { isFailure } from './schedule.ts';
import type { NextTurn, Outcome, Past } from './schedule.ts';

export interface Job {
  /** One job per key runs at a time, and of several that wait only the newest is kept. */
  readonly key: string;
  /** Lower runs first; equal ones in the order of asking. */
  readonly priority: number;
  /** `changed` ends a back-off and takes a parked key out; `same` leaves both as they are. */
  readonly inputs: 'changed' | 'same';
  /** Asked for because time passed or a target moved: a key whose retry budget is used up does not run for that. */
  readonly onlyLooks?: boolean;
  /** `byTimer` says that the schedule woke the key, not a submission. A throw parks the key. */
  run(signal: AbortSignal, byTimer: boolean): Promise<Outcome>;
}

export type KeyState = 'idle' | 'queued' | 'running' | 'waiting' | 'backing-off' | 'parked';

export interface QueueParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly concurrency: number;
  /** Turns an outcome into a time: `schedule.ts`, given. */
  readonly decide: (key: string, outcome: Outcome, past: Past) => NextTurn;
  /** Told after each run, for metrics and the log. */
  readonly ended?: (key: string, outcome: Outcome, milliseconds: number) => void;
}

interface Entry {
  job: Job;
  state: KeyState;
  /** A newer job that came while the key ran. */
  newer: Job | undefined;
  order: number;
  byTimer: boolean;
  cancel: (() => void) | undefined;
  failures: number;
  failedAt: readonly Instant[];
  isSpent: boolean;
  lastKind: Outcome['kind'] | undefined;
}

/** Of one key; a budget allows fewer. */
const MOST_FAILURES = 1_000;

/** A keyed work queue: newest wins per key, one at a time per key, a bounded number at once; a bad key never holds up another. */
export class WorkQueue {
  readonly #parts: QueueParts;
  readonly #entries = new Map<string, Entry>();
  readonly #stopper = new AbortController();
  #running = 0;
  #order = 0;
  #stopping = false;
  #idle: (() => void)[] = [];

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** Asks for a run of the job's key. Answers whether one will follow from it. */
  submit(job: Job): boolean {
    if (this.#stopping) return false;
    const entry = this.#entries.get(job.key);
    if (entry === undefined) {
      this.#entries.set(job.key, this.#entry(job));
      this.#pump();
      return true;
    }
    switch (entry.state) {
      case 'running':
        entry.newer = newest(entry.newer, job);
        return true;
      case 'queued':
        entry.job = newest(entry.job, job);
        entry.byTimer = false;
        return true;
      case 'backing-off':
      case 'parked':
        if (job.inputs === 'same' || (entry.isSpent && job.onlyLooks === true)) return false;
        entry.failures = 0;
        break;
      case 'idle':
      case 'waiting':
        break;
    }
    this.#enqueue(entry, job, false);
    this.#pump();
    return true;
  }

  state(key: string): KeyState {
    return this.#entries.get(key)?.state ?? 'idle';
  }

  /** How many keys are in each state. */
  depth(): Readonly<Record<KeyState, number>> {
    const depth: Record<KeyState, number> = { idle: 0, queued: 0, running: 0, waiting: 0, 'backing-off': 0, parked: 0 };
    for (const entry of this.#entries.values()) depth[entry.state]++;
    return depth;
  }

  /** Forgets a key that is not running: an environment that is declared no more. */
  forget(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.state === 'running') return;
    entry.cancel?.();
    this.#entries.delete(key);
  }

  keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Resolves when nothing runs and nothing is ready to run; timers may still be set. */
  settled(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Starts nothing more; waits for what runs, asks it to stop at the deadline, and answers which keys had to be asked. */
  async drain(deadline: number, grace: number): Promise<readonly string[]> {
    this.#stopping = true;
    for (const entry of this.#entries.values()) {
      entry.cancel?.();
      entry.newer = undefined;
      if (entry.state === 'queued') entry.state = 'idle';
    }
    if (await this.#within(deadline)) return [];
    const late = [...this.#entries].filter(([, entry]) => entry.state === 'running').map(([key]) => key);
    this.#stopper.abort();
    await this.#within(grace);
    return late;
  }

  async #within(milliseconds: number): Promise<boolean> {
    let cancel = () => {};
    const over = new Promise<boolean>((resolve) => (cancel = this.#parts.timers.after(milliseconds, () => resolve(false))));
    const done = await Promise.race([this.settled().then(() => true), over]);
    cancel();
    return done;
  }

  #entry(job: Job): Entry {
    const order = this.#order++;
    return {
      job,
      state: 'queued',
      newer: undefined,
      order,
      byTimer: false,
      cancel: undefined,
      failures: 0,
      failedAt: [],
      isSpent: false,
      lastKind: undefined,
    };
  }

  #enqueue(entry: Entry, job: Job, byTimer: boolean): void {
    entry.cancel?.();
    Object.assign(entry, { job, state: 'queued', order: this.#order++, byTimer, cancel: undefined });
  }

  #pump(): void {
    while (!this.#stopping && this.#running < this.#parts.concurrency) {
      const entry = this.#first();
      if (entry === undefined) break;
      entry.state = 'running';
      this.#running++;
      void this.#run(entry);
    }
    if (this.#isIdle()) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #first(): Entry | undefined {
    let first: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.state === 'queued' && (first === undefined || isBefore(entry, first))) first = entry;
    }
    return first;
  }

  async #run(entry: Entry): Promise<void> {
    const { job, byTimer } = entry;
    const began = this.#parts.clock.now();
    let outcome: Outcome;
    try {
      outcome = await job.run(this.#stopper.signal, byTimer);
    } catch (error) {
      outcome = { kind: 'threw', message: error instanceof Error ? error.message : 'a value that is no error was thrown' };
    }
    this.#running--;
    this.#turn(entry, outcome);
    this.#parts.ended?.(job.key, outcome, this.#parts.clock.now() - began);
    this.#pump();
  }

  #turn(entry: Entry, outcome: Outcome): void {
    entry.failures = entry.lastKind === outcome.kind ? entry.failures + 1 : 1;
    entry.lastKind = outcome.kind;
    entry.failedAt = isFailure(outcome) ? [...entry.failedAt, this.#parts.clock.now()].slice(-MOST_FAILURES) : [];
    const next = this.#parts.decide(entry.job.key, outcome, entry);
    entry.isSpent = next.kind === 'park' && next.isSpent === true;
    const { newer } = entry;
    entry.newer = undefined;
    const isHeld = next.kind === 'back-off' || next.kind === 'park';
    const isLeft = (isHeld && newer?.inputs === 'same') || (entry.isSpent && newer?.onlyLooks === true);
    if (newer !== undefined && !isLeft) {
      this.#enqueue(entry, newer, false);
      return;
    }
    switch (next.kind) {
      case 'rest':
        entry.state = 'idle';
        break;
      case 'wait':
        entry.state = 'waiting';
        this.#wakeAfter(entry, next.after);
        break;
      case 'back-off':
        entry.state = 'backing-off';
        this.#wakeAfter(entry, next.after);
        break;
      case 'park':
        entry.state = 'parked';
        this.#wakeAfter(entry, next.after);
        break;
    }
  }

  #wakeAfter(entry: Entry, milliseconds: number | undefined): void {
    if (milliseconds === undefined || this.#stopping) return;
    entry.cancel = this.#parts.timers.after(milliseconds, () => {
      this.#enqueue(entry, entry.job, true);
      this.#pump();
    });
  }

  #isIdle(): boolean {
    if (this.#running > 0) return false;
    return this.#stopping || this.#first() === undefined;
  }
}

/** The newer job, which keeps that the inputs changed if either said so. */
function newest(older: Job | undefined, newer: Job): Job {
  if (older?.inputs !== 'changed') return newer;
  const onlyLooks = older.onlyLooks === true && newer.onlyLooks === true;
  if (newer.inputs === 'changed' && onlyLooks === (newer.onlyLooks === true)) return newer;
  return { ...newer, inputs: 'changed', onlyLooks, run: (signal, byTimer) => newer.run(signal, byTimer) };
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.job.priority < b.job.priority || (a.job.priority === b.job.priority && a.order < b.order);
}
