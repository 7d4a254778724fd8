import { reconcile } from '#loops/reconcile.ts';
import type { ReconcileRequest, ReconcileResult } from '#loops/reconcile.ts';
import type { World } from '#loops/world.ts';
import { parseDuration } from '#model/instant.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { Outcome } from '#model/plan.ts';
import type { Ending, Receipt } from '#model/receipt.ts';
import { UsageError } from './exit-code.ts';

export interface Waiting {
  /** Milliseconds. */
  readonly timeout: number;
  /** Told whenever what is waited for is another. */
  readonly tell: (phase: string) => void;
  /** Resolves after so many milliseconds, or when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

export interface Waited extends ReconcileResult {
  readonly isLate: boolean;
}

/** `--wait` alone is five minutes; undefined without it. */
export function waitOf(option: string | boolean | undefined): number | undefined {
  if (option === undefined || option === false) return undefined;
  if (option === true) return USUAL;
  const milliseconds = parseDuration(option);
  if (milliseconds === undefined || milliseconds === 0)
    throw new UsageError(`--wait ${option}: that is no duration; write the environment first, and --wait=5m`);
  return milliseconds;
}

const USUAL = 300_000;
/** What cannot tell that it moved is looked at again after so long. */
const PACE = { silent: 2000, telling: 5000 } as const;

/** Runs until everything is as it should be and well, nothing more will come by itself, or the time is over. */
export async function reconcileUntilSettled(
  world: World,
  request: ReconcileRequest,
  waiting: Waiting,
  signal: AbortSignal,
): Promise<Waited> {
  const late = AbortSignal.timeout(Math.min(waiting.timeout, 2 ** 31 - 1));
  const both = AbortSignal.any([signal, late]);
  const moves = movesOf(world, request.environment);
  const outcomes = new Map<string, Map<string, Outcome>>();
  let phase = '';
  for (;;) {
    const seen = moves.count();
    await world.repository.fetch(signal);
    const result = await reconcile(world, request, signal);
    const receipts = result.receipts.map((receipt) => ({ ...receipt, outcomes: noted(outcomes, receipt) }));
    const { ending } = result;
    if (ending.kind === 'settled' || ending.kind === 'stuck' || signal.aborted) return { ...result, receipts, isLate: false };
    if (late.aborted) return { ...result, receipts, isLate: true };
    const now = phaseOf(ending);
    if (now !== phase) waiting.tell(now);
    phase = now;
    if (moves.count() === seen) await moves.next(waiting, paceOf(world, ending), both);
  }
}

function phaseOf(ending: Extract<Ending, { kind: 'waiting' | 'retry' }>): string {
  return ending.kind === 'retry' ? ending.because : [...new Set(ending.reasons)].join('; ');
}

function paceOf(world: World, ending: Ending): number {
  const usual = world.targets.watch === undefined ? PACE.silent : PACE.telling;
  if (ending.kind !== 'waiting' || ending.until === undefined) return usual;
  return Math.max(0, Math.min(usual, ending.until - world.clock.now()));
}

interface Moves {
  readonly count: () => number;
  /** Until a target of the environment moved, and at most so long. */
  readonly next: (waiting: Waiting, milliseconds: number, signal: AbortSignal) => Promise<void>;
}

function movesOf({ targets }: World, environment: string): Moves {
  let moved = 0;
  let wake: () => void = () => undefined;
  targets.watch?.((name) => {
    if (name !== environment) return;
    moved += 1;
    wake();
  });
  return {
    count: () => moved,
    async next(waiting, milliseconds, signal) {
      const woken = new AbortController();
      wake = () => woken.abort();
      await waiting.sleep(milliseconds, AbortSignal.any([signal, woken.signal]));
    },
  };
}

/** What was done in any of the runs: an object that was written and is kept since was written. */
function noted(all: Map<string, Map<string, Outcome>>, { target, outcomes }: Receipt): readonly Outcome[] {
  const known = all.get(target) ?? new Map<string, Outcome>();
  all.set(target, known);
  for (const outcome of outcomes) {
    const key = keyText(outcome.key);
    if (outcome.result !== 'unchanged' || !known.has(key)) known.set(key, outcome);
  }
  return [...known.values()];
}
