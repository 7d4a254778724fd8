import { describe, expect, it } from 'vitest';

import type { Json } from '#model/json.ts';
import { valueAt } from '#model/json.ts';
import { problems, render } from '#test/render/builders.ts';
import type { UnitOptions } from '#test/render/builders.ts';

const component = (fields: string, kind = 'Deployment'): string => `components: { web: { kind: ${kind}, image: x, ${fields} } }`;
const ISTIO: UnitOptions = { target: { facts: { mesh: 'istio' } } };

function value(yaml: string, kind: string, pointer: string, options: UnitOptions = {}): Json | undefined {
  return valueAt(render(yaml, options).objects.find(({ key }) => key.kind === kind)?.object, pointer);
}

function names(yaml: string, kind: string, options: UnitOptions = {}): readonly string[] {
  return render(yaml, options)
    .objects.filter(({ key }) => key.kind === kind)
    .map(({ key }) => key.name);
}

describe('a buffer', () => {
  const target = (horizontal: string): Json | undefined =>
    value(component(`scaling: { horizontal: { min: 1, max: 5, ${horizontal} } }`), 'HorizontalPodAutoscaler', '/spec/metrics/0/resource');

  it.each([
    ['buffer: 20%, metrics: [{ resource: cpu, targetUtilization: 75 }]', 'cpu', 62],
    ['buffer: 0%, metrics: [{ resource: memory, targetUtilization: 75 }]', 'memory', 75],
    ['buffer: 100%, metrics: [{ resource: cpu, targetUtilization: 1 }]', 'cpu', 1],
    ['buffer: 25%', 'cpu', 64],
  ])('lowers the utilisation that is aimed at: %s', (horizontal, name, averageUtilization) => {
    expect(target(horizontal)).toEqual({ name, target: { averageUtilization, type: 'Utilization' } });
  });

  it('is nothing where none is declared', () => {
    expect(value(component('scaling: { horizontal: { min: 1, max: 5 } }'), 'HorizontalPodAutoscaler', '/spec/metrics')).toBeUndefined();
  });
});

describe('a schedule', () => {
  const day = '{ cron: "0 7 * * *", min: 4 }';
  const night = '{ cron: "0 19 * * *", min: 1 }';
  const scaled = (schedule: string, more = ''): string => component(`scaling: { schedule: [${schedule}]${more} }`);

  it('is a trigger for each entry above the smallest, from its time to the next', () => {
    const yaml = scaled(`${day}, { cron: "0 12 * * *", min: 6 }, ${night}`);

    expect(value(yaml, 'ScaledObject', '/spec')).toEqual({
      maxReplicaCount: 6,
      minReplicaCount: 1,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      triggers: [
        { metadata: { desiredReplicas: '4', end: '0 12 * * *', start: '0 7 * * *', timezone: 'Etc/UTC' }, type: 'cron' },
        { metadata: { desiredReplicas: '6', end: '0 19 * * *', start: '0 12 * * *', timezone: 'Etc/UTC' }, type: 'cron' },
      ],
    });
    expect(value(yaml, 'Deployment', '/spec/replicas')).toBeUndefined();
  });

  it('takes the last entry round to the first, and the declared number where an entry says none', () => {
    const yaml = scaled(`${night}, { cron: "0 7 * * *" }`, ', replicas: 3');

    expect(value(yaml, 'ScaledObject', '/spec/triggers')).toEqual([
      { metadata: { desiredReplicas: '3', end: '0 19 * * *', start: '0 7 * * *', timezone: 'Etc/UTC' }, type: 'cron' },
    ]);
  });

  it('replaces the autoscaler and keeps its metrics', () => {
    const yaml = scaled(`${day}, ${night}`, ', horizontal: { min: 2, max: 9, metrics: [{ resource: cpu, targetUtilization: 60 }] }');

    expect(names(yaml, 'HorizontalPodAutoscaler')).toEqual([]);
    expect(value(yaml, 'ScaledObject', '/spec/triggers/0')).toEqual({ metadata: { value: '60' }, metricType: 'Utilization', type: 'cpu' });
  });

  it.each([
    [scaled(day), 'the schedule of component web has one entry, which nothing ever ends'],
    [
      scaled(`{ cron: "0 7 * * *", min: 4, timeZone: Europe/Madrid }, ${night}`),
      'the schedule of component web names several time zones: Etc/UTC, Europe/Madrid',
    ],
    [
      scaled(`{ cron: "0 7 * * *", min: 4, max: 9 }, ${night}`),
      'a schedule moves the smallest number of pods, not the largest (component web)',
    ],
    [scaled(`${day}, ${day}`), 'every entry of the schedule of component web wants 4 pods'],
    [scaled(`${day}, ${night}`, ', horizontal: { min: 1, max: 3 }'), 'the schedule of component web wants 4 pods, and horizontal.max is 3'],
    [
      component(`scaling: { schedule: [${day}, ${night}] }`, 'DaemonSet'),
      'the number of pods of a DaemonSet cannot be scaled (component web)',
    ],
    [component('scaling: { horizontal: { min: 1, max: 2 } }', 'Job'), 'the number of pods of a Job cannot be scaled (component web)'],
  ])('that cannot be kept is refused: %s', (yaml, message) => {
    expect(problems(yaml)).toEqual([`scaling-impossible - ${message}`]);
  });
});

describe('vertical scaling', () => {
  const policy = (scaling: string, resources = 'cpu: { limit: 1 }, memory: { limit: 1Gi }'): Json | undefined =>
    value(
      component(`resources: { ${resources} }, scaling: { ${scaling} }`),
      'VerticalPodAutoscaler',
      '/spec/resourcePolicy/containerPolicies/0',
    );

  it('stays within the declared limits', () => {
    expect(policy('vertical: { mode: auto }')).toEqual({
      containerName: 'web',
      controlledResources: ['cpu', 'memory'],
      controlledValues: 'RequestsOnly',
      maxAllowed: { cpu: '1', memory: '1Gi' },
    });
    expect(policy('vertical: { mode: auto }', '')).not.toHaveProperty('maxAllowed');
  });

  it('leaves alone what horizontal scaling measures', () => {
    expect(policy('vertical: { mode: auto }, horizontal: { min: 1, max: 2 }')).toMatchObject({ controlledResources: ['memory'] });
    expect(
      policy('vertical: { mode: auto }, horizontal: { min: 1, max: 2, metrics: [{ resource: memory, targetUtilization: 50 }] }'),
    ).toMatchObject({ controlledResources: ['cpu'], maxAllowed: { cpu: '1' } });
  });

  it.each([
    ['initial', 'Initial'],
    ['auto', 'Recreate'],
  ])('%s is %s', (mode, updateMode) => {
    expect(value(component(`scaling: { vertical: { mode: ${mode} } }`), 'VerticalPodAutoscaler', '/spec/updatePolicy')).toEqual({
      updateMode,
    });
  });

  it('is off where nothing is left for it', () => {
    const both =
      'horizontal: { min: 1, max: 2, metrics: [{ resource: cpu, targetUtilization: 50 }, { resource: memory, targetUtilization: 50 }] }';

    expect(problems(component(`scaling: { vertical: { mode: initial }, ${both} }`))).toEqual([
      'scaling-impossible - horizontal scaling of component web uses cpu and memory, so vertical scaling has nothing left',
    ]);
  });
});

describe('room in the cluster', () => {
  it('is kept by placeholders of the size of the component, which anything may evict', () => {
    const yaml = component('resources: { cpu: { request: 1 } }, scaling: { cluster: { placeholderReplicas: 2 } }');

    expect(names(yaml, 'Deployment')).toEqual(['web-placeholder', 'web']);
    expect(names(yaml, 'PriorityClass')).toEqual(['acme-prod-web-placeholder']);
    expect(value(yaml, 'PriorityClass', '/value')).toBe(-10);
  });

  it('needs a size', () => {
    expect(problems(component('scaling: { cluster: { placeholderReplicas: 1 } }'))).toEqual([
      'scaling-impossible - placeholders of component web have no size: it requests neither cpu nor memory',
    ]);
  });

  it('goes by the priority that is named, and normal is none', () => {
    const priority = (name: string): Json | undefined =>
      value(component(`scaling: { cluster: { priority: ${name} } }`), 'Deployment', '/spec/template/spec/priorityClassName');

    expect([priority('high'), priority('normal')]).toEqual(['high', undefined]);
  });
});

describe('a snapshot before upgrades', () => {
  const stored = (
    more = '',
    kind = 'StatefulSet',
    storage = 'type: persistent, size: 1Gi',
    volumes = 'data: { mountPath: /d, storage: data }',
  ): string => component(`volumes: { ${volumes} }, storage: { data: { ${storage}, snapshotBeforeUpgrade: true } }${more}`, kind);

  it('is taken of the claim of every pod, under a name of this content', () => {
    expect(names(stored(', scaling: { replicas: 2 }'), 'VolumeSnapshot')).toEqual([
      expect.stringMatching(/^data-web-0-before-[0-9a-f]{8}$/),
      expect.stringMatching(/^data-web-1-before-[0-9a-f]{8}$/),
    ]);
    expect(names(stored('', 'Deployment'), 'VolumeSnapshot')).toEqual([expect.stringMatching(/^web-data-before-[0-9a-f]{8}$/)]);
    expect(names(stored(), 'VolumeSnapshot')).not.toEqual(names(stored(', args: [x]'), 'VolumeSnapshot'));
    expect(names(stored(), 'VolumeSnapshot', { config: { a: 1 } })).toEqual(names(stored(), 'VolumeSnapshot', { config: { a: 2 } }));
  });

  it('comes before hooks and pods', () => {
    expect(render(stored()).objects.map(({ key, wave = 0 }) => [key.kind, wave])).toContainEqual(['VolumeSnapshot', -2]);
  });

  it.each([
    [stored('', 'Deployment', 'type: ephemeral'), 'storage data of component web is ephemeral'],
    [stored('', 'Deployment', 'type: persistent, size: 1Gi', ''), 'no volume of component web mounts storage data'],
    [
      stored(', scaling: { horizontal: { min: 1, max: 2 } }'),
      'the volumes of component web cannot be listed: its number of pods is scaled',
    ],
  ])('that cannot be taken is refused: %s', (yaml, message) => {
    expect(problems(yaml)).toEqual([`snapshot-impossible - ${message}`]);
  });
});

describe('resilience', () => {
  const called = (resilience: string, ports = 'http: { port: 80 }'): string =>
    component(`ports: { ${ports} }, resilience: { ${resilience} }`);

  it.each([
    ['timeout: 1500ms', { route: [{ destination: { host: 'web' } }], timeout: '1500ms' }],
    ['timeout: 2m', { route: [{ destination: { host: 'web' } }], timeout: '120s' }],
    ['retries: {}', { retries: { attempts: 2 }, route: [{ destination: { host: 'web' } }] }],
    ['retries: { attempts: 0, on: [5xx] }', { retries: { attempts: 0, retryOn: '5xx' }, route: [{ destination: { host: 'web' } }] }],
  ])('is a VirtualService: %s', (resilience, http) => {
    expect(value(called(resilience), 'VirtualService', '/spec/http/0', ISTIO)).toEqual(http);
    expect(names(called(resilience), 'DestinationRule', ISTIO)).toEqual([]);
  });

  it('is a DestinationRule where a circuit breaks, and nothing where nothing is declared', () => {
    const breaker = called('circuitBreaker: { consecutiveErrors: 3, ejectFor: 1m }');

    expect(value(breaker, 'DestinationRule', '/spec/trafficPolicy/outlierDetection', ISTIO)).toEqual({
      baseEjectionTime: '60s',
      consecutive5xxErrors: 3,
    });
    expect(names(breaker, 'VirtualService', ISTIO)).toEqual([]);
    expect(render(called('')).objects.map(({ key }) => key.kind)).toEqual(['Deployment', 'Service']);
  });

  it.each<[string, UnitOptions, string]>([
    ['http: { port: 80 }', {}, 'resilience of component web needs a mesh that can do it; target eu-1 declares no mesh'],
    [
      'http: { port: 80 }',
      { target: { facts: { mesh: 'linkerd' } } },
      'resilience of component web needs a mesh that can do it; target eu-1 declares the mesh "linkerd"',
    ],
    ['http: { port: 80, expose: none }', ISTIO, 'component web has resilience, but no port that anybody calls'],
  ])('that nobody would honour is refused: %s %o', (ports, options, message) => {
    expect(problems(called('timeout: 2s', ports), options)).toEqual([`resilience-impossible - ${message}`]);
  });
});
