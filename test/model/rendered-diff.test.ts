import { expect, test } from 'vitest';

import type { Json } from '#model/json.ts';
import { differenceOf } from '#model/rendered-diff.ts';
import { entry, lockOf, rendering, workload } from './renderings.ts';

const NOTHING = { rendering: undefined, lock: undefined };

test('moved versions, what the lock says beside them, and the objects of each target', () => {
  const base = {
    rendering: rendering('prod', {
      eu: [workload('web', { image: 'r/web@sha256:1' })],
      us: [workload('web', { image: 'r/web@sha256:1' })],
    }),
    lock: lockOf({ web: entry('1.0.0') }),
  };
  const head = {
    rendering: rendering(
      'prod',
      { eu: [workload('web', { image: 'r/web@sha256:2', replicas: 3 })], us: [workload('web', { image: 'r/web@sha256:2' })] },
      { web: '1.1.0' },
    ),
    lock: lockOf({ web: { ...entry('1.1.0'), requestedBy: ['environment', 'shop'] } }, { web: { reason: 'INC-1' } }),
  };

  const difference = differenceOf('prod', base, head);

  expect(difference).toMatchObject({
    name: 'prod',
    moves: [{ instance: 'web', capsule: 'web', from: { version: '1.0.0' }, to: { version: '1.1.0' } }],
    lock: [
      { field: 'capsules.web.requestedBy', before: ['environment'], after: ['environment', 'shop'] },
      { field: 'holds.web', before: undefined, after: { reason: 'INC-1' } },
    ],
    targets: [
      { name: 'eu', objects: [{ instance: 'web', change: 'update', noise: false, danger: [] }] },
      { name: 'us', objects: [{ instance: 'web', change: 'update', noise: true, danger: [] }] },
    ],
  });
  expect(difference?.targets[0]?.objects[0]?.fields.map(({ field }) => field)).toEqual([
    'spec.replicas',
    'spec.template.spec.containers[main].image',
  ]);
});

test('nothing is said where neither rendering nor lock moved, and a lock alone is said', () => {
  const side = { rendering: rendering('prod', { eu: [workload('web')] }), lock: lockOf({ web: entry('1.0.0') }) };

  expect(differenceOf('prod', side, side)).toBe(undefined);
  expect(differenceOf('prod', side, { ...side, lock: lockOf({ web: entry('1.0.0') }, { web: { reason: 'wait' } }) })).toEqual({
    name: 'prod',
    digest: { base: side.rendering.digest, head: side.rendering.digest },
    moves: [],
    lock: [{ path: '/holds/web', field: 'holds.web', before: undefined, after: { reason: 'wait' } }],
    targets: [],
  });
});

test('an environment that comes and one that goes', () => {
  const side = { rendering: rendering('prod', { eu: [workload('web')] }), lock: lockOf({ web: entry('1.0.0') }) };

  expect(differenceOf('prod', NOTHING, side)).toMatchObject({
    digest: { base: null },
    moves: [{ instance: 'web', from: null, to: { version: '1.0.0' } }],
    targets: [{ name: 'eu', objects: [{ change: 'create', danger: [] }] }],
  });
  expect(differenceOf('prod', side, NOTHING)).toMatchObject({
    digest: { head: null },
    moves: [{ instance: 'web', from: { version: '1.0.0' }, to: null }],
    targets: [{ name: 'eu', objects: [{ change: 'delete', danger: ['delete'] }] }],
  });
});

function noiseOf(before: Readonly<Record<string, Json>>, after: Readonly<Record<string, Json>>): boolean | undefined {
  const one = (object: Readonly<Record<string, Json>>) => ({
    rendering: rendering('prod', { eu: [workload('web', object)] }),
    lock: undefined,
  });
  return differenceOf('prod', one(before), one(after))?.targets[0]?.objects[0]?.noise;
}

test('another tag or digest of the same image is noise, another repository is not', () => {
  expect(noiseOf({ image: 'r.example:5000/web:1' }, { image: 'r.example:5000/web:2@sha256:3' })).toBe(true);
  expect(noiseOf({ image: 'r.example/web@sha256:1' }, { image: 'evil.example/web@sha256:1' })).toBe(false);
  expect(noiseOf({ image: 'r.example/web:1' }, { image: 'r.example/web2:1' })).toBe(false);
});

test('annotations of Capstan and checksums are noise, those of others are not', () => {
  const annotated = (annotations: Readonly<Record<string, string>>) => ({ annotations });

  expect(noiseOf(annotated({ 'capstan.dev/content': '1' }), annotated({ 'capstan.dev/content': '2' }))).toBe(true);
  expect(noiseOf(annotated({ 'checksum/config': '1' }), annotated({ 'checksum/config': '2' }))).toBe(true);
  expect(noiseOf(annotated({ 'example.com/capstan.dev': '1' }), annotated({ 'example.com/capstan.dev': '2' }))).toBe(false);
});

test('values of a Secret are never in a difference', () => {
  const secret = (value: string) => ({
    rendering: rendering('prod', { eu: [workload('web', { kind: 'Secret', stringData: { token: value } })] }),
    lock: undefined,
  });

  const difference = differenceOf('prod', secret('canary-one'), secret('canary-two'));

  expect(difference?.targets[0]?.objects[0]?.fields).toHaveLength(1);
  expect(JSON.stringify(difference)).not.toContain('canary');
});
