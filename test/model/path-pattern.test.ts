import { expect, test } from 'vitest';

import { faultOfPathPattern, isOnPaths } from '#model/path-pattern.ts';

test.each<[string, string, boolean]>([
  ['environments/prod/**', 'environments/prod/environment.yaml', true],
  ['environments/prod/**', 'environments/prod/config/web.yaml', true],
  ['environments/prod/**', 'environments/prod', true],
  ['environments/prod/**', 'environments/production/environment.yaml', false],
  ['environments/prod/**', 'environments/prod.yaml', false],
  ['environments/*/environment.yaml', 'environments/dev/environment.yaml', true],
  ['environments/*/environment.yaml', 'environments/dev/config/environment.yaml', false],
  ['environments/prod*/**', 'environments/prod-eu/environment.yaml', true],
  ['environments/**/web.yaml', 'environments/web.yaml', true],
  ['environments/**/web.yaml', 'environments/dev/config/web.yaml', true],
  ['environments/**/web.yaml', 'environments/dev/config/notweb.yaml', false],
  ['policies/**', 'policies/trust/ada.asc', true],
  ['policies/*.yaml', 'policies/trust/ada.yaml', false],
  ['policies/*.yaml', 'policies/aXyaml', false],
  ['capsules/web/**', 'capsules/web', true],
  ['capsules/web', 'capsules/web', true],
  ['capsules/*', 'capsules/web', true],
  ['capsules/web/**', 'capsules/website', false],
  ['**', 'environments/project.yaml', true],
  ['**/project.yaml', 'environments/project.yaml', true],
  ['**/project.yaml', 'environments/myproject.yaml', false],
  ['environments/pr(o|d)+/**', 'environments/prod/a', false],
  ['environments/prod/**', 'environments/prod/a\nb', true],
  ['environments/prod/**', 'x/environments/prod/a', false],
])('%s and %s: %s', (pattern, path, matches) => {
  expect(faultOfPathPattern(pattern)).toBeUndefined();
  expect(isOnPaths([pattern], path)).toBe(matches);
});

test('no patterns match everywhere, also where there is no path; patterns match nothing without one', () => {
  expect([isOnPaths(undefined, undefined), isOnPaths(undefined, 'x'), isOnPaths(['**'], undefined), isOnPaths([], 'x')]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test.each([
  ['docs/**', 'it must begin with capsules/, environments/, policies/ or **'],
  ['', 'it must begin with capsules/, environments/, policies/ or **'],
  ['/environments/prod', 'it must begin with capsules/, environments/, policies/ or **'],
  ['environments', 'write environments/**'],
  ['environments/', 'it has a part that is empty, . or ..'],
  ['environments/../capsules/web', 'it has a part that is empty, . or ..'],
  ['environments/**/**', 'it has ** twice in a row'],
  ['environments/prod**', 'beside * and ** alone between slashes nothing is special, and ? [ ] { } ! \\ do not occur'],
  ['environments/{prod,dev}/**', 'beside * and ** alone between slashes nothing is special, and ? [ ] { } ! \\ do not occur'],
  ['environments/pro?/**', 'beside * and ** alone between slashes nothing is special, and ? [ ] { } ! \\ do not occur'],
  ['environments/!prod/**', 'beside * and ** alone between slashes nothing is special, and ? [ ] { } ! \\ do not occur'],
  ['capsules/web/templates/**', 'a capsule is judged as a whole: write capsules/NAME or capsules/NAME/**'],
])('%s is no pattern: %s', (pattern, fault) => {
  expect(faultOfPathPattern(pattern)).toBe(fault);
});

test('a pattern that would take other matchers for ever answers at once', () => {
  const pattern = `environments/${'*a'.repeat(200)}/b`;

  expect(isOnPaths([pattern], `environments/${'a'.repeat(5_000)}/c`)).toBe(false);
});
