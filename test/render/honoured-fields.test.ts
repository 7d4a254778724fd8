import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { SUPPORT } from '#desired/honoured.ts';
import { DECLARATION_SCHEMAS } from '#model/declaration-schemas.ts';
import { sha256Of } from '#model/digest.ts';
import type { ForeignAnswer, ForeignRequest } from '#model/foreign.ts';
import { isJsonObject, type Json, pointerKeys, pointerToken } from '#model/json.ts';
import { foreignRequests, renderUnit } from '#render/render.ts';
import { covers, fieldsOf } from '#test/desired/schema-fields.ts';
import { unit } from '#test/render/builders.ts';

/** One capsule that declares every field of a component, and of what is rendered beside components, that this version says it honours. */
const EVERYTHING = `
apiVersion: capstan.dev/v1alpha1
kind: Capsule
metadata: { name: all, version: 1.0.0 }
spec:
  type: service
  components:
    web:
      kind: Deployment
      primary: true
      image: registry.example.com/web:1
      command: [/bin/web]
      args: [--size, big]
      env:
        PLAIN: { value: x }
        CONFIGURED: { config: size }
        WIRED: { dependency: cache, output: other }
        GUARDED: { value: y, when: "config.size > 100" }
        SECRET: { secret: api, key: second }
      files: { /etc/a: { template: files/a.hbs }, /etc/b: { file: files/b.txt } }
      volumes: { data: { mountPath: /data, storage: data, subPath: inner, readOnly: true } }
      storage: { data: { type: persistent, size: 1Gi, class: fast, access: ReadWriteMany, snapshotBeforeUpgrade: true } }
      ports: { http: { port: 8080, expose: public }, dns: { port: 53, protocol: UDP } }
      probes:
        startup: { httpGet: { port: http, path: /s, scheme: HTTPS }, initialDelaySeconds: 3, periodSeconds: 4, timeoutSeconds: 5, successThreshold: 1, failureThreshold: 6 }
        liveness: { tcp: { port: http }, initialDelaySeconds: 3, periodSeconds: 4, timeoutSeconds: 5, successThreshold: 1, failureThreshold: 6 }
        readiness: { grpc: { port: 9000, service: ready }, initialDelaySeconds: 3, periodSeconds: 4, timeoutSeconds: 5, successThreshold: 2, failureThreshold: 6 }
      resources: { cpu: { request: 100m, limit: 1, burst: 2 }, memory: { request: 64Mi, limit: 256Mi, buffer: 32Mi }, accelerators: { nvidia.com/gpu: 1 } }
      scaling: { horizontal: { min: 2, max: 9, buffer: 20%, metrics: [{ resource: cpu, targetUtilization: 75 }], behavior: { scaleDownStabilization: 5m } }, vertical: { mode: initial }, cluster: { priority: high, placeholderReplicas: 1 } }
      resilience: { timeout: 2s, retries: { attempts: 3, on: [connect-failure] }, circuitBreaker: { consecutiveErrors: 5, ejectFor: 30s } }
      availability: { disruptionBudget: { maxUnavailable: 1 }, spread: zone, minZones: 2 }
      placement: { requires: { arch: [amd64] }, prefers: { arch: [arm64] } }
      security: { runAsNonRoot: true, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: [ALL] }, seccomp: RuntimeDefault, serviceAccount: { create: true, rules: [{ apiGroups: [apps], resources: [pods], verbs: [get] }] } }
      network: { ingressFrom: [gateway], egressTo: [search], externalEgress: [203.0.113.0/24] }
      stop: { gracePeriod: 20s, preStop: { sleep: 5s } }
    fixed:
      kind: Deployment
      image: registry.example.com/fixed:1
      scaling: { replicas: { config: size } }
      availability: { disruptionBudget: { minAvailable: 1 } }
      ports: { http: { port: 8080 } }
      probes:
        startup: { grpc: { port: 9000, service: started } }
        liveness: { httpGet: { port: http, path: /l, scheme: HTTPS } }
        readiness: { tcp: { port: http } }
      security: { runAsUser: 1, runAsGroup: 2, fsGroup: 3, privileged: true, capabilities: { add: [NET_ADMIN] }, serviceAccount: { name: other } }
      stop: { preStop: { httpGet: { path: /stop, port: http } } }
    second:
      kind: StatefulSet
      image: registry.example.com/second:1
      startAfter: [third]
      ports: { http: { port: 8080 } }
      probes:
        startup: { tcp: { port: http } }
        liveness: { grpc: { port: 9000, service: alive } }
        readiness: { httpGet: { port: http, path: /r, scheme: HTTPS } }
      scaling: { horizontal: { min: 2, max: 9, metrics: [{ resource: cpu, targetUtilization: 75 }], behavior: { scaleUpStabilization: 5m } } }
      resources: { cpu: { request: 100m } }
      security: { serviceAccount: { create: true, rules: [{ resources: [secrets], verbs: [get], resourceNames: [one] }] } }
      stop: { preStop: { exec: { command: [/bin/stop] } } }
    third:
      kind: Deployment
      image: registry.example.com/third:1
      scaling: { schedule: [{ cron: "0 7 * * *", timeZone: Europe/Madrid, min: 4 }, { cron: "0 19 * * *", timeZone: Europe/Madrid, min: 1 }] }
      resources: { cpu: { request: 100m, limit: 200m } }
      security: { serviceAccount: { create: false } }
      probes: { startup: { exec: { command: [a] } }, liveness: { exec: { command: [b] } }, readiness: { exec: { command: [c] } } }
    cron:
      kind: CronJob
      image: registry.example.com/cron:1
      schedule: { cron: "0 3 * * *", timeZone: Europe/Madrid, concurrency: Forbid }
    raw:
      kind: Manifests
      source: { path: manifests }
    chart:
      kind: Helm
      source: { path: charts/c-1.2.3.tgz, chart: c, version: 1.2.3, sha256: CHART_DIGEST, tool: 3.22.0, apiVersions: [a/v1], skipHooks: [pre-delete] }
      values: { count: { config: /size } }
    layers:
      kind: Kustomize
      source: { path: layers, tool: 5.8.2 }
    before:
      kind: Job
      image: registry.example.com/before:1
    after:
      kind: Job
      image: registry.example.com/after:1
    move:
      kind: Job
      image: registry.example.com/move:1
  hooks: { preSync: before, postSync: after }
  migrations: [{ from: "*", job: move }]
  patches:
    - { target: { kind: CronJob, name: all-cron }, ops: [{ op: add, path: /spec/suspend, value: true }, { op: copy, from: /spec/suspend, path: /metadata/labels }, { op: replace, path: /metadata/labels, value: { a: b } }] }
    - { target: { kind: StatefulSet }, ops: [{ op: add, path: /metadata/labels/kind, value: a }] }
    - { target: { group: policy }, ops: [{ op: remove, path: /spec/selector }] }
    - { target: { kind: ConfigMap, name: m }, ops: [{ op: add, path: /data, value: { a: b } }] }
  health:
    metrics:
      application: [{ name: Slow, query: a, warn: 1, fail: 2 }]
      business: [{ name: Few, query: b, warn: 2, fail: 1 }]
      custom: [{ name: Odd, query: c, warn: 3, fail: 4 }]
    expressions: [{ apiVersion: v1, kind: ConfigMap, current: status.a, inProgress: status.b, failed: status.c }]
  slo: { profile: l3-default, files: [slo/a.yaml] }
  alerts:
    thresholds:
      - { name: High, query: d, above: 1, for: 5m, severity: critical, message: it is high }
      - { name: Low, query: e, below: 1 }
    escalation: [{ after: 5m, to: oncall }]
    runbook: docs/runbook.md
  observability: { scrape: { port: dns, path: /m }, dashboards: [dashboards/a.json] }
  dependencies: { cache: { capsule: redis, version: ^7.0.0 } }
  secrets: { api: { keys: [first, second] } }
`;

const FILES = {
  'files/a.hbs': 'a',
  'files/b.txt': 'b',
  'slo/a.yaml':
    'apiVersion: openslo/v1\nkind: SLO\nmetadata: { name: pay }\nspec: { timeWindow: [{ duration: 30d }], objectives: [{ target: 0.9 }], indicator: { spec: { ratioMetric: { counter: true, bad: { metricSource: { spec: { query: a } } }, total: { metricSource: { spec: { query: b } } } } } } }\n',
  'dashboards/a.json': '{}',
  'charts/c-1.2.3.tgz': 'an archive',
  'layers/kustomization.yaml': '{}',
  'manifests/m.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m }\n',
};

/** What it renders to, or what is wrong with it, as text. */
function outcomeOf(declaration: Json): string {
  const made = unit(JSON.stringify(declaration), {
    files: FILES,
    config: { size: 3 },
    dependencies: { cache: { instance: 'redis', outputs: { url: 'redis://redis:6379', other: 'x' } } },
    capabilities: { cache: true },
    target: { facts: { kubernetes: '1.34', mesh: 'istio' } },
  });
  const foreign = new Map([...foreignRequests(made)].map(([component, request]) => [component, answerTo(request)]));
  // The content address is an annotation: it must not be what shows.
  const result = renderUnit({ ...made, foreign, pin: { ...made.pin, sha256: sha256Of('one content') } });
  if (!result.ok) return result.problems.map((problem) => problem.message).join('\n');
  return result.value.objects.map((object) => JSON.stringify(object)).join('\n');
}

/** An object that says what was asked, and a hook. */
function answerTo(question: ForeignRequest): ForeignAnswer {
  const request = { ...question, files: [...question.files.keys()] };
  const asked = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: request.tool }, data: { asked: JSON.stringify(request) } };
  const hook = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'hook', annotations: { 'helm.sh/hook': 'pre-delete' } } };
  return { kind: 'rendered', text: [asked, ...(request.tool === 'helm' ? [hook] : [])].map((one) => JSON.stringify(one)).join('\n---\n') };
}

/** Every pointer of the document that a schema pointer speaks of. */
function places(value: Json | undefined, keys: readonly string[]): readonly string[] {
  const [key, ...rest] = keys;
  if (key === undefined) return [''];
  if (typeof value !== 'object' || value === null) return [];
  const names = key === '*' ? Object.keys(value) : Object.hasOwn(value, key) ? [key] : [];
  return names.flatMap((name) => places((value as Record<string, Json>)[name], rest).map((below) => `${pointerToken(name)}${below}`));
}

function without(value: Json, keys: readonly string[]): Json {
  const [key, ...rest] = keys;
  if (Array.isArray(value))
    return value.flatMap((item, index) => (String(index) !== key ? [item] : rest.length === 0 ? [] : [without(item, rest)]));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]) =>
      name !== key ? [[name, item]] : rest.length === 0 ? [] : [[name, without(item, rest)]],
    ),
  );
}

const RENDERED = ['components', 'patches', 'hooks', 'migrations', 'health', 'slo', 'alerts', 'observability'];
const fields = [...fieldsOf(DECLARATION_SCHEMAS.Capsule)].filter((field) => RENDERED.includes(field.split('/')[2] ?? ''));
/** Judged as the risk of a promotion; compared with the chart (foreign.test.ts). */
const ELSEWHERE = [
  '/spec/migrations/*/from',
  '/spec/migrations/*/reversible',
  '/spec/components/*/source/chart',
  '/spec/components/*/source/version',
];
const leaves = fields.filter((field) => !fields.some((other) => other.startsWith(`${field}/`)));
const honoured = leaves.filter((field) => !ELSEWHERE.includes(field) && SUPPORT.Capsule.honoured.some((entry) => covers(entry, field)));
const everything = parse(EVERYTHING.replace('CHART_DIGEST', sha256Of(FILES['charts/c-1.2.3.tgz']))) as Json;
const whole = outcomeOf(everything);

test('the capsule with everything renders', () => {
  expect(whole).toContain('"kind":"Deployment"');
  expect(honoured.length).toBeGreaterThan(60);
});

describe('a field that the table calls honoured shows in what is rendered', () => {
  test.each(honoured)('%s', (field) => {
    const found = places(everything, pointerKeys(field));
    const shows = found.some((pointer) => outcomeOf(without(everything, pointerKeys(pointer))) !== whole);
    expect(shows).toBe(true);
  });
});
