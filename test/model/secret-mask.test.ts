import { inspect } from 'node:util';

import { expect, test } from 'vitest';

import { maskOf } from '#model/secret-mask.ts';
import { toSecret } from '#model/secret.ts';
import { canaryText, formsOf, searcherOf } from '#test/canaries/canaries.ts';

const TEXT = canaryText('masked', 'rich');
const SEARCH = searcherOf(new Map([['masked', TEXT]]));
/** Nobody writes these by accident: whoever turns a secret around wants it out. */
const WILFUL = /reversed|rot13|base64 of base64/;

test.each([...formsOf(TEXT)].filter(([form]) => !WILFUL.test(form)))('a secret in the form %s is masked', (form, text) => {
  const output = form === 'bytes in JSON lines' ? text.replaceAll(', ', ',') : text;

  expect(SEARCH('output', `before ${output} after`)).not.toEqual([]);
  expect(SEARCH('output', maskOf([toSecret(TEXT)])(`before ${output} after`))).toEqual([]);
});

test('the password in a login that is in base64 is masked, whatever the name before it', () => {
  for (const name of ['a', 'ab', 'abc', 'x-access-token']) {
    const header = `Basic ${Buffer.from(`${name}:${TEXT}`).toString('base64')}`;
    expect(SEARCH('output', maskOf([toSecret(TEXT)])(header))).toEqual([]);
  }
});

test('of a key in several lines each line is masked', () => {
  const key = `-----BEGIN PRIVATE KEY-----\n${'Ab1/'.repeat(16)}\n${'Cd2+'.repeat(16)}\n-----END PRIVATE KEY-----\n`;

  expect(maskOf([toSecret(key)])(`read ${'Cd2+'.repeat(16)}`)).toBe('read [secret]');
});

test('words around it stay, and a secret too short to be one masks nothing', () => {
  expect(maskOf([toSecret(TEXT), toSecret('dev')])(`dev says ${TEXT}.`)).toBe('dev says [secret].');
});

test('a secret prints as [secret] however it is printed', () => {
  const secret = toSecret(TEXT);

  expect(
    [
      `${String(secret)}`,
      `${secret.toString()}`,
      JSON.stringify({ secret }),
      inspect({ secret }),
      inspect(new Error('x', { cause: secret })),
    ].join(),
  ).not.toContain(TEXT);
});
