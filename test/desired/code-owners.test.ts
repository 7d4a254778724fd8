import { describe, expect, test } from 'vitest';

import { environment } from '#test/desired/declarations.ts';
import { found } from '#test/desired/operation-documents.ts';

const FILES = {
  'environments/dev/environment.yaml': environment('dev', ''),
  'environments/prod/environment.yaml': environment('prod', '', 'high'),
  'policies/p.yaml':
    'apiVersion: capstan.dev/v1alpha1\nkind: Policy\nmetadata:\n  name: p\nspec:\n  on: [render]\n  validations:\n    - expression: "true"\n  enforcement: deny\n',
};

function owners(...lines: readonly string[]): readonly string[] {
  return found('V-86', FILES, { codeOwners: { path: '.github/CODEOWNERS', text: lines.join('\n') } });
}

const nobody = (what: string): readonly string[] => [`warning .github/CODEOWNERS: .github/CODEOWNERS names no owner of ${what}`];

describe('V-86: nobody answers for', () => {
  test.each([
    ['anything', [], 'policies/, environments/prod/'],
    ['policies', ['/environments/ @acme/sre'], 'policies/'],
    ['what a later line takes back', ['* @acme/sre', '/environments/prod/'], 'environments/prod/'],
    ['what a comment says', ['* @acme/sre', '/policies/ # @acme/sre'], 'policies/'],
    ['what lies deeper than a star', ['/policies/ @a', '/environments/* @acme/sre'], 'environments/prod/'],
    ['what an owner without a name has', ['* acme'], 'policies/, environments/prod/'],
    ['patterns that no forge knows', ['!policies @a', '[pe]* @a'], 'policies/, environments/prod/'],
  ])('%s', (_, lines, what) => {
    expect(owners(...lines)).toEqual(nobody(what));
  });

  test('V-86: a repository without the file', () => {
    expect(found('V-86', FILES, { codeOwners: { path: undefined, text: undefined } })).toEqual([
      'warning : there is no CODEOWNERS file, so nobody has to look at changes of policies/, environments/prod/',
    ]);
  });
});

describe('near misses', () => {
  test.each([
    ['V-86: one line for all', ['* @acme/sre']],
    ['V-86: folders', ['/policies/ @acme/sre', '/environments/prod/ ada@example.com']],
    ['V-86: folders without their slashes', ['policies @acme/sre', 'environments/prod @acme/sre']],
    ['V-86: at any depth', ['**/policies/** @a', 'environments/**/environment.yaml @a']],
    ['V-86: kinds of files', ['*.yaml @a']],
    ['V-86: a question mark, and carriage returns', ['/polic?es/ @a\r', '/env*/prod/** @a\r']],
  ])('%s', (_, lines) => {
    expect(owners(...lines)).toEqual([]);
  });

  test('V-86: no file, and nothing of risk high', () => {
    const { 'environments/prod/environment.yaml': _, ...small } = FILES;
    expect(found('V-86', small, { codeOwners: { path: undefined, text: undefined } })).toEqual([]);
  });
});

test('no pattern is slow', () => {
  const started = process.cpuUsage();
  expect(owners(`${'**/'.repeat(2000)}${'*a'.repeat(5000)}b @a`)).toEqual(nobody('policies/, environments/prod/'));
  expect(process.cpuUsage(started).user).toBeLessThan(2_000_000);
});
