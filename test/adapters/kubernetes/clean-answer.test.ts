import { expect, test } from 'vitest';

import { cleanAnswer, cleanEvent } from '#adapters/kubernetes/clean-answer.ts';
import { canaryText, searcherOf } from '#test/canaries/canaries.ts';

const TOKEN = canaryText('bearer', 'rich');
const SENT = ['authorization', `Bearer ${TOKEN}`, 'accept', 'application/json'];
const search = searcherOf(new Map([['bearer', TOKEN]]));

function status(message: string): string {
  return JSON.stringify({ kind: 'Status', message, details: { causes: [{ message }] } });
}

test.each([
  [401, status(`no ${TOKEN}`)],
  [403, status(`no ${Buffer.from(`a:${TOKEN}`).toString('base64')}`)],
  [500, `<html>${encodeURIComponent(TOKEN)}</html>`],
  [200, `you sent ${TOKEN}`],
])('row 103: what is answered with %i is rid of the token, wherever it is repeated', (code, text) => {
  const headers = { location: `https://x.example/?t=${encodeURIComponent(TOKEN)}`, warning: [`299 - "${TOKEN}"`] };
  const clean = cleanAnswer({ status: code, headers, body: Buffer.from(text) }, SENT);

  expect(search('answer', `${clean.body.toString('utf8')}${JSON.stringify(clean.headers)}`)).toEqual([]);
  expect(clean.body.toString('utf8')).toContain('[secret]');
});

test('an object that was asked for is what it is', () => {
  const answer = { status: 200, headers: {}, body: Buffer.from(JSON.stringify({ kind: 'ConfigMap', data: { a: TOKEN } })) };

  expect(cleanAnswer(answer, SENT)).toBe(answer);
});

test('row 103: an error in a watch is rid of the token, an object is what it is', () => {
  const error = { type: 'ERROR', object: { kind: 'Status', message: `gone, ${TOKEN}`, details: { causes: [{ message: TOKEN }] } } };
  const added = { type: 'ADDED', object: { data: { a: TOKEN } } };

  expect(cleanEvent(error, SENT)).toEqual({
    type: 'ERROR',
    object: { kind: 'Status', message: 'gone, [secret]', details: { causes: [{ message: '[secret]' }] } },
  });
  expect(cleanEvent(added, SENT)).toBe(added);
});
