import { decodeTime, isValid } from 'ulid';
import { expect, test } from 'vitest';

import { toInstant } from '#model/instant.ts';
import { ulidOf } from '#model/ulid.ts';

const AT = toInstant(Date.UTC(2026, 10, 21, 12));

test('is a ULID of that time', () => {
  const id = ulidOf('content', AT);

  expect([isValid(id), decodeTime(id)]).toEqual([true, AT]);
});

test('follows from content and time, and from nothing else', () => {
  expect(ulidOf('content', AT)).toBe(ulidOf(Buffer.from('content'), AT));
  expect(new Set([ulidOf('content', AT), ulidOf('content', toInstant(AT + 1)), ulidOf('other', AT)]).size).toBe(3);
});
