import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { ROUTES } from '#forge/routes.ts';

it('lists in docs/forge.md exactly the paths that are served', () => {
  const text = readFileSync(new URL('../../docs/forge.md', import.meta.url), 'utf8');

  const listed = [...text.matchAll(/^\| (GET|POST|PUT|PATCH|DELETE) \| `([^`]+)` \|/gm)].map((row) => `${row[1] ?? ''} ${row[2] ?? ''}`);

  expect(listed.toSorted()).toEqual(ROUTES.map((route) => `${route.method} ${route.path}`).toSorted());
});
