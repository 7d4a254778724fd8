import { expect, test } from 'vitest';

import { patienceOf, targetDeclaration, targetSync } from '#loops/sync-rules.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { toInstant } from '#model/instant.ts';
import { edit, changed, plantedGarden, worldOf } from './garden.ts';

const SYNC = `  sync:
    deletionPolicy: WaitForTermination
    force: true
    drift:
      ignore:
        - target:
            kind: Deployment
          paths: [/spec/replicas]
  promotion:
`;

async function devOf(change: (before: string) => string): Promise<DesiredEnvironment> {
  const garden = await changed(await plantedGarden(), { 'environments/dev/environment.yaml': change });
  const world = await worldOf(garden);
  const { state } = await world.reading.declarations(await world.reading.at(garden.head));
  const found = state.environments.find((environment) => environment.name === 'dev');
  if (found === undefined) throw new Error('dev is not declared');
  return found;
}

test('an environment that says nothing of sync deletes what it prunes, ignores nothing, and recreates nothing', async () => {
  expect(targetSync(await devOf((before) => before))).toEqual({ deletionPolicy: 'Delete', ignore: [], recreate: false });
});

test('a target is opened with its credentials, namespace, user, and what sync says', async () => {
  const target = '      path: dev/one\n';
  const environment = await devOf((before) =>
    edit(
      '  promotion:\n',
      SYNC,
    )(
      edit(
        target,
        `${target}      credentials: near\n      namespace: shop\n      impersonate: system:serviceaccount:shop:deployer\n`,
      )(before),
    ),
  );
  const [one] = environment.targets;
  if (one === undefined) throw new Error('dev has no target');
  expect(targetDeclaration(environment, one)).toEqual({
    driver: 'directory',
    path: 'dev/one',
    credentials: 'near',
    namespace: 'shop',
    impersonate: 'system:serviceaccount:shop:deployer',
    sync: {
      deletionPolicy: 'WaitForTermination',
      ignore: [{ group: undefined, kind: 'Deployment', name: undefined, paths: ['/spec/replicas'] }],
      recreate: true,
    },
  });
});

test('what is on its way may take ten minutes, or what sync says', async () => {
  const now = toInstant(1000);

  expect(patienceOf(await devOf((before) => before), now)).toEqual({ now, deadline: 600_000 });
  expect(patienceOf(await devOf(edit('  promotion:\n', '  sync:\n    timeout: 1h30m\n  promotion:\n')), now)).toEqual({
    now,
    deadline: 5_400_000,
  });
});
