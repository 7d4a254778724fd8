import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { assemble } from '#assembly/assembly.ts';
import { runCli } from '#cli/cli.ts';

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let folder = '';
let first = '';
let second = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'capstan-verify-commit-'));
  for (const name of ['ada', 'eve']) run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name));
  const publicKey = execFileSync('cat', [join(folder, 'ada.pub')]).toString();
  writeFileSync(join(folder, 'signers'), `ada@example.org ${publicKey}`);
  writeFileSync(join(folder, 'revoked'), publicKey);
  run('git', 'init', '-q', '-b', 'main', 'repository');
  first = commit('ada');
  second = commit('ada');
  git('branch', 'mixed');
  git('checkout', '-q', 'mixed');
  commit('eve');
  git('checkout', '-q', 'main');
});

afterAll(() => rmSync(folder, { recursive: true }));

function run(program: string, ...args: readonly string[]): string {
  const who = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@example.org', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@example.org' };
  const env = { PATH: process.env['PATH'] ?? '', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', ...who };
  return execFileSync(program, args, { cwd: folder, env }).toString().trim();
}

function git(...args: readonly string[]): string {
  return run('git', '-C', join(folder, 'repository'), ...args);
}

function commit(by: string): string {
  git('-c', 'gpg.format=ssh', '-c', `user.signingkey=${join(folder, by)}`, 'commit', '-q', '--allow-empty', '-S', '-m', by);
  return git('rev-parse', 'HEAD');
}

let said = '';

async function capstan(...words: readonly string[]): Promise<Ended> {
  let [out, err] = ['', ''];
  said = '';
  const code = await runCli([...words, '--repo', join(folder, 'repository')], async () => assemble(), {
    out: (text) => (out += text),
    err: (text) => (err += text),
    say: (text) => (said += text),
    isVerbose: false,
    env: {},
    cwd: folder,
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

const SIGNERS = ['--allowed-signers', 'signers'];

describe('capstan verify-commit', () => {
  it('says in one sentence who signed', async () => {
    expect(await capstan('verify-commit', ...SIGNERS, 'main')).toEqual({
      code: 0,
      out: `commit ${second.slice(0, 10)} is signed by ada@example.org\n`,
      err: '',
    });
  });

  it('judges every commit of a range, and refuses it for one', async () => {
    const good = await capstan('verify-commit', ...SIGNERS, `${first}..main`);
    const mixed = await capstan('verify-commit', ...SIGNERS, `${first}..mixed`);

    expect([good.code, good.out.split('\n').length - 1]).toEqual([0, 1]);
    expect([mixed.code, mixed.out.split('\n').length - 1]).toEqual([3, 2]);
    expect(said).toBe('2 commits, 1 accepted\n');
    expect(mixed.out).toContain('no trust entry names the key SHA256:');
    expect(mixed.out).toContain('is signed by ada@example.org');
  });

  it('refuses a range that goes backwards', async () => {
    const ended = await capstan('verify-commit', ...SIGNERS, `mixed..${first}`);

    expect([ended.code, ended.out]).toEqual([3, expect.stringContaining('is not an ancestor of')]);
  });

  it('says that no commit of an empty range was accepted', async () => {
    const ended = await capstan('verify-commit', ...SIGNERS, 'main..main');

    expect([ended, said]).toEqual([{ code: 0, out: '', err: '' }, '0 commits, 0 accepted\n']);
  });

  it('refuses a name that is a branch and a tag of another commit, which git would check out', async () => {
    git('branch', 'twice', first);
    git('tag', 'twice', second);
    const [bare, ranged, whole] = [
      await capstan('verify-commit', ...SIGNERS, 'twice'),
      await capstan('verify-commit', ...SIGNERS, 'twice~0..main'),
      await capstan('verify-commit', ...SIGNERS, 'refs/tags/twice'),
    ];
    git('tag', '-d', 'twice');

    expect([bare.code, ranged.code, whole.code]).toEqual([64, 64, 0]);
    expect(whole.out).toContain(second.slice(0, 10));
  });

  it('takes the policy of the project where no file is given', async () => {
    const ended = await capstan('verify-commit', 'main');

    expect([ended.code, ended.out]).toEqual([3, expect.stringContaining('no trust entry names the key SHA256:')]);
  });

  it('lets a revocation win', async () => {
    const ended = await capstan('verify-commit', ...SIGNERS, '--revoked-keys', 'revoked', '--first-seen', '2020-01-01T00:00:00Z', 'main');

    expect([ended.code, ended.out]).toEqual([3, expect.stringContaining('was revoked')]);
  });

  it.each([
    ['a commit that is not there', ['verify-commit', ...SIGNERS, 'nothing']],
    ['a file that is not there', ['verify-commit', '--allowed-signers', 'nothing', 'main']],
    ['a revocation file that is not there', ['verify-commit', ...SIGNERS, '--revoked-keys', 'nothing', 'main']],
    ['a revocation file that cannot be read', ['verify-commit', ...SIGNERS, '--revoked-keys', 'ada', 'main']],
    ['a keyring that is none', ['verify-commit', '--openpgp-keyring', 'signers', 'main']],
    ['a root that is none', ['verify-commit', '--x509-root', 'signers', 'main']],
    ['a tag that is not there', ['verify-tag', ...SIGNERS, 'main']],
  ])('ends with 1 for %s', async (_, words) => {
    const ended = await capstan(...words);

    expect([ended.code, ended.out]).toEqual([1, '']);
    expect(ended.err).not.toBe('');
  });

  it.each([
    ['no commit', ['verify-commit']],
    ['three dots', ['verify-commit', ...SIGNERS, 'main...mixed']],
    ['half a range', ['verify-commit', ...SIGNERS, 'main..']],
    ['a time without a zone', ['verify-commit', '--first-seen', '2026-01-01T00:00:00', 'main']],
    ['a time that is none', ['verify-commit', '--first-seen', 'yesterday', 'main']],
    ['an empty file name', ['verify-commit', '--revoked-keys', '', 'main']],
    ['another format', ['verify-commit', '-o', 'yaml', 'main']],
  ])('ends with 64 for %s', async (_, words) => {
    expect((await capstan(...words)).code).toBe(64);
  });
});
