import { describe, expect, test } from 'vitest';

import type { HealthState } from '#model/health.ts';
import { toInstanceName } from '#model/names.ts';
import type { Inventory, Observation } from '#model/plan.ts';
import type { RenderedObject, TargetRendering } from '#model/rendering.ts';
import { holdBack, planChanges } from '#plan/plan.ts';
import { inventoryOf, observationOf, renderedObject, rowsOf, targetRendering } from './build-target.ts';

const cache = renderedObject('cache', { instance: 'redis' });
const web = renderedObject('web', { instance: 'greeter' });
const job: RenderedObject = { ...renderedObject('migrate', { instance: 'greeter', kind: 'Job', apiVersion: 'batch/v1' }), wave: -1 };
const alone = renderedObject('alone', { instance: 'other' });

function rendering(objects: readonly RenderedObject[], until: 'started' | 'healthy' = 'healthy'): TargetRendering {
  const plain = targetRendering(objects, { redis: 0, greeter: 1, other: 1 });
  const instances = new Map(plain.instances);
  const facts = instances.get(toInstanceName('greeter'));
  if (facts === undefined) throw new Error('there is a greeter');
  instances.set(toInstanceName('greeter'), { ...facts, needs: [{ instance: toInstanceName('redis'), until }] });
  return { ...plain, instances };
}

function staged(wanted: TargetRendering, observation: Observation, states: Readonly<Record<string, HealthState>> = {}) {
  const plan = planChanges({ rendering: wanted, observation, prune: true, adopt: [], selfHeal: true });
  const { inventory } = observation;
  const result = holdBack({ plan, rendering: wanted, inventory, states: new Map(Object.entries(states)) });
  return {
    steps: result.plan.steps.map((step) => `${step.action} ${step.key.name}`),
    held: result.held.map((step) => `${step.key.name} waits for ${step.waitsFor}`),
  };
}

function held(objects: readonly RenderedObject[], of: TargetRendering): Inventory {
  return inventoryOf(of, rowsOf(objects));
}

describe('holdBack', () => {
  const all = rendering([cache, web, alone]);

  test('writes first what others depend on, and what depends on nothing', () => {
    expect(staged(all, observationOf(undefined, []))).toEqual({
      steps: ['create cache', 'create alone'],
      held: ['web waits for redis'],
    });
  });

  test('goes on once what it depends on is healthy', () => {
    const observation = observationOf(held([cache, alone], all), [cache, alone]);

    expect(staged(all, observation, { [cache.path]: 'progressing', [alone.path]: 'healthy' })).toEqual({
      steps: ['keep cache', 'keep alone'],
      held: ['web waits for redis'],
    });
    expect(staged(all, observation, { [cache.path]: 'healthy', [alone.path]: 'progressing' })).toEqual({
      steps: ['keep cache', 'create web', 'keep alone'],
      held: [],
    });
  });

  test('a dependency that only has to be started is waited for until it is written', () => {
    const started = rendering([cache, web], 'started');

    expect(staged(started, observationOf(undefined, [])).held).toEqual(['web waits for redis']);
    expect(staged(started, observationOf(held([cache], started), [cache]), { [cache.path]: 'degraded' }).held).toEqual([]);
  });

  test('what is held keeps what it has', () => {
    const newCache = renderedObject('cache', { instance: 'redis', content: 'two' });
    const newWeb = renderedObject('web', { instance: 'greeter', content: 'two' });
    const next = rendering([newCache, newWeb, alone]);

    expect(staged(next, observationOf(held([cache, web, alone], all), [cache, web, alone]))).toEqual({
      steps: ['update cache', 'keep web', 'keep alone'],
      held: ['web waits for redis'],
    });
  });

  test('inside an instance a job comes before what starts after it', () => {
    const migrating = rendering([job, web]);

    expect(staged(migrating, observationOf(undefined, []))).toEqual({ steps: ['create migrate'], held: ['web waits for Job migrate'] });
    const observation = observationOf(held([job], migrating), [job]);
    expect(staged(migrating, observation, { [job.path]: 'degraded' }).held).toEqual(['web waits for Job migrate']);
    expect(staged(migrating, observation, { [job.path]: 'healthy' })).toEqual({ steps: ['keep migrate', 'create web'], held: [] });
  });

  test('nothing is pruned while anything is to be written', () => {
    const next = rendering([cache, web]);
    const before = held([cache, alone], all);

    expect(staged(next, observationOf(before, [cache, alone]), { [cache.path]: 'progressing' })).toEqual({
      steps: ['keep cache', 'keep alone'],
      held: ['web waits for redis'],
    });
    expect(staged(next, observationOf(before, [cache, alone]), { [cache.path]: 'healthy' }).steps).toEqual([
      'keep cache',
      'create web',
      'keep alone',
    ]);
    const written = observationOf(held([cache, web, alone], all), [cache, web, alone]);
    expect(staged(next, written, { [cache.path]: 'progressing', [web.path]: 'progressing' }).steps).toEqual([
      'keep cache',
      'keep web',
      'prune alone',
    ]);
  });

  test('what an instance leaves stays until what took its place is healthy', () => {
    const renamed = renderedObject('web-two', { instance: 'greeter' });
    const next = rendering([cache, renamed]);
    const observation = observationOf(held([cache, web, renamed], all), [cache, web, renamed]);

    expect(staged(next, observation, { [cache.path]: 'healthy', [renamed.path]: 'progressing' }).steps).toEqual([
      'keep cache',
      'keep web-two',
      'keep web',
    ]);
    expect(staged(next, observation, { [cache.path]: 'degraded', [renamed.path]: 'healthy' }).steps).toEqual([
      'keep cache',
      'keep web-two',
      'prune web',
    ]);
  });

  test('what only limits an instance goes although it is not well: it may be why', () => {
    const limit = renderedObject('limit', { instance: 'greeter', kind: 'NetworkPolicy', apiVersion: 'networking.k8s.io/v1' });
    const observation = observationOf(held([cache, web, limit], all), [cache, web, limit]);

    expect(staged(rendering([cache, web]), observation, { [cache.path]: 'healthy', [web.path]: 'degraded' }).steps).toEqual([
      'keep cache',
      'keep web',
      'prune limit',
    ]);
  });

  test('ends of a cut circle do not wait for each other', () => {
    const circle = rendering([cache, web]);
    const instances = new Map(circle.instances);
    const facts = instances.get(toInstanceName('redis'));
    if (facts === undefined) throw new Error('there is a redis');
    instances.set(toInstanceName('redis'), { ...facts, needs: [{ instance: toInstanceName('greeter'), until: 'healthy' }] });

    expect(staged({ ...circle, instances }, observationOf(undefined, [])).held).toEqual(['web waits for redis']);
  });
});
