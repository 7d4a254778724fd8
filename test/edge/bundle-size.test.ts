import { describe, expect, test } from 'vitest';

import { judgeBundle } from '#edge/edge.ts';
import type { Fleet } from '#model/declarations.generated.ts';
import { declared } from '#test/resolve/worlds.ts';

const MIB = 1_048_576n;

function judged(delivery: NonNullable<Fleet['spec']['delivery']>, sizes: Readonly<Record<string, bigint | undefined>>) {
  const fleet: Fleet = { apiVersion: 'capstan.dev/v1alpha1', kind: 'Fleet', metadata: { name: 'kiosks' }, spec: { delivery } };
  const parts = Object.entries(sizes).map(([name, size]) => ({ name, size }));
  const { problems, note } = judgeBundle(declared(fleet, 'kiosks.yaml'), parts);
  return { note, problems: problems.map(({ place, message }) => `${place.pointer ?? ''} ${message}`) };
}

const WINDOW = { bandwidth: { maxBytesPerHour: '50Mi' }, window: { start: '02:00', duration: '3h' } };

describe('V-64', () => {
  test('V-64: a byte more than may be sent', () => {
    expect(judged({ bundle: { maxBytes: '200Mi' } }, { a: 150n * MIB, b: 50n * MIB + 1n })).toEqual({
      note: undefined,
      problems: ['/spec/delivery/bundle/maxBytes fleet "kiosks": bundle is 200.1 MiB; at most 200 MiB are sent'],
    });
  });

  test('V-64: more than goes through the window', () => {
    expect(judged(WINDOW, { a: 151n * MIB })).toEqual({
      note: undefined,
      problems: ['/spec/delivery/window fleet "kiosks": bundle is 151 MiB; at 50 MiB an hour the 3h window moves 150 MiB'],
    });
  });

  test('V-64: what is known is too large already', () => {
    expect(judged({ bundle: { maxBytes: '1Mi' } }, { a: 2n * MIB, image: undefined })).toEqual({
      note: undefined,
      problems: ['/spec/delivery/bundle/maxBytes fleet "kiosks": bundle is 2 MiB; at most 1 MiB are sent'],
    });
  });

  test('V-64 near miss: exactly as much, and exactly through the window', () => {
    expect(judged({ bundle: { maxBytes: '150Mi' }, ...WINDOW }, { a: 100n * MIB, b: 50n * MIB })).toEqual({
      note: undefined,
      problems: [],
    });
  });

  test('V-64 near miss: a size that only a registry knows is a note', () => {
    expect(judged({ bundle: { maxBytes: '150Mi' } }, { a: 1n, one: undefined, two: undefined })).toEqual({
      note: 'fleet "kiosks": the sizes of 2 images are unknown here, so its bundle is not judged to the end (V-64)',
      problems: [],
    });
  });

  test('V-64 near miss: nothing is limited', () => {
    expect(judged({ bandwidth: { maxBytesPerHour: '1Mi' } }, { a: 1000n * MIB, image: undefined })).toEqual({
      note: undefined,
      problems: [],
    });
  });
});
