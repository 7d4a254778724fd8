import { expect, test } from 'vitest';

import type { PreparedTarget, TargetPreparation } from '#loops/prepared-target.ts';
import { createTargetPreparation } from '#loops/prepared-target.ts';
import { sha256Of, toCommitId, toTreeId } from '#model/digest.ts';
import { toCapsuleName, toInstanceName } from '#model/names.ts';
import type { ResolvedInstance } from '#model/resolution.ts';
import { capsule, environment, readFiles } from '#test/desired/declarations.ts';

function instance(name: string, dependencies: Readonly<Record<string, string>> = {}): ResolvedInstance {
  return {
    pin: {
      instance: toInstanceName(name),
      capsule: toCapsuleName(name),
      version: '1.0.0',
      commit: toCommitId('c'.repeat(40)),
      gitTree: toTreeId('a'.repeat(40)),
      sha256: sha256Of(name),
      requestedBy: ['environment'],
    },
    dependencies: new Map(Object.entries(dependencies).map(([local, provider]) => [local, toInstanceName(provider)])),
    capabilities: new Map(),
    wave: Object.keys(dependencies).length,
  };
}

const NETWORK = 'components:\n  main:\n    kind: Deployment\n    image: x\n    network: {}\n';

function prepare(preparation: TargetPreparation, spec: string, instances: readonly ResolvedInstance[]): PreparedTarget {
  const { state } = readFiles({
    'environments/dev/environment.yaml': environment('dev', spec),
    ...Object.fromEntries(instances.map(({ pin }) => [`capsules/${pin.capsule}/capsule.yaml`, capsule(pin.capsule, '1.0.0', NETWORK)])),
  });
  const [declaredEnvironment] = state.environments;
  const [declared] = declaredEnvironment?.targets ?? [];
  if (declaredEnvironment === undefined || declared === undefined) throw new Error('the environment did not parse');
  const sources = new Map(state.capsules.map((source) => [source.name, source]));
  const sourced = instances.map((one) => {
    const source = sources.get(one.pin.capsule);
    if (source === undefined) throw new Error(`capsule ${one.pin.capsule} did not parse`);
    return { instance: one, source };
  });
  return preparation.prepare({ environment: declaredEnvironment, declared, instances: sourced });
}

const keys = (prepared: PreparedTarget): readonly string[] => prepared.items.map((item) => item.key);

test('a unit carries what its environment wishes of it: secrets, patches, and who depends on it', () => {
  const spec =
    'capsules:\n  web:\n    version: "*"\n    patches:\n      - target: { kind: Service }\n        ops:\n          - op: remove\n            path: /spec/type\nsecrets:\n  web:\n    token:\n      provider: kubernetes\n      name: all\n';
  const prepared = prepare(createTargetPreparation(), spec.replaceAll('{ kind: Service }', '\n          kind: Service'), [
    instance('web'),
    instance('b', { up: 'web', again: 'web' }),
    instance('a', { up: 'web' }),
  ]);

  expect(prepared.items.map((item) => [item.unit.pin.instance, item.unit.wishes])).toEqual([
    [
      'web',
      {
        file: 'environments/dev/environment.yaml',
        secrets: { token: { provider: 'kubernetes', name: 'all' } },
        patches: [{ target: { kind: 'Service' }, ops: [{ op: 'remove', path: '/spec/type' }] }],
        dependents: ['a', 'b'],
      },
    ],
    ['b', { file: 'environments/dev/environment.yaml', secrets: {}, patches: [], dependents: [] }],
    ['a', { file: 'environments/dev/environment.yaml', secrets: {}, patches: [], dependents: [] }],
  ]);
});

test('another wish or another dependent is another rendering, the same ones are the same', () => {
  const preparation = createTargetPreparation();
  const secrets = (name: string): string => `secrets:\n  web:\n    token:\n      provider: kubernetes\n      name: ${name}\n`;

  const [first] = keys(prepare(preparation, secrets('all'), [instance('web')]));
  const [same] = keys(prepare(preparation, secrets('all'), [instance('web')]));
  const [other] = keys(prepare(preparation, secrets('own'), [instance('web')]));
  const [called] = keys(prepare(preparation, secrets('own'), [instance('web'), instance('a', { up: 'web' })]));

  expect(same).toBe(first);
  expect(new Set([first, other, called]).size).toBe(3);
});

test('who depends on an instance and whose recipes configure it are never taken for each other', () => {
  const preparation = createTargetPreparation();
  const names = ['web', 'a', 'b'];
  const { state } = readFiles({
    'environments/dev/environment.yaml': environment('dev', ''),
    ...Object.fromEntries(names.map((name) => [`capsules/${name}/capsule.yaml`, capsule(name, '1.0.0', NETWORK)])),
  });
  const [dev] = state.environments;
  const [declared] = dev?.targets ?? [];
  const of = (one: ResolvedInstance) =>
    state.capsules.flatMap((source) => (source.name === one.pin.capsule ? [{ instance: one, source }] : []));
  const dependentsOfWeb = (recipes: readonly string[], others: readonly ResolvedInstance[]) => {
    if (dev === undefined || declared === undefined) throw new Error('the environment did not parse');
    const instances = [{ ...instance('web'), recipes }, ...others].flatMap(of);
    return preparation.prepare({ environment: dev, declared, instances }).items[0]?.unit.wishes.dependents;
  };

  expect(dependentsOfWeb(['c'], [instance('a', { up: 'web' }), instance('b', { up: 'web' })])).toEqual(['a', 'b']);
  expect(dependentsOfWeb(['b', 'c'], [instance('a', { up: 'web' })])).toEqual(['a']);
});
