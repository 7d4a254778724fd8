import { renderWorkers } from '#adapters/render-workers/render-workers.ts';
import { reconcile } from '#loops/reconcile.ts';
import type { World } from '#loops/world.ts';
import { answerParent, type Effort, measured } from './child-process.ts';
import { ENVIRONMENT } from './cluster-content.ts';
import { openWorld } from './world.ts';

/** An engine that stays, as the service does, asked from outside. */
export type OursQuestion =
  | { readonly kind: 'open'; readonly folder: string; readonly remote: string; readonly kubeconfig: string }
  /** One run of the whole path: fetch, render, plan, apply, rendered branch, receipt, audit commit, push. */
  | { readonly kind: 'reconcile' }
  | { readonly kind: 'memory' }
  | { readonly kind: 'close' };

export interface OursAnswer extends Effort {
  /** Bytes, after a garbage collection where the process was started with `--expose-gc`. */
  readonly resident: number;
}

/** Worlds come and go, a round each; what renders has rendered before, as in any process that stays. */
const renderer = renderWorkers({});
let opened: { readonly world: World; readonly close: () => Promise<void> } | undefined;

async function answer(question: OursQuestion): Promise<OursAnswer> {
  switch (question.kind) {
    case 'open':
      return timed(async () => {
        opened = await openWorld({
          folder: question.folder,
          renderer,
          remote: { url: question.remote },
          cluster: { kubeconfig: question.kubeconfig },
        });
      });
    case 'reconcile':
      return timed(run);
    case 'memory':
      globalThis.gc?.();
      return timed(async () => {});
    case 'close':
      return timed(close);
  }
}

async function run(): Promise<void> {
  if (opened === undefined) throw new Error('no world is open');
  const { world } = opened;
  await world.repository.fetch();
  const { ending } = await reconcile(world, { environment: ENVIRONMENT, target: undefined, trigger: 'webhook', dryRun: false });
  // Better health may be recorded a minute later; everything else is a failure.
  const isDone =
    ending.kind === 'settled' || (ending.kind === 'waiting' && ending.reasons.every((reason) => reason.startsWith('health is')));
  if (!isDone) throw new Error(JSON.stringify(ending).slice(0, 2_000));
}

async function timed(work: () => Promise<void>): Promise<OursAnswer> {
  const { milliseconds, processor } = await measured(work);
  return { milliseconds, processor, resident: process.memoryUsage.rss() };
}

async function close(): Promise<void> {
  const closing = opened;
  opened = undefined;
  await closing?.close();
}

async function end(): Promise<void> {
  await close();
  await renderer.close();
}

answerParent<OursQuestion, OursAnswer>({ answer, close: end });
