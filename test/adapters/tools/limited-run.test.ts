import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { runLimited } from '#adapters/tools/limited-run.ts';
import type { RunLimits } from '#adapters/tools/limited-run.ts';
import { programs } from '#adapters/tools/programs.ts';
import { bareEnvironment, inScratch, writeBelow } from '#adapters/tools/scratch.ts';
import { sha256Of } from '#model/digest.ts';

const LIMITS: RunLimits = { milliseconds: 20_000, outputBytes: 1_000_000, memoryMegabytes: 4096 };

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'capstan-run-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function script(source: string, limits: Partial<RunLimits> = {}, signal?: AbortSignal) {
  const folder = scratch();
  const run = { program: process.execPath, args: ['-e', source], folder, env: bareEnvironment(folder), input: Buffer.from('given') };
  return runLimited(run, { ...LIMITS, ...limits }, signal);
}

test('a program gets its input and answers with what it printed', async () => {
  const end = await script(
    'process.stdin.on("data", (chunk) => { console.log(`${chunk}`); console.error("complaint"); process.exitCode = 3; })',
  );

  expect(end).toEqual({ kind: 'ended', exit: 3, stdout: Buffer.from('given\n'), stderr: 'complaint\n' });
});

test('a program has no variables of ours, and nothing it would fetch answers', async () => {
  process.env['CAPSTAN_TEST_ONLY'] = 'secret';
  onTestFinished(() => void delete process.env['CAPSTAN_TEST_ONLY']);

  const end = await script('console.log(JSON.stringify(process.env))');
  const env = JSON.parse(end.kind === 'ended' ? end.stdout.toString() : '{}') as Record<string, string>;

  expect(Object.keys(env).sort()).toEqual(['ALL_PROXY', 'GOMEMLIMIT', 'HOME', 'HTTPS_PROXY', 'HTTP_PROXY', 'LANG', 'PATH', 'TMPDIR', 'TZ']);
});

test('a program that takes too long is ended with everything it started', async () => {
  const marker = join(scratch(), 'child');
  const child = `setInterval(() => require("fs").writeFileSync(${JSON.stringify(marker)}, String(process.pid)), 10)`;
  const source = `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: "ignore" }); setInterval(() => {}, 1000)`;

  expect(await script(source, { milliseconds: 3_000 })).toEqual({ kind: 'limit', what: 'takes longer than 3000 ms' });

  expect(existsSync(marker)).toBe(true);
  // The kernel takes its time to end what was killed.
  await expect.poll(() => isRunning(Number(readFileSync(marker, 'utf8'))), { timeout: 10_000 }).toBe(false);
});

test('a program that prints too much is ended', async () => {
  expect(await script('for (;;) process.stdout.write("x".repeat(10000))', { outputBytes: 100_000 })).toEqual({
    kind: 'limit',
    what: 'writes more than 100000 bytes',
  });
});

test('a caller that gives up ends the program', async () => {
  const controller = new AbortController();
  const running = script('console.log(1); setInterval(() => {}, 1000)', {}, controller.signal);
  controller.abort();

  await expect(running).rejects.toMatchObject({ kind: 'transient' });
});

test('files are written as they are, below the folder only', async () => {
  const folder = scratch();
  await writeBelow(folder, new Map([['a/b.txt', Buffer.from('x')]]));

  expect(readFileSync(join(folder, 'a/b.txt'), 'utf8')).toBe('x');
  for (const path of ['../a', '/a', 'a/../../b', 'a//b', '.', 'a\0b']) {
    await expect(writeBelow(folder, new Map([[path, Buffer.from('x')]]))).rejects.toMatchObject({ kind: 'invalid' });
  }
});

test('a scratch folder is gone, also where its use failed', async () => {
  let seen = '';
  await expect(
    inScratch(async (folder) => {
      seen = folder;
      writeFileSync(join(folder, 'x'), 'x');
      throw new Error('no');
    }),
  ).rejects.toThrow('no');

  expect(seen).not.toBe('');
  expect(existsSync(seen)).toBe(false);
});

test('a program is asked for its version once for each state of its file, and a replaced file is asked again', async () => {
  const folder = scratch();
  const path = join(folder, 'helm');
  const write = (version: string): void =>
    writeFileSync(path, `#!/bin/sh\necho x >> ${folder}/asked\necho v${version}+g123\n`, { mode: 0o755 });
  write('3.22.0');
  const known = programs({ configured: {}, path: `.:${folder}` });

  const found = [await known.find('helm', '3.22.0'), await known.find('helm', '3.22.0'), await known.find('helm', '3.9.0')];
  const asked = readFileSync(join(folder, 'asked'), 'utf8');
  write('3.9.0-rc.1');

  expect(found).toEqual([
    { kind: 'found', path },
    { kind: 'found', path },
    { kind: 'missing', found: `${path} is helm 3.22.0` },
  ]);
  expect(asked).toBe('x\n');
  expect(await known.find('helm', '3.9.0-rc.1')).toEqual({ kind: 'found', path });
});

test('what is configured has the digest that is configured, whatever lies on PATH', async () => {
  const folder = scratch();
  const path = join(folder, 'sops');
  const text = '#!/bin/sh\necho sops 3.13.3\n';
  writeFileSync(path, text, { mode: 0o755 });
  const file = { path, sha256: sha256Of(text) };

  const known = programs({ configured: { sops: { '3.9.0': { path, sha256: 'a'.repeat(64) }, '3.13.3': file } }, path: folder });

  expect(await known.findAny('sops')).toEqual({ kind: 'found', path });
  expect(await known.find('sops', '3.9.0')).toMatchObject({
    kind: 'missing',
    found: expect.stringContaining('not the one that tools.sops names'),
  });
  expect(await known.find('sops', '1.0.0')).toEqual({ kind: 'missing', found: 'tools.sops of the configuration has 3.13.3, 3.9.0' });
  expect(await programs({ configured: { sops: { '3.13.3': { ...file, path: folder } } }, path: folder }).findAny('sops')).toEqual({
    kind: 'missing',
    found: `${folder}, which tools.sops names, is no program`,
  });
});

/** A process that was killed and not yet waited for by its new parent is a zombie: it runs no more. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
