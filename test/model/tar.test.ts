import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { check, property, array, uint8Array, record, constantFrom, stringMatching } from 'fast-check';
import { describe, expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import { readTar, writeTar, type TarFile } from '#model/tar.ts';

const LIMITS = { files: 100, bytes: 1_000_000 };
const LONG = `files/${'n'.repeat(120)}.txt`;

function file(path: string, content = path, mode: TarFile['mode'] = '100644'): TarFile {
  return { path, mode, bytes: Buffer.from(content) };
}

/** An archive with one header field of its first file written over, and the checksum made right again. */
function spoiled(at: number, value: string, archive = writeTar([file('a')])): Buffer {
  const bytes = Buffer.from(archive);
  bytes.write(value, at, 'latin1');
  bytes.write('        ', 148, 'latin1');
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

function reasonOf(archive: Uint8Array, limits = LIMITS): string {
  const read = readTar(archive, limits);
  return read.ok ? 'read' : read.reason;
}

describe('an archive', () => {
  test('has the same bytes in whatever order the files came', () => {
    const files = [file('b'), file('a/c'), file('a.b'), file('ä.txt')];
    expect(writeTar(files.toReversed())).toEqual(writeTar(files));
    expect(sha256Of(writeTar([file('capsule.yaml', 'x: 1\n'), file('bin/run', '#!/bin/sh\n', '100755')]))).toBe(
      '3a889a582cb1d50181e9e31df3b63cc66f1e17ae51081cfb9d824a7bde984fb9',
    );
  });

  test('reads to what was packed, long and foreign names and empty files included', () => {
    const files = [file(LONG), file('a/b', '', '100755'), file('grüße/ß', 'x'.repeat(513))];
    const read = readTar(writeTar(files), LIMITS);
    expect(read.ok && read.value.map(({ path, mode, bytes }) => [path, mode, Buffer.from(bytes).toString()])).toEqual([
      ['a/b', '100755', ''],
      [LONG, '100644', LONG],
      ['grüße/ß', '100644', 'x'.repeat(513)],
    ]);
  });

  test('is what stock tar unpacks, with names, modes and contents', () => {
    const folder = mkdtempSync(join(tmpdir(), 'capstan-tar-'));
    try {
      writeFileSync(join(folder, 'a.tar'), writeTar([file(LONG), file('bin/run', 'run', '100755'), file('grüße', 'ja')]));
      execFileSync('tar', ['-xf', 'a.tar'], { cwd: folder });
      expect(readFileSync(join(folder, LONG), 'utf8')).toBe(LONG);
      expect(readFileSync(join(folder, 'grüße'), 'utf8')).toBe('ja');
      expect(statSync(join(folder, 'bin/run')).mode & 0o111).toBe(0o111);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('of any files reads to these files', () => {
    const names = stringMatching(/^[a-zäß€]{1,60}x(\/[a-z]{1,60}x){0,2}$/);
    const one = record({ path: names, mode: constantFrom('100644' as const, '100755' as const), bytes: uint8Array({ maxLength: 1100 }) });
    const result = check(
      property(array(one, { maxLength: 8 }), (given) => {
        const files = given.map((item, index) => ({ ...item, path: `${index}/${item.path}` }));
        const read = readTar(writeTar(files), LIMITS);
        const plain = (all: readonly TarFile[]) =>
          new Map(all.map((item) => [item.path, `${item.mode} ${Buffer.from(item.bytes).toString('hex')}`]));
        expect(read.ok && plain(read.value)).toEqual(plain(files));
      }),
    );
    expect(result.counterexample).toBeNull();
  });

  test.each([
    ['1', 'a is a hard link'],
    ['2', 'a is a symbolic link'],
    ['3', 'a is a device'],
    ['4', 'a is a device'],
    ['5', 'a is a folder of its own'],
    ['6', 'a is a pipe'],
    ['7', 'a is no regular file'],
    ['S', 'a is a sparse file'],
    ['g', 'a is a global header'],
    ['L', 'a is no regular file'],
    ['\0', 'a is no regular file'],
    ['x', 'a has a header that says more than a path'],
  ])('with an entry of type %j is refused', (type, reason) => {
    expect(reasonOf(spoiled(156, type))).toBe(reason);
  });

  test.each([
    ['../a', 'leaves the folder, or is no name that git keeps'],
    ['a/../../b', 'leaves the folder, or is no name that git keeps'],
    ['/etc/passwd', 'leaves the folder, or is no name that git keeps'],
    ['./a', 'leaves the folder, or is no name that git keeps'],
    ['a//b', 'leaves the folder, or is no name that git keeps'],
    ['a/', 'leaves the folder, or is no name that git keeps'],
    ['.git/config', 'leaves the folder, or is no name that git keeps'],
    ['a/.GIT/hooks/run', 'leaves the folder, or is no name that git keeps'],
    ['__proto__/x', 'has a name that programs mistake for a property'],
    ['x/constructor', 'has a name that programs mistake for a property'],
  ])('with the name %s is refused', (path, reason) => {
    expect(reasonOf(writeTar([file(path)]))).toBe(`${path} ${reason}`);
  });

  test('with a name of 5,000 bytes is refused', () => {
    expect(reasonOf(writeTar([file('n/'.repeat(2_500) + 'n')]))).toBe('PaxHeader has a header that says more than a path');
    expect(reasonOf(writeTar([file('n'.repeat(1_025))]))).toContain('is longer than 1024 bytes');
  });

  const DIFFERENT = 'it is not packed as capstan packs: order, owner, time, mode or padding differ';

  test.each([
    ['another owner', spoiled(108, '0000001')],
    ['another time', spoiled(136, '00000000001')],
    ['a mode beyond what git knows', spoiled(100, '0004755')],
    ['a user name', spoiled(265, 'root')],
    ['a part of the name in the prefix', spoiled(345, 'etc')],
    ['a wrong checksum', Buffer.from(writeTar([file('a')])).fill(0x31, 148, 150)],
    ['bytes after its end', Buffer.concat([writeTar([file('a')]), Buffer.from('more')])],
    ['a second archive after its end', Buffer.concat([writeTar([file('a')]), writeTar([file('b')])])],
    ['no end', writeTar([file('a')]).subarray(0, 1024)],
    ['files out of order', Buffer.concat([writeTar([file('b')]).subarray(0, 1024), writeTar([file('a')])])],
    ['bytes in the padding of a file', Buffer.from(writeTar([file('a')])).fill(0x31, 600, 601)],
    ['a pax header that nothing follows', writeTar([file('ä')]).subarray(0, 1024)],
  ])('with %s is refused', (_what, archive) => {
    expect(reasonOf(archive)).toBe(DIFFERENT);
  });

  test.each<[string, Uint8Array, string]>([
    ['a file twice', Buffer.concat([writeTar([file('a', 'good')]).subarray(0, 1024), writeTar([file('a', 'evil')])]), 'a'],
    ['a file that is a folder of another', writeTar([file('a'), file('a/b')]), 'a/b'],
    ['names that differ in case alone', writeTar([file('Readme'), file('readme')]), 'readme'],
    ['folders that differ in case alone', writeTar([file('A/one'), file('a/two')]), 'a/two'],
    ['names that differ in the form of an accent alone', writeTar([file('e\u0301'), file('\u00e9')]), '\u00e9'],
  ])('with %s is refused', (_what, archive, path) => {
    expect(reasonOf(archive)).toBe(`${path} stands in it twice, or so that a file system cannot tell it from another`);
  });

  test('whose sizes lie is refused', () => {
    expect(reasonOf(spoiled(124, '77777777777'))).toBe('it is cut off, or a size in it is no number');
    expect(reasonOf(spoiled(124, 'x'))).toBe('it is cut off, or a size in it is no number');
    // The size as a binary number, as GNU tar writes it for large files.
    expect(reasonOf(spoiled(124, '\x80\0\0\0\0\0\0\0\0\0\x01'))).toBe('it is cut off, or a size in it is no number');
  });

  test('that is larger than is read, or has more files, is refused', () => {
    expect(reasonOf(writeTar([file('a')]), { files: 1, bytes: 1_000 })).toBe('it has 2048 bytes; at most 1000 are read');
    expect(reasonOf(writeTar([file('a'), file('b')]), { files: 1, bytes: 10_000 })).toBe('it has more than 1 files');
  });

  test('of nothing at all reads to no files, and no bytes are refused', () => {
    expect(readTar(writeTar([]), LIMITS)).toEqual({ ok: true, value: [] });
    expect(reasonOf(new Uint8Array())).toBe(DIFFERENT);
  });
});
