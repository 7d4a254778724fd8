import { beforeAll, expect, test } from 'vitest';

import { changed, edit, edits, type Garden, plantedGarden, seen, validated, withLocks } from './garden.ts';
import { DEV, LOCK, PACKAGE, release, WEB } from './rule-changes.ts';

const FILE = 'capsules/web/deploy/all.yaml';
const NOTED = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: noted\n';
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: key\nstringData:\n  password: hunter2-hunter2\n';
const MANIFESTS = edits(
  edit('  components:\n', '  components:\n    extra:\n      kind: Manifests\n      source:\n        path: deploy\n'),
  edit('kind: Deployment\n', 'kind: Deployment\n      primary: true\n'),
);
const TOLD = 'manifest deploy/all.yaml of web';

/** A garden whose dev runs web 1.1.0, which has a Secret in line 6 of its manifest. */
let garden: Garden;

beforeAll(async () => {
  const files = { ...release({ [WEB]: MANIFESTS, [FILE]: `${NOTED}---\n${SECRET}` }), [LOCK]: undefined };
  garden = await withLocks(await changed(await plantedGarden(), files));
});

async function told(change: Parameters<typeof changed>[1]): Promise<readonly (readonly [string | undefined, string])[]> {
  const problems = await validated(await changed(garden, change));
  return problems.map((problem, at) => [seen(problems)[at], problem.message.replace(/ produced .*/u, '')]);
}

test('what is wrong with the release that runs has its line while the files are the same', async () => {
  const here = ['V-87 rendered-secret capsules/web/deploy/all.yaml:6:1', TOLD];
  // Of dev, and of prod, which would take it.
  expect(await told({ [DEV]: (text) => `# the same\n${text}` })).toEqual([here, here]);
});

test('what was mended since the release that runs is told of that release, and no line of the file is blamed', async () => {
  const mended = { [WEB]: edit('version: 1.1.0', 'version: 1.2.0'), [PACKAGE]: '{ "version": "1.2.0" }\n', [FILE]: `# mended\n${NOTED}` };
  expect(await told(mended)).toEqual([['V-87 rendered-secret capsules/web/deploy/all.yaml', `web@1.1.0, which dev runs: ${TOLD}`]]);
});

test('so it is where the file is there no more', async () => {
  const without = {
    [WEB]: edit('version: 1.1.0', 'version: 1.2.0'),
    [PACKAGE]: '{ "version": "1.2.0" }\n',
    [FILE]: undefined,
    'capsules/web/deploy/b.yaml': NOTED,
  };
  expect(await told(without)).toEqual([['V-87 rendered-secret capsules/web/deploy/all.yaml', `web@1.1.0, which dev runs: ${TOLD}`]]);
});
