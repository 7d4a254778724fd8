import type { JsonObject } from '#model/json.ts';

/** One group of a PrometheusRule. */
export interface RuleGroup {
  readonly name: string;
  /** Milliseconds between evaluations; undefined: what Prometheus does for all. */
  readonly interval: number | undefined;
  readonly rules: readonly JsonObject[];
}

const UNITS = [
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** A duration as Prometheus writes it, exactly, in the largest whole unit. */
export function prometheusDuration(milliseconds: number): string {
  for (const [unit, length] of UNITS) if (milliseconds > 0 && milliseconds % length === 0) return `${milliseconds / length}${unit}`;
  return `${milliseconds}ms`;
}

/** A PromQL string. */
export function promqlText(text: string): string {
  return JSON.stringify(text);
}
