import { toInstant } from '#model/instant.ts';
import type { Forge } from '#ports/forge.ts';
import type { Inbox } from '#ports/inbox.ts';
import type { Chance, Clock, Journal, Timers } from '#ports/machine.ts';
import { isPortError } from '#ports/port-error.ts';
import type { Dispatch } from './dispatch.ts';
import type { WorkQueue } from './queue.ts';
import { withJitter, type Outcome } from './schedule.ts';

export interface TickParts {
  readonly settings: {
    readonly webhookUrl: string | undefined;
    readonly poll: number;
    readonly drift: number;
    readonly sweep: number;
    readonly jitter: number;
  };
  readonly inbox: Pick<Inbox, 'forget'>;
  readonly forge: Pick<Forge, 'redeliverFailed'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly chance: Chance;
  readonly journal: Journal;
  readonly dispatch: Dispatch;
  readonly queue: WorkQueue;
  readonly redelivered: (count: number) => void;
}

/** A forge keeps deliveries for three days; finished ones are remembered a little longer here. */
const THREE_DAYS = 3 * 86_400_000;
const REMEMBER = 7 * 86_400_000;
/** The sweep looks back a little further than to the last sweep: a delivery that was under way then may have failed since. */
const OVERLAP = 600_000;
/** How finely drift timers of environments are kept. */
const HEARTBEAT = 1_000;

/** What happens without anybody asking: the first look, polls, drift, and the sweep for deliveries that never arrived. */
export function startTicks(parts: TickParts): { readonly stop: () => void } {
  const { clock, timers, chance, settings, dispatch, queue } = parts;
  const cancels = new Map<string, () => void>();
  const driftDue = new Map<string, number>();
  let sweptUntil = clock.now() - THREE_DAYS;

  dispatch.arrived();
  dispatch.wake({ kind: 'look' }, 'start', 'changed');
  sweep();
  every('poll', settings.poll, poll);
  every('drift', Math.min(HEARTBEAT, settings.drift), drift);
  every('sweep', settings.sweep, sweep);
  return {
    stop() {
      for (const cancel of cancels.values()) cancel();
      cancels.clear();
    },
  };

  function every(name: string, milliseconds: number, tick: () => void): void {
    const delay = name === 'drift' ? milliseconds : withJitter(milliseconds, settings.jitter, chance);
    const cancel = timers.after(delay, () => {
      tick();
      every(name, milliseconds, tick);
    });
    cancels.set(name, cancel);
  }

  /** The poll also asks promotions that wait without a time: the review they wait for may have come without its webhook. */
  function poll(): void {
    dispatch.arrived();
    dispatch.wake({ kind: 'look' }, 'poll', 'same');
    for (const { environment } of dispatch.environments()) {
      if (queue.state(`promote/${environment}`) === 'waiting') dispatch.wake({ kind: 'promote', environment }, 'poll', 'same');
    }
  }

  /** The live state is an input that moves unseen, so a drift check also tries what is parked. */
  function drift(): void {
    const now = clock.now();
    for (const { environment, driftEvery } of dispatch.environments()) {
      const due = driftDue.get(environment);
      if (due === undefined || due <= now) {
        driftDue.set(environment, now + withJitter(driftEvery ?? settings.drift, settings.jitter, chance));
      }
      if (due !== undefined && due <= now) dispatch.wake({ kind: 'reconcile', environment }, 'drift', 'changed');
    }
  }

  function sweep(): void {
    queue.submit({ key: 'sweep', priority: 9, inputs: 'same', run: sweepNow });
  }

  async function sweepNow(): Promise<Outcome> {
    const began = clock.now();
    await parts.inbox.forget(toInstant(began - REMEMBER));
    if (settings.webhookUrl === undefined) return { kind: 'settled' };
    try {
      const asked = await parts.forge.redeliverFailed(settings.webhookUrl, toInstant(sweptUntil));
      parts.redelivered(asked);
      sweptUntil = began - OVERLAP;
      return { kind: 'settled' };
    } catch (error) {
      if (!isPortError(error)) throw error;
      // Without the right to read deliveries the next sweep will fare no better; polls carry on alone.
      parts.journal.warn({ kind: error.kind, reason: error.message }, 'the forge did not say which deliveries failed');
      return error.kind === 'transient' ? { kind: 'retry', because: error.message } : { kind: 'settled' };
    }
  }
}
