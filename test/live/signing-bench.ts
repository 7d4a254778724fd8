/** A repository and the programs that sign in it, all below one folder that goes away. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Scene {
  /** What is asked about: an object id, or the name of a tag. */
  readonly revision: string;
  /** The trusted keys as options of `capstan verify-commit`. */
  readonly trusted: readonly string[];
  /** The same as configuration of stock git. */
  readonly stock: readonly string[];
}

export interface Signing {
  /** Configuration that signs. */
  readonly by: readonly string[];
  readonly trusted: readonly string[];
  readonly stock: readonly string[];
}

export type Scenes = Readonly<Record<string, () => Scene>>;

export interface SigningBench {
  readonly folder: string;
  readonly home: string;
  readonly repository: string;
  readonly run: (program: string, args: readonly string[], input?: string | Buffer) => Buffer;
  readonly git: (args: readonly string[], input?: string | Buffer) => string;
  /** Whether a git command ends well. */
  readonly accepts: (args: readonly string[]) => boolean;
  readonly raw: (revision: string, type?: string) => string;
  readonly store: (text: string, type?: string) => string;
  readonly payload: (message: string, parents?: readonly string[]) => string;
  /** A commit with this block as git places it. */
  readonly withSignature: (text: string, block: string) => string;
  readonly commit: (signing: Signing, args?: readonly string[], more?: Readonly<Record<string, string>>) => string;
  readonly tag: (name: string, signing: Signing, target: string) => Scene;
  readonly close: () => void;
}

const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

export function scene(revision: string, { trusted, stock }: Pick<Signing, 'trusted' | 'stock'>): Scene {
  return { revision, trusted, stock };
}

export function config(settings: readonly string[]): readonly string[] {
  return settings.flatMap((setting) => ['-c', setting]);
}

export function signingBench(): SigningBench {
  // Short: GnuPG's sockets lie below it.
  const folder = mkdtempSync(join(tmpdir(), 'cap-'));
  const repository = join(folder, 'repository');
  const home = join(folder, 'gnupg');
  mkdirSync(home, { mode: 0o700 });
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: folder,
    GNUPGHOME: home,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
  };
  writeFileSync(join(home, 'gpgsm.conf'), 'disable-crl-checks\ndisable-dirmngr\n');

  function run(program: string, args: readonly string[], input: string | Buffer = '', more: Readonly<Record<string, string>> = {}): Buffer {
    return execFileSync(program, args, { cwd: folder, env: { ...env, ...more }, input, stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000 });
  }

  function git(args: readonly string[], input: string | Buffer = '', more: Readonly<Record<string, string>> = {}): string {
    return run('git', ['-C', repository, ...args], input, more)
      .toString()
      .trim();
  }

  run('git', ['init', '-q', '-b', 'main', repository]);

  function raw(revision: string, type = 'commit'): string {
    return run('git', ['-C', repository, 'cat-file', type, revision]).toString('latin1');
  }

  function store(text: string, type = 'commit'): string {
    return git(['hash-object', '-t', type, '-w', '--literally', '--stdin'], Buffer.from(text, 'latin1'));
  }

  function payload(message: string, parents: readonly string[] = [], at = 1_800_000_000): string {
    const who = `Ada <ada@example.org> ${at} +0000`;
    const lines = [`tree ${EMPTY_TREE}`, ...parents.map((id) => `parent ${id}`), `author ${who}`, `committer ${who}`, '', `${message}\n`];
    return lines.join('\n');
  }

  /** A commit with this block as git places it. */
  function withSignature(text: string, block: string): string {
    const end = text.indexOf('\n\n');
    return store(`${text.slice(0, end)}\ngpgsig ${block.trimEnd().replaceAll('\n', '\n ')}${text.slice(end)}`);
  }

  function commit(signing: Signing, args: readonly string[] = [], more: Readonly<Record<string, string>> = {}): string {
    const tree = git([...config(signing.by), 'commit-tree', EMPTY_TREE, '-S', '-m', 'signed', ...args], '', more);
    return tree;
  }

  function tag(name: string, signing: Signing, target: string): Scene {
    git([...config(signing.by), 'tag', '-s', '-m', 'a tag', name, target]);
    return scene(name, signing);
  }

  function accepts(args: readonly string[]): boolean {
    return spawnSync('git', ['-C', repository, ...args], { env, timeout: 60_000 }).status === 0;
  }

  function close(): void {
    spawnSync('gpgconf', ['--kill', 'all'], { env });
    rmSync(folder, { recursive: true, force: true });
  }

  return { folder, home, repository, run, git, accepts, raw, store, payload, withSignature, commit, tag, close };
}
