import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { parseTag } from '#model/git-tag.ts';
import { parseRevokedKeys } from '#model/revoked-keys.ts';
import { findSignature, LARGEST_SIGNATURE } from '#model/signed-object.ts';
import { sshFingerprint } from '#model/ssh-key.ts';
import { sshString, sshUint32 } from '#model/ssh-wire.ts';

const BLOCK = '-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----';
const PGP = '-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----';
const HEAD = `object ${'a'.repeat(40)}\ntype commit\ntag v1\ntagger Ada <ada@example.org> 1 +0000\n`;

function inCommit(text: string): string {
  return wordOf(findSignature({ kind: 'commit', raw: Buffer.from(text) }));
}

function inTag(text: string): string {
  return wordOf(findSignature({ kind: 'tag', raw: Buffer.from(text) }));
}

function wordOf(found: ReturnType<typeof findSignature>): string {
  switch (found.kind) {
    case 'signed':
      return `${found.signature.form} over ${found.signature.payload.byteLength}`;
    case 'refused':
      return found.code;
    case 'unsigned':
      return found.kind;
  }
}

describe('the signature of a commit', () => {
  const indented = (block: string): string => block.replaceAll('\n', '\n ');

  test.each([
    ['none', 'tree x\n\nm\n', 'unsigned'],
    ['one', `tree x\ngpgsig ${indented(BLOCK)}\n\nm\n`, 'ssh over 10'],
    ['a block in the message only', `tree x\n\nm\n${BLOCK}\n`, 'unsigned'],
    [
      'one, and another in a tag that was merged',
      `tree x\nmergetag ${indented(`${HEAD}\nm\n${PGP}`)}\ngpgsig ${indented(BLOCK)}\n\nm\n`,
      /^ssh over/,
    ],
    ['a header that only looks alike', `tree x\ngpgsigned x\n\nm\n`, 'unsupported-signature'],
    ['a header in capitals, which is another', `tree x\nGPGSIG ${indented(BLOCK)}\n\nm\n`, 'unsigned'],
    ['a block of another kind behind it', `tree x\ngpgsig ${indented(`${BLOCK}\n${PGP}`)}\n\nm\n`, 'malformed-signature'],
    ['an end that comes twice', `tree x\ngpgsig ${indented(`${BLOCK}\n-----END SSH SIGNATURE-----`)}\n\nm\n`, 'malformed-signature'],
    ['an end of another kind', `tree x\ngpgsig ${indented(BLOCK.replace('END SSH', 'END PGP'))}\n\nm\n`, 'malformed-signature'],
    ['a huge block', `tree x\ngpgsig ${indented(BLOCK.replace('AAAA', 'A'.repeat(LARGEST_SIGNATURE)))}\n\nm\n`, 'malformed-signature'],
    ['no end of its headers', `tree x\ngpgsig ${indented(BLOCK)}\n`, 'malformed-commit'],
  ])('%s', (_, text, expected) => expect(inCommit(text)).toMatch(expected));
});

describe('the signature of a tag', () => {
  test.each([
    ['none', `${HEAD}\nm\n`, 'unsigned'],
    ['one at the end', `${HEAD}\nm\n${PGP}\n`, /^openpgp over/],
    ['one that begins within a line', `${HEAD}\nm ${PGP}\n`, 'unsigned'],
    ['two', `${HEAD}\nm\n${BLOCK}\n${PGP}\n`, 'several-signatures'],
    ['text behind it', `${HEAD}\nm\n${PGP}\nmore\n`, 'malformed-signature'],
    ['an old form', `${HEAD}\nm\n-----BEGIN PGP MESSAGE-----\n`, 'unsupported-signature'],
    ['a header as commits have', `${HEAD}gpgsig x\n\nm\n`, 'several-signatures'],
    ['no message but the signature', `${HEAD}\n${PGP}`, /^openpgp over/],
    ['a huge block', `${HEAD}\n${PGP.replace('AAAA', 'A'.repeat(LARGEST_SIGNATURE))}`, 'malformed-signature'],
  ])('%s', (_, text, expected) => expect(inTag(text)).toMatch(expected));

  test('is over everything before it', () => {
    const found = findSignature({ kind: 'tag', raw: Buffer.from(`${HEAD}\nm\n${PGP}\n`) });
    expect(found).toMatchObject({ kind: 'signed', signature: { armoured: PGP } });
    expect(found.kind === 'signed' && Buffer.from(found.signature.payload).toString()).toBe(`${HEAD}\nm\n`);
  });
});

test('a tag is read as git writes it, and not otherwise', () => {
  const reasonOf = (text: string): string => {
    const read = parseTag(Buffer.from(text));
    return read.ok ? `${read.value.type} ${read.value.name}` : 'refused';
  };

  expect(
    [
      `${HEAD}\nm\n`,
      HEAD.replace('type commit', 'type tag').concat('\n'),
      `${HEAD}tag v2\n\nm\n`,
      HEAD.replace('tag v1\n', '').concat('\nm\n'),
      HEAD.replace('type commit', 'type x').concat('\nm\n'),
      HEAD.replace('object', 'Object').concat('\nm\n'),
      HEAD.replace('tag v1', 'tag v1\n v2').concat('\nm\n'),
    ].map(reasonOf),
  ).toEqual(['commit v1', 'tag v1', 'refused', 'refused', 'refused', 'refused', 'refused']);
});

describe('revoked keys', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'capstan-krl-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function krl(...sections: readonly Buffer[]): Buffer {
    return Buffer.concat([Buffer.from('SSHKRL\n\0'), sshUint32(1), Buffer.alloc(24), sshString(''), sshString(''), ...sections]);
  }
  const section = (type: number, content: Buffer): Buffer => Buffer.concat([Buffer.from([type]), sshString(content)]);

  test('are read as ssh-keygen writes them, by key and by fingerprint', () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')]);
    const publicKey = readFileSync(join(folder, 'key.pub'), 'utf8');
    const own = sshFingerprint(Buffer.from(publicKey.split(' ')[1] ?? '', 'base64'));
    writeFileSync(join(folder, 'hash'), `hash: ${own}\nsha1: ${publicKey}`);
    execFileSync('ssh-keygen', ['-q', '-k', '-f', join(folder, 'keys'), join(folder, 'key.pub')]);
    execFileSync('ssh-keygen', ['-q', '-k', '-f', join(folder, 'hashes'), join(folder, 'hash')]);

    const [keys, hashes, list] = [
      readFileSync(join(folder, 'keys')),
      readFileSync(join(folder, 'hashes')),
      Buffer.from(`# old\n${publicKey}`),
    ].map(parseRevokedKeys);

    expect(keys).toEqual({ ok: true, value: new Set([own]) });
    expect(hashes?.ok === true && hashes.value.has(own) && [...hashes.value].some((name) => name.startsWith('SHA1:'))).toBe(true);
    expect(list).toEqual({ ok: true, value: new Set([own]) });
  });

  test('may be fingerprints of any kind, and keys that are too weak to be trusted', () => {
    const read = parseRevokedKeys(Buffer.from(`SHA256:${'a'.repeat(43)} ada\n${'ab'.repeat(20)}\nssh-dss AAAA old\n`));

    expect(read).toEqual({
      ok: true,
      value: new Set([`SHA256:${'a'.repeat(43)}`, 'AB'.repeat(20), 'ab'.repeat(20), sshFingerprint(Buffer.from('AAAA', 'base64'))]),
    });
  });

  test.each([
    ['a line that is neither', Buffer.from('ada@example.org\n')],
    ['another version', Buffer.concat([Buffer.from('SSHKRL\n\0'), sshUint32(2), Buffer.alloc(32)])],
    ['half a list', krl(section(2, sshString('x'))).subarray(0, -2)],
    ['half a section', krl(section(2, Buffer.from([0, 0, 1])))],
    ['a signature', krl(section(4, Buffer.alloc(0)))],
    ['a critical extension', krl(section(255, Buffer.concat([sshString('x'), Buffer.from([1]), sshString('')])))],
    ['a section that is not known', krl(section(9, Buffer.alloc(0)))],
    ['more than 8 MiB', Buffer.alloc(9 * 1024 * 1024)],
    ['a million keys', krl(section(5, Buffer.concat(Array.from({ length: 150_000 }, (_, at) => sshString(Buffer.from(String(at)))))))],
  ])('are refused whole for %s', (_, bytes) => {
    expect(parseRevokedKeys(bytes)).toMatchObject({ ok: false });
  });

  test('pass over sections about certificates and extensions that do not matter', () => {
    const extra = [section(1, Buffer.alloc(10)), section(255, Buffer.concat([sshString('x'), Buffer.from([0]), sshString('')]))];

    expect(parseRevokedKeys(krl(...extra, section(2, sshString('key'))))).toMatchObject({
      ok: true,
      value: new Set([sshFingerprint(Buffer.from('key'))]),
    });
  });
});
