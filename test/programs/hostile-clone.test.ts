import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { gitRepository } from '#adapters/git/git.ts';
import { gitWorkingDirectory } from '#adapters/git/working-directory.ts';
import { toInstant } from '#model/instant.ts';
import { branchRef } from '#model/names.ts';

let root: string;
let marker: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'capstan-clone-'));
  marker = join(root, 'marker');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function git(directory: string, ...args: readonly string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', ['-C', directory, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { env, encoding: 'utf8' });
}

/** A clone whose attributes, configuration and hooks all want to run a program that leaves a mark. */
function hostileClone(): string {
  const clone = join(root, 'clone');
  mkdirSync(join(clone, 'environments', 'dev'), { recursive: true });
  git(clone, 'init', '-q', '-b', 'main');
  writeFileSync(join(clone, '.gitattributes'), '* filter=evil text eol=crlf diff=evil merge=evil\n');
  writeFileSync(join(clone, 'environments', 'dev', 'environment.yaml'), 'a: 1\r\n');
  git(clone, 'add', '.');
  git(clone, 'commit', '-qm', 'one');
  const program = join(root, 'program');
  writeFileSync(program, `#!/bin/sh\necho ran >> ${marker}\ncat\n`);
  chmodSync(program, 0o755);
  const settings = [
    'filter.evil.clean',
    'filter.evil.smudge',
    'filter.evil.process',
    'core.fsmonitor',
    'core.sshCommand',
    'diff.evil.command',
  ];
  for (const name of [...settings, 'diff.evil.textconv', 'merge.evil.driver', 'core.pager', 'core.askPass', 'gpg.ssh.program'])
    git(clone, 'config', name, program);
  for (const hook of ['reference-transaction', 'pre-commit', 'post-commit', 'post-index-change', 'pre-push', 'post-checkout', 'update'])
    symlinkSync(program, join(clone, '.git', 'hooks', hook));
  return clone;
}

test('row 30: filters, monitors and hooks of a clone are never run, and its files are read as they are', async () => {
  const clone = hostileClone();

  const directory = await gitWorkingDirectory(clone);
  const { tree, reader } = (await directory?.snapshot()) ?? { tree: undefined, reader: undefined };
  if (tree === undefined || reader === undefined) throw new Error('there is no working directory');
  const [environments] = await reader.tree(tree);
  const [dev] = environments?.kind === 'tree' ? await reader.tree(environments.id) : [];
  const [file] = dev?.kind === 'tree' ? await reader.tree(dev.id) : [];

  expect(file?.kind === 'blob' && Buffer.from(await reader.blob(file.id)).toString()).toBe('a: 1\r\n');
  expect(existsSync(marker)).toBe(false);
  // Stock git does run them, so the trap is one.
  git(clone, 'status');
  expect(existsSync(marker)).toBe(true);
});

test('row 30: reading, writing and moving a branch in a clone runs nothing of it either', async () => {
  const clone = hostileClone();
  const repository = await gitRepository({ path: clone, limits: { blobBytes: 1 << 20, treeEntries: 1000, refs: 1000 } });

  const head = await repository.resolve('main');
  if (head === undefined) throw new Error('there is no main');
  const { tree } = await repository.commit(head);
  const author = { name: 'e', email: 'e@x', at: toInstant(0), zone: '+0000' };
  const change = { kind: 'file', path: 'environments/dev/x', content: Buffer.from('x\r\n') } as const;
  const next = await repository.writeCommit({ base: tree, changes: [change], parents: [head], author, message: 'm\n' }, undefined);
  await repository.push([{ ref: branchRef('rendered/dev'), expected: undefined, next }]);
  await repository.mergeTrees(head, next);
  await repository.close();

  expect(git(clone, 'cat-file', 'blob', 'rendered/dev:environments/dev/x')).toBe('x\r\n');
  expect(existsSync(marker) ? readFileSync(marker, 'utf8') : 'nothing ran').toBe('nothing ran');
});
