import { expect, test } from 'vitest';

import { withRotatedEntry } from '#model/trust-text.ts';

const ENTRY = { index: 1, validUntil: '2026-07-01T00:00:00Z', name: 'fresh', sshKey: 'ssh-ed25519 AAAA', purposes: ['engine'] };
const HEAD = 'kind: Project # ours\nspec:\n  description: x\n';

test.each([
  [
    'block entries, with the comments between them',
    `${HEAD}  trust:\n    - name: ada\n      sshKey: a\n      for: [commit]\n    # the engine\n    - name: engine\n      sshKey: b # its key\n      for: [engine] # only\n    # bob\n    - name: bob\n      sshKey: c\n      for: [commit]\n`,
    `${HEAD}  trust:\n    - name: ada\n      sshKey: a\n      for: [commit]\n    # the engine\n    - name: engine\n      sshKey: b # its key\n      for: [engine] # only\n      validUntil: "2026-07-01T00:00:00Z"\n    - name: "fresh"\n      sshKey: "ssh-ed25519 AAAA"\n      for: [engine]\n    # bob\n    - name: bob\n      sshKey: c\n      for: [commit]\n`,
  ],
  [
    'a block entry that has an end already, and no line end behind it',
    `${HEAD}  trust:\n  - name: ada\n    for: [commit]\n  - name: engine\n    validUntil: 2027-01-01\n    for:\n      - engine`,
    `${HEAD}  trust:\n  - name: ada\n    for: [commit]\n  - name: engine\n    validUntil: "2026-07-01T00:00:00Z"\n    for:\n      - engine\n  - name: "fresh"\n    sshKey: "ssh-ed25519 AAAA"\n    for: [engine]\n`,
  ],
  [
    'entries in one line each',
    `${HEAD}  trust:\n    - { name: ada, for: [commit] }\n    - { name: engine, sshKey: b, for: [engine] } # ours\nx-more: 1\n`,
    `${HEAD}  trust:\n    - { name: ada, for: [commit] }\n    - { name: engine, sshKey: b, for: [engine], validUntil: "2026-07-01T00:00:00Z" } # ours\n    - { name: "fresh", sshKey: "ssh-ed25519 AAAA", for: [engine] }\nx-more: 1\n`,
  ],
  [
    'an entry in one line that has an end already',
    `${HEAD}  trust:\n    - {name: ada}\n    - {name: engine, validUntil: 2027-01-01, for: [engine]}\n`,
    `${HEAD}  trust:\n    - {name: ada}\n    - {name: engine, validUntil: "2026-07-01T00:00:00Z", for: [engine]}\n    - { name: "fresh", sshKey: "ssh-ed25519 AAAA", for: [engine] }\n`,
  ],
  [
    'all entries in one line',
    `${HEAD}  trust: [{ name: ada }, { name: engine, for: [engine] }]\n`,
    `${HEAD}  trust: [{ name: ada }, { name: engine, for: [engine], validUntil: "2026-07-01T00:00:00Z" }, { name: "fresh", sshKey: "ssh-ed25519 AAAA", for: [engine] }]\n`,
  ],
])('a rotation is written into %s', (_, before, after) => {
  expect(withRotatedEntry(before, ENTRY)).toBe(after);
});

test('an entry that is not there, or a text that is no YAML, is left to people', () => {
  expect(withRotatedEntry(`${HEAD}  trust:\n    - { name: ada }\n`, ENTRY)).toBe(undefined);
  expect(withRotatedEntry('a: [', ENTRY)).toBe(undefined);
});
