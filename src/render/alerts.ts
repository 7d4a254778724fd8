import type { Json, JsonObject } from '#model/json.ts';
import { milliseconds } from './amount.ts';
import type { RuleGroup } from './prometheus.ts';
import { prometheusDuration } from './prometheus.ts';
import type { Scope } from './scope.ts';
import { compact, filled } from './scope.ts';

interface Bound {
  readonly name: string;
  readonly query: string;
  readonly sign: '>' | '<';
  readonly value: number;
  readonly severity: string;
  readonly forText: string | undefined;
  readonly message: string | undefined;
  readonly pointer: string;
}

/** Alerts of `alerts.thresholds` and of the bounds of `health.metrics`. */
export function alertGroups(scope: Scope): readonly RuleGroup[] {
  const bounds = [...thresholds(scope), ...metricBounds(scope)];
  if (bounds.length === 0) return [];
  return [{ name: `${scope.name}.alerts`, interval: undefined, rules: bounds.map((bound) => alertRule(scope, bound)) }];
}

function thresholds(scope: Scope): readonly Bound[] {
  return (scope.capsule.spec.alerts?.thresholds ?? []).map((one, at): Bound => ({
    name: one.name,
    query: one.query,
    sign: one.above === undefined ? '<' : '>',
    value: one.above ?? one.below ?? 0,
    severity: one.severity ?? 'warning',
    forText: one.for,
    message: one.message,
    pointer: `/spec/alerts/thresholds/${at}`,
  }));
}

/** `fail` below `warn` means that low values are bad. */
function metricBounds(scope: Scope): readonly Bound[] {
  const { metrics } = scope.capsule.spec.health ?? {};
  return (['application', 'business', 'custom'] as const).flatMap((group) =>
    (metrics?.[group] ?? []).flatMap(({ name, query, warn, fail }, at): readonly Bound[] => {
      if (query === undefined) return [];
      const sign = warn !== undefined && fail !== undefined && fail < warn ? '<' : '>';
      const shared = { name, query, sign, forText: undefined, message: undefined, pointer: `/spec/health/metrics/${group}/${at}` } as const;
      return [
        ...(warn === undefined ? [] : [{ ...shared, value: warn, severity: 'warning' }]),
        ...(fail === undefined ? [] : [{ ...shared, value: fail, severity: 'critical' }]),
      ];
    }),
  );
}

function alertRule(scope: Scope, bound: Bound): JsonObject {
  const lasting = milliseconds(scope, bound.forText, `${bound.pointer}/for`);
  const side = bound.sign === '>' ? 'above' : 'below';
  return compact({
    alert: bound.name,
    annotations: {
      summary: bound.message === undefined ? `${bound.name} is ${side} ${bound.value}` : messageText(scope, bound.message, bound.pointer),
      ...alertNotes(scope),
    },
    expr: `(${filled(scope, bound.query, `${bound.pointer}/query`).trim()}) ${bound.sign} ${bound.value}`,
    for: lasting === undefined || lasting === 0 ? undefined : prometheusDuration(lasting),
    labels: { ...alertLabels(scope), severity: bound.severity },
  });
}

/** Names of ours are put in; `{{ $value }}` and `{{ $labels.x }}` are Prometheus' and stay. */
function messageText(scope: Scope, message: string, pointer: string): string {
  return message
    .split(/(\{\{\s*\$[^{}]*\}\})/)
    .map((text, at) => (at % 2 === 1 ? text : filled(scope, text, `${pointer}/message`)))
    .join('');
}

/** Where an alert belongs, for routes. */
export function alertLabels(scope: Scope): Readonly<Record<string, string>> {
  const { target, pin } = scope.unit;
  return { capsule: pin.capsule, capsule_instance: pin.instance, environment: target.environment, ...ownerOf(scope) };
}

function ownerOf(scope: Scope): Readonly<Record<string, string>> {
  const { owner } = scope.capsule.spec;
  return owner === undefined ? {} : { owner };
}

/** What whoever is paged needs: the runbook, and who is next. */
export function alertNotes(scope: Scope): Readonly<Record<string, Json>> {
  const { escalation = [], runbook } = scope.capsule.spec.alerts ?? {};
  const steps = escalation
    .map((step, at) => ({ ...step, wait: milliseconds(scope, step.after, `/spec/alerts/escalation/${at}/after`) ?? 0 }))
    .sort((a, b) => a.wait - b.wait)
    .map((step) => `${step.after} ${step.to}`);
  return compact({
    escalation: steps.length === 0 ? undefined : steps.join(', '),
    [runbook?.startsWith('https://') === true ? 'runbook_url' : 'runbook']: runbook,
  });
}
