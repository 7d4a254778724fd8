import { availableParallelism } from 'node:os';

import { renderLimitProblem } from '#model/render-limit.ts';
import type { RenderUnit, UnitResult } from '#model/rendering.ts';
import { refused } from '#model/result.ts';
import type { Renderer } from '#ports/renderer.ts';
import type { WorkerLimits } from './messages.ts';
import { HERE, rendererHere } from './render-here.ts';
import type { HereLimits } from './render-here.ts';
import type { Slot } from './slot.ts';
import { openSlot } from './slot.ts';

export interface RenderWorkersOptions extends Partial<WorkerLimits> {
  /** Threads at most; default: one a core, as their caller waits for them. Started when first needed. */
  readonly workers?: number | undefined;
  /** Render a little in the caller's own thread, before any other is started: for a command that renders once. */
  readonly hereFirst?: Partial<HereLimits> | undefined;
}

const LIMITS: WorkerLimits = { unitMilliseconds: 5_000, outputCharacters: 16 * 1024 * 1024, heapMegabytes: 256, restMilliseconds: 30_000 };
const LARGEST_BATCH = 32;

/**
 * Renders in a small pool of threads. A batch that does not come back in time, or that kills its thread, is rendered again one unit at
 * a time in a fresh thread: the unit that does it again becomes the problem `render-limit`, the others their objects.
 */
export function renderWorkers(options: RenderWorkersOptions): Renderer {
  const limits: WorkerLimits = {
    unitMilliseconds: options.unitMilliseconds ?? LIMITS.unitMilliseconds,
    outputCharacters: options.outputCharacters ?? LIMITS.outputCharacters,
    heapMegabytes: options.heapMegabytes ?? LIMITS.heapMegabytes,
    restMilliseconds: options.restMilliseconds ?? LIMITS.restMilliseconds,
  };
  const size = Math.max(1, options.workers ?? availableParallelism());
  const idle: Slot[] = Array.from({ length: size }, () => openSlot(limits));
  const slots = [...idle];
  const here = options.hereFirst === undefined ? undefined : rendererHere({ ...HERE, ...options.hereFirst });
  const waiting: ((slot: Slot) => void)[] = [];
  let renders = 0;

  async function withSlot<T>(use: (slot: Slot) => Promise<T>): Promise<T> {
    const slot = idle.pop() ?? (await new Promise<Slot>((resolve) => waiting.push(resolve)));
    try {
      return await use(slot);
    } finally {
      const next = waiting.shift();
      if (next === undefined) idle.push(slot);
      else next(slot);
    }
  }

  async function renderBatch(units: readonly RenderUnit[], signal: AbortSignal | undefined): Promise<readonly UnitResult[]> {
    signal?.throwIfAborted();
    const answer = await withSlot((slot) => slot.render(units));
    if (answer.kind === 'rendered') return answer.results;
    const [first] = units;
    if (units.length === 1 && first !== undefined) return [refused([renderLimitProblem(first, first.capsule.directory, answer.what)])];
    const results: UnitResult[] = [];
    for (const unit of units) results.push(...(await renderBatch([unit], signal)));
    return results;
  }

  async function render(units: readonly RenderUnit[], signal?: AbortSignal): Promise<readonly UnitResult[]> {
    renders += units.length;
    signal?.throwIfAborted();
    const little = here?.render(units, limits.outputCharacters);
    if (little !== undefined) return little;
    const length = Math.min(LARGEST_BATCH, Math.max(1, Math.ceil(units.length / (size * 4))));
    const batches: (readonly RenderUnit[])[] = [];
    for (let at = 0; at < units.length; at += length) batches.push(units.slice(at, at + length));
    const results = await Promise.all(batches.map((batch) => renderBatch(batch, signal)));
    return results.flat();
  }

  async function close(): Promise<void> {
    await Promise.all(slots.map((slot) => slot.close()));
  }

  return { render, counts: () => ({ renders }), close };
}
