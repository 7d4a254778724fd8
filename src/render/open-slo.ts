import { parseDuration } from '#model/instant.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';

/** What is counted. `ranged` queries hold the window themselves, as `{{.window}}`; others are selectors of counters. */
export interface Ratio {
  readonly kind: 'good' | 'bad';
  readonly part: string;
  readonly total: string;
  readonly ranged: boolean;
}

/** One objective of an OpenSLO document (openslo.com, openslo/v1). */
export interface Objective {
  readonly name: string;
  readonly description: string | undefined;
  /** Whose it says that it is. */
  readonly service: string | undefined;
  /** Between 0 and 1. */
  readonly target: number;
  readonly ratio: Ratio;
  /** Milliseconds of the rolling period. */
  readonly period: number;
}

export type ObjectivesReading =
  | { readonly ok: true; readonly objectives: readonly Objective[] }
  | { readonly ok: false; readonly message: string };

/** The objectives of the SLO documents of one file; SLI documents are what their indicatorRef names. Other kinds are for other tools. */
export function readOpenSlo(documents: readonly Json[]): ObjectivesReading {
  const indicators = new Map<string, JsonObject>();
  const slos: JsonObject[] = [];
  for (const document of documents) {
    if (!isJsonObject(document) || !/^openslo\/v1(alpha|beta[0-9]*)?$/.test(jsonText(document['apiVersion'])))
      return wrong('holds a document whose apiVersion is not openslo/v1');
    if (document['kind'] === 'SLI') indicators.set(nameOf(document), document);
    if (document['kind'] === 'SLO') slos.push(document);
  }
  if (slos.length === 0) return wrong('holds no SLO');
  const objectives: Objective[] = [];
  for (const slo of slos) {
    const read = readOne(slo, indicators);
    if (!read.ok) return wrong(`SLO ${JSON.stringify(nameOf(slo))}: ${read.message}`);
    objectives.push(...read.objectives);
  }
  return { ok: true, objectives };
}

function wrong(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}

function nameOf(document: JsonObject): string {
  return jsonText(valueAt(document, '/metadata/name'));
}

function readOne(slo: JsonObject, indicators: ReadonlyMap<string, JsonObject>): ObjectivesReading {
  const name = nameOf(slo);
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return wrong('metadata.name is not an RFC 1123 label');
  const method = valueAt(slo, '/spec/budgetingMethod') ?? 'Occurrences';
  if (method !== 'Occurrences') return wrong(`budgetingMethod ${JSON.stringify(method)} is not Occurrences`);
  const period = periodOf(valueAt(slo, '/spec/timeWindow'));
  if (period === undefined) return wrong('timeWindow is not one rolling window of days or weeks');
  const reference = valueAt(slo, '/spec/indicatorRef');
  const indicator = reference === undefined ? valueAt(slo, '/spec/indicator/spec') : valueAt(indicators.get(jsonText(reference)), '/spec');
  if (!isJsonObject(indicator))
    return wrong(reference === undefined ? 'it has no indicator' : 'its indicatorRef names no SLI of this file');
  const ratio = ratioOf(indicator);
  if (typeof ratio === 'string') return wrong(ratio);
  const declared = valueAt(slo, '/spec/objectives');
  if (!Array.isArray(declared) || declared.length === 0 || declared.length > 20) return wrong('it needs one to twenty objectives');
  const description = valueAt(slo, '/spec/description');
  const service = valueAt(slo, '/spec/service');
  const objectives: Objective[] = [];
  for (const [at, one] of (declared as readonly Json[]).entries()) {
    const target = targetOf(one);
    if (target === undefined) return wrong(`objective ${at + 1} needs a target between 0 and 1, or a targetPercent between 0 and 100`);
    objectives.push({
      name: declared.length === 1 ? name : `${name}-${at + 1}`,
      description: typeof description === 'string' ? description : undefined,
      service: typeof service === 'string' ? service : undefined,
      target,
      ratio,
      period,
    });
  }
  return { ok: true, objectives };
}

const DAY = 86_400_000;

function periodOf(windows: Json | undefined): number | undefined {
  if (!Array.isArray(windows) || windows.length !== 1) return undefined;
  const [window] = windows as readonly Json[];
  if (!isJsonObject(window) || window['isRolling'] === false || window['calendar'] !== undefined) return undefined;
  const period = parseDuration(jsonText(window['duration']));
  return period === undefined || period < 7 * DAY || period > 366 * DAY || period % DAY !== 0 ? undefined : period;
}

function ratioOf(indicator: JsonObject): Ratio | string {
  const metric = indicator['ratioMetric'];
  if (!isJsonObject(metric)) return 'its indicator is no ratioMetric';
  const kind = metric['good'] === undefined ? 'bad' : 'good';
  const part = queryOf(metric[kind]);
  const total = queryOf(metric['total']);
  if (part === undefined || total === undefined)
    return 'ratioMetric needs `good` or `bad`, and `total`, each with a metricSource of type Prometheus and spec.query';
  const ranged = metric['counter'] !== true;
  for (const query of [part, total]) {
    if (ranged && !WINDOW.test(query)) return 'a query that is no counter must say where the window goes: [{{.window}}]';
    if (!ranged && query.includes('[')) return 'the query of a counter is a selector without a range';
  }
  return { kind, part, total, ranged };
}

/** Where a query wants the window, as sloth writes it, too. */
export const WINDOW = /\{\{\s*\.?window\s*\}\}/;

function queryOf(side: Json | undefined): string | undefined {
  const type = jsonText(valueAt(side, '/metricSource/type')).toLowerCase();
  const query = valueAt(side, '/metricSource/spec/query');
  return (type === 'prometheus' || type === '') && typeof query === 'string' && query.trim() !== '' && query.length <= 4096
    ? query.trim()
    : undefined;
}

function targetOf(objective: Json): number | undefined {
  if (!isJsonObject(objective)) return undefined;
  const { target, targetPercent } = objective;
  // Percent to ratio in decimal: 99.9 / 100 is not 0.999 in binary.
  const value = typeof target === 'number' ? target : typeof targetPercent === 'number' ? Number(`${targetPercent}e-2`) : undefined;
  return value !== undefined && value > 0 && value < 1 ? value : undefined;
}
