import { join } from 'node:path';

import { githubEvents, webhookVerifier } from '#adapters/github/github.ts';
import { giveBackMemory, systemChance, systemClock, systemTimers } from '#adapters/machine/machine.ts';
import { renderWorkers } from '#adapters/render-workers/render-workers.ts';
import { sqliteInbox } from '#adapters/sqlite/sqlite.ts';
import { reconcile } from '#loops/reconcile.ts';
import { toSecret } from '#model/secret.ts';
import { loopWork } from '#service/loop-work.ts';
import { startService, type Service } from '#service/service.ts';
import { USUAL_SETTINGS } from '#service/settings.ts';
import { answerParent, type Effort, measured } from './child-process.ts';
import { ENVIRONMENT } from './cluster-content.ts';
import { openWorld, quietJournal } from './world.ts';

/** An engine that stays, as the service does, asked from outside. */
export type OursQuestion =
  | { readonly kind: 'open'; readonly folder: string; readonly remote: string; readonly kubeconfig: string }
  /** One run of the whole path: fetch, render, plan, apply, rendered branch, receipt, audit commit, push. */
  | { readonly kind: 'reconcile' }
  /** From now on the service runs: it looks at git every minute, at the cluster as the environment says, and at once when something moved there. */
  | { readonly kind: 'serve' }
  | { readonly kind: 'close' };

export interface OursAnswer extends Effort {
  /** Bytes. */
  readonly resident: number;
}

/** Worlds come and go, a round each; what renders has rendered before, as in any process that stays. */
const renderer = renderWorkers({});
let opened: (Awaited<ReturnType<typeof openWorld>> & { readonly folder: string }) | undefined;
let service: Service | undefined;

async function answer(question: OursQuestion): Promise<OursAnswer> {
  switch (question.kind) {
    case 'open':
      return timed(async () => {
        const { folder, remote, kubeconfig } = question;
        opened = { folder, ...(await openWorld({ folder, renderer, remote: { url: remote }, cluster: { kubeconfig } })) };
      });
    case 'reconcile':
      return timed(run);
    case 'serve':
      return timed(serve);
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

/** The service of `capstan serve` without a forge: there is nothing to promote, and its webhooks are not what is measured. */
async function serve(): Promise<void> {
  if (opened === undefined) throw new Error('no world is open');
  const { world, targets, folder } = opened;
  const settled = async () => ({ ending: { kind: 'settled' }, wakes: [] }) as const;
  const ready = Promise.withResolvers<void>();
  const work = loopWork(world);
  service = await startService({
    settings: { ...USUAL_SETTINGS, listen: { host: '127.0.0.1', port: 0 } },
    work: {
      ...work,
      promote: settled,
      check: settled,
      async look(trigger, signal) {
        const look = await work.look(trigger, signal);
        ready.resolve();
        return look;
      },
    },
    inbox: await sqliteInbox(join(folder, 'state.db')),
    verifier: webhookVerifier({ current: toSecret('bench-secret-of-no-value'), previous: [] }),
    reader: githubEvents(),
    forge: { redeliverFailed: async () => 0 },
    clock: systemClock,
    timers: systemTimers,
    chance: systemChance,
    ids: world.ids,
    journal: quietJournal,
    version: world.settings.version,
    rest: giveBackMemory,
    watch: (moved) => targets.watch?.(moved),
  });
  await ready.promise;
  await service.settled();
}

async function timed(work: () => Promise<void>): Promise<OursAnswer> {
  const { milliseconds, processor } = await measured(work);
  return { milliseconds, processor, resident: process.memoryUsage.rss() };
}

async function close(): Promise<void> {
  const closing = opened;
  opened = undefined;
  await service?.stop(10_000);
  service = undefined;
  await closing?.close();
}

async function end(): Promise<void> {
  await close();
  await renderer.close();
}

answerParent<OursQuestion, OursAnswer>({ answer, close: end });
