import type { JsonObject } from '#model/json.ts';
import type { Timers } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import { childMap } from './answers.ts';
import { apiPath } from './api.ts';
import type { Api, ApiResource } from './api.ts';
import { holdObjects } from './held-objects.ts';
import type { SeenChange } from './held-objects.ts';
import { listAll } from './listing.ts';
import { ownWrites } from './own-writes.ts';
import { createPace } from './pace.ts';
import type { Pace } from './pace.ts';
import { BEGIN } from './reading.ts';
import type { Next, Reading, Selection } from './reading.ts';
import type { KindView, SeenObject } from './seen-object.ts';
import { distil } from './seen.ts';
import { waitingRoom } from './waiting-room.ts';
import { watchFrom } from './watching.ts';

export interface ViewOptions extends Selection {
  /** Empty: all namespaces. */
  readonly namespace: string;
  readonly timers: Timers;
}

export interface View extends KindView {
  /** As `note`, of a write whose answer was read already. */
  hold(written: SeenObject): void;
  /** Resolves once the view is current; rejects with the PortError of the next attempt that fails, while the view goes on trying. */
  ready(signal?: AbortSignal): Promise<void>;
  /** Called for each change but the first filling and our own writes (`note`, `forget`); the answer ends it. */
  onChange(listener: (change: SeenChange) => void): () => void;
  /** From now on what changes is told only when the answer is called, and our own writes (by `note` and `forget`) not at all. */
  writing(): () => void;
  /** Ends the watch; nothing is told afterwards. What was seen can still be read. */
  stop(): Promise<void>;
}

/** Lists the objects once and keeps them current by a watch until it is stopped. */
export function openView(api: Api, resource: ApiResource, options: ViewOptions): View {
  const held = holdObjects();
  const listeners = new Set<(change: SeenChange) => void>();
  const waiting = waitingRoom();
  const stopping = new AbortController();
  const pace = createPace(options.timers, options.chance);
  let current = false;
  let filled = false;
  const own = ownWrites(tell);
  function tell(change: SeenChange): void {
    if (stopping.signal.aborted) return;
    for (const listener of listeners) listener(change);
  }
  const running = run(
    {
      api,
      resource,
      options,
      path: apiPath(resource, options.namespace),
      held,
      signal: stopping.signal,
      tell(change) {
        if (change !== undefined && filled && !own.takes(change)) tell(change);
      },
      opened() {
        current = true;
        filled = true;
        pace.begun();
        waiting.letIn();
      },
      failed(failure) {
        current = false;
        if (stopping.signal.aborted) return;
        waiting.turnAway(failure);
        pace.failed();
      },
    },
    pace,
  );
  return {
    get: (namespace, name) => held.get(namespace, name),
    all: () => held.all(),
    isCurrent: () => current && !stopping.signal.aborted,
    note(body, of = 'write') {
      const seen = distil(resource, childMap({ body: body as JsonObject }, 'body'), options.ignore);
      if (seen === undefined) return undefined;
      if (of === 'write') own.wrote(seen);
      held.put(seen);
      return held.get(seen.key.namespace, seen.key.name);
    },
    hold(written) {
      own.wrote(written);
      held.put(written);
    },
    forget(namespace, name, uid) {
      own.removed(uid);
      held.forget(namespace, name, uid);
    },
    writing: () => own.begin(),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async ready(signal) {
      if (current || stopping.signal.aborted) return;
      pace.hurry();
      await waiting.wait(signal);
    },
    async stop() {
      stopping.abort();
      await running;
      waiting.turnAway(new PortError('transient', `the view of ${resource.resource} was stopped`));
    },
  };
}

async function run(reading: Reading, pace: Pace): Promise<void> {
  let next: Next = BEGIN;
  while (!reading.signal.aborted) {
    const before: Next = next;
    try {
      next = before.kind === 'pages' ? await listAll(reading) : await watchFrom(reading, before);
    } catch (error) {
      reading.failed(error);
    }
    const goesOn = (before.kind === 'begin' && next.kind === 'pages') || (before.kind === 'pages' && next.kind === 'watch');
    if (!goesOn) await pace.pause(reading.signal);
  }
}
