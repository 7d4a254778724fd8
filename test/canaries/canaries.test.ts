import { inspect } from 'node:util';

import { expect, test } from 'vitest';

import { canaryText, formsOf, searcherOf } from './canaries.ts';

const TEXT = canaryText('one', 'rich');
const search = searcherOf(new Map([['one', TEXT]]));

test.each([
  ['as it is', TEXT],
  ['in a URL', `https://x.example/?q=${encodeURIComponent(TEXT)}`],
  ['in a form', new URLSearchParams({ q: TEXT }).toString()],
  ['in JSON', JSON.stringify({ message: TEXT })],
  ['in JSON in JSON', JSON.stringify({ body: JSON.stringify({ message: TEXT }) })],
  ['in hex', Buffer.from(TEXT).toString('hex')],
  ['as a buffer prints', inspect(Buffer.from(TEXT))],
  ['as a buffer in JSON', JSON.stringify(Buffer.from(TEXT))],
  ['as numbers', [...Buffer.from(TEXT)].join(', ')],
  ['backwards', TEXT.split('').toReversed().join('')],
  ['cut in the middle', TEXT.slice(0, 20)],
  ...['', 'x:', 'user:', 'user1:'].map((before) => [
    `in base64 after ${before.length} letters`,
    Buffer.from(`${before}${TEXT}`).toString('base64'),
  ]),
  ...['', '{', '{"'].map((before) => [`in base64url after ${before.length}`, Buffer.from(`${before}${TEXT}"}`).toString('base64url')]),
  ['in base64 of base64', Buffer.from(`a: ${Buffer.from(TEXT).toString('base64')}`).toString('base64')],
])('a canary %s is found', (_how, output) => {
  expect(search('here', `before ${output} after`).map(({ canary }) => canary)).toContain('one');
});

test('what has no canary in it is silent', () => {
  expect(search('here', `${canaryText('two', 'rich')} ${[...formsOf(canaryText('two', 'plain')).values()].join('\n')}`)).toEqual([]);
});
