import type { EnvironmentName } from '#model/names.ts';
import type { Trigger } from '#model/receipt.ts';
import type { Delivery, Inbox } from '#ports/inbox.ts';
import type { Journal } from '#ports/machine.ts';
import type { WebhookReader } from '#ports/webhooks.ts';
import type { Job, WorkQueue } from './queue.ts';
import type { Outcome } from './schedule.ts';
import { wakesOf } from './wake.ts';
import type { KnownEnvironment, Run, SeenTarget, ServiceWork, Wake } from './work.ts';

export interface DispatchParts {
  readonly queue: WorkQueue;
  readonly work: ServiceWork;
  readonly inbox: Inbox;
  readonly reader: WebhookReader;
  readonly journal: Journal;
  /** Told what each delivery was about. */
  readonly counted: (kind: string) => void;
  /** Told what a run found on targets. */
  readonly seen: (targets: readonly SeenTarget[]) => void;
}

export interface Dispatch {
  /** A fresh delivery is on disk. */
  readonly arrived: () => void;
  readonly wake: (wake: Wake, trigger: Trigger, inputs: Job['inputs']) => void;
  /** Of the last look. */
  readonly environments: () => readonly KnownEnvironment[];
  /** After the first look has ended and each environment that it found was run once, however that ended. */
  readonly isReady: () => boolean;
}

/** Deliveries first, so that a flood becomes few wakes; then looks, what they woke, and what may take its time. */
const PRIORITY = { deliveries: 0, look: 1, reconcile: 2, check: 3, promote: 4 } as const;
const BATCH = 500;

/** Turns deliveries, ticks and the wakes of ended runs into jobs of the queue. */
export function startDispatch(parts: DispatchParts): Dispatch {
  const { queue, work } = parts;
  let known: readonly KnownEnvironment[] = [];
  let isFirstLookDone = false;
  const unseen = new Set<EnvironmentName>();
  /** By key, the newest delivery whose check has not ended yet. Only checks are held: what else a crash loses, the first look finds. */
  const held = new Map<string, string>();

  function wake(one: Wake, trigger: Trigger, inputs: Job['inputs']): void {
    const key = keyOf(one);
    queue.submit({
      key,
      priority: PRIORITY[one.kind],
      inputs,
      onlyLooks: trigger === 'drift' || trigger === 'poll',
      run: async (signal, byTimer) => {
        const delivery = held.get(key);
        const run = await runOf(one, trigger, { signal, byTimer });
        if (run.targets !== undefined) parts.seen(run.targets);
        if (run.ending.kind !== 'retry') await release(key, delivery);
        for (const next of run.wakes) wake(next, trigger, 'changed');
        return run.ending;
      },
    });
  }

  async function runOf(one: Wake, trigger: Trigger, turn: { signal: AbortSignal; byTimer: boolean }): Promise<Run> {
    switch (one.kind) {
      case 'look':
        return look(trigger, turn.signal);
      case 'reconcile':
        try {
          return await work.reconcile(one.environment, trigger, turn.signal);
        } finally {
          unseen.delete(one.environment);
        }
      case 'promote':
        return work.promote(one.environment, turn.byTimer ? 'soak' : trigger, turn.signal);
      case 'check':
        return work.check(one.number, trigger, turn.signal);
    }
  }

  async function look(trigger: Trigger, signal: AbortSignal): Promise<Run> {
    const found = await work.look(trigger, signal);
    if (found.ending.kind === 'retry') return found;
    forgetVanished(found.environments);
    known = found.environments;
    if (isFirstLookDone) return found;
    isFirstLookDone = true;
    // The first look looks at everything once, whether or not git moved while nobody was looking.
    for (const { environment } of known) {
      unseen.add(environment);
      wake({ kind: 'reconcile', environment }, 'start', 'changed');
    }
    for (const { environment } of known) wake({ kind: 'promote', environment }, 'start', 'changed');
    return found;
  }

  function forgetVanished(now: readonly KnownEnvironment[]): void {
    for (const { environment } of known) {
      if (now.some((one) => one.environment === environment)) continue;
      unseen.delete(environment);
      queue.forget(`reconcile/${environment}`);
      queue.forget(`promote/${environment}`);
    }
  }

  async function release(key: string, delivery: string | undefined): Promise<void> {
    if (delivery === undefined || held.get(key) !== delivery) return;
    held.delete(key);
    await parts.inbox.done([delivery]);
  }

  async function workOff(): Promise<Outcome> {
    for (;;) {
      const deliveries = await parts.inbox.pending(BATCH, new Set(held.values()));
      if (deliveries.length === 0) return { kind: 'settled' };
      const done: string[] = [];
      for (const delivery of deliveries) done.push(...(await workOn(delivery)));
      await parts.inbox.done(done);
    }
  }

  /** Answers which deliveries are done by it: itself, or the older one that waited for the same check. */
  async function workOn(delivery: Delivery): Promise<readonly string[]> {
    const wakeUp = await parts.reader.read(delivery);
    parts.counted(wakeUp.kind);
    parts.journal.debug({ delivery: delivery.id, event: delivery.event, kind: wakeUp.kind }, 'a delivery was read');
    const wakes = wakesOf(
      wakeUp,
      known.map((one) => one.environment),
    );
    const check = wakes.find((one) => one.kind === 'check');
    const older = check === undefined ? delivery.id : held.get(keyOf(check));
    if (check !== undefined) held.set(keyOf(check), delivery.id);
    for (const one of wakes) wake(one, 'webhook', 'changed');
    return older === undefined ? [] : [older];
  }

  return {
    arrived() {
      queue.submit({ key: 'deliveries', priority: PRIORITY.deliveries, inputs: 'changed', run: workOff });
    },
    wake,
    environments: () => known,
    isReady: () => isFirstLookDone && unseen.size === 0,
  };
}

function keyOf(wake: Wake): string {
  switch (wake.kind) {
    case 'look':
      return 'look';
    case 'reconcile':
    case 'promote':
      return `${wake.kind}/${wake.environment}`;
    case 'check':
      return `check/${wake.number}`;
  }
}
