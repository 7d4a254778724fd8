import { describe, expect, test } from 'vitest';

import { validateSnapshot } from '#loops/check.ts';
import { branchRef, toEnvironmentName } from '#model/names.ts';
import { portsOf, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { capsuleFiles, DEV, environmentFile, type Files, type Stage } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

const promoteDev = { kind: 'promote' as const, environment: toEnvironmentName('dev') };
const MANUAL: Stage = { ...DEV, merge: 'manual', targets: ['one'] };

function policyFile(name: string, spec: string): Files {
  return {
    [`policies/${name}.yaml`]: `apiVersion: capstan.dev/v1alpha1\nkind: Policy\nmetadata:\n  name: ${name}\nspec:\n${spec.trim().replaceAll(/^/gm, '  ')}\n`,
  };
}

const TWO_PEOPLE = `
on: [promotion]
validations:
  - expression: size(change.approvals.filter(a, !(a.user in change.authors))) >= 2
    messageExpression: "'two people must approve; ' + string(size(change.approvals)) + ' did'"
tests:
  - name: one is not enough
    input: { change: { approvals: [ { user: bob } ], authors: [ada] } }
    expect: deny
  - name: two are
    input: { change: { approvals: [ { user: bob }, { user: eve } ], authors: [ada] } }
    expect: allow
`;

const NO_FEWER = `
on: [reconcile]
match:
  objects: [ { apiGroups: [apps] } ]
validations:
  - expression: oldObject == null || oldObject.spec.replicas <= object.spec.replicas
    message: replicas may not fall
tests:
  - name: fewer
    input: { object: { spec: { replicas: 1 } }, oldObject: { spec: { replicas: 2 } } }
    expect: deny
  - name: more
    input: { object: { spec: { replicas: 2 } }, oldObject: { spec: { replicas: 1 } } }
    expect: allow
`;

const ONE_REPLICA = `
on: [render]
match:
  objects: [ { kinds: [Deployment] } ]
validations:
  - expression: object.spec.replicas <= 1
    message: one replica is enough
tests:
  - name: two
    input: { object: { spec: { replicas: 2 } } }
    expect: deny
  - name: one
    input: { object: { spec: { replicas: 1 } } }
    expect: allow
`;

function release(version: string, replicas = 1): Files {
  return Object.fromEntries(
    Object.entries(capsuleFiles(version)).map(([path, text]) => [path, text.replace('replicas: 1', `replicas: ${replicas}`)]),
  );
}

async function shop(files: Files, stage: Stage = MANUAL): Promise<{ readonly outside: Outside; readonly engine: Engine }> {
  const outside = newOutside();
  await declareShop(outside, [stage]);
  await peopleOf(outside).push(files);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  return { outside, engine };
}

const promoted = (outside: Outside) =>
  [...outside.forge.statuses.values()]
    .filter(({ check }) => check.name === 'capstan/promote')
    .map(({ check }) => `${check.state} ${check.detail}`);

describe('on promotion', () => {
  test('a policy holds the change until it is approved as it asks, by people who did not write it', async () => {
    const { outside, engine } = await shop(policyFile('two-people', TWO_PEOPLE));
    await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
    await engine.wake({ kind: 'look' });
    const [pull] = [...outside.forge.pulls.values()];
    const number = pull?.request.number ?? 0;

    expect(promoted(outside)).toEqual(['pending policy-two-people: policy two-people: two people must approve; 0 did (change to dev)']);

    for (const login of ['bob', 'ada']) await peopleOf(outside).forge(login).review(number, 'approved');
    await engine.wake(promoteDev);
    expect(promoted(outside)).toEqual([expect.stringContaining('two people must approve; 1 did')]);

    await peopleOf(outside).forge('eve').review(number, 'approved');
    await engine.wake(promoteDev);
    expect(promoted(outside)).toEqual(['success all 2 gates passed']);
  });

  test('a gate asks a policy that selects another environment; one that is not judged on promotion leaves it open', async () => {
    const elsewhere = `match:\n  environments:\n    matchLabels:\n      stage: production\n${TWO_PEOPLE.trim()}`;
    const gates =
      '    - name: people\n      type: policy\n      ref: two-people\n    - name: replicas\n      type: policy\n      ref: one-replica\n';
    const { outside, engine } = await shop({
      ...policyFile('two-people', elsewhere),
      ...policyFile('one-replica', ONE_REPLICA),
      'environments/dev/environment.yaml': `${environmentFile(MANUAL)}${gates}`,
    });
    await peopleOf(outside).push(capsuleFiles('1.1.0'), { message: 'web 1.1.0' });
    await engine.wake({ kind: 'look' });
    const [pull] = [...outside.forge.pulls.values()];

    expect(pull?.request.body).toContain('| people | policy | waiting | policy two-people: two people must approve; 0 did');
    expect(pull?.request.body).toContain('| replicas | policy | inconclusive | policy one-replica is not judged on promotion |');
  });
});

describe('on render and reconcile', () => {
  test('a denied object stops its environment with the words and the place of the policy, and names the component', async () => {
    const { outside, engine } = await shop(policyFile('one-replica', ONE_REPLICA), { ...DEV, targets: ['one'] });
    const before = outside.targets.get('dev/one')?.inventory;
    await peopleOf(outside).push(release('1.1.0', 2), { message: 'web 1.1.0' });
    await engine.wake({ kind: 'look' });

    expect(engine.endings.get('reconcile/dev')).toMatchObject({
      kind: 'stuck',
      problems: [
        {
          code: 'policy-denied',
          message: 'policy one-replica: one replica is enough (apps/Deployment/shop-dev/web of web on dev/one)',
          place: { file: 'policies/one-replica.yaml', line: 10 },
          related: [{ file: 'capsules/web/capsule.yaml', line: 11, note: 'apps/Deployment/shop-dev/web comes from web 1.1.0' }],
        },
      ],
    });
    expect(outside.targets.get('dev/one')?.inventory).toEqual(before);
  });

  test('an exception lets it through and says so, until it ends', async () => {
    const files = policyFile(
      'one-replica',
      `${ONE_REPLICA.trim()}\nexceptions:\n  - match: { capsule: web }\n    until: 2026-01-06\n    ticket: SEC-9\n`,
    );
    const { outside, engine } = await shop({ ...files, ...release('1.1.0', 2) }, { ...DEV, targets: ['one'] });
    const checked = async () => {
      const main = await engine.world.repository.resolve('main');
      if (main === undefined) throw new Error('no main');
      const { problems } = await validateSnapshot(engine.world, await engine.world.reading.at(main));
      return problems
        .filter((problem) => problem.code.startsWith('policy-'))
        .map((problem) => `${problem.severity} ${problem.code}`)
        .sort();
    };

    expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
    expect(outside.targets.get('dev/one')?.inventory?.objects.length).toBeGreaterThan(0);
    expect(await checked()).toEqual(['warning policy-excepted']);

    outside.now = (outside.now + 86_400_000) as Outside['now'];
    await engine.drift();

    expect(engine.endings.get('reconcile/dev')).toMatchObject({ kind: 'stuck', problems: [{ code: 'policy-denied' }] });
    expect(await checked()).toEqual(['error policy-denied', 'warning policy-exception-lapsed']);
  });

  test('a policy compares with what the last rendering had', async () => {
    const { outside, engine } = await shop({ ...policyFile('no-fewer', NO_FEWER), ...release('1.1.0', 3) }, { ...DEV, targets: ['one'] });
    const before = outside.targets.get('dev/one')?.inventory;
    await peopleOf(outside).push(release('1.2.0', 2), { message: 'web 1.2.0' });
    await engine.wake({ kind: 'look' });

    expect(engine.endings.get('reconcile/dev')).toMatchObject({
      kind: 'stuck',
      problems: [{ code: 'policy-denied', message: expect.stringContaining('policy no-fewer: replicas may not fall') }],
    });
    expect(outside.targets.get('dev/one')?.inventory).toEqual(before);

    await peopleOf(outside).push(release('1.3.0', 3), { message: 'web 1.3.0' });
    await engine.wake({ kind: 'look' });
    expect(engine.endings.get('reconcile/dev')).toEqual({ kind: 'settled' });
  });
});

describe('on a pull request', () => {
  async function propose(
    outside: Outside,
    engine: Engine,
    change: { files?: Files; remove?: readonly string[] },
  ): Promise<readonly string[]> {
    const { repository, forge } = peopleOf(outside);
    const main = await repository.resolve('main');
    if (main === undefined) throw new Error('no main');
    const next = await repository.writeCommit(
      {
        base: (await repository.commit(main)).tree,
        changes: [
          ...Object.entries(change.files ?? {}).map(([path, text]) => ({ kind: 'file' as const, path, content: Buffer.from(text) })),
          ...(change.remove ?? []).map((path) => ({ kind: 'delete' as const, path })),
        ],
        parents: [main],
        author: { name: 'ada', email: 'ada@example.org', at: outside.now, zone: '+0000' },
        message: 'a proposal\n',
      },
      undefined,
    );
    await repository.push([{ ref: branchRef('proposal'), expected: undefined, next }]);
    await forge('ada').open({ head: 'proposal', base: 'main', title: 'a proposal', body: '', labels: [] });
    await engine.wake({ kind: 'look' });
    return [...outside.forge.statuses.values()]
      .filter(({ check }) => check.name === 'capstan/validate')
      .map(({ check }) => `${check.state} ${check.detail}`);
  }

  const ENVIRONMENT = 'environments/dev/environment.yaml';
  const PROD_ONLY = `
on: [pullRequest]
validations:
  - expression: "!change.files.exists(f, f == 'environments/dev/environment.yaml') || change.author == 'eve'"
    messageExpression: "'only eve changes environments, not ' + change.author"
tests:
  - name: ada
    input: { change: { files: [environments/dev/environment.yaml], author: ada } }
    expect: deny
  - name: eve
    input: { change: { files: [environments/dev/environment.yaml], author: eve } }
    expect: allow
`;

  test('row 81: a proposal is judged by the policies of the default branch, and cannot take them out', async () => {
    const { outside, engine } = await shop(
      policyFile('labelled', ONE_REPLICA.replace('object.spec.replicas <= 1', 'object.metadata.namespace == "shop-dev"')),
    );

    const found = await propose(outside, engine, {
      remove: ['policies/labelled.yaml'],
      files: {
        [ENVIRONMENT]: environmentFile(MANUAL).replace('namespace: shop-dev', 'namespace: elsewhere'),
      },
    });

    expect(found).toEqual([expect.stringMatching(/^failure 1 errors; policies\/labelled.yaml:10 policy labelled: one replica is enough/)]);
  });

  test('a policy sees who proposes what', async () => {
    const { outside, engine } = await shop(policyFile('eve-only', PROD_ONLY));

    expect(await propose(outside, engine, { files: { [ENVIRONMENT]: `${environmentFile(MANUAL)}# changed\n` } })).toEqual([
      'failure 1 errors; policies/eve-only.yaml:8 policy eve-only: only eve changes environments, not ada (change to dev)',
    ]);
  });

  test('what touches nothing that is judged passes', async () => {
    const { outside, engine } = await shop(policyFile('eve-only', PROD_ONLY));

    expect(await propose(outside, engine, { files: { 'README.md': 'hello\n' } })).toEqual(['success valid; nothing rendered changes']);
  });
});
