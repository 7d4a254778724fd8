import { expect, test } from 'vitest';

import { PROMOTE, RECONCILE } from './stories.ts';
import { endOf, tellStory } from './telling.ts';

test('a declared environment is rendered, put on its targets and recorded', async () => {
  const { outside, endings } = await tellStory(RECONCILE);

  const end = await endOf(outside);
  expect([...endings]).toEqual([
    ['look', { kind: 'settled' }],
    ['reconcile/dev', { kind: 'settled' }],
    ['promote/dev', { kind: 'settled' }],
  ]);
  expect(end.history).toEqual([
    'dev/one/web - -> 1.0.0 healthy',
    'dev/two/web - -> 1.0.0 healthy',
    'dev/one healthy',
    'dev/three/web - -> 1.0.0 healthy',
    'dev/two healthy',
  ]);
  expect(end.commits).toMatchObject({ 'rendered/dev': 2, audit: 2 });
  expect(Object.keys(end.targets)).toEqual(['dev/one', 'dev/three', 'dev/two']);
  expect(end.targets['dev/one']).toEqual(end.targets['dev/three']);
  expect(end.requests).toEqual([]);
  expect(end.problems).toEqual([]);
});

test('a signed release travels from dev over staging to prod, each step with its gates', async () => {
  const { outside, endings } = await tellStory(PROMOTE);

  const end = await endOf(outside);
  expect([...endings].filter(([, ending]) => ending.kind !== 'settled')).toEqual([]);
  expect(end.requests).toEqual([
    '1 merged promote(dev): web 1.0.0 → 1.1.0',
    '2 merged promote(staging): web 1.0.0 → 1.1.0',
    '3 merged promote(prod): web 1.0.0 → 1.1.0',
  ]);
  expect(end.history.filter((row) => row.includes('1.1.0'))).toEqual([
    'dev/one/web 1.0.0 -> 1.1.0 healthy',
    'dev/two/web 1.0.0 -> 1.1.0 healthy',
    'staging/one/web 1.0.0 -> 1.1.0 healthy',
    'prod/one/web 1.0.0 -> 1.1.0 healthy',
  ]);
  expect(end.commits).toMatchObject({ 'rendered/dev': 2, 'rendered/staging': 2, 'rendered/prod': 2 });
  expect(end.problems).toEqual([]);
});
