import type { Ports } from './engine.ts';

/** One call of one port, counted from 1 over all ports. */
export interface Call {
  readonly number: number;
  /** `repository.push` */
  readonly name: string;
  readonly args: readonly unknown[];
  /** What is called. */
  readonly port: object;
}

/** Stands between the loops and every port. */
export interface Watch {
  /** Carries the call out, or does not; its answer is what the loops get. */
  through(call: Call, carryOut: () => unknown): unknown;
}

type Callable = (...args: readonly unknown[]) => unknown;

/** The same ports, with every call of every method led through `watch`; objects that a port hands out are watched as well. */
export function watchedPorts(ports: Ports, watch: Watch): Ports {
  let calls = 0;

  function watched<T extends object>(name: string, port: T): T {
    return new Proxy(port, {
      get(object, key, receiver) {
        const value: unknown = Reflect.get(object, key, receiver);
        if (typeof value !== 'function' || typeof key !== 'string') return value;
        return (...args: readonly unknown[]) => {
          calls += 1;
          const call: Call = { number: calls, name: `${name}.${key}`, args, port: object };
          return watch.through(call, () => Reflect.apply(value as Callable, object, args));
        };
      },
    });
  }

  const { targets } = ports;
  return {
    ...ports,
    repository: watched('repository', ports.repository),
    renderer: watched('renderer', ports.renderer),
    forge: ports.forge === undefined ? undefined : watched('forge', ports.forge),
    signer: watched('signer', ports.signer),
    clock: watched('clock', ports.clock),
    ids: watched('ids', ports.ids),
    targets: watched('targets', {
      open: async (...args) => watched('target', await targets.open(...args)),
    }),
  };
}

/** Calls that change what outlives the engine. */
export const WRITES: ReadonlySet<string> = new Set([
  'repository.push',
  'repository.writeCommit',
  'repository.writeTree',
  'repository.fetch',
  'forge.open',
  'forge.edit',
  'forge.merge',
  'forge.publish',
  'target.apply',
]);
