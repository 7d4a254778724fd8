import { describe, expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import { toEnvironmentName } from '#model/names.ts';
import type { Observation, Outcome, ReportedHealth, TargetPlan } from '#model/plan.ts';
import type { TargetRendering } from '#model/rendering.ts';
import { nextInventory, planChanges } from '#plan/plan.ts';
import type { PlanRequest } from '#plan/plan.ts';
import type { Target } from '#ports/target.ts';
import { inventoryOf, renderedObject, targetRendering } from '#test/plan/build-target.ts';

/** A target under test, and the hands of people and consumers that reach around it. */
export interface TargetBench {
  readonly target: Target;
  /** The object of a path as `renderedObject` writes it: its bytes, or what a cluster has of its fields. */
  readonly read: (path: string) => Promise<string | undefined>;
  /** Puts the text of an object there, or changes what is there to it, as somebody else. */
  put(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Absent: objects say themselves how they are. */
  report?(path: string, report: Omit<ReportedHealth, 'path'>): Promise<void>;
  loseInventory(): Promise<void>;
  /** What was applied can be told without an inventory, too. */
  readonly marksObjects?: true;
}

const a = renderedObject('a');
const b = renderedObject('b', { instance: 'api' });
const both = targetRendering([a, b], { web: 0, api: 1 });
/** The same objects as somebody else has them. */
const [myA, editedA] = ['mine', 'edited'].map((content) => renderedObject('a', { content }).text) as [string, string];
const editedB = renderedObject('b', { instance: 'api', content: 'edited' }).text;

export async function planFor(target: Target, rendering: TargetRendering, rest: Partial<PlanRequest> = {}): Promise<TargetPlan> {
  const observation = await target.observe(rendering.objects);
  return planChanges({ rendering, observation, prune: true, adopt: [], selfHeal: true, ...rest });
}

export async function bring(target: Target, rendering: TargetRendering, rest: Partial<PlanRequest> = {}): Promise<readonly Outcome[]> {
  const plan = await planFor(target, rendering, rest);
  return target.apply(plan, nextInventory(plan));
}

/** Without what only clusters say of objects. */
function bare({ inventory, objects, reports, complete }: Observation): Observation {
  return { inventory, objects: objects.map(({ key, path, sha256 }) => ({ key, path, sha256 })), reports, complete };
}

function said(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map((each) => `${each.action} ${each.key.name} ${each.result}`);
}

export function targetContract(name: string, open: () => Promise<TargetBench>): void {
  describe(`a target: ${name}`, () => {
    test('is empty and whole before anything was put there', async () => {
      const { target } = await open();

      expect(bare(await target.observe(both.objects))).toEqual({ inventory: undefined, objects: [], reports: [], complete: true });
    });

    test('tells which fields of an object somebody changed, and nothing of one that is gone', async () => {
      const bench = await open();
      await bring(bench.target, both);
      await bench.put(a.path, editedA);

      expect(await bench.target.drift?.(both.objects)).toEqual(
        new Map([
          [a.path, [{ path: '/data/content', before: 'one', after: 'edited' }]],
          [b.path, []],
        ]),
      );
      await bench.remove(b.path);
      expect([...((await bench.target.drift?.(both.objects)) ?? new Map()).keys()]).toEqual([a.path]);
    });

    test('holds what was applied, byte for byte, and says so', async () => {
      const bench = await open();

      const outcomes = await bring(bench.target, both);

      expect(said(outcomes)).toEqual(['create a done', 'create b done']);
      expect(await bench.read(a.path)).toBe(a.text);
      expect(await bench.read(b.path)).toBe(b.text);
      expect(bare(await bench.target.observe(both.objects))).toEqual({
        inventory: inventoryOf(both, [
          { key: b.key, path: b.path, sha256: b.sha256, pending: false },
          { key: a.key, path: a.path, sha256: a.sha256, pending: false },
        ]),
        objects: [
          { key: b.key, path: b.path, sha256: b.sha256 },
          { key: a.key, path: a.path, sha256: a.sha256 },
        ],
        reports: [],
        complete: true,
      });
    });

    test('an applied plan leaves nothing to do, and doing it again changes nothing', async () => {
      const { target } = await open();
      const plan = await planFor(target, both);
      await target.apply(plan, nextInventory(plan));
      const after = await target.observe(both.objects);

      expect(said(await bring(target, both))).toEqual(['keep a unchanged', 'keep b unchanged']);
      expect((await target.apply(plan, nextInventory(plan))).map((each) => each.result)).toEqual(['done', 'done']);
      expect(await target.observe(both.objects)).toEqual(after);
    });

    test('updates what changed and prunes what is gone', async () => {
      const bench = await open();
      await bring(bench.target, both);
      const next = renderedObject('a', { content: 'two' });

      expect(said(await bring(bench.target, targetRendering([next])))).toEqual(['update a done', 'prune b done']);
      expect(await bench.read(a.path)).toBe(next.text);
      expect(await bench.read(b.path)).toBeUndefined();
    });

    test('an object that moves to another path stands there alone', async () => {
      const bench = await open();
      const moved = renderedObject('a', { instance: 'api' });
      await bring(bench.target, targetRendering([a]));

      expect(said(await bring(bench.target, targetRendering([moved], { api: 0 })))).toEqual(['create a done']);
      expect([await bench.read(a.path), await bench.read(moved.path)]).toEqual([undefined, moved.text]);
    });

    test('a foreign object is neither overwritten nor claimed nor deleted', async () => {
      const bench = await open();
      await bench.put(a.path, myA);

      expect(said(await bring(bench.target, both))).toEqual(['create b done']);
      expect(said(await bring(bench.target, targetRendering([])))).toEqual(['prune b done']);
      expect(await bench.read(a.path)).toBe(myA);
    });

    test('an adopted object becomes ours', async () => {
      const bench = await open();
      await bench.put(a.path, myA);

      expect(said(await bring(bench.target, targetRendering([a]), { adopt: [a.key] }))).toEqual(['adopt a done']);
      expect(await bench.read(a.path)).toBe(a.text);
      expect(said(await bring(bench.target, targetRendering([])))).toEqual(['prune a done']);
    });

    test('an object that appears after the look is not overwritten', async () => {
      const bench = await open();
      const plan = await planFor(bench.target, both);
      await bench.put(a.path, myA);

      const outcomes = await bench.target.apply(plan, nextInventory(plan));

      expect(said(outcomes)).toEqual(['create a refused', 'create b done']);
      expect(outcomes[0]?.problem?.code).toBe('object-moved');
      expect(await bench.read(a.path)).toBe(myA);
      expect((await planFor(bench.target, both)).problems.map((problem) => problem.code)).toEqual(['foreign-object']);
    });

    test('an object that changes after the look is neither overwritten nor deleted by that plan', async () => {
      const bench = await open();
      await bring(bench.target, both);
      const next = targetRendering([renderedObject('a', { content: 'two' })]);
      const plan = await planFor(bench.target, next);
      await bench.put(a.path, editedA);
      await bench.put(b.path, editedB);

      const outcomes = await bench.target.apply(plan, nextInventory(plan));

      expect(said(outcomes)).toEqual(['update a refused', 'prune b refused']);
      expect([await bench.read(a.path), await bench.read(b.path)]).toEqual([editedA, editedB]);
      expect(said(await bring(bench.target, next))).toEqual(['update a done', 'prune b done']);
    });

    test('a lost inventory prunes nothing', async () => {
      const bench = await open();
      await bring(bench.target, both);
      await bench.loseInventory();

      const outcomes = await bring(bench.target, targetRendering([]));

      expect(said(outcomes).toSorted()).toEqual(bench.marksObjects ? ['keep a unchanged', 'keep b unchanged'] : []);
      expect(await bench.read(a.path)).toBe(a.text);
      const next = said(await bring(bench.target, targetRendering([])));
      expect(next.toSorted()).toEqual(bench.marksObjects ? ['prune a done', 'prune b done'] : []);
    });

    test('what is there when an inventory is lost has to be adopted, unless its marks say that it is ours', async () => {
      const bench = await open();
      await bring(bench.target, both);
      await bench.loseInventory();

      const plan = await planFor(bench.target, both);

      expect(plan.problems.map((problem) => problem.code)).toEqual(bench.marksObjects ? [] : ['foreign-object', 'foreign-object']);
      expect(said(await bench.target.apply(plan, nextInventory(plan)))).toEqual(
        bench.marksObjects ? ['update a done', 'update b done'] : [],
      );
      expect(await bench.read(a.path)).toBe(a.text);
    });

    test('a removed object is drift and comes back', async () => {
      const bench = await open();
      await bring(bench.target, both);
      await bench.remove(a.path);

      const plan = await planFor(bench.target, both);

      expect(plan.drifted).toEqual([a.key]);
      expect(said(await bench.target.apply(plan, nextInventory(plan)))).toEqual(['create a done', 'keep b unchanged']);
      expect(await bench.read(a.path)).toBe(a.text);
    });

    test('what a consumer reports is seen with the bytes it speaks of', async () => {
      const bench = await open();
      await bring(bench.target, both);
      await bench.report?.(a.path, { state: 'degraded', reason: 'crash loop', sha256: sha256Of('older bytes') });

      const seen = [{ path: a.path, state: 'degraded', reason: 'crash loop', sha256: sha256Of('older bytes') }];
      expect((await bench.target.observe(both.objects)).reports).toEqual(bench.report === undefined ? [] : seen);
    });

    test('a status that a consumer reports is seen as it is', async () => {
      const bench = await open();
      await bring(bench.target, both);
      const status = { conditions: [{ type: 'Ready', status: 'True' }] };
      await bench.report?.(a.path, { state: 'progressing', reason: '', sha256: a.sha256, status });

      const seen = [{ path: a.path, state: 'progressing', reason: '', sha256: a.sha256, status }];
      expect((await bench.target.observe(both.objects)).reports).toEqual(bench.report === undefined ? [] : seen);
    });

    test('refuses a plan for a target that belongs to another environment', async () => {
      const { target } = await open();
      await bring(target, both);
      const other = { ...both, target: { ...both.target, environment: toEnvironmentName('prod') } };
      const plan = planChanges({
        rendering: other,
        observation: { inventory: undefined, objects: [], reports: [], complete: true },
        prune: true,
        adopt: [],
        selfHeal: true,
      });

      await expect(target.apply(plan, nextInventory(plan))).rejects.toMatchObject({ name: 'PortError', kind: 'conflict' });
    });
  });
}
