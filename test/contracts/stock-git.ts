import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type BlobId, type CommitId, type TreeId, toBlobId, toCommitId, toTreeId } from '#model/digest.ts';
import type { Person } from '#model/git-objects.ts';
import { toInstant } from '#model/instant.ts';

export const LIMITS = { blobBytes: 1024 * 1024, treeEntries: 5000, refs: 500 };
export const ENGINE: Person = { name: 'Engine', email: 'engine@example.org', at: toInstant(1_700_000_000_000), zone: '+0000' };

/** A folder that goes away, and the stock git program in it. */
export interface StockGit {
  readonly folder: string;
  path(name: string): string;
  git(repository: string, args: readonly string[], input?: string | Uint8Array): string;
  /** A bare repository with one commit on main. */
  bare(name: string, files: Readonly<Record<string, string>>): { readonly path: string; readonly head: CommitId };
  /** A commit by stock git on a branch of a bare repository; the files are its whole tree. */
  commit(repository: string, branch: string, files: Readonly<Record<string, string>>): CommitId;
  /** That many commits on top of `main`, by one call; oldest first. */
  chain(repository: string, length: number): readonly CommitId[];
  blob(repository: string, content: string | Uint8Array): BlobId;
  /** A tree of exactly these rows, unchecked. */
  rawTree(repository: string, rows: readonly (readonly [mode: string, name: string, id: string])[]): TreeId;
  commitTree(repository: string, tree: TreeId, branch: string): CommitId;
  remove(): void;
}

const IDENTITY = {
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_AUTHOR_DATE: '1700000000 +0000',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
  GIT_COMMITTER_DATE: '1700000000 +0000',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
};

export function stockGit(): StockGit {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-git-'));

  function git(repository: string, args: readonly string[], input: string | Uint8Array = ''): string {
    return execFileSync('git', ['-C', repository, ...args], {
      input,
      stdio: 'pipe',
      env: { PATH: process.env['PATH'], ...IDENTITY },
    }).toString();
  }

  function blob(repository: string, content: string | Uint8Array): BlobId {
    return toBlobId(git(repository, ['hash-object', '-w', '--stdin'], content).trim());
  }

  function rawTree(repository: string, rows: readonly (readonly [string, string, string])[]): TreeId {
    const bytes = rows.flatMap(([mode, name, id]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]);
    const args = ['hash-object', '-t', 'tree', '-w', '--stdin', '--literally'];
    return toTreeId(git(repository, args, Buffer.concat(bytes)).trim());
  }

  function commitTree(repository: string, tree: TreeId, branch: string): CommitId {
    const id = toCommitId(git(repository, ['commit-tree', tree, '-m', 'crafted']).trim());
    git(repository, ['update-ref', `refs/heads/${branch}`, id]);
    return id;
  }

  function commit(repository: string, branch: string, files: Readonly<Record<string, string>>): CommitId {
    const marks = Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`);
    const exists = git(repository, ['for-each-ref', `refs/heads/${branch}`]) !== '';
    const from = exists ? `from refs/heads/${branch}^0\ndeleteall\n` : '';
    const head = `commit refs/heads/${branch}\ncommitter Ada <ada@example.org> 1700000000 +0000\ndata 6\nstock\n${from}`;
    git(repository, ['fast-import', '--quiet', '--force'], `${head}${marks.join('')}\n`);
    return toCommitId(git(repository, ['rev-parse', `refs/heads/${branch}`]).trim());
  }

  function chain(repository: string, length: number): readonly CommitId[] {
    const rows = Array.from({ length }, (_, index) => {
      const from = index === 0 ? 'from refs/heads/main^0\n' : '';
      const text = `link ${index}`;
      return `commit refs/heads/main\ncommitter Ada <ada@example.org> 1700000000 +0000\ndata 4\nlink\n${from}M 100644 inline a\ndata ${text.length}\n${text}\n`;
    });
    git(repository, ['fast-import', '--quiet'], rows.join(''));
    const listed = git(repository, ['rev-list', '--reverse', `--max-count=${length}`, 'main'])
      .trim()
      .split('\n');
    return listed.map(toCommitId);
  }

  return {
    chain,
    folder,
    git,
    blob,
    rawTree,
    commitTree,
    commit,
    path: (name) => join(folder, name),
    bare(name, files) {
      const path = join(folder, name);
      git(folder, ['init', '-q', '--bare', '-b', 'main', path]);
      return { path, head: commit(path, 'main', files) };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
