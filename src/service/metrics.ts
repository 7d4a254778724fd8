import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { IntakeResult } from './intake.ts';
import type { KeyState } from './queue.ts';
import type { Outcome } from './schedule.ts';

export interface Metrics {
  readonly delivery: (result: IntakeResult, key: 'current' | 'previous' | undefined) => void;
  readonly run: (loop: string, outcome: Outcome, milliseconds: number) => void;
  readonly wakeUp: (kind: string) => void;
  readonly redelivered: (count: number) => void;
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
