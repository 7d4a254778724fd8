import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import { toInstanceName } from '#model/names.ts';
import type { Pin } from '#model/resolution.ts';
import { changeSetOf, lockText, movesBetween } from '#resolve/resolve.ts';
import { pin } from '#test/resolve/worlds.ts';

const PINS = [pin('greeter', '1.4.1'), pin('greeter-tools', '0.3.0'), pin('redis', '7.2.5', { requestedBy: ['greeter'] })];
const LOCK = lockText('prod', PINS, undefined);

function changedLines(before: string, after: string): readonly string[] {
  const old = before.split('\n');
  const now = after.split('\n');
  expect(now.length).toBe(old.length);
  return now.flatMap((line, at) => (line === old[at] ? [] : [line.trim().split(':')[0] ?? '']));
}

const moved = (name: string, version: string): readonly Pin[] =>
  PINS.map((one) => (one.instance === name ? { ...pin(name, version), requestedBy: one.requestedBy } : one));

test('a new lock is written in block style, by name', () => {
  const [greeter, , redis] = PINS;
  expect(
    lockText(
      'prod',
      [redis, greeter].filter((one) => one !== undefined),
      undefined,
    ),
  ).toBe(
    `apiVersion: capstan.dev/v1alpha1
kind: EnvironmentLock
metadata:
  environment: prod
capsules:
  greeter:
    capsule: greeter
    version: 1.4.1
    commit: ${greeter?.commit}
    gitTree: ${greeter?.gitTree}
    sha256: ${greeter?.sha256}
    requestedBy:
      - environment
  redis:
    capsule: redis
    version: 7.2.5
    commit: ${redis?.commit}
    gitTree: ${redis?.gitTree}
    sha256: ${redis?.sha256}
    requestedBy:
      - greeter
holds: {}
`,
  );
  expect(lockText('prod', [], undefined)).toContain('capsules: {}\nholds: {}\n');
});

test('a moved capsule changes exactly four lines', () => {
  const after = lockText('prod', moved('greeter', '1.4.2'), LOCK);

  expect(changedLines(LOCK, after)).toEqual(['version', 'commit', 'gitTree', 'sha256']);
  expect(lockText('prod', PINS, after)).toBe(LOCK);
});

test('comments, holds, quotes, spacing and foreign fields stay', () => {
  const text = LOCK.replace('  greeter:\n', '  # the front door\n  greeter:   # keep me\n')
    .replace('version: 7.2.5', 'version: "7.2.5"   # pinned by hand')
    .replace('holds: {}\n', 'holds:\n  redis:\n    reason: INC-4 # do not move\n');

  const after = lockText('prod', moved('redis', '7.4.0'), text);

  expect(lockText('prod', PINS, text)).toBe(text);
  expect(after.includes('# the front door\n  greeter:   # keep me\n')).toBe(true);
  expect(after.includes('version: 7.4.0   # pinned by hand')).toBe(true);
  expect(after.endsWith('holds:\n  redis:\n    reason: INC-4 # do not move\n')).toBe(true);
  expect(changedLines(text, after).length).toBe(4);
});

test('an entry enters where another one leaves', () => {
  const swapped = lockText('prod', [...PINS.filter((one) => one.instance !== 'redis'), pin('queue', '1.0.0')], LOCK);

  expect([...swapped.matchAll(/^ {2}(\S+):$/gm)].map(([, name]) => name)).toEqual(['greeter', 'greeter-tools', 'queue']);
  expect(lockText('prod', PINS, swapped)).toBe(LOCK);
});

test('entries enter in order and leave whole', () => {
  const added = lockText('prod', [...PINS, pin('alpha', '1.0.0'), pin('mid', '1.0.0'), pin('zeta', '1.0.0')], LOCK);

  expect([...added.matchAll(/^ {2}(\S+):$/gm)].map(([, name]) => name)).toEqual([
    'alpha',
    'greeter',
    'greeter-tools',
    'mid',
    'redis',
    'zeta',
  ]);
  expect(lockText('prod', PINS, added)).toBe(LOCK);
  expect(lockText('prod', [], LOCK)).toContain('environment: prod\ncapsules: {}\nholds: {}\n');
  expect(lockText('prod', PINS, lockText('prod', [], LOCK))).toBe(LOCK);
});

test('two neighbouring promotions merge without conflict, and each can be taken back alone, by stock git', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lock-'));
  const merge = (ours: string, base: string, theirs: string): string => {
    const files = { ours, base, theirs };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    execFileSync('git', ['merge-file', 'ours', 'base', 'theirs'], { cwd: folder });
    return readFileSync(join(folder, 'ours'), 'utf8');
  };
  const one = lockText('prod', moved('greeter', '1.4.2'), LOCK);
  const two = lockText('prod', moved('greeter-tools', '0.4.0'), LOCK);

  const both = merge(one, LOCK, two);
  const back = merge(both, one, LOCK);
  rmSync(folder, { recursive: true });

  expect(changedLines(LOCK, both).length).toBe(8);
  expect(back).toBe(two);
});

test('an edit is the same whether the lock is read by lines or as YAML', () => {
  const edits = [moved('greeter', '1.4.2'), PINS.slice(1), [...PINS, pin('mid', '1.0.0')], moved('redis', '7.4.0')];
  const remark = '# any comment sends the text to the YAML parser\n';

  for (const pins of edits) expect(lockText('prod', pins, LOCK + remark)).toBe(lockText('prod', pins, LOCK) + remark);
  for (const pins of edits) expect(lockText('prod', pins, remark + LOCK)).toBe(remark + lockText('prod', pins, LOCK));
});

test('a digest that YAML would read as a number is quoted', () => {
  const odd = { ...pin('greeter', '1.0.0'), sha256: sha256Of('x'), commit: '1234567890123456789012345678901234567e10' } as unknown as Pin;

  expect(lockText('prod', [odd], undefined)).toContain('commit: "1234567890123456789012345678901234567e10"\n');
  expect(lockText('prod', [{ ...pin('x', '1.0.0'), instance: toInstanceName('404') }], undefined)).toContain('\n  "404":\n');
});

test('a lock in a style that is not ours is written anew', () => {
  const flow =
    'apiVersion: capstan.dev/v1alpha1\nkind: EnvironmentLock\nmetadata: { environment: prod }\ncapsules: { greeter: { version: 1.0.0 } }\nholds: {}\n';

  expect(lockText('prod', PINS, flow)).toBe(LOCK);
  expect(lockText('prod', PINS, 'capsules: [\n')).toBe(LOCK);
});

test('a change set is named by the JCS of what it brings, whatever the order of its moves', () => {
  const moves = movesBetween(PINS, moved('greeter', '1.4.2'));
  const leaving = movesBetween(PINS, PINS.slice(1));

  const sha256 = sha256Of('greeter@1.4.2');
  const text = `[{"capsule":"greeter","instance":"greeter","sha256":"${sha256}","version":"1.4.2"}]`;
  expect(changeSetOf(moves)).toEqual({
    id: `cs-${sha256Of(text).slice(0, 16)}`,
    moves: [
      {
        instance: 'greeter',
        capsule: 'greeter',
        from: { version: '1.4.1', sha256: sha256Of('greeter@1.4.1') },
        to: { version: '1.4.2', sha256 },
      },
    ],
  });
  expect(leaving).toEqual([
    { instance: 'greeter', capsule: 'greeter', from: { version: '1.4.1', sha256: sha256Of('greeter@1.4.1') }, to: undefined },
  ]);
  expect(changeSetOf([...moves, ...leaving]).id).not.toBe(changeSetOf(moves).id);
});
