import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { HealthState } from '#model/health.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { IntakeResult } from './intake.ts';
import type { KeyState } from './queue.ts';
import type { Outcome } from './schedule.ts';
import type { SeenTarget } from './work.ts';

export interface Metrics {
  readonly delivery: (result: IntakeResult, key: 'current' | 'previous' | undefined) => void;
  readonly run: (loop: string, outcome: Outcome, milliseconds: number) => void;
  readonly wakeUp: (kind: string) => void;
  readonly redelivered: (count: number) => void;
  readonly seen: (targets: readonly SeenTarget[]) => void;
  readonly text: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

export interface MetricSources {
  readonly version: string;
  readonly depth: () => Readonly<Record<KeyState, number>>;
  readonly isReady: () => boolean;
}

/** Counted from endings and deliveries; a registry of its own, so that two services in one process do not mix. */
export function openMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'capstan_' });
  const deliveries = new Counter({
    name: 'capstan_deliveries_total',
    help: 'Webhook deliveries by how they ended.',
    labelNames: ['result'],
    registers,
  });
  const keys = new Counter({
    name: 'capstan_delivery_signatures_total',
    help: 'Verified deliveries by which webhook secret fitted.',
    labelNames: ['key'],
    registers,
  });
  const wakeUps = new Counter({ name: 'capstan_wake_ups_total', help: 'Deliveries worked on, by kind.', labelNames: ['kind'], registers });
  const runs = new Counter({ name: 'capstan_runs_total', help: 'Runs by loop and ending.', labelNames: ['loop', 'ending'], registers });
  const seconds = new Histogram({
    name: 'capstan_run_duration_seconds',
    help: 'Length of runs by loop.',
    labelNames: ['loop'],
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300],
    registers,
  });
  const redelivered = new Counter({
    name: 'capstan_redeliveries_total',
    help: 'Failed deliveries the forge was asked for again.',
    registers,
  });
  gauges(sources, registers);
  return {
    seen: targetMetrics(registers),
    delivery(result, key) {
      deliveries.inc({ result });
      if (key !== undefined) keys.inc({ key });
    },
    run(loop, outcome, milliseconds) {
      runs.inc({ loop, ending: outcome.kind });
      seconds.observe({ loop }, milliseconds / 1000);
    },
    wakeUp: (kind) => wakeUps.inc({ kind }),
    redelivered: (count) => redelivered.inc(count),
    text: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

const HEALTH: readonly HealthState[] = ['healthy', 'progressing', 'unknown', 'degraded'];

/** Drift that stays is counted when it is found; each correction is counted. */
function targetMetrics(registers: Registry[]): Metrics['seen'] {
  const drift = new Counter({
    name: 'capstan_drift_total',
    help: 'Objects that others changed or removed, by what was done about it.',
    labelNames: ['environment', 'target', 'action'],
    registers,
  });
  const health = new Gauge({
    name: 'capstan_target_health',
    help: '1 for the health that the last run found on a target, 0 for the others.',
    labelNames: ['environment', 'target', 'state'],
    registers,
  });
  const known = new Map<string, ReadonlySet<string>>();
  return (targets) => {
    for (const seen of targets) {
      const { environment, target } = seen;
      const place = `${environment}/${target}`;
      const before = known.get(place);
      const now = new Set(seen.drift.map((object) => `${object.action} ${keyText(object.key)}`));
      known.set(place, now);
      for (const object of seen.drift) {
        const isOld = object.action !== 'corrected' && before?.has(`${object.action} ${keyText(object.key)}`) === true;
        if (!isOld) drift.inc({ environment, target, action: object.action });
      }
      for (const state of HEALTH) health.set({ environment, target, state }, state === seen.health ? 1 : 0);
    }
  };
}

function gauges(sources: MetricSources, registers: Registry[]): void {
  void new Gauge({
    name: 'capstan_queue_units',
    help: 'Units of work by state.',
    labelNames: ['state'],
    registers,
    collect() {
      for (const [state, count] of Object.entries(sources.depth())) this.set({ state }, count);
    },
  });
  void new Gauge({
    name: 'capstan_parked_units',
    help: 'Units that are parked: stuck until their inputs change, or thrown.',
    registers,
    collect() {
      this.set(sources.depth().parked);
    },
  });
  void new Gauge({
    name: 'capstan_ready',
    help: '1 after the first full look at git and targets.',
    registers,
    collect() {
      this.set(sources.isReady() ? 1 : 0);
    },
  });
  const build = new Gauge({ name: 'capstan_build_info', help: 'Always 1; the version is a label.', labelNames: ['version'], registers });
  build.set({ version: sources.version }, 1);
}
