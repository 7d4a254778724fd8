import type { JsonObject } from '#model/json.ts';
import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';
import { alertLabels, alertNotes } from './alerts.ts';
import type { Objective, Ratio } from './open-slo.ts';
import { readOpenSlo, WINDOW } from './open-slo.ts';
import type { RuleGroup } from './prometheus.ts';
import { prometheusDuration, promqlText } from './prometheus.ts';
import type { Scope } from './scope.ts';
import { compact, filled, report } from './scope.ts';
import { fileText } from './template.ts';

const HOUR = 3_600_000;

/** Google's SRE workbook, "Alerting on SLOs", multiwindow and multi-burn-rate: which part of the budget is gone after which window. */
const ALERTS = [
  {
    name: 'SloErrorBudgetBurnsFast',
    severity: 'critical',
    burns: [
      { budget: 0.02, long: HOUR, short: HOUR / 12 },
      { budget: 0.05, long: 6 * HOUR, short: HOUR / 2 },
    ],
  },
  {
    name: 'SloErrorBudgetBurnsSlowly',
    severity: 'warning',
    burns: [
      { budget: 0.1, long: 24 * HOUR, short: 2 * HOUR },
      { budget: 0.1, long: 72 * HOUR, short: 6 * HOUR },
    ],
  },
] as const;
const WINDOWS = [HOUR / 12, HOUR / 2, HOUR, 2 * HOUR, 6 * HOUR, 24 * HOUR, 72 * HOUR] as const;

/** Recording rules and burn-rate alerts of every objective, from the files and the profile of `spec.slo`. */
export function sloGroups(scope: Scope): readonly RuleGroup[] {
  const objectives = [...profileObjectives(scope), ...fileObjectives(scope)];
  const twice = objectives.find((one, at) => objectives.findIndex((other) => other.name === one.name) !== at);
  if (twice !== undefined)
    invalid(scope, '/spec/slo', `two objectives of ${scope.unit.pin.capsule} are named ${JSON.stringify(twice.name)}`);
  return objectives.flatMap((objective) => groupsOf(scope, objective));
}

function invalid(scope: Scope, pointer: string, message: string): void {
  report(scope, pointer, {
    code: 'slo-invalid',
    rule: 'V-93',
    message,
    remedy: 'Write an OpenSLO v1 SLO with a ratioMetric of Prometheus, one rolling window and the budgeting method Occurrences.',
  });
}

/** 99.9 % of requests without an error of the server, 95 % within 100 ms, by the names that OpenTelemetry gives to HTTP servers. */
function profileObjectives(scope: Scope): readonly Objective[] {
  const profile = scope.capsule.spec.slo?.profile;
  if (profile === undefined) return [];
  if (profile !== 'l3-default') {
    invalid(scope, '/spec/slo/profile', `no profile of objectives is named ${JSON.stringify(profile.slice(0, 80))} (known: l3-default)`);
    return [];
  }
  const job = `job=${promqlText(scope.unit.pin.instance)}`;
  const total = `http_server_request_duration_seconds_count{${job}}`;
  const shared = { description: undefined, service: undefined, period: 30 * 24 * HOUR };
  const count = (kind: Ratio['kind'], part: string): Ratio => ({ kind, part, total, ranged: false });
  return [
    {
      ...shared,
      name: `${scope.name}-availability`,
      target: 0.999,
      ratio: count('bad', `http_server_request_duration_seconds_count{${job},http_response_status_code=~"5.."}`),
    },
    {
      ...shared,
      name: `${scope.name}-latency`,
      target: 0.95,
      ratio: count('good', `http_server_request_duration_seconds_bucket{${job},le="0.1"}`),
    },
  ];
}

function fileObjectives(scope: Scope): readonly Objective[] {
  return (scope.capsule.spec.slo?.files ?? []).flatMap((path, at) => {
    const pointer = `/spec/slo/files/${at}`;
    const text = fileText(scope, path, pointer);
    if (text === undefined) return [];
    const read = readKubernetesYaml(text, `${scope.unit.capsule.directory}/${path}`);
    if (!read.ok) {
      scope.problems.push(...read.problems);
      return [];
    }
    const objectives = readOpenSlo(read.value.map((document) => document.value));
    if (!objectives.ok) {
      invalid(scope, pointer, `${path} ${objectives.message}`);
      return [];
    }
    const { capsule, instance } = scope.unit.pin;
    const stranger = objectives.objectives.find(({ service }) => service !== undefined && service !== capsule && service !== instance);
    if (stranger !== undefined) {
      const whose = JSON.stringify(stranger.service?.slice(0, 80));
      invalid(scope, pointer, `${path} SLO "${stranger.name}": service ${whose} is neither ${capsule} nor its instance ${instance}`);
      return [];
    }
    return objectives.objectives.map((one) => ({
      ...one,
      ratio: { ...one.ratio, part: filledQuery(scope, one.ratio.part, pointer), total: filledQuery(scope, one.ratio.total, pointer) },
    }));
  });
}

/** `{{instance}}` and the like; the window's place is kept for later. */
function filledQuery(scope: Scope, query: string, pointer: string): string {
  return query
    .split(WINDOW)
    .map((text) => filled(scope, text, pointer))
    .join('{{.window}}');
}

function groupsOf(scope: Scope, objective: Objective): readonly RuleGroup[] {
  const labels = { ...alertLabels(scope), slo: objective.name };
  const selector = `{capsule_instance=${promqlText(scope.unit.pin.instance)},environment=${promqlText(scope.unit.target.environment)},slo=${promqlText(objective.name)}}`;
  const budget = decimal(1 - objective.target);
  const record = (window: number): JsonObject => ({ expr: errorRatio(objective.ratio, window), labels, record: ratioName(window) });
  const period = ratioName(objective.period);
  return [
    {
      name: `${objective.name}.slo`,
      interval: undefined,
      rules: [...WINDOWS.map(record), ...ALERTS.map((alert) => burnAlert(scope, { objective, labels, selector, budget, alert }))],
    },
    {
      name: `${objective.name}.slo-period`,
      // The whole period is dear to compute and moves slowly.
      interval: HOUR / 12,
      rules: [
        record(objective.period),
        { expr: `vector(${decimal(objective.target)})`, labels, record: 'slo:objective:ratio' },
        { expr: `1 - (${period}${selector} / ${budget})`, labels, record: 'slo:error_budget_remaining:ratio' },
      ],
    },
  ];
}

function ratioName(window: number): string {
  return `slo:error_ratio:rate${prometheusDuration(window)}`;
}

function errorRatio(ratio: Ratio, window: number): string {
  const over = (query: string): string => {
    const text = prometheusDuration(window);
    return ratio.ranged ? `(${query.split(WINDOW).join(text)})` : `sum(rate(${query}[${text}]))`;
  };
  const share = `${over(ratio.part)} / ${over(ratio.total)}`;
  return ratio.kind === 'bad' ? share : `1 - (${share})`;
}

interface Burning {
  readonly objective: Objective;
  readonly labels: Readonly<Record<string, string>>;
  readonly selector: string;
  readonly budget: string;
  readonly alert: (typeof ALERTS)[number];
}

function burnAlert(scope: Scope, { objective, labels, selector, budget, alert }: Burning): JsonObject {
  const burns = alert.burns.map(({ budget: spent, long, short }) => {
    const bound = `(${decimal((spent * objective.period) / long)} * ${budget})`;
    return `(${ratioName(long)}${selector} > ${bound} and ${ratioName(short)}${selector} > ${bound})`;
  });
  const what = objective.description ?? `${decimal(objective.target * 100)} % over ${prometheusDuration(objective.period)}`;
  return {
    alert: alert.name,
    annotations: compact({ summary: `${objective.name} spends its error budget too fast: ${what}`, ...alertNotes(scope) }),
    expr: burns.join(' or '),
    labels: { ...labels, severity: alert.severity },
  };
}

/** The shortest decimal of at most nine places: binary fractions (0.0009999999999999) are no numbers for people. */
function decimal(value: number): string {
  return value.toFixed(9).replace(/\.?0+$/, '');
}
