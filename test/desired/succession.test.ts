import { expect, test } from 'vitest';

import type { Capsule } from '#model/declarations.generated.ts';
import { parseInstant } from '#model/instant.ts';
import { retirementOf } from '#model/succession.ts';

function sentence(spec: Partial<Capsule['spec']>, now: string): string | undefined {
  const found = retirementOf('greeter', { capsule: 'redis', version: '7.2.6', spec: { type: 'service', ...spec } }, parseInstant(now));
  return found === undefined ? undefined : `${found.severity} ${found.code}: ${found.message}. ${found.remedy}`;
}

test.each<[string, Partial<Capsule['spec']>, string, string | undefined]>([
  [
    'V-24: retired, with all that its owner said',
    { lifecycle: 'retired', deprecation: { sunset: '2026-03-31', replacedBy: 'valkey', note: 'end of\nlife' } },
    '2026-01-05T00:00:00Z',
    String.raw`error retired-in-use: greeter depends on redis@7.2.6, retired since 2026-03-31; replaced by valkey; end of\u000alife. Use valkey instead.`,
  ],
  [
    'V-24: retired without a word',
    { lifecycle: 'retired' },
    '2026-01-05T00:00:00Z',
    'error retired-in-use: greeter depends on redis@7.2.6, retired. Do without redis.',
  ],
  [
    'V-24: deprecated',
    { lifecycle: 'deprecated', deprecation: { sunset: '2026-03-31', replacedBy: 'valkey' } },
    '2026-03-31T23:59:59Z',
    'warning deprecated-in-use: greeter depends on redis@7.2.6, deprecated until 2026-03-31; replaced by valkey. Use valkey instead.',
  ],
  [
    'V-24: the day after the sunset',
    { lifecycle: 'deprecated', deprecation: { sunset: '2026-03-31', replacedBy: 'valkey' } },
    '2026-04-01T00:00:00Z',
    'error sunset-passed: greeter depends on redis@7.2.6, whose sunset was "2026-03-31"; replaced by valkey. Use valkey instead.',
  ],
  [
    'V-24: a sunset to the second',
    { deprecation: { sunset: '2026-03-31T12:00:00+02:00' } },
    '2026-03-31T10:00:01Z',
    'error sunset-passed: greeter depends on redis@7.2.6, whose sunset was "2026-03-31T12:00:00+02:00". Do without redis.',
  ],
  ['V-24: a time without a zone is in UTC', { deprecation: { sunset: '2026-03-31T12:00' } }, '2026-03-31T12:00:00Z', undefined],
  ['V-24: in production', { lifecycle: 'production', deprecation: null }, '2026-03-31T12:00:00Z', undefined],
])('%s', (_, spec, now, expected) => {
  expect(sentence(spec, now)).toBe(expected);
});

test('V-24: without a time nothing is past its sunset', () => {
  const spec = { type: 'service', deprecation: { sunset: '2001-01-01' } } as const;
  expect(retirementOf('greeter', { capsule: 'redis', version: '7.2.6', spec }, undefined)).toBe(undefined);
});
