import { describe, expect, it } from 'vitest';

import type { CapsulePatch } from '#model/declarations.generated.ts';
import type { Json } from '#model/json.ts';
import { applyPatch, PATCH_LIMITS } from '#render/json-patch.ts';
import { problems, render, WEB } from '#test/render/builders.ts';

type Operation = CapsulePatch['ops'][number];

describe('RFC 6902', () => {
  it.each<[string, Json, Operation, Json]>([
    ['adds a member', { a: 1 }, { op: 'add', path: '/b', value: 2 }, { a: 1, b: 2 }],
    ['adds over a member', { a: 1 }, { op: 'add', path: '/a', value: null }, { a: null }],
    ['inserts into a list', [1, 3], { op: 'add', path: '/1', value: 2 }, [1, 2, 3]],
    ['appends to a list', [1], { op: 'add', path: '/-', value: 2 }, [1, 2]],
    ['removes a member', { a: 1, b: 2 }, { op: 'remove', path: '/a' }, { b: 2 }],
    ['removes an item', [1, 2, 3], { op: 'remove', path: '/1' }, [1, 3]],
    ['removes a null', { a: null }, { op: 'remove', path: '/a' }, {}],
    ['replaces deep inside', { a: [{ b: 1 }] }, { op: 'replace', path: '/a/0/b', value: 'x' }, { a: [{ b: 'x' }] }],
    ['moves', { a: 1 }, { op: 'move', from: '/a', path: '/b' }, { b: 1 }],
    ['moves onto itself', { a: 1 }, { op: 'move', from: '/a', path: '/a' }, { a: 1 }],
    ['copies', { a: { x: 1 } }, { op: 'copy', from: '/a', path: '/b' }, { a: { x: 1 }, b: { x: 1 } }],
    [
      'compares by value, not by order of keys',
      { a: { x: 1, y: 2 } },
      { op: 'test', path: '/a', value: { y: 2, x: 1 } },
      { a: { x: 1, y: 2 } },
    ],
    ['unescapes ~1 and ~0', { 'a/b~': 1 }, { op: 'replace', path: '/a~1b~0', value: 2 }, { 'a/b~': 2 }],
    ['finds the empty key', { '': 1 }, { op: 'replace', path: '/', value: 2 }, { '': 2 }],
  ])('%s', (_, before, operation, after) => {
    expect(applyPatch(before, [operation])).toEqual({ ok: true, value: after });
  });

  it.each<[string, Json, Operation, string]>([
    ['a replaced member that is not there', {}, { op: 'replace', path: '/a', value: 1 }, 'finds nothing at /a'],
    ['a removed member that is not there', { a: {} }, { op: 'remove', path: '/a/b' }, 'finds nothing at /a/b'],
    ['a parent that is not there', {}, { op: 'add', path: '/a/b', value: 1 }, 'finds nothing at /a'],
    ['an index past the end', [1], { op: 'add', path: '/2', value: 1 }, 'index 2 is beyond the end of the list'],
    ['an index with a leading zero', [1], { op: 'remove', path: '/00' }, '"00" is no index of a list'],
    ['- outside of add', [1], { op: 'remove', path: '/-' }, '"-" is no index of a list'],
    ['a failed test', { a: 1 }, { op: 'test', path: '/a', value: '1' }, 'expects another value at /a'],
    ['a move into itself', { a: { b: 1 } }, { op: 'move', from: '/a', path: '/a/b/c' }, 'moves a value into itself'],
    ['an add without value', {}, { op: 'add', path: '/a' }, 'add has no value'],
    ['a copy without from', {}, { op: 'copy', path: '/a' }, 'copy has no from'],
    ['the removal of everything', { a: 1 }, { op: 'remove', path: '' }, 'names the whole object, which would make it another one'],
    ['a key that objects inherit', {}, { op: 'add', path: '/__proto__/x', value: 1 }, 'names __proto__'],
    ['constructor as a source', {}, { op: 'copy', from: '/constructor', path: '/a' }, 'names constructor'],
    ['a member of a text', { a: 'x' }, { op: 'add', path: '/a/b', value: 1 }, 'can add nothing to a string'],
    ['a pointer too deep', {}, { op: 'add', path: '/a'.repeat(65), value: 1 }, 'goes deeper than 64 levels'],
  ])('refuses %s', (_, before, operation, message) => {
    expect(applyPatch(before, [operation])).toEqual({ ok: false, at: 0, message });
  });

  it('applies all or none, leaves its input alone and says which operation failed', () => {
    const before = { a: [1] };

    const result = applyPatch(before, [
      { op: 'add', path: '/a/-', value: 2 },
      { op: 'remove', path: '/b' },
    ]);

    expect(result).toEqual({ ok: false, at: 1, message: 'finds nothing at /b' });
    expect(before).toEqual({ a: [1] });
  });

  it('takes 1000 operations and no more', () => {
    const many = (count: number): readonly Operation[] => Array.from({ length: count }, () => ({ op: 'test', path: '/a', value: 1 }));

    expect(applyPatch({ a: 1 }, many(PATCH_LIMITS.operations)).ok).toBe(true);
    expect(applyPatch({ a: 1 }, many(PATCH_LIMITS.operations + 1))).toMatchObject({ ok: false, message: 'has more than 1000 operations' });
  });
});

describe('patches of rendered objects', () => {
  const patch = (target: string, ops: string): string => `${WEB}\npatches: [{ target: ${target}, ops: ${ops} }]`;

  it('reach every object that their target names, and no other', () => {
    const objects = render(patch('{ kind: Service }', '[{ op: add, path: /metadata/labels/x, value: "{{namespace}}" }]')).objects;

    expect(objects.map(({ object }) => [object.kind, (object.metadata['labels'] as Record<string, string>)['x']])).toEqual([
      ['Deployment', undefined],
      ['Service', 'acme-prod'],
    ]);
  });

  it.each([
    ['{ kind: Deployment, name: other }', 'group', 'patch-unmatched - the patch matches no object of web: kind "Deployment", name "other"'],
    ['{ group: batch }', 'group', 'patch-unmatched - the patch matches no object of web: group "batch"'],
  ])('that match nothing are mistakes: %s', (target, _, message) => {
    expect(problems(patch(target, '[{ op: remove, path: /spec }]'))).toEqual([message]);
  });

  it.each([
    [
      '/metadata/name',
      'other',
      'patch-failed - the patch of v1 Service acme-prod web of web makes it another object: v1 Service acme-prod other',
    ],
    [
      '/kind',
      'ConfigMap',
      'patch-failed - the patch of v1 Service acme-prod web of web makes it another object: v1 ConfigMap acme-prod web',
    ],
    ['/nope', 'x', 'patch-failed - the patch of v1 Service acme-prod web of web finds nothing at /nope'],
  ])('leave an object what it is: %s', (path, value, message) => {
    expect(problems(patch('{ kind: Service }', `[{ op: replace, path: ${path}, value: ${value} }]`))).toEqual([message]);
  });

  it('are checked like everything rendered', () => {
    expect(problems(patch('{ kind: Service }', '[{ op: add, path: /metadata/labels, value: { a: 1 } }]'))).toEqual([
      expect.stringContaining('rendered-object-invalid V-87'),
    ]);
  });

  it("of the environment come after the capsule's, and are placed in its file", () => {
    const wishes = { patches: [{ target: { kind: 'Service' }, ops: [{ op: 'test', path: '/metadata/labels/x', value: '1' } as const] }] };
    const own = patch('{ kind: Service }', '[{ op: add, path: /metadata/labels/x, value: "1" }]');

    expect(problems(own, { wishes })).toEqual([]);
    expect(problems(WEB, { wishes })).toEqual([
      'patch-failed - the patch of v1 Service acme-prod web of web finds nothing at /metadata/labels/x',
    ]);
  });
});
