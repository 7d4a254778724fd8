import { commitSignatures } from '#adapters/signatures/signatures.ts';
import { createWorld, type WorldPorts } from '#loops/create-world.ts';
import type { World } from '#loops/world.ts';
import { branchRef } from '#model/names.ts';
import type { Ending, Trigger } from '#model/receipt.ts';
import type { Ids } from '#ports/machine.ts';
import type { Renderer } from '#ports/renderer.ts';
import type { Repository } from '#ports/repository.ts';
import { prepareCapsule, renderPrepared } from '#render/render.ts';
import { serviceWork } from '#service/service.ts';
import { memoryBundles } from '#test/contracts/memory-bundles.ts';
import { memoryForge } from '#test/contracts/memory-forge.ts';
import { memoryKept } from '#test/contracts/memory-kept.ts';
import { memoryRegistry, registryState } from '#test/contracts/memory-registry.ts';
import { memoryRepository } from '#test/contracts/memory-repository.ts';
import { clockOf, targetOf, type Outside } from './outside.ts';
import { signerOf } from './shop.ts';
import { silentJournal } from './silent-journal.ts';

export type Ports = WorldPorts;
type Work = ReturnType<typeof serviceWork>;
type Wake = Awaited<ReturnType<Work['look']>>['wakes'][number];

/** Told between the two writes of one call that makes two. */
export type Pause = (where: string) => void;

/** The ports of one engine; `pause` is where a kill can come within a call. */
export function portsOf(outside: Outside, pause?: Pause): Ports {
  const clock = clockOf(outside);
  outside.engines += 1;
  const bundles = memoryBundles();
  const registry = memoryRegistry({ state: registryState() });
  const signatures = commitSignatures(async () => bundles);
  return {
    repository: followed(outside, memoryRepository(outside.mirror, outside.remote, outside.elsewhere)),
    renderer: rendererInProcess(),
    targets: { open: (environment, target) => Promise.resolve(targetOf(outside, `${environment}/${target}`)) },
    forge: memoryForge({
      repository: memoryRepository(outside.remote),
      state: outside.forge,
      clock,
      login: 'capstan',
      ...(pause === undefined ? {} : { pause }),
    }),
    bundles: async () => bundles,
    machineRoot: async () => undefined,
    registry: async () => registry,
    kept: memoryKept(),
    signatures: async () => signatures,
    clock,
    ids: countedIds(outside.engines),
    signer: signerOf('capstan'),
    journal: silentJournal,
    settings: {
      branch: 'main',
      source: '/gitops/acme-shop',
      repository: 'acme/shop',
      version: '0.1.0',
      trustRoot: undefined,
      trustSigners: undefined,
      driftInterval: 300_000,
    },
  };
}

/** A forge notices a push by itself: heads of pull requests follow it. */
function followed(outside: Outside, repository: Repository): Repository {
  const forge = memoryForge({
    repository: memoryRepository(outside.remote),
    state: outside.forge,
    clock: clockOf(outside),
    login: 'capstan',
  });
  return {
    ...repository,
    async push(updates, signal) {
      await repository.push(updates, signal);
      await forge.follow();
    },
  };
}

export function rendererInProcess(): Renderer {
  let renders = 0;
  return {
    async render(units) {
      renders += units.length;
      return units.map((unit) => renderPrepared(unit, prepareCapsule(unit.capsule)));
    },
    counts: () => ({ renders }),
    close: async () => undefined,
  };
}

/** No two engines give the same id, and no clock or chance is asked. */
function countedIds(engine: number): Ids {
  let serial = 0;
  const next = (length: number): string => {
    serial += 1;
    return `${engine}`.padStart(length - 8, '0') + `${serial}`.padStart(8, '0');
  };
  return { runId: () => next(26), traceId: () => next(32) };
}

/** The service without its timers and sockets: wakes are worked off in order until nothing is left to do. */
export interface Engine {
  readonly world: World;
  /** As the process does when it starts: looks, then runs everything once. */
  start(): Promise<void>;
  /** As on a push, a merge or a review. */
  wake(...wakes: readonly Wake[]): Promise<void>;
  /** As a poll, and as the timers of what waits for a time that has come. */
  tick(): Promise<void>;
  /** As the drift timers of all environments. */
  drift(): Promise<void>;
  /** How each unit of work ended last. */
  readonly endings: ReadonlyMap<string, Ending>;
}

const ROUNDS = 400;

export function startEngine(ports: Ports): Engine {
  const world = createWorld(ports);
  const work = serviceWork(world);
  const endings = new Map<string, Ending>();
  const { signal } = new AbortController();
  let known: readonly string[] = [];

  async function run(wake: Wake, trigger: Trigger): Promise<readonly Wake[]> {
    switch (wake.kind) {
      case 'look': {
        const found = await work.look(trigger, signal);
        known = found.environments.map((item) => item.environment);
        endings.set('look', found.ending);
        return found.ending.kind === 'retry' ? [wake] : found.wakes;
      }
      case 'reconcile':
      case 'promote': {
        const found = await work[wake.kind](wake.environment, trigger, signal);
        endings.set(`${wake.kind}/${wake.environment}`, found.ending);
        return found.ending.kind === 'retry' ? [wake, ...found.wakes] : found.wakes;
      }
      case 'check': {
        const found = await work.check(wake.number, trigger, signal);
        endings.set(`check/${wake.number}`, found.ending);
        return found.ending.kind === 'retry' ? [wake, ...found.wakes] : found.wakes;
      }
    }
  }

  async function workOff(wakes: readonly Wake[], trigger: Trigger): Promise<void> {
    const open = [...wakes];
    for (let round = 0; open.length > 0; round += 1) {
      const next = open.shift();
      if (next === undefined) return;
      if (round > ROUNDS) throw new Error(`the engine finds no rest: ${JSON.stringify([...endings])}`);
      for (const wake of await run(next, trigger)) {
        if (!open.some((other) => JSON.stringify(other) === JSON.stringify(wake))) open.push(wake);
      }
    }
  }

  function everything(): readonly Wake[] {
    return (['reconcile', 'promote'] as const).flatMap((kind) => known.map((environment) => ({ kind, environment }) as unknown as Wake));
  }

  function isDue(key: string): boolean {
    const ending = endings.get(key);
    if (ending?.kind !== 'waiting') return false;
    return ending.until === undefined ? key.startsWith('promote/') : ending.until <= ports.clock.now();
  }

  return {
    world,
    endings,
    async start() {
      await workOff([{ kind: 'look' }], 'start');
      await workOff(everything(), 'start');
    },
    drift: () =>
      workOff(
        everything().filter((wake) => wake.kind === 'reconcile'),
        'drift',
      ),
    wake: (...wakes) => workOff(wakes, 'webhook'),
    async tick() {
      await workOff([{ kind: 'look' }], 'poll');
      const due = everything().filter((wake) => 'environment' in wake && isDue(`${wake.kind}/${wake.environment}`));
      await workOff(due, 'soak');
    },
  };
}

export const MAIN = branchRef('main');
