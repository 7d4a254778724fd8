import type { World } from '#loops/world.ts';
import type { Result } from '#model/result.ts';
import type { Forge } from '#ports/forge.ts';
import type { Inbox } from '#ports/inbox.ts';
import type { Chance, Clock, Ids, Journal, Timers } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import type { Targets } from '#ports/target.ts';
import type { WebhookReader, WebhookVerifier } from '#ports/webhooks.ts';
import { readConfiguration, type Configuration, type ConfigurationSource } from './configuration.ts';
import { startDispatch } from './dispatch.ts';
import { webhookIntake } from './intake.ts';
import { loopWork } from './loop-work.ts';
import { wakeWhenMoved } from './moved.ts';
import { WorkQueue } from './queue.ts';
import { restAfterWork } from './rest.ts';
import { nextTurn, USUAL_POLICY, type SchedulePolicy } from './schedule.ts';
import type { ServerLimits } from './server.ts';
import type { ServiceSettings } from './settings.ts';
import { startTicks } from './ticks.ts';
import type { ServiceWork } from './work.ts';

export interface ServiceParts {
  readonly settings: ServiceSettings;
  readonly work: ServiceWork;
  readonly inbox: Inbox;
  readonly verifier: WebhookVerifier;
  readonly reader: WebhookReader;
  readonly forge: Pick<Forge, 'redeliverFailed'>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly chance: Chance;
  readonly ids: Ids;
  readonly journal: Journal;
  readonly version: string;
  /** Tells when something moved on a target: `Targets.watch`. */
  readonly watch?: Targets['watch'];
  /** Called when there was work and now is none: memory that it took can be given back. */
  readonly rest?: () => void;
  readonly limits?: ServerLimits;
  readonly policy?: SchedulePolicy;
}

export interface Service {
  /** `http://127.0.0.1:8080`, with the port it really got. */
  readonly url: string;
  readonly isReady: () => boolean;
  /** Resolves when nothing runs and nothing is ready to run. */
  settled(): Promise<void>;
  /** Ends intake, lets running jobs finish until the deadline (milliseconds), then closes the inbox. Can be called twice. */
  stop(deadline: number): Promise<void>;
}

/** Starts the long-running process: intake, queue, timers, health and metrics. Refuses (throws) when it cannot listen. */
export async function startService(parts: ServiceParts): Promise<Service> {
  const { settings, clock, timers, chance, ids, journal } = parts;
  const policy = parts.policy ?? { ...USUAL_POLICY, jitter: settings.jitter };
  // Commands come through this door for the configuration alone.
  const [{ openMetrics }, { httpServer, USUAL_LIMITS }] = await Promise.all([import('./metrics.ts'), import('./server.ts')]);
  const queue = new WorkQueue({
    clock,
    timers,
    concurrency: settings.concurrency,
    decide(key, outcome, past) {
      const rule = dispatch.environments().find((one) => key === `reconcile/${one.environment}`)?.retry;
      const next = nextTurn(outcome, past, clock.now(), { policy, chance, rule });
      if (next.kind === 'park' && next.isSpent === true)
        journal.warn(
          { unit: key, code: 'retry-budget-spent', attempts: rule?.budget?.attempts, after: next.after },
          'a unit has used up its retries',
        );
      return next;
    },
    ended(key, outcome, milliseconds) {
      metrics.run(loopOf(key), outcome, milliseconds);
      rest.ended(milliseconds);
      if (outcome.kind === 'threw') journal.error({ unit: key, reason: outcome.message }, 'a unit of work threw and is parked');
      else journal.debug({ unit: key, ending: outcome.kind, milliseconds }, 'a unit of work ended');
    },
  });
  const rest = restAfterWork({ timers, isIdle: () => queue.depth().running === 0, rest: () => parts.rest?.() });
  const dispatch = startDispatch({ ...parts, queue, counted: (kind) => metrics.wakeUp(kind), seen: (targets) => metrics.seen(targets) });
  const metrics = openMetrics({ version: parts.version, depth: () => queue.depth(), isReady: dispatch.isReady });
  const app = httpServer({
    ids,
    journal,
    limits: parts.limits ?? USUAL_LIMITS,
    version: parts.version,
    isReady: dispatch.isReady,
    metrics: metrics.text,
    webhook: webhookIntake({
      inbox: parts.inbox,
      verifier: parts.verifier,
      clock,
      ids,
      journal,
      limit: settings.bodyLimit,
      linger: 500,
      counted: metrics.delivery,
      arrived: dispatch.arrived,
    }),
  });
  const url = await app.listen(settings.listen).catch(async (error: unknown) => {
    await queue.drain(0, 2_000);
    const { host, port } = settings.listen;
    const reason = error instanceof Error ? error.message : 'no reason given';
    throw new PortError('invalid', `cannot listen on ${host}:${port} (${reason}); stop what holds it, or change server.listen`, error);
  });
  const ticks = startTicks({ ...parts, dispatch, queue, redelivered: metrics.redelivered });
  const moved =
    parts.watch === undefined
      ? undefined
      : wakeWhenMoved({
          watch: parts.watch,
          clock,
          timers,
          wake(environment) {
            const isKnown = dispatch.environments().some((one) => one.environment === environment);
            if (isKnown) dispatch.wake({ kind: 'reconcile', environment }, 'drift', 'changed');
          },
        });
  journal.info({ url, version: parts.version }, 'the service listens');

  let stopped: Promise<void> | undefined;
  return {
    url,
    isReady: dispatch.isReady,
    settled: () => queue.settled(),
    stop(deadline) {
      stopped ??= stopAll(deadline);
      return stopped;
    },
  };

  async function stopAll(deadline: number): Promise<void> {
    ticks.stop();
    moved?.stop();
    rest.stop();
    const closing = app.close();
    const late = await queue.drain(deadline, 2_000);
    app.server.closeAllConnections();
    await closing;
    await parts.inbox.close();
    journal.info({ late: late.join(' ') }, 'the service stopped');
  }
}

function loopOf(key: string): string {
  return key.split('/', 1)[0] ?? key;
}

/** Reads `capstan.yaml` and the CAPSTAN_ variables: every mistake at its place, or a configuration with its secrets read. */
export function loadConfiguration(source: ConfigurationSource): Promise<Result<Configuration>> {
  return readConfiguration(source);
}

/** What the service does when it is woken, made of the loops. */
export function serviceWork(world: World): ServiceWork {
  return loopWork(world);
}
