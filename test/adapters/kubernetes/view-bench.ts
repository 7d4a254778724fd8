import type { SeenChange } from '#adapters/kubernetes/held-objects.ts';
import { openView } from '#adapters/kubernetes/reflector.ts';
import type { View } from '#adapters/kubernetes/reflector.ts';
import { CONFIG_MAPS, handTimers, memoryServer } from './memory-server.ts';
import type { HandTimers, MemoryServer } from './memory-server.ts';

/** A view on a server in memory, whose time passes when a test says so. */
export interface ViewBench {
  readonly server: MemoryServer;
  readonly timers: HandTimers;
  readonly view: View;
  /** `a: v1 -> v2`, in order. */
  readonly told: readonly string[];
  /** Resolves with what is told next. */
  readonly next: () => Promise<SeenChange>;
}

export async function openBench(prepare: (server: MemoryServer) => void = () => undefined): Promise<ViewBench> {
  const server = memoryServer();
  prepare(server);
  const timers = handTimers();
  const view = openView(server.api, CONFIG_MAPS, { namespace: 'acme', labelSelector: 'a=b', ignore: [], timers, chance: () => 0.5 });
  const told: string[] = [];
  view.onChange(({ before, after }) => {
    told.push(`${(after ?? before)?.key.name}: ${before?.resourceVersion ?? '-'} -> ${after?.resourceVersion ?? '-'}`);
  });
  const next = (): Promise<SeenChange> =>
    new Promise((resolve) => {
      const stop = view.onChange((change) => {
        stop();
        resolve(change);
      });
    });
  return { server, timers, view, told, next };
}

/** `name@version` of all it holds. */
export function names(view: View): readonly string[] {
  return [...view.all()].map((seen) => `${seen.key.name}@${seen.resourceVersion}`).toSorted();
}

/** Lets everything happen that needs no timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
}
