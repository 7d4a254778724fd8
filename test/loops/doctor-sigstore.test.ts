import { expect, test } from 'vitest';

import { rootFinding } from '#loops/doctor-sigstore.ts';
import { parseInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import type { TrustedWitness } from '#model/trusted-root.ts';

function at(text: string): Instant {
  const instant = parseInstant(text);
  if (instant === undefined) throw new Error(text);
  return instant;
}

const NOW = at('2026-11-01T00:00:00Z');

function witness(kind: TrustedWitness['kind'], until?: string): TrustedWitness {
  return { kind, name: `https://${kind}.example`, from: at('2020-01-01T00:00:00Z'), until: until === undefined ? undefined : at(until) };
}

function found(...witnesses: readonly TrustedWitness[]): readonly [string, string] {
  const { state, detail } = rootFinding({ ok: true, witnesses }, NOW);
  return [state, detail];
}

test('a trusted root is fine while one of each kind is trusted for another month', () => {
  expect(found(witness('certificate-authority'), witness('certificate-log'), witness('signature-log'))).toEqual([
    'ok',
    '3 authorities and logs, without an end',
  ]);
  expect(
    found(
      witness('certificate-authority', '2022-01-01T00:00:00Z'),
      witness('certificate-authority', '2031-01-01T00:00:00Z'),
      witness('certificate-log'),
      witness('signature-log'),
    ),
  ).toEqual(['ok', '4 authorities and logs; the last certificate authority is trusted until 2031-01-01T00:00:00.000Z']);
});

test('its end is told a month before', () => {
  expect(found(witness('certificate-authority', '2026-11-20T00:00:00Z'), witness('certificate-log'), witness('signature-log'))).toEqual([
    'warning',
    'the last certificate authority is trusted until 2026-11-20T00:00:00.000Z, for 19d',
  ]);
});

test('what is missing or has ended is named', () => {
  expect(found(witness('certificate-authority', '2026-10-31T00:00:00Z'), witness('signature-log'))).toEqual([
    'failed',
    'has no certificate authority and no certificate log that is trusted now',
  ]);
  expect(rootFinding({ ok: false, mistakes: [{ pointer: '/tlogs/0', reason: 'is not an object' }] }, NOW)).toMatchObject({
    state: 'failed',
    detail: '/tlogs/0 is not an object',
  });
});
