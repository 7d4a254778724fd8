import { describe, expect, test } from 'vitest';

import { capsule, problemsOf, shown } from '#test/desired/declarations.ts';

/** The problems of a component `web`, without the file: `V-32 error 12 ...`. */
function found(component: string, more = ''): readonly string[] {
  const spec = `components:\n  web:\n    kind: Deployment\n    image: a\n${component.replaceAll(/^(?=.)/gm, '    ')}\n${more}`;
  return shown(problemsOf({ 'capsules/web/capsule.yaml': capsule('web', '1.0.0', spec) })).map((line) =>
    line.replace('capsules/web/capsule.yaml:', ''),
  );
}

const HPA = 'scaling: { horizontal: { min: 2, max: 4, metrics: [{ resource: cpu, targetUtilization: 75 }] } }';

describe('violations', () => {
  test.each([
    [
      'V-29: storage',
      'storage: { data: { type: ephemeral } }\nvolumes: { d: { mountPath: /d, storage: dta } }',
      '',
      ['V-29 error 13 /spec/components/web/volumes/d/storage: no storage named "dta" in this capsule (known: data); did you mean "data"?'],
    ],
    [
      'V-29: a component to start after',
      'startAfter: [db]',
      '',
      ['V-29 error 12 /spec/components/web/startAfter/0: no component named "db" in this capsule (known: none)'],
    ],
    [
      'V-29: a port that is provided',
      'ports: { http: { port: 80 } }',
      'provides: { http: { protocol: http, port: htpp } }',
      ['V-29 error 13 /spec/provides/http/port: no port named "htpp" in this capsule (known: http); did you mean "http"?'],
    ],
    [
      'V-29: a hook that is no Job',
      'args: []',
      'hooks: { preSync: web }',
      ['V-29 error 13 /spec/hooks/preSync: no Job component named "web" in this capsule (known: none)'],
    ],
    [
      'V-29: the job of a migration',
      'args: []',
      'migrations: [{ from: ^1.0.0, job: up }]',
      ['V-29 error 13 /spec/migrations/0/job: no Job component named "up" in this capsule (known: none)'],
    ],
    [
      'V-29: an analysis of a canary',
      'args: []',
      'strategy: { canary: { steps: [{ analysis: errors }] }, analysis: { latency: { provider: prometheus, query: up, onNoData: fail } } }',
      ['V-29 error 13 /spec/strategy/canary/steps/0/analysis: no analysis named "errors" in this capsule (known: latency)'],
    ],
    [
      'V-32',
      'resources: { cpu: { request: 500m, limit: 0.25 } }',
      '',
      ['V-32 error 12 component web: cpu request 500m ≤ limit 0.25 does not hold'],
    ],
    [
      'V-32: limit above burst',
      'resources: { cpu: { request: 1, limit: 2, burst: 1500m } }',
      '',
      ['V-32 error 12 component web: cpu request 1 ≤ limit 2 ≤ burst 1500m does not hold'],
    ],
    [
      'V-33',
      'resources: { memory: { request: 96Mi, buffer: 97Mi, limit: 192Mi } }',
      '',
      ['V-33 error 12 component web: memory request 96Mi + buffer 97Mi exceeds limit 192Mi'],
    ],
    ['V-34: min over max', 'scaling: { horizontal: { min: 5, max: 3 } }', '', ['V-34 error 12 horizontal scaling min 5 exceeds max 3']],
    [
      'V-34: a buffer over the whole',
      'scaling: { horizontal: { min: 1, max: 3, buffer: 101% } }',
      '',
      ['V-34 error 12 horizontal scaling buffer 101% is not between 0% and 100%'],
    ],
    ['V-35', HPA, '', ['V-35 error 12 HPA on cpu utilization needs resources.cpu.request']],
    [
      'V-36',
      'scaling: { replicas: 2, horizontal: { min: 2, max: 4 } }',
      '',
      ['V-36 warning 12 replicas is ignored because horizontal scaling is on'],
    ],
    [
      'V-37',
      `resources: { cpu: { request: 1 } }\n${HPA.replace(' } }', ' }, vertical: { mode: auto } }')}`,
      '',
      ['V-37 error 13 vertical.mode auto and a horizontal cpu metric fight each other'],
    ],
    [
      'V-38: no eviction',
      'scaling: { replicas: 2 }\navailability: { disruptionBudget: { minAvailable: 2 } }',
      '',
      ['V-38 error 13 disruption budget allows no eviction with 2 replicas'],
    ],
    [
      'V-38: a share that rounds up to all',
      'scaling: { replicas: 3 }\navailability: { disruptionBudget: { minAvailable: 67% } }',
      '',
      ['V-38 error 13 disruption budget allows no eviction with 3 replicas'],
    ],
    [
      'V-38: every eviction',
      'scaling: { horizontal: { min: 1, max: 9 } }\navailability: { disruptionBudget: { maxUnavailable: 1 } }',
      '',
      ['V-38 error 13 disruption budget protects nothing: all of 1 replica may go at once'],
    ],
    [
      'V-38: zones',
      'scaling: { replicas: 2 }\navailability: { minZones: 3 }',
      '',
      ['V-38 error 13 component web cannot spread over 3 zones with 2 replicas'],
    ],
    [
      'V-38: leader election',
      'availability: { leaderElection: true }',
      '',
      ['V-38 error 12 leader election of component web needs 2 replicas; it has 1'],
    ],
    [
      'V-40: a port',
      'ports: { http: { port: 80 } }\nprobes: { readiness: { tcp: { port: htpp } } }',
      '',
      [
        'V-40 error 13 /spec/components/web/probes/readiness/tcp/port: no port named "htpp" in this component (known: http); did you mean "http"?',
      ],
    ],
    [
      'V-40: liveness',
      'probes: { liveness: { tcp: { port: 80 }, failureThreshold: 2 }, readiness: { tcp: { port: 80 } } }',
      '',
      ['V-40 error 12 liveness of web can kill the pod before readiness gives up (20s < 30s)'],
    ],
  ])('%s', (_, component, more, expected) => {
    expect(found(component, more)).toEqual(expected);
  });
});

describe('near misses', () => {
  test.each([
    [
      'V-29',
      'storage: { data: { type: ephemeral } }\nvolumes: { d: { mountPath: /d, storage: data } }\nports: { http: { port: 80 } }',
      'provides: { http: { protocol: http, port: http }, raw: { protocol: tcp, port: 81 } }',
    ],
    ['V-32: all the same', 'resources: { cpu: { request: 1000m, limit: 1, burst: 1.0 } }', ''],
    ['V-32: the limit alone', 'resources: { cpu: { limit: 1 } }', ''],
    ['V-33: to the last byte', 'resources: { memory: { request: 96Mi, buffer: 96Mi, limit: 192Mi } }', ''],
    ['V-34', 'scaling: { horizontal: { min: 3, max: 3, buffer: 100% } }', ''],
    ['V-35', `resources: { cpu: { request: 1 } }\n${HPA}`, ''],
    ['V-36: replicas alone', 'scaling: { replicas: 2 }', ''],
    [
      'V-37: vertical at the start only',
      `resources: { cpu: { request: 1 } }\n${HPA.replace(' } }', ' }, vertical: { mode: initial } }')}`,
      '',
    ],
    [
      'V-38: one of two',
      'scaling: { replicas: 2 }\navailability: { disruptionBudget: { maxUnavailable: 1 }, minZones: 2, leaderElection: true }',
      '',
    ],
    [
      'V-38: the configuration decides',
      'scaling: { replicas: { config: n } }\navailability: { disruptionBudget: { minAvailable: 9 } }',
      '',
    ],
    ['V-38: switched off', 'scaling: { replicas: 0 }\navailability: { disruptionBudget: { minAvailable: 1 } }', ''],
    [
      'V-40: the same time',
      'probes: { liveness: { tcp: { port: 80 } }, readiness: { tcp: { port: 80 }, initialDelaySeconds: 10, failureThreshold: 2 } }',
      '',
    ],
  ])('%s', (_, component, more) => {
    expect(found(component, more)).toEqual([]);
  });
});
