import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { type EngineProcess, forkEngine, type MeasuredPush } from './engine-process.ts';
import { changeOneCapsule, generateRepository, type GeneratedRepository } from './generate.ts';
import { ratioOf, type Spread, spreadOf } from './statistics.ts';
import { changedByStock, changeStock, everythingByStock, generateStock, type Stock, type StockRun } from './stock.ts';

/** One size: ours, stock, and how many times longer stock takes than the median of ours. Milliseconds. */
export interface SizeResult {
  readonly units: number;
  readonly files: number;
  readonly firstLook: number;
  readonly ours: Readonly<Record<'woken' | 'looked' | 'whole', Spread>>;
  /** What one push cost, of the last one measured. */
  readonly counts: MeasuredPush['counts'];
  readonly changedObjects: number;
  readonly stock: { readonly everything: StockResult; readonly changed: StockResult };
}

export interface StockResult {
  readonly fetch: Spread;
  readonly checkout: Spread;
  readonly render: Spread;
  readonly whole: Spread;
  readonly ratio: Omit<Spread, 'p99'>;
}

interface Size {
  readonly units: number;
  readonly repository: GeneratedRepository;
  readonly engine: EngineProcess;
  readonly stock: Stock;
  readonly pushes: MeasuredPush[];
  readonly changed: StockRun[];
  readonly everything: StockRun[];
}

const WARMING = 10;
/** Stock takes minutes to render this many units. */
const MANY = 5_000;
const MOST_OF_MANY = 2;

/** Sizes in turn, round by round, and stock right after ours: all of them see the machine in the same mood. */
export async function measureSizes(options: {
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly kustomize: string;
  readonly folder: string;
}): Promise<readonly SizeResult[]> {
  const sizes: Size[] = [];
  try {
    for (const units of options.sizes) sizes.push(await openSize(units, join(options.folder, String(units)), options.kustomize));
    let n = 1;
    for (; n <= WARMING + options.rounds; n++) for (const size of sizes) await oneRound(size, n, n > WARMING);
    const most = Math.max(1, Math.min(5, Math.round(options.rounds / 8)));
    for (let at = 0; at < most; at++, n++) {
      for (const size of sizes) if (at < MOST_OF_MANY || size.units < MANY) await everythingOnce(size, n);
    }
    return sizes.map(resultOf);
  } finally {
    for (const size of sizes) await size.engine.close();
  }
}

async function openSize(units: number, folder: string, kustomize: string): Promise<Size> {
  await mkdir(folder, { recursive: true });
  const repository = await generateRepository({ units, path: join(folder, 'ours.git') });
  const stock = await generateStock(repository.shape, { folder, kustomize });
  const engine = await forkEngine({ folder, remote: repository.path });
  return { units, repository, engine, stock, pushes: [], changed: [], everything: [] };
}

async function oneRound(size: Size, n: number, isMeasured: boolean): Promise<void> {
  const { repository, engine, stock } = size;
  const change = await changeOneCapsule(repository.path, n);
  const push = await engine.push(change);
  const targets = repository.shape.environments.find((one) => one.name === change.environment)?.targets.length;
  if (push.targets !== targets) throw new Error('the difference is not that of the push');
  if (isMeasured) size.pushes.push(push);
  const run = await changedByStock(stock, await changeStock(stock, change, n));
  if (isMeasured) size.changed.push(run);
}

async function everythingOnce({ repository, stock, everything }: Size, n: number): Promise<void> {
  await changeStock(stock, await changeOneCapsule(repository.path, n), n);
  everything.push(await everythingByStock(stock));
}

function resultOf(size: Size): SizeResult {
  const { units, repository, engine, pushes } = size;
  const last = pushes.at(-1);
  if (last === undefined) throw new Error('nothing was measured');
  const whole = pushes.map((push) => push.whole);
  const spread = (part: 'woken' | 'looked' | 'whole'): Spread => spreadOf(pushes.map((push) => push[part]));
  return {
    units,
    files: repository.files,
    firstLook: Math.round(engine.first),
    ours: { woken: spread('woken'), looked: spread('looked'), whole: spread('whole') },
    counts: last.counts,
    changedObjects: last.objects,
    stock: { everything: stockResult(size.everything, whole), changed: stockResult(size.changed, whole) },
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
