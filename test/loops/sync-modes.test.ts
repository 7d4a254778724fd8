import { expect, test } from 'vitest';

import { createWorld } from '#loops/create-world.ts';
import { reconcile } from '#loops/reconcile.ts';
import { statusOf } from '#loops/status.ts';
import type { Trigger } from '#model/receipt.ts';
import { PortError } from '#ports/port-error.ts';
import type { Targets } from '#ports/target.ts';
import { portsOf } from '#test/stories/engine.ts';
import { newOutside, peopleOf, targetOf, type Outside } from '#test/stories/outside.ts';
import { DEV, environmentFile } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

const FILE = 'environments/dev/environment.yaml';
const DEPLOYMENT = 'web/apps_v1_deployment_shop-dev_web.yaml';

async function shop(sync: string): Promise<Outside> {
  const outside = newOutside();
  await declareShop(outside, [{ ...DEV, name: 'dev' }]);
  await say(outside, sync);
  return outside;
}

async function say(outside: Outside, sync: string): Promise<void> {
  const lines = sync.split('\n').map((line) => `    ${line}\n`);
  await peopleOf(outside).push({ [FILE]: `${environmentFile({ ...DEV, name: 'dev' })}  sync:\n${lines.join('')}` });
}

async function run(outside: Outside, trigger: Trigger = 'poll', through: (targets: Targets) => Targets = (targets) => targets) {
  const ports = portsOf(outside);
  const world = createWorld({ ...ports, targets: through(ports.targets) });
  await world.repository.fetch();
  const result = await reconcile(world, { environment: 'dev', target: undefined, trigger, dryRun: false });
  await world.repository.fetch();
  return { world, result, branches: [...(await world.repository.refs()).keys()].map((ref) => ref.slice('refs/heads/'.length)) };
}

function files(outside: Outside): Readonly<Record<string, number>> {
  return Object.fromEntries(['one', 'two'].map((name) => [name, targetOf(outside, `dev/${name}`).files.size]));
}

test('a suspended environment is left as it is, its branches included, and status says so', async () => {
  const outside = await shop('suspend: true');
  const { world, result, branches } = await run(outside);
  expect(result.ending).toEqual({ kind: 'waiting', reasons: ['dev is suspended (sync.suspend): nothing is synced'], until: undefined });
  expect([files(outside), branches]).toEqual([{ one: 0, two: 0 }, ['main']]);
  expect((await statusOf(world, 'dev')).notices).toContain('dev is suspended (sync.suspend): nothing is synced');

  await say(outside, 'suspend: false');
  expect((await run(outside)).result.ending).toEqual({ kind: 'settled' });
});

test('mode render-only moves the rendered branch and nothing else', async () => {
  const outside = await shop('mode: render-only');
  const { result, branches } = await run(outside);
  expect([result.ending, result.runs, files(outside)]).toEqual([{ kind: 'settled' }, [], { one: 0, two: 0 }]);
  expect(branches.toSorted()).toEqual(['main', 'rendered/dev']);
});

test('mode manual writes nothing until a person reconciles, and leaves drift to people, too', async () => {
  const outside = await shop('mode: manual');
  const waits = "keeps what it has: sync.mode is manual: 'capstan reconcile dev' applies what git wants now";
  expect((await run(outside)).result.ending).toEqual({ kind: 'waiting', reasons: [`one ${waits}`, `two ${waits}`], until: undefined });
  expect(files(outside)).toEqual({ one: 0, two: 0 });

  expect((await run(outside, 'person')).result.ending).toEqual({ kind: 'settled' });
  expect((await run(outside)).result.ending).toEqual({ kind: 'settled' });

  const { files: there } = targetOf(outside, 'dev/one');
  there.set(DEPLOYMENT, `${there.get(DEPLOYMENT) ?? ''}# edited\n`);
  const { result } = await run(outside);
  expect(result.runs[0]?.drift.map((object) => object.action)).toEqual(['reported']);
  expect(there.get(DEPLOYMENT)).toContain('# edited');
  await run(outside, 'person');
  expect(there.get(DEPLOYMENT)).not.toContain('# edited');
});

test('without waiting for health a run is settled once it is applied', async () => {
  const outside = await shop('wait: true');
  await run(outside);
  const target = targetOf(outside, 'dev/one');
  const row = target.inventory?.objects.find((object) => object.path === DEPLOYMENT);
  if (row === undefined) throw new Error('nothing is there');
  target.reports.set(DEPLOYMENT, { path: DEPLOYMENT, state: 'progressing', reason: 'starts', sha256: row.sha256 });
  expect((await run(outside)).result.ending).toEqual({
    kind: 'waiting',
    reasons: ['Deployment web starts'],
    until: undefined,
  });

  outside.now = (outside.now + 60_000) as Outside['now'];
  await say(outside, 'wait: false');
  const { result } = await run(outside);
  expect([result.ending.kind, result.runs[0]?.health.state]).toEqual(['settled', 'progressing']);
});

test('a target that cannot be reached is unknown; the others go on and are recorded', async () => {
  const outside = await shop('interval: 5m');
  const away =
    (kind: 'transient' | 'denied') =>
    (targets: Targets): Targets => ({
      ...targets,
      async open(environment, target, declaration) {
        const opened = await targets.open(environment, target, declaration);
        const observe = async (): Promise<never> => {
          throw new PortError(kind, 'the server is away');
        };
        return target === 'one' ? { ...opened, observe } : opened;
      },
    });

  const { world, result } = await run(outside, 'poll', away('transient'));
  const message = 'target one of dev cannot be used: the server is away';
  expect(result.ending).toEqual({ kind: 'retry', because: message });
  expect(result.runs.map(({ plan, health }) => [plan.target, health.state])).toEqual([
    ['one', 'unknown'],
    ['two', 'healthy'],
  ]);
  expect(files(outside)['two']).toBeGreaterThan(0);
  const { ledger } = await world.ledger.at(await world.repository.resolve('audit'));
  expect([...ledger.targets].map(([name, state]) => [name, state.health, state.ending])).toEqual([
    ['dev/one', 'unknown', 'retry'],
    ['dev/two', 'healthy', 'settled'],
  ]);

  const refused = await run(outside, 'poll', away('denied'));
  expect(refused.result.ending.kind === 'stuck' && refused.result.ending.problems.map((problem) => problem.message)).toEqual([message]);
  expect((await run(outside)).result.ending.kind).toBe('settled');
});
