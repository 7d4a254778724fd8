import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { gitChildren } from '#adapters/git/children.ts';
import { toSecret } from '#model/secret.ts';
import { canaryText, searcherOf } from '#test/canaries/canaries.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'capstan-children-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A `git` that tells what it was given. */
function telling(script: string): string {
  const path = join(folder, 'git');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('a child sees no variable of ours but the few that it needs, and a home that has no logins in it', async () => {
  process.env['CANARY_OF_CHILDREN'] = canaryText('variable', 'rich');
  try {
    const { stdout } = await gitChildren(telling('env'), folder).run(['status'], { doing: 'telling' });

    expect(stdout).toContain('HOME=/nonexistent\n');
    expect(searcherOf(new Map([['variable', canaryText('variable', 'rich')]]))('environment of a child', stdout)).toEqual([]);
  } finally {
    delete process.env['CANARY_OF_CHILDREN'];
  }
});

test('what a child was given in secret stands in its environment only, and in nothing that it repeats', async () => {
  const secret = toSecret(canaryText('header', 'rich'));
  const search = searcherOf(new Map([['header', secret.reveal()]]));
  const script = 'printf "%s\\n" "$@" > "$0.words"; env | grep GIT_CONFIG_VALUE >&2; env | grep -c GIT_CONFIG_VALUE; exit 1';
  const children = gitChildren(telling(script), folder);
  const told = await children.run(['fetch'], { doing: 'fetching', configuration: { 'http.x': secret }, secrets: [secret], statuses: [1] });
  const failed = await children
    .run(['fetch'], { doing: 'fetching', configuration: { 'http.x': secret }, secrets: [secret] })
    .catch((error: unknown) => error);

  expect(Number(told.stdout)).toBeGreaterThan(5);
  expect(told.stderr).toContain('[secret]');
  expect(search('words', `${told.stderr}${String(failed)}`)).toEqual([]);
  expect(failed).toMatchObject({ name: 'PortError' });
});
