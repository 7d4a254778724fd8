import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { type CommitId, toCommitId } from '#model/digest.ts';
import type { TextFile } from './content.ts';

export interface ImportedCommit {
  /** Files written over what the branch has. */
  readonly files: readonly TextFile[];
  readonly message: string;
  /** Seconds since 1970. */
  readonly at: number;
  /** True where `main` is there already and the commit follows it; commits after the first always do. */
  readonly follows: boolean;
}

export interface Import {
  /** Writes one commit onto main and answers its id. */
  readonly commit: (commit: ImportedCommit) => Promise<CommitId>;
  /** Ends the stream; main has moved when it resolves. */
  readonly end: () => Promise<void>;
}

/** What every git child of the bench sees: nothing of the machine's own configuration. */
export const GIT_ENVIRONMENT = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
};

/** Opens one `git fast-import` stream into a bare repository. */
export function startImport(repository: string): Import {
  const child = spawn('git', ['--git-dir', repository, 'fast-import', '--quiet'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: GIT_ENVIRONMENT,
  });
  const ended = once(child, 'exit');
  const answers = child.stdout[Symbol.asyncIterator]();
  let marks = 0;

  async function commit(one: ImportedCommit): Promise<CommitId> {
    marks++;
    const lines = [
      `commit refs/heads/main\nmark :${marks}\ncommitter Bench <bench@example.com> ${one.at} +0000\n`,
      data(one.message),
      one.follows && marks === 1 ? 'from refs/heads/main^0\n' : '',
      ...one.files.map((file) => `M 100644 inline ${file.path}\n${data(file.text)}`),
      `\nget-mark :${marks}\n`,
    ];
    if (!child.stdin.write(lines.join(''))) await once(child.stdin, 'drain');
    let answer = '';
    while (!answer.endsWith('\n')) {
      const next = await answers.next();
      if (next.done === true) throw new Error('git fast-import ended early');
      answer += String(next.value);
    }
    return toCommitId(answer.trim());
  }

  async function end(): Promise<void> {
    child.stdin.end();
    const [code] = await ended;
    if (code !== 0) throw new Error(`git fast-import ended with ${String(code)}`);
  }

  return { commit, end };
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}
