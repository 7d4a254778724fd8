import { expect, test } from 'vitest';

import { prepareEnvironment } from '#loops/prepare-environment.ts';
import { reconcile } from '#loops/reconcile.ts';
import type { World } from '#loops/world.ts';
import { keyText, type ObjectKey } from '#model/kubernetes-object.ts';
import type { Outcome, StepPreview, TargetPlan } from '#model/plan.ts';
import { NOWHERE, placeInFile, type Problem } from '#model/problem.ts';
import { memoryTargets } from '#test/contracts/memory-target.ts';
import { changed, edit, type Garden, plantedGarden, seen, withLocks, worldOf } from './garden.ts';

const WEB = 'capsules/web/capsule.yaml';

function rejection(pointer?: string): Problem {
  return {
    code: 'target-write-failed',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: 'the server rejects it',
    remedy: 'Mend it.',
    place: { ...NOWHERE, pointer },
    related: [],
  };
}

/** The garden with a template, a patch of the environment and a manifest. */
async function garden(): Promise<Garden> {
  const planted = await plantedGarden();
  const patched = await changed(planted, {
    'environments/dev/environment.yaml': edit(
      '      config:\n        replicas: 1\n',
      '      config:\n        replicas: 1\n      patches:\n        - target:\n            kind: Service\n            name: web\n          ops:\n            - op: add\n              path: /spec/sessionAffinity\n              value: ClientIP\n',
    ),
  });
  return withLocks(patched);
}

async function placedIn(from: Garden, wanted: (key: ObjectKey) => boolean, problem: Problem): Promise<readonly Problem[]> {
  const result = await prepareEnvironment(await worldOf(from), 'dev', from.head);
  if (result.kind !== 'ready') throw new Error(JSON.stringify(result.ending));
  const { rendering, places } = result.prepared.rendered;
  const objects = rendering.targets.find((target) => target.target.name === 'one')?.objects ?? [];
  return objects.filter(({ key }) => wanted(key)).map(({ key }) => places.placed('one', key, problem));
}

test('what a target says of an object stands where git wrote it: component, template, patch', async () => {
  const from = await garden();

  expect(seen(await placedIn(from, ({ kind }) => kind === 'Deployment', rejection()))).toEqual([`target-write-failed ${WEB}:12:5`]);
  expect(seen(await placedIn(from, ({ kind }) => kind === 'Deployment', rejection('/spec/replicas')))).toEqual([
    `target-write-failed ${WEB}:27:7`,
  ]);
  expect(seen(await placedIn(from, ({ name }) => name === 'note', rejection()))).toEqual([
    'target-write-failed capsules/web/templates/note.yaml.hbs:2',
  ]);
  expect(seen(await placedIn(from, ({ kind, name }) => kind === 'Service' && name === 'web', rejection('/spec/sessionAffinity')))).toEqual([
    'target-write-failed environments/dev/environment.yaml:29:15',
  ]);
});

test('a place that a target knows itself, and an object that is not rendered, stay as they are', async () => {
  const result = await prepareEnvironment(await worldOf(await plantedGarden()), 'dev', (await plantedGarden()).head);
  if (result.kind !== 'ready') throw new Error('not ready');
  const { places } = result.prepared.rendered;
  const gone = { group: '', kind: 'ConfigMap', namespace: 'shop-dev', name: 'gone' };
  const elsewhere = { ...rejection(), place: placeInFile('somewhere/else') };

  expect(places.placed('one', gone, rejection())).toEqual(rejection());
  expect(places.placed('three', gone, rejection())).toEqual(rejection());
  expect(places.placed('one', gone, elsewhere)).toEqual(elsewhere);
});

/** A world whose targets reject the ConfigMap `note`, in the dry run and when it is written. */
async function rejecting(from: Garden, asked: string[]): Promise<World> {
  const world = await worldOf(from);
  const memory = memoryTargets();
  return {
    ...world,
    targets: {
      open: (environment, name) => {
        const target = memory.at(environment, name);
        return Promise.resolve({
          observe: (wanted) => target.observe(wanted),
          apply: async (plan: TargetPlan, next): Promise<readonly Outcome[]> =>
            (await target.apply(plan, next)).map((outcome) =>
              outcome.key.name === 'note' ? { ...outcome, result: 'failed', problem: rejection() } : outcome,
            ),
          preview: (plan: TargetPlan): Promise<ReadonlyMap<string, StepPreview>> => {
            asked.push(name);
            return Promise.resolve(
              new Map(
                plan.steps.map(({ path, key }) => [
                  path,
                  key.name === 'note'
                    ? { fields: [], problem: rejection() }
                    : { fields: [{ path: '/spec', before: undefined, after: keyText(key) }], problem: undefined },
                ]),
              ),
            );
          },
        });
      },
    },
  };
}

test('a plan asks targets for their dry run only when it is asked to, and tells what they would refuse at its line', async () => {
  const asked: string[] = [];
  const world = await rejecting(await plantedGarden(), asked);
  const request = { environment: 'dev', target: 'one', trigger: 'person', dryRun: true } as const;

  const looked = await reconcile(world, request);
  const before = [...asked];
  const { runs, ending } = await reconcile(world, { ...request, preview: true });

  expect([looked.ending.kind, looked.runs.map((run) => run.preview), before, asked]).toEqual(['settled', [undefined], [], ['one']]);
  expect(runs.map(({ problems }) => seen(problems))).toEqual([['target-write-failed capsules/web/templates/note.yaml.hbs:2']]);
  expect(ending.kind).toBe('stuck');
  expect([...(runs[0]?.preview?.values() ?? [])].filter(({ fields }) => fields.length === 1)).toHaveLength(6);
});

test('what a target refuses while it is written is told at its line, too', async () => {
  const world = await rejecting(await plantedGarden(), []);

  const { ending, receipts } = await reconcile(world, { environment: 'dev', target: 'one', trigger: 'person', dryRun: false });

  const place = 'target-write-failed capsules/web/templates/note.yaml.hbs:2';
  expect(ending.kind === 'stuck' && seen(ending.problems)).toEqual([place]);
  expect(receipts.flatMap(({ outcomes }) => seen(outcomes.flatMap(({ problem }) => problem ?? [])))).toEqual([place]);
});
