import { spawn } from 'node:child_process';
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { workbench } from './capstan-program.ts';
import type { Workbench } from './capstan-program.ts';

const MAIN = new URL('../../src/capstan.cjs', import.meta.url).pathname;
const DEV = 'environments/dev/environment.yaml';
let bench: Workbench;
let platform: string;

beforeAll(async () => {
  bench = await workbench();
  platform = await bench.platform();
});

afterAll(() => bench.close());

beforeEach(async () => {
  await bench.git(platform, 'checkout', '--quiet', '.');
});

async function change(from: string, to: string, file = DEV): Promise<void> {
  const path = join(platform, file);
  const before = await readFile(path, 'utf8');
  if (!before.includes(from)) throw new Error(`"${from}" is not in ${file}`);
  await writeFile(path, before.replace(from, to));
}

/** A program that goes on until it is told to stop; `until` waits for a text on either of its outputs. */
function running(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: platform,
    env: { ...bench.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let look: () => void = () => undefined;
  const ended = new Promise<number>((resolve) => {
    child.on('close', (code) => resolve(code ?? -1));
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      look();
    });
  }
  return {
    until: (text: string): Promise<void> =>
      new Promise((resolve, reject) => {
        look = () => {
          if (!said.includes(text)) return;
          said = said.slice(said.indexOf(text) + text.length);
          resolve();
        };
        void ended.then(() => reject(new Error(`it ended before it said "${text}": ${said}`)));
        look();
      }),
    interrupt: async (): Promise<number> => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

test('several formats at once: one to standard output, the others to files', async () => {
  await change('risk: low', 'risk: lwo');

  const { code, out } = await bench.capstan(platform, 'validate', '-q', '-o', 'github,json=out/report.json,sarif=out/report.sarif');

  expect([code, out.split('::')[1]]).toEqual([1, 'error file=environments/dev/environment.yaml,line=10,col=9,title=value-not-allowed']);
  const report = JSON.parse(await readFile(join(platform, 'out/report.json'), 'utf8')) as { readonly problems: readonly object[] };
  expect(report).toMatchObject({ kind: 'ValidationReport', summary: { errors: 1, known: 0, suppressed: 0 } });
  const sarif = JSON.parse(await readFile(join(platform, 'out/report.sarif'), 'utf8')) as { readonly runs: readonly object[] };
  expect(sarif).toMatchObject({
    runs: [{ results: [{ partialFingerprints: { 'capstan/v1': expect.stringMatching(/^[0-9a-f]{32}$/) as string } }] }],
  });
});

test('a baseline leaves only what is new, wherever the lines moved, and tells what is gone', async () => {
  const validate = (...args: readonly string[]) => bench.capstan(platform, 'validate', '--baseline', 'known.json', ...args);
  await change('risk: low', 'risk: lwo');
  expect(await validate('--write-baseline')).toEqual({ code: 0, out: '', err: 'known.json knows 1 problem\n' });

  await change('apiVersion', '# moved\napiVersion');
  expect(await validate()).toMatchObject({ code: 0, out: '', err: expect.stringContaining('0 errors, 0 warnings, 1 known') as string });
  await change('risk: lwo', 'risk: hihg');
  expect(await validate('-q')).toMatchObject({ code: 1, out: expect.stringContaining('baseline-stale') as string });
  await change('risk: hihg', 'risk: low');
  expect(await validate('-q')).toMatchObject({
    code: 0,
    out: expect.stringContaining('known.json: warning: the baseline knows') as string,
  });
  expect(await bench.capstan(platform, 'validate', '--write-baseline')).toMatchObject({ code: 64 });
});

test('against a base, only what changed is told', async () => {
  await change('risk: low', 'risk: lwo');
  const { code, out } = await bench.capstan(platform, 'validate', '--base', 'HEAD', '-o', 'json');

  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ base: { environments: ['dev'], capsules: [] }, problems: [{ file: DEV }] });
});

test('--watch looks again when a file changes, does the work of that file, and ends with 130 at SIGINT', async () => {
  const watching = running(['validate', '--watch']);

  await watching.until('0 errors, 0 warnings');
  await watching.until('waiting for changes');
  await change('risk: low', 'risk: lwo');
  await watching.until('cannot be "lwo"');
  await watching.until('1 file read, 1 parsed, 0 rendered');
  await watching.until('waiting for changes');
  await change('risk: lwo', 'risk: low');
  await watching.until('0 errors, 0 warnings');
  await watching.until('0 rendered');

  expect(await watching.interrupt()).toBe(130);
});

test('a second SIGINT ends with 130 whatever is waited for', async () => {
  const programs = await bench.folder();
  await writeFile(join(programs, 'git'), `#!/bin/sh\ntouch ${programs}/started\nexec sleep 5\n`, { mode: 0o755 });
  const waiting = running(['validate'], { PATH: `${programs}:${bench.env['PATH'] ?? ''}` });
  for (;;) {
    const isStarted = await access(join(programs, 'started')).then(
      () => true,
      () => false,
    );
    if (isStarted) break;
    await new Promise((resolve) => setImmediate(resolve));
  }

  // Two that come at once may be one: it is told again and again, as a person does.
  const again = setInterval(() => void waiting.interrupt(), 50);
  const code = await waiting.interrupt();
  clearInterval(again);

  expect(code).toBe(130);
});

test('a target that can be written only in part ends with 5', async () => {
  const folder = join(platform, '.capstan/targets/dev/hello');
  const first = await bench.capstan(platform, 'reconcile', 'dev');
  const objects = await readdir(folder);
  for (const object of objects) await rm(join(folder, object));
  // What stands in the way of one object leaves the others.
  await mkdir(join(folder, objects[0] ?? '', 'in-the-way'), { recursive: true });

  const again = await bench.capstan(platform, 'reconcile', 'dev');

  expect([first.code, objects.length, again.code]).toEqual([0, 3, 5]);
  expect(again.out).toContain('2 of 3 steps done');
});

test.each([
  ['--watch --rev main', '--watch looks at the working directory'],
  ['--watch --baseline b --write-baseline', '--watch only looks'],
  ['--base HEAD --baseline b --write-baseline', '--write-baseline takes everything'],
  ['-o text,json', 'cannot both go to standard output'],
])('wrong usage: validate %s', async (line, message) => {
  const { code, err } = await bench.capstan(platform, 'validate', ...line.split(' '));

  expect([code, err]).toEqual([64, expect.stringContaining(message)]);
});
