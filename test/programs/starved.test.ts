import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { workbench, type Workbench } from './capstan-program.ts';

const MAIN = new URL('../../src/capstan.cjs', import.meta.url).pathname;
const DEFECT = /\n\s+at .*(node:|file:|\/).*\d+:\d+|TypeError|RangeError|ReferenceError|Assertion/;
let bench: Workbench;

beforeAll(async () => {
  bench = await workbench();
});

afterAll(() => bench.close());

interface Starved {
  readonly code: number | null;
  readonly said: string;
}

/** `capstan ...` with less of something than it needs; the kernel says no, as it would on a full or exhausted machine. */
function starved(folder: string, limit: string, ...args: readonly string[]): Starved {
  const env = { ...bench.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' };
  const { status, stdout, stderr } = spawnSync('prlimit', [limit, '--', process.execPath, MAIN, ...args], {
    cwd: folder,
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, said: stdout + stderr };
}

/** Nothing is left half written, and a run without want ends as if nothing had been. */
async function recovers(platform: string): Promise<void> {
  const again = await bench.capstan(platform, 'reconcile', 'dev');
  expect([again.code, again.err]).toEqual([0, expect.not.stringMatching(DEFECT)]);
  const verified = await bench.capstan(platform, 'verify', '-o', 'json');
  expect(JSON.parse(verified.out)).toMatchObject({ problems: [] });
  const status = await bench.capstan(platform, 'status', 'dev', '-o', 'json');
  expect(JSON.parse(status.out)).toMatchObject({ targets: [{ name: 'local', sync: 'Synced' }] });
  const left = readdirSync(platform, { recursive: true, encoding: 'utf8' }).filter(
    (path) => /\.(tmp|lock|part-\d+)$|[0-9a-f]{8}-[0-9a-f]{4}-4/.test(path) && !path.endsWith('lock.yaml'),
  );
  expect(left).toEqual([]);
}

test.each([1, 100, 1_000])(
  'row 99: a disk that takes no file of more than %i bytes ends the run in words, and nothing is half done',
  async (bytes) => {
    const platform = await bench.platform();

    const { code, said } = starved(platform, `--fsize=${bytes}`, 'reconcile', 'dev');

    expect([0, null]).not.toContain(code);
    expect(said).not.toMatch(DEFECT);
    await recovers(platform);
  },
);

test.each([24, 26, 28, 32, 48])(
  'row 99: with %i file descriptors a run ends in words or does its work, and nothing is half done',
  async (count) => {
    const platform = await bench.platform();

    const { code, said } = starved(platform, `--nofile=${count}`, 'reconcile', 'dev');

    expect(code).not.toBe(null);
    expect(said).not.toMatch(DEFECT);
    await recovers(platform);
  },
);

test('row 99: a target that cannot be written stops its environment in words, and goes on once it can', async () => {
  const platform = await bench.platform();
  mkdirSync(join(platform, '.capstan'), { recursive: true });
  const targets = join(platform, '.capstan/targets');
  expect(existsSync(targets)).toBe(false);
  writeFileSync(targets, 'something else');

  const refused = await bench.capstan(platform, 'reconcile', 'dev');

  expect([refused.code === 0, refused.err]).toEqual([false, expect.not.stringMatching(DEFECT)]);
  expect(readFileSync(targets, 'utf8')).toBe('something else');
});
