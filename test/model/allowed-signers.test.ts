import { expect, test } from 'vitest';

import { parseAllowedSigners } from '#model/allowed-signers.ts';
import { signerOf } from '#test/stories/shop.ts';

const ADA = signerOf('ada').publicKey;
const BOB = signerOf('bob').publicKey;

test('reads what git reads, and leaves out keys of other namespaces', () => {
  const text = `# who may sign\n\nada@example.org ${ADA} laptop\n"bob b@x,bob" namespaces="file,git",valid-after="20260101",valid-before="20270101120000Z" ${BOB}\r\neve namespaces="file" ${BOB}\nfay namespaces="g*,!git" ${BOB}\n`;

  const read = parseAllowedSigners(text, 'signers');

  expect(read).toMatchObject({ ok: true });
  expect(
    read.ok &&
      read.value.map(({ name, credential, validFrom, validUntil, place }) => [
        name,
        credential.kind === 'ssh-key' ? credential.key : credential.kind,
        validFrom,
        validUntil,
        place.line,
      ]),
  ).toEqual([
    ['ada@example.org', ADA, undefined, undefined, 3],
    ['bob b@x,bob', BOB, '2026-01-01T00:00:00Z', '2027-01-01T12:00:00Z', 4],
  ]);
});

test.each([
  [
    'certificate authorities',
    `* cert-authority ${ADA}`,
    'the option cert-authority is not supported: certificates never count here, name each key',
  ],
  ['a local time', `ada valid-after="20260101120000" ${ADA}`, 'valid-after is not YYYYMMDD or YYYYMMDDHHMM[SS] in UTC (Z)'],
  ['no key', 'ada@example.org', 'it does not read `principals [options] type base64`'],
  ['a broken key', 'ada ssh-ed25519 AAAA', 'keys of type "" are not accepted'],
])('refuses the file for %s', (_, line, reason) => {
  const read = parseAllowedSigners(`# first\n${line}\n`, 'signers');

  expect(read).toEqual({ ok: false, line: 2, reason });
});

test('refuses a file that names nobody', () => {
  expect(parseAllowedSigners('# nobody\n', 'signers')).toEqual({ ok: false, line: 1, reason: 'it names no key that may sign for git' });
});
