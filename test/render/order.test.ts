import { describe, expect, it } from 'vitest';

import { valueAt } from '#model/json.ts';
import { toInstanceName } from '#model/names.ts';
import { problems, render } from '#test/render/builders.ts';
import type { UnitOptions } from '#test/render/builders.ts';

const component = (name: string, more = '', kind = 'Deployment'): string =>
  `${name}: { kind: ${kind}, image: x${more === '' ? '' : `, ${more}`} }`;
const capsule = (components: readonly string[], more = ''): string => `components: { ${components.join(', ')} }\n${more}`;

function waves(yaml: string, options: UnitOptions = {}): Readonly<Record<string, number>> {
  return Object.fromEntries(render(yaml, options).objects.map(({ key, wave = 0 }) => [`${key.kind} ${key.name}`, wave]));
}

function names(yaml: string, options: UnitOptions = {}): readonly string[] {
  return Object.keys(waves(yaml, options));
}

describe('start order', () => {
  it('counts a component one after the last of what it starts after', () => {
    expect(
      waves(capsule([component('a', 'startAfter: [b, c]'), component('b', 'startAfter: [c]'), component('c'), component('d')])),
    ).toEqual({
      'Deployment web-a': 2,
      'Deployment web-b': 1,
      'Deployment web-c': 0,
      'Deployment web-d': 0,
    });
  });

  it('V-29: knows the components it names', () => {
    expect(problems(capsule([component('a', 'startAfter: [bb]'), component('b')]))).toEqual([
      'name-undeclared V-29 /spec/components/a/startAfter/0: no component named "bb" in this capsule (known: a, b)',
    ]);
  });

  it.each([
    ['itself', [component('a', 'startAfter: [a]')], 'a'],
    ['in a circle', [component('a', 'startAfter: [b]'), component('b', 'startAfter: [a]'), component('c')], 'a, b'],
  ])('cannot wait for %s', (_, components, circle) => {
    expect(problems(capsule(components))).toEqual([`start-order-cycle - components wait for each other: ${circle}`]);
  });
});

describe('hooks and migrations', () => {
  const jobs = [
    component('web', 'primary: true'),
    component('check', '', 'Job'),
    component('warm', '', 'Job'),
    component('move', '', 'Job'),
  ];
  const all = capsule(jobs, 'hooks: { preSync: check, postSync: warm }\nmigrations: [{ from: "*", job: move }]');

  it('stand before and after everything else', () => {
    const found = waves(all);

    expect(Object.entries(found).map(([name, wave]) => [name.replace(/-[0-9a-f]{8}$/, ''), wave])).toEqual([
      ['Deployment web', 0],
      ['Job web-check', -1],
      ['Job web-move', -1],
      ['Job web-warm', 1],
    ]);
  });

  it('run again under another name: a hook for each configuration, a migration only when its pods change', () => {
    const before = names(all, { config: { a: 1 } });
    const after = names(all, { config: { a: 2 } });
    const image = names(all.replace('move: { kind: Job, image: x', 'move: { kind: Job, image: y'), { config: { a: 1 } });
    const changed = (other: readonly string[]): readonly string[] =>
      other.filter((name) => !before.includes(name)).map((name) => name.replace(/-[0-9a-f]{8}$/, ''));

    const migration = render(all, { config: { a: 2 } }).objects.find(({ key }) => key.name.startsWith('web-move'));
    expect(valueAt(migration?.object, '/spec/template/metadata/annotations')).toBeUndefined();
    expect(changed(after)).toEqual(['Job web-check', 'Job web-warm']);
    expect(changed(image)).toEqual(['Job web-check', 'Job web-move', 'Job web-warm']);
  });

  it('have names that fit into a label, however long the instance is', () => {
    const long = 'a'.repeat(40);
    const found = names(
      capsule([component('web'), component(`b${'-c'.repeat(19)}`, '', 'Job')], `hooks: { preSync: b${'-c'.repeat(19)} }`),
      {
        instance: long,
      },
    ).find((name) => name.startsWith('Job '));

    expect(found).toMatch(/^Job a{40}-b(-c)+-[0-9a-f]{8}$/);
    expect(found?.slice('Job '.length).length).toBeLessThanOrEqual(63);
  });

  it('put what the Job mounts before it', () => {
    const files = capsule(
      [component('web'), component('check', 'files: { /etc/check/a: { file: a } }', 'Job')],
      'hooks: { preSync: check }',
    );
    const found = waves(files, { files: { a: 'x' } });

    expect(Object.entries(found).map(([name, wave]) => [name.split(' ')[0], wave])).toEqual([
      ['Deployment', 0],
      ['Job', -1],
      ['ConfigMap', -2],
    ]);
  });

  it.each([
    [
      'hooks: { preSync: chekc }',
      'name-undeclared V-29 /spec/hooks/preSync: no component named "chekc" in this capsule (known: web, check, warm, move)',
    ],
    ['hooks: { postSync: web }', 'hook-invalid - the hook postSync names component web, which is a Deployment, not a Job'],
    ['migrations: [{ from: "*", job: web }]', 'hook-invalid - the migration names component web, which is a Deployment, not a Job'],
    ['hooks: { preSync: check, postSync: check }', 'hook-invalid - component check runs as a migration or as another hook already'],
    ['hooks: { preStop: check }', 'not-supported - the hook preStop is not rendered by this version'],
    ['hooks: { onRollback: check }', 'not-supported - the hook onRollback is not rendered by this version'],
  ])('refuses %s', (more, message) => {
    const found = problems(capsule(jobs, more)).map((one) =>
      one.replace('(known: check, move, warm, web)', '(known: web, check, warm, move)'),
    );

    expect(found).toEqual([message]);
  });
});

describe('a network policy', () => {
  function policy(network: string, options: UnitOptions = {}, more = ''): unknown {
    const found = render(
      capsule([component('web', `ports: { http: { port: 80 }, metrics: { port: 9090, expose: none } }, ${network}`)], more),
      options,
    );
    return found.objects.find(({ object }) => object.kind === 'NetworkPolicy')?.object['spec'];
  }
  const peers = (...instances: readonly string[]): readonly unknown[] =>
    instances.map((instance) => ({ podSelector: { matchLabels: { 'app.kubernetes.io/instance': instance } } }));

  it('is there only where the component declares its network', () => {
    expect(policy('command: [a]')).toBeUndefined();
    expect(policy('network: {}')).toBeDefined();
  });

  it('lets in who depends on the instance and lets out to what it depends on, each once', () => {
    const spec = policy(
      'network: { ingressFrom: [b, gateway], egressTo: ["dependency:db"] }',
      {
        dependencies: { db: { instance: 'postgres', outputs: {} } },
        wishes: { dependents: [toInstanceName('a'), toInstanceName('b')] },
      },
      'dependencies: { db: { capsule: postgres } }',
    );

    expect([valueAt(spec as never, '/ingress'), valueAt(spec as never, '/egress/1/to')]).toEqual([
      [{ from: peers('a', 'b', 'gateway', 'web') }],
      peers('postgres', 'web'),
    ]);
  });

  it('opens the scraped port to the cluster and nothing else of it', () => {
    const spec = policy('network: {}', {}, 'observability: { scrape: { port: metrics } }');

    expect(valueAt(spec as never, '/ingress/1')).toEqual({ from: [{ namespaceSelector: {} }], ports: [{ port: 9090, protocol: 'TCP' }] });
  });

  it('refuses a block with more bits than addresses have', () => {
    expect(problems(capsule([component('web', 'network: { externalEgress: ["::/0", 10.0.0.0/33, 10.0.0.0/8] }')]))).toEqual([
      'not-supported - "10.0.0.0/33" is not a CIDR block',
    ]);
  });

  it('refuses a dependency that is not declared and a host name', () => {
    expect(problems(capsule([component('web', 'network: { egressTo: ["dependency:x"], externalEgress: [example.com] }')]))).toEqual([
      'dependency-undeclared V-18 dependency:x names no dependency of this capsule',
      'not-supported - "example.com" is not a CIDR block; a NetworkPolicy knows no host names',
    ]);
  });
});
