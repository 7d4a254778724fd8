import { describe, expect, it } from 'vitest';

import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject, valueAt } from '#model/json.ts';
import { problems, render } from '#test/render/builders.ts';
import type { UnitOptions } from '#test/render/builders.ts';

const PORTS = 'components: { web: { kind: Deployment, image: x, ports: { http: { port: 80 }, metrics: { port: 9090, expose: EXPOSE } } } }';

function kinds(yaml: string, options: UnitOptions = {}): readonly string[] {
  return render(yaml, options).objects.map(({ key }) => `${key.kind} ${key.name}`);
}

function rules(yaml: string, options: UnitOptions = {}): readonly JsonObject[] {
  const rule = render(yaml, options).objects.find(({ key }) => key.kind === 'PrometheusRule');
  const groups = valueAt(rule?.object, '/spec/groups');
  return (Array.isArray(groups) ? (groups as readonly Json[]) : []).flatMap((group) => {
    const listed = valueAt(group, '/rules');
    return (Array.isArray(listed) ? (listed as readonly Json[]) : []).filter(isJsonObject);
  });
}

describe('scraping', () => {
  const scraped = (port: string, expose: string, kind = 'Deployment'): string =>
    `${PORTS.replace('EXPOSE', expose).replace('Deployment', kind)}\nobservability: { scrape: { port: ${port} } }`;

  it.each([
    ['of the Service where one has the port', scraped('metrics', 'internal'), 'ServiceMonitor web'],
    ['by its number', scraped('9090', 'internal'), 'ServiceMonitor web'],
    ['of the pods where no Service has it', scraped('metrics', 'none'), 'PodMonitor web'],
    ['of the pods where two Services have it', scraped('metrics', 'public'), 'PodMonitor web'],
    ['of the pods of a StatefulSet, which has two Services', scraped('metrics', 'internal', 'StatefulSet'), 'PodMonitor web'],
  ])('is declared by a monitor %s', (_, yaml, monitor) => {
    expect(kinds(yaml).filter((kind) => kind.includes('Monitor'))).toEqual([monitor]);
  });

  it('V-29: names a port that is there', () => {
    expect(problems(scraped('metric', 'internal'))).toEqual([
      'name-undeclared V-29 /spec/observability/scrape/port: no port named "metric" in this capsule (known: http, metrics)',
    ]);
  });

  it('renders nothing for a target that declares that nothing watches there, and still finds mistakes', () => {
    const options = { target: { facts: { monitoring: 'none' } } };

    expect(kinds(scraped('metrics', 'internal'), options).filter((kind) => kind.includes('Monitor'))).toEqual([]);
    expect(problems(scraped('metric', 'internal'), options)).toHaveLength(1);
  });
});

describe('alerts', () => {
  const threshold = (fields: string): string => `alerts: { thresholds: [{ name: A, query: up, ${fields} }] }`;

  it.each([
    ['above: 5', '(up) > 5', undefined],
    ['below: 0.5, for: 90s', '(up) < 0.5', '90s'],
    ['above: 0, for: 0s', '(up) > 0', undefined],
    ['above: 1, for: 1h30m', '(up) > 1', '90m'],
    ['above: 1, for: 500ms', '(up) > 1', '500ms'],
  ])('compare a query with a bound: %s', (fields, expr, lasting) => {
    expect(rules(threshold(fields)).map((rule) => [rule['expr'], rule['for']])).toEqual([[expr, lasting]]);
  });

  it("fill in our names and leave Prometheus' alone", () => {
    const [rule] = rules(threshold('above: 1, message: "{{instance}} has {{ $value }} of {{$labels.pod}}"'));

    expect(valueAt(rule, '/annotations/summary')).toBe('web has {{ $value }} of {{$labels.pod}}');
    expect(problems(threshold('above: 1, message: "{{nope}}"'))).toEqual([
      'substitution-unknown - {{nope}} names nothing that is known here',
    ]);
  });

  it.each([
    ['warn: 80, fail: 100', ['(q) > 80 warning', '(q) > 100 critical']],
    ['warn: 10, fail: 1', ['(q) < 10 warning', '(q) < 1 critical']],
    ['fail: 3', ['(q) > 3 critical']],
  ])('of a health metric go where it gets worse: %s', (bounds, expected) => {
    const found = rules(`health: { metrics: { application: [{ name: M, query: q, ${bounds} }] } }`);

    expect(found.map((rule) => `${String(rule['expr'] as string)} ${String(valueAt(rule, '/labels/severity') as string)}`)).toEqual(
      expected,
    );
  });

  it('carry the runbook and who is called when', () => {
    const [rule] = rules(
      `alerts: { thresholds: [{ name: A, query: up, above: 1 }], escalation: [{ after: 1h, to: b }, { after: 5m, to: a }], runbook: "https://r.example/a" }`,
    );

    expect(rule?.['annotations']).toEqual({ escalation: '5m a, 1h b', runbook_url: 'https://r.example/a', summary: 'A is above 1' });
  });
});

const QUERY = (query: string): string => `{ metricSource: { type: Prometheus, spec: { query: '${query}' } } }`;
const RATIO = `ratioMetric: { counter: true, bad: ${QUERY('bad_total')}, total: ${QUERY('all_total')} }`;
const WINDOW = 'timeWindow: [{ duration: 30d, isRolling: true }]';
const slo = (spec: string, name = 'pay'): string => `apiVersion: openslo/v1\nkind: SLO\nmetadata: { name: ${name} }\nspec: { ${spec} }\n`;
const GOOD = slo(`indicator: { spec: { ${RATIO} } }, ${WINDOW}, objectives: [{ target: 0.999 }]`);
const FILES = 'slo: { files: [slo/a.yaml] }';

describe('objectives', () => {
  const files = (text: string): UnitOptions => ({ files: { 'slo/a.yaml': text } });

  it('become error ratios over seven windows, two alerts, and what is left of the budget', () => {
    const found = rules(FILES, files(GOOD));

    expect(found.map((rule) => rule['record'] ?? rule['alert'])).toEqual([
      'slo:error_ratio:rate5m',
      'slo:error_ratio:rate30m',
      'slo:error_ratio:rate1h',
      'slo:error_ratio:rate2h',
      'slo:error_ratio:rate6h',
      'slo:error_ratio:rate1d',
      'slo:error_ratio:rate3d',
      'SloErrorBudgetBurnsFast',
      'SloErrorBudgetBurnsSlowly',
      'slo:error_ratio:rate30d',
      'slo:objective:ratio',
      'slo:error_budget_remaining:ratio',
    ]);
    expect(found[0]?.['expr']).toBe('sum(rate(bad_total[5m])) / sum(rate(all_total[5m]))');
  });

  it('burn at 14.4, 6, 3 and 1 times the budget of 30 days, and at less for a shorter period', () => {
    const factors = (text: string): readonly string[] =>
      rules(FILES, files(text)).flatMap((rule) =>
        rule['alert'] === undefined
          ? []
          : [...String(rule['expr'] as string).matchAll(/> \(([0-9.]+) \* 0\.001\)/g)].map((match) => match[1] ?? ''),
      );

    expect(factors(GOOD)).toEqual(['14.4', '14.4', '6', '6', '3', '3', '1', '1']);
    expect(factors(GOOD.replace('30d', '7d'))).toEqual(['3.36', '3.36', '1.4', '1.4', '0.7', '0.7', '0.233333333', '0.233333333']);
  });

  it('of l3-default are availability and latency of HTTP', () => {
    const found = rules('slo: { profile: l3-default }');

    expect(new Set(found.map((rule) => valueAt(rule, '/labels/slo')))).toEqual(new Set(['web-availability', 'web-latency']));
  });

  it.each([
    ['a percentage', GOOD.replace('target: 0.999', 'targetPercent: 99.9')],
    ['a good ratio', GOOD.replace('bad:', 'good:')],
    ['queries with a window of their own', GOOD.replace('counter: true, ', '').replaceAll('_total', '_total[{{.window}}]')],
  ])('can be written with %s', (_, text) => {
    expect(problems(FILES, files(text))).toEqual([]);
    expect(rules(FILES, files(text)).length).toBe(12);
  });

  it.each([
    ['no SLO', 'apiVersion: openslo/v1\nkind: Service\nmetadata: { name: a }\n', 'holds no SLO'],
    ['another document', 'apiVersion: v1\nkind: ConfigMap\n', 'holds a document whose apiVersion is not openslo/v1'],
    ['a name that is no label', GOOD.replace('name: pay', 'name: Pay'), 'SLO "Pay": metadata.name is not an RFC 1123 label'],
    [
      'time slices',
      GOOD.replace('spec: {', 'spec: { budgetingMethod: Timeslices,'),
      'SLO "pay": budgetingMethod "Timeslices" is not Occurrences',
    ],
    ['a calendar', GOOD.replace('isRolling: true', 'isRolling: false'), 'SLO "pay": timeWindow is not one rolling window of days or weeks'],
    ['a window of hours', GOOD.replace('30d', '36h'), 'SLO "pay": timeWindow is not one rolling window of days or weeks'],
    ['no indicator', GOOD.replace('indicator:', 'indicators:'), 'SLO "pay": it has no indicator'],
    ['a threshold', GOOD.replace('ratioMetric', 'thresholdMetric'), 'SLO "pay": its indicator is no ratioMetric'],
    [
      'a reference to nothing',
      GOOD.replace(/indicator: \{ spec: .*?\} \} \} \} \} \}/, 'indicatorRef: x'),
      'SLO "pay": its indicatorRef names no SLI of this file',
    ],
    [
      'another source',
      GOOD.replaceAll('Prometheus', 'Datadog'),
      'SLO "pay": ratioMetric needs `good` or `bad`, and `total`, each with a metricSource of type Prometheus and spec.query',
    ],
    [
      'a counter with a range',
      GOOD.replace('bad_total', 'bad_total[5m]'),
      'SLO "pay": the query of a counter is a selector without a range',
    ],
    [
      'no place for the window',
      GOOD.replace('counter: true, ', ''),
      'SLO "pay": a query that is no counter must say where the window goes: [{{.window}}]',
    ],
    [
      'a target of 1',
      GOOD.replace('0.999', '1'),
      'SLO "pay": objective 1 needs a target between 0 and 1, or a targetPercent between 0 and 100',
    ],
    ['no objective', GOOD.replace('[{ target: 0.999 }]', '[]'), 'SLO "pay": it needs one to twenty objectives'],
  ])('refuse %s', (_, text, message) => {
    expect(problems(FILES, files(text))).toEqual([`slo-invalid V-93 slo/a.yaml ${message}`]);
  });

  it('V-93: the service of an SLO is the capsule or its instance', () => {
    const of = (service: string): string => GOOD.replace('spec: {', `spec: { service: ${service},`);
    expect(problems(FILES, files(of('shop')))).toEqual([
      'slo-invalid V-93 slo/a.yaml SLO "pay": service "shop" is neither web nor its instance web',
    ]);
  });

  it('V-93 near miss: an SLO that names its capsule', () => {
    expect(problems(FILES, files(GOOD.replace('spec: {', 'spec: { service: web,')))).toEqual([]);
  });

  it('refuse two of one name, an unknown profile and a file that is not there', () => {
    expect(problems(FILES, files(`${GOOD}---\n${GOOD}`))).toEqual(['slo-invalid V-93 two objectives of web are named "pay"']);
    expect(problems('slo: { profile: l4 }')).toEqual(['slo-invalid V-93 no profile of objectives is named "l4" (known: l3-default)']);
    expect(problems(FILES)).toEqual(['file-missing V-12 capsules/web/slo/a.yaml does not exist']);
  });
});

describe('dashboards', () => {
  it.each([
    ['[]', 'a list'],
    ['{ "a": ', 'broken JSON'],
    ['"x"', 'a text'],
  ])('must be JSON objects, not %s', (text) => {
    expect(problems('observability: { dashboards: [d/a.json] }', { files: { 'd/a.json': text } })).toEqual([
      'dashboard-invalid - dashboard d/a.json is not a JSON object',
    ]);
  });

  it('have names that objects can have, and different ones for different files', () => {
    const names = kinds('observability: { dashboards: [a/x.json, a/X.json, "b/!.json"] }', {
      files: { 'a/x.json': '{}', 'a/X.json': '{}', 'b/!.json': '{}' },
    });

    expect(names).toEqual([
      expect.stringMatching(/^ConfigMap web-dashboard-[0-9a-f]{8}$/),
      expect.stringMatching(/^ConfigMap web-dashboard-x-[0-9a-f]{8}$/),
      'ConfigMap web-dashboard-x',
    ]);
  });
});

describe('feature flags', () => {
  const flags = (flag: string): UnitOptions => ({ files: { 'flags/a.yaml': `flags: { beta: ${flag} }` } });

  it('are the files below flags/, and no others', () => {
    const text = 'flags: { beta: { state: ENABLED, variants: { "on": true, "off": false }, defaultVariant: "on" } }';
    const { objects } = render('{}', { files: { 'flags/a.yaml': text, 'flags/sub/b.yaml': 'no', 'flags/README.md': 'no' } });

    expect(objects.map(({ object }) => object['data'])).toEqual([{ 'a.yaml': text }]);
  });

  it.each([
    ['{ state: ON, variants: { a: 1 }, defaultVariant: a }', 'needs a state, ENABLED or DISABLED'],
    ['{ state: ENABLED, variants: {}, defaultVariant: a }', 'has no variants'],
    ['{ state: ENABLED, variants: { a: 1, b: 2 }, defaultVariant: c }', 'has a defaultVariant that is none of its variants (a, b)'],
    ['{ state: ENABLED, variants: { a: 1 }, defaultVariant: constructor }', 'has a defaultVariant that is none of its variants (a)'],
    ['{ state: ENABLED, variants: { a: 1, b: x }, defaultVariant: a }', 'has variants of several types (number, string)'],
    ['off', 'is not a map'],
  ])('refuse %s', (flag, what) => {
    expect(problems('{}', flags(flag))).toEqual([`flags-invalid - flags/a.yaml of web does not define flag "beta": it ${what}`]);
  });

  it('refuse a file without flags and a stream', () => {
    expect(problems('{}', { files: { 'flags/a.json': '{}' } })).toEqual(['flags-invalid - flags/a.json of web has no map `flags`']);
    expect(problems('{}', { files: { 'flags/a.yaml': 'flags: {}\n---\nflags: {}\n' } })).toEqual([
      'flags-invalid - flags/a.yaml of web holds more than one document',
    ]);
  });
});
