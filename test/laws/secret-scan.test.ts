import fc from 'fast-check';
import { expect, test } from 'vitest';

import { findSecrets } from '#model/secret-scan.ts';

const FRAGMENTS = [
  'password',
  'token',
  ': ',
  ' = ',
  '"',
  "'",
  '\n',
  '\r\n',
  'kind: Secret',
  '  a: ',
  '-----BEGIN ',
  'PRIVATE KEY-----',
  'ghp_',
  'AKIA',
  'eyJ',
  '.',
  '://',
  '@',
  ':',
  '==',
  'LS0tLS1CRUdJTi',
  'eyJhdXRocyI6',
  '"auth"',
  'name: ',
  'value: ',
  'ñ',
  '\u2028',
  'aB3dE5gH7jK9mN2p',
  '{{',
  '\\n',
];

/** Text made of what the scanner looks for, and bytes of any kind. */
const HOSTILE = fc.oneof(
  fc
    .array(fc.oneof(fc.constantFrom(...FRAGMENTS), fc.base64String({ maxLength: 80 })), { maxLength: 60 })
    .map((parts) => Buffer.from(parts.join(''))),
  fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
);

test('whatever a file holds, findings stand in it, each on a line of its own, in order', () => {
  fc.assert(
    fc.property(HOSTILE, (bytes) => {
      const lines = bytes.toString('utf8').split('\n');
      const found = findSecrets(bytes);
      expect(found.map(({ line }) => line)).toEqual([...new Set(found.map(({ line }) => line))].sort((a, b) => a - b));
      for (const { line, column } of found) expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
    }),
    { numRuns: 2000 },
  );
});

test('a file is judged by its content alone: more lines around it change no finding', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('replicas: 3', '# note', 'a: b'), { maxLength: 9 }), (lines) => {
      const secret = `GH=ghp_${'aB3dE5gH7jK9'.repeat(3)}`;
      expect(findSecrets(Buffer.from([...lines, secret, ...lines].join('\n')))).toEqual([
        { type: 'a GitHub token', isCertain: true, line: lines.length + 1, column: 4 },
      ]);
    }),
  );
});
