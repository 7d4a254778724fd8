import { describe, expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import { toEnvironmentName, toInstanceName, toTargetName } from '#model/names.ts';
import { quantityText } from '#model/quantity.ts';
import type { Rendering, TargetRendering } from '#model/rendering.ts';
import { requestsOf } from '#render/pod-requests.ts';
import { overEnvironmentQuota, overTenantQuota } from '#render/render.ts';
import { render, target, template, type UnitOptions } from '#test/render/builders.ts';
import { declared, environment } from '#test/resolve/worlds.ts';

const NOTHING = 'components: {}';

/** What the objects of a capsule ask for in all, as `cpu 250m, pods 2`. */
function asked(yaml: string, options: UnitOptions = {}): string {
  const sums = new Map<string, bigint>();
  for (const { amounts } of requestsOf(render(yaml, options).objects))
    for (const [name, amount] of amounts) sums.set(name, (sums.get(name) ?? 0n) + amount);
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, amount]) => `${name} ${quantityText(amount, name === 'cpu' || name === 'pods' ? 'count' : 'size')}`)
    .join(', ');
}

/** An object with a pod, written by a template. */
function object(head: string, pod: string): string {
  return asked(NOTHING, template(`${head}\nmetadata: { name: a }\nspec: ${pod}\n`));
}

const POD = '{ containers: [{ name: a, image: i, resources: { requests: { cpu: 100m, memory: 1Gi } } }] }';

describe('pods request', () => {
  test.each([
    ['what their containers do, for each replica and the surge', 'scaling: { replicas: 4 }', '', 'cpu 500m, memory 640Mi, pods 5'],
    ['nothing more where they are recreated', 'scaling: { replicas: 4 }', 'strategy: { type: recreate }', 'cpu 400m, memory 512Mi, pods 4'],
    [
      'a surge that is declared',
      'scaling: { replicas: 4 }',
      'strategy: { type: rolling, rolling: { maxSurge: 3 } }',
      'cpu 700m, memory 896Mi, pods 7',
    ],
    ['nothing where there are none', 'scaling: { replicas: 0 }', '', 'cpu 0, memory 0, pods 0'],
    [
      'the smallest number of an autoscaler',
      'scaling: { horizontal: { min: 3, max: 9, metrics: [{ resource: cpu, targetUtilization: 75 }] } }',
      '',
      'cpu 400m, memory 512Mi, pods 4',
    ],
  ])('%s', (_, scaling, strategy, expected) => {
    const resources = 'resources: { cpu: { request: 100m }, memory: { request: 96Mi, limit: 192Mi, buffer: 32Mi } }';
    expect(asked(`components: { web: { kind: Deployment, image: r/x, ${scaling}, ${resources} } }\n${strategy}`)).toBe(expected);
  });

  test('the largest of what runs before, where it is more than the rest, and what stays beside', () => {
    const one = (name: string, cpu: string, more = ''): string =>
      `{ name: ${name}, image: i, resources: { requests: { cpu: ${cpu} } }${more} }`;
    const pod = (init: string): string => `{ initContainers: [${init}], containers: [${one('a', '100m')}, ${one('b', '200m')}] }`;

    expect(object('apiVersion: v1\nkind: Pod', pod(one('c', '250m')))).toBe('cpu 300m, pods 1');
    expect(object('apiVersion: v1\nkind: Pod', pod(`${one('c', '400m')}, ${one('d', '350m')}`))).toBe('cpu 400m, pods 1');
    expect(object('apiVersion: v1\nkind: Pod', pod(one('c', '50m', ', restartPolicy: Always')))).toBe('cpu 350m, pods 1');
  });

  test('a limit where there is no request, and what a runtime adds', () => {
    const limited =
      '{ overhead: { cpu: 10m }, containers: [{ name: a, image: i, resources: { limits: { cpu: 1, example.com/gpu: 2 } } }] }';
    expect(object('apiVersion: v1\nkind: Pod', limited)).toBe('cpu 1010m, example.com/gpu 2, pods 1');
  });

  test('Jobs by how many run at once, schedules like them, and a DaemonSet once', () => {
    const inside = (spec: string): string => `{ ${spec}template: { spec: ${POD} } }`;
    expect(object('apiVersion: batch/v1\nkind: Job', inside('parallelism: 3, '))).toBe('cpu 300m, memory 3Gi, pods 3');
    expect(object('apiVersion: batch/v1\nkind: CronJob', `{ schedule: "0 0 * * *", jobTemplate: { spec: ${inside('')} } }`)).toBe(
      'cpu 100m, memory 1Gi, pods 1',
    );
    expect(object('apiVersion: apps/v1\nkind: DaemonSet', inside('selector: { matchLabels: { a: b } }, '))).toBe(
      'cpu 100m, memory 1Gi, pods 1',
    );
  });

  test('claims of each replica, and those that stand alone', () => {
    const db =
      'components: { db: { kind: StatefulSet, image: i, scaling: { replicas: 3 }, storage: { data: { type: persistent, size: 2Gi } }, volumes: { data: { mountPath: /d, storage: data } } } }';
    expect(asked(db)).toBe('pods 3, storage 6Gi');
    expect(object('apiVersion: v1\nkind: PersistentVolumeClaim', '{ resources: { requests: { storage: 1Gi } } }')).toBe('storage 1Gi');
  });
});

function rendering(name: string, yaml: string): Rendering {
  const rendered = render(yaml);
  const one: TargetRendering = {
    target: target({ environment: toEnvironmentName(name), name: toTargetName('eu-1') }),
    digest: sha256Of(name),
    instances: new Map([
      [
        toInstanceName('web'),
        { capsule: 'web', version: '1.0.0', gitTree: '', sha256: sha256Of('a'), configSha256: sha256Of('b'), wave: 0 },
      ],
    ]),
    objects: rendered.objects,
    metadata: '',
  };
  return { environment: toEnvironmentName(name), digest: sha256Of(name), targets: [one] };
}

const WEB =
  'components: { web: { kind: Deployment, image: r/x, scaling: { replicas: 4 }, resources: { cpu: { request: 1 }, memory: { request: 1Gi } } } }';

describe('V-39', () => {
  const over = (quota: Record<string, string | number>): readonly string[] =>
    overEnvironmentQuota(environment('prod', {}, { quota }), rendering('prod', WEB)).map(
      ({ message, place }) => `${place.pointer ?? ''} ${message}`,
    );

  test('V-39: each resource that is over, with who asks for it', () => {
    expect(over({ cpu: '4999m', memory: '4Gi', pods: 5 })).toEqual([
      '/spec/quota/cpu prod would request 5 CPU of 4999m; largest: eu-1/web 5',
      '/spec/quota/memory prod would request 5Gi memory of 4Gi; largest: eu-1/web 5Gi',
    ]);
  });

  test('V-39 near miss: exactly as much, by both spellings, and what nobody asks for', () => {
    expect(over({ cpu: 5, 'requests.memory': '5Gi', 'example.com/gpu': 0 })).toEqual([]);
  });

  test('V-39: the environments of a tenant together', () => {
    const spec = { tenants: { acme: { quota: { cpu: 9 } }, other: { quota: { cpu: 1 } } } };
    const project = declared(
      { apiVersion: 'capstan.dev/v1alpha1' as const, kind: 'Project' as const, metadata: { name: 'p' }, spec },
      'project.yaml',
    );
    const of = (name: string) => ({ environment: environment(name, {}, { tenancy: { tenant: 'acme' } }), rendering: rendering(name, WEB) });

    expect(overTenantQuota(project, [of('dev'), of('prod')]).map(({ message, place }) => `${place.pointer ?? ''} ${message}`)).toEqual([
      '/spec/tenants/acme/quota/cpu tenant acme would request 10 CPU of 9; largest: dev 5, prod 5',
    ]);
    expect(overTenantQuota(project, [of('dev')])).toEqual([]);
  });
});
