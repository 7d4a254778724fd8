import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { startEngine, type PushTiming } from './engine.ts';
import { changeOneCapsule, generateRepository } from './generate.ts';
import { ratioOf, type Spread, spreadOf } from './statistics.ts';
import { changeStock, changedByStock, everythingByStock, generateStock, kustomizeCommand, type StockRun } from './stock.ts';

/** One size: ours, stock, and how many times longer stock takes than the median of ours. Milliseconds. */
export interface SizeResult {
  readonly units: number;
  readonly files: number;
  readonly firstLook: number;
  readonly ours: Readonly<Record<'woken' | 'looked' | 'whole', Spread>>;
  /** What one push cost, of the last one measured. */
  readonly counts: ReturnType<Awaited<ReturnType<typeof startEngine>>['counts']>;
  readonly changedObjects: number;
  readonly stock: { readonly everything: StockResult; readonly changed: StockResult } | undefined;
}

export interface StockResult {
  readonly fetch: Spread;
  readonly checkout: Spread;
  readonly render: Spread;
  readonly whole: Spread;
  readonly ratio: Omit<Spread, 'p99'>;
}

const WARMING = 10;

export async function measureSize(options: {
  readonly units: number;
  readonly pushes: number;
  /** Runs of the stock pipeline over everything. */
  readonly everything: number;
  readonly folder: string;
}): Promise<SizeResult> {
  const { units, folder } = options;
  await mkdir(folder, { recursive: true });
  const repository = await generateRepository({ units, path: join(folder, 'ours.git') });
  const stock = kustomizeCommand() === undefined ? undefined : await generateStock(repository.shape, folder);
  const engine = await startEngine({ folder, remote: repository.path });
  try {
    const timings: PushTiming[] = [];
    const changed: StockRun[] = [];
    const everything: StockRun[] = [];
    let before = engine.counts();
    let n = 1;
    for (; n <= WARMING + options.pushes; n++) {
      const change = await changeOneCapsule(repository.path, n);
      before = engine.counts();
      const timing = await engine.push(change);
      checkDifference(timing, repository.shape.environments.find((one) => one.name === change.environment)?.targets.length ?? 0);
      if (n > WARMING) timings.push(timing);
      // The same change, the one after the other, so that both see the machine in the same mood.
      if (stock === undefined) continue;
      const run = await changedByStock(stock, await changeStock(stock, change, n));
      if (n > WARMING) changed.push(run);
    }
    const counts = difference(before, engine.counts());
    for (const last = n + options.everything; stock !== undefined && n < last; n++) {
      await changeStock(stock, await changeOneCapsule(repository.path, n), n);
      everything.push(await everythingByStock(stock));
    }
    const whole = timings.map((timing) => timing.whole);
    const spread = (part: 'woken' | 'looked' | 'whole'): Spread => spreadOf(timings.map((timing) => timing[part]));
    return {
      units,
      files: repository.files,
      firstLook: Math.round(engine.first),
      ours: { woken: spread('woken'), looked: spread('looked'), whole: spread('whole') },
      counts,
      changedObjects: objectsOf(timings.at(-1)),
      stock: stock === undefined ? undefined : { everything: stockResult(everything, whole), changed: stockResult(changed, whole) },
    };
  } finally {
    await engine.close();
  }
}

/** A measurement of a wrong answer is worth nothing. */
function checkDifference(timing: PushTiming, targets: number): void {
  const [problem] = timing.difference.problems;
  if (problem !== undefined) throw new Error(`the push has a problem: ${problem.message}`);
  const [environment, second] = timing.difference.environments;
  if (environment?.targets.length !== targets || second !== undefined) throw new Error('the difference is not that of the push');
}

function objectsOf(timing: PushTiming | undefined): number {
  return (timing?.difference.environments ?? []).flatMap((one) => one.targets.flatMap((target) => target.objects)).length;
}

function difference(before: SizeResult['counts'], after: SizeResult['counts']): SizeResult['counts'] {
  return {
    renders: after.renders - before.renders,
    parses: after.parses - before.parses,
    blobs: after.blobs - before.blobs,
    trees: after.trees - before.trees,
    forks: after.forks - before.forks,
    remoteCalls: after.remoteCalls - before.remoteCalls,
  };
}

function stockResult(runs: readonly StockRun[], ours: readonly number[]): StockResult {
  const part = (name: 'fetch' | 'checkout' | 'render' | 'whole'): number[] => runs.map((run) => run[name]);
  return {
    fetch: spreadOf(part('fetch')),
    checkout: spreadOf(part('checkout')),
    render: spreadOf(part('render')),
    whole: spreadOf(part('whole')),
    ratio: ratioOf(part('whole'), ours),
  };
}
