import { expect, test } from 'vitest';

import type { Found } from '#adapters/kubernetes/cluster.ts';
import type { Row } from '#adapters/kubernetes/inventory-rows.ts';
import { stateOf } from '#adapters/kubernetes/state.ts';
import { sha256Of } from '#model/digest.ts';

const marks = { environment: 'dev', target: 'local', namespace: 'acme' };
const [text, newer, fields] = [sha256Of('text'), sha256Of('newer'), sha256Of('fields')];
const row: Row = {
  key: { group: '', kind: 'ConfigMap', namespace: 'acme', name: 'a' },
  path: 'web/a.yaml',
  sha256: text,
  pending: false,
  uid: 'u',
  owned: fields,
  version: 'v1',
};
const found: Found = {
  uid: 'u',
  resourceVersion: '1',
  owned: fields,
  applied: `dev/local/acme/${text}`,
  managers: [],
  version: 'v1',
  holders: undefined,
};
const announced: Row = { ...row, pending: true, uid: '', owned: undefined, version: '' };

const cases: readonly (readonly [string, Found, Row | undefined, string])[] = [
  ['as it was written', found, row, 'own'],
  ['as it was written, read in another version', { ...found, owned: sha256Of('otherwise'), version: 'v2' }, row, 'own'],
  ['with nothing of ours left, read in another version', { ...found, owned: undefined, applied: undefined, version: 'v2' }, row, 'changed'],
  ['with other fields of ours', { ...found, owned: sha256Of('edited') }, row, 'changed'],
  ['with nothing of ours left', { ...found, owned: undefined, applied: undefined }, row, 'changed'],
  ['with a mark that somebody made up', { ...found, owned: sha256Of('edited'), applied: undefined }, row, 'changed'],
  ['written again by a run that died', { ...found, owned: sha256Of('edited'), applied: `dev/local/acme/${newer}` }, row, 'unconfirmed'],
  ['made by a run that died', found, announced, 'unconfirmed'],
  ['made again by a run that died', { ...found, uid: 'v' }, row, 'unconfirmed'],
  ['named by no inventory', found, undefined, 'unconfirmed'],
  ['of a target of the same name elsewhere', { ...found, applied: `dev/local/other/${text}` }, undefined, 'foreign'],
  ['of another environment in the same place', { ...found, applied: `prod/local/acme/${text}` }, undefined, 'foreign'],
  ['of somebody, where ours was announced', { ...found, owned: undefined, applied: undefined }, announced, 'foreign'],
  ['of somebody, under the name of ours', { ...found, uid: 'v', owned: undefined, applied: undefined }, row, 'foreign'],
  ['of somebody', { ...found, owned: undefined, applied: undefined }, undefined, 'foreign'],
];

test.each(cases)('an object %s', (_, there, known, kind) => {
  const state = stateOf(there, known, marks);

  expect(state.kind).toBe(kind);
  expect(state.sha256 === text).toBe(kind === 'own');
});

test('what is there is another thing when fields or their holders change, and the same when only its version does', () => {
  const edited: Found = { ...found, owned: sha256Of('edited') };
  const digests = [
    edited,
    { ...edited, resourceVersion: '2' },
    { ...edited, owned: sha256Of('again') },
    { ...edited, holders: sha256Of('h') },
  ];

  expect(new Set(digests.map((one) => stateOf(one, row, marks).sha256)).size).toBe(3);
});
