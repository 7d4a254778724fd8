import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
let scratch: string;

beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'capstan-'));
});
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

/** Another clock, other random numbers, other memory addresses in disguise, and folders that list backwards. */
const OTHER_MACHINE = `
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const now = Date.now;
Date.now = () => now() + 400 * 86_400_000;
globalThis.Date = class extends Date { constructor(...given) { if (given.length === 0) super(Date.now()); else super(...given); } };
Math.random = () => 0.25;
const reversed = (list) => (Array.isArray(list) ? list.toReversed() : list);
const { readdir } = fs.promises;
fs.promises.readdir = async (...given) => reversed(await readdir(...given));
const { readdirSync } = fs;
fs.readdirSync = (...given) => reversed(readdirSync(...given));
syncBuiltinESMExports();
`;

/** Every path below a folder with its text, in the order of names. */
function filesOf(folder: string): readonly (readonly [string, string])[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => [path.slice(folder.length), readFileSync(path, 'utf8')] as const);
}

interface Machine {
  readonly repository: string;
  readonly env: Readonly<Record<string, string>>;
}

function render({ repository, env }: Machine, words: readonly string[]) {
  const out = mkdtempSync(join(scratch, 'out-'));
  const { PATH = '', HOME = '' } = process.env;
  const run = ['render', '--all', '--repo', repository, '--out', out, '-o', 'json', ...words];
  const told = execFileSync(process.execPath, [join(ROOT, 'src/main.ts'), ...run], {
    env: { PATH, HOME, ...env },
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  return { files: filesOf(out), told };
}

/** The same files put down in the opposite order, under another name, one by one. */
function copiedBackwards(from: string): string {
  const to = join(scratch, 'a', 'far', 'longer', 'name', 'of', 'a', 'folder');
  cpSync(join(from, '.git'), join(to, '.git'), { recursive: true });
  for (const [path, text] of filesOf(from)
    .filter(([name]) => !name.startsWith('/.git/'))
    .toReversed()) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    writeFileSync(join(to, path), text, { mode: 0o600 });
  }
  return to;
}

test('a rendering has the same bytes on a machine of another clock, time zone, locale, order of files and place', () => {
  const repository = join(scratch, 'one');
  execFileSync('git', ['clone', '--quiet', `file://${ROOT}`, repository]);
  const preload = join(scratch, 'other-machine.mjs');
  writeFileSync(preload, OTHER_MACHINE);

  const here: Machine = { repository, env: { TZ: 'UTC', LC_ALL: 'C' } };
  const there: Machine = {
    repository: copiedBackwards(repository),
    env: { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', LANGUAGE: 'tr', NODE_OPTIONS: `--import=${preload}` },
  };

  const first = render(here, ['--rev', 'HEAD']);
  expect(first.files.length).toBeGreaterThan(20);
  expect(render(there, ['--rev', 'HEAD'])).toEqual(first);
  expect(render(there, []).files).toEqual(first.files);
});
