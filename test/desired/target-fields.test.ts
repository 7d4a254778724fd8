import { expect, test } from 'vitest';

import { environment, problemsOf } from '#test/desired/declarations.ts';

function found(targets: string): readonly string[] {
  const files = { 'environments/dev/environment.yaml': environment('dev', `targets: ${targets}`) };
  return problemsOf(files)
    .filter(({ code }) => code.startsWith('target-'))
    .map(({ code, place, message }) => `${code} ${place.pointer} ${message}`);
}

test('a cluster without credentials and a directory without a path are told where the driver stands', () => {
  expect(found('{ eu: { driver: kubernetes, namespace: acme }, local: { driver: directory } }')).toEqual([
    'target-incomplete /spec/targets/eu/driver target "eu" of dev has driver kubernetes and no credentials',
    'target-incomplete /spec/targets/local/driver target "local" of dev has driver directory and no path',
  ]);
});

test('what a driver does not look at is not ignored', () => {
  expect(
    found(
      '{ eu: { driver: kubernetes, credentials: eu, path: a }, local: { driver: directory, path: b, credentials: eu, impersonate: x } }',
    ),
  ).toEqual([
    'target-field-unused /spec/targets/eu/path target "eu" of dev has driver kubernetes, which does not look at path',
    'target-field-unused /spec/targets/local/credentials target "local" of dev has driver directory, which does not look at credentials',
    'target-field-unused /spec/targets/local/impersonate target "local" of dev has driver directory, which does not look at impersonate',
  ]);
});

test('what each driver needs is enough, and drivers that this version does not have are judged by their name alone', () => {
  expect(
    found('{ eu: { driver: kubernetes, credentials: eu, impersonate: x }, local: { driver: directory, path: b }, far: { driver: edge } }'),
  ).toEqual([]);
});
