import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { access, readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import packageJson from '#package.json' with { type: 'json' };
import { workbench } from './capstan-program.ts';
import type { Workbench } from './capstan-program.ts';
import { ROOT, scriptOf, shellBlocks } from './readme-blocks.ts';

let bench: Workbench;
const running: ChildProcess[] = [];

beforeAll(async () => {
  bench = await workbench();
});

afterAll(async () => {
  for (const child of running) stop(child);
  await bench.close();
});

/** A terminal of its own: its process group ends with it. */
function terminal(
  folder: string,
  script: string,
): { readonly child: ChildProcess; readonly said: () => string; readonly code: Promise<number | null> } {
  const child = spawn('bash', ['-c', script], { cwd: folder, env: bench.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
  const code = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { child, said: () => text, code };
}

function stop(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, 'SIGTERM');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** As GitHub names the headings of a page. */
function anchorsOf(page: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of page.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} (.*)$/gm)) {
    const name = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = name;
    for (let at = 1; anchors.has(anchor); at += 1) anchor = `${name}-${at}`;
    anchors.add(anchor);
  }
  return anchors;
}

test('the two commands are there, and all links lead somewhere', async () => {
  expect(packageJson.scripts).toMatchObject({ demo: expect.stringContaining('demo'), capstan: 'node src/capstan.cjs' });
  const broken: string[] = [];
  const documents = [
    'README.md',
    ...(await readdir(join(ROOT, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ];
  for (const document of documents) {
    for (const [, link = '', anchor] of (await readFile(join(ROOT, document), 'utf8')).matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)) {
      if (/^https?:/.test(link)) continue;
      const path = link === '' ? join(ROOT, document) : join(ROOT, dirname(document), link);
      const there = await access(path).then(
        () => true,
        () => false,
      );
      if (!there) broken.push(`${document}: ${link}`);
      else if (anchor !== undefined && path.endsWith('.md') && !anchorsOf(await readFile(path, 'utf8')).has(anchor))
        broken.push(`${document}: ${link}#${anchor}`);
    }
  }
  expect(broken).toEqual([]);
});

test('the first ten minutes hold, line by line', async () => {
  const story = terminal(ROOT, scriptOf(await shellBlocks('The first ten minutes')));
  const code = await story.code;
  const said = story.said();
  expect([code, code === 0 ? '' : said]).toEqual([0, '']);
  for (const expected of [
    'environments/dev/environment.yaml:10:9: error: /spec/risk cannot be "lwo"; did you mean "low"?',
    'dev/local: 3 steps, 0 as they should be',
    'dev/local: settled, healthy, 3 of 3 steps done',
    'degraded, 1 drifted',
    'steps done, drift',
    'waits: a person merges it: git merge promote/dev/cs-',
    '+ spec.template.spec.containers[web].env[GREETING].value: "Good morning"',
    'waits: soak until ',
    /verified: \d+ commits, \d+ records, 2 renderings rendered again and equal/,
    'audit(dev): 1 record',
  ]) {
    expect(said).toMatch(typeof expected === 'string' ? new RegExp(RegExp.escape(expected)) : expected);
  }
});

test('nothing unsigned moves, line by line', async () => {
  const [naming = ''] = await shellBlocks('The first ten minutes');
  const story = terminal(ROOT, scriptOf([naming, ...(await shellBlocks('Nothing unsigned moves'))]));
  const code = await story.code;
  const said = story.said();
  expect([code, code === 0 ? '' : said]).toEqual([0, '']);
  for (const expected of [
    / is signed by ada$/m,
    /^commit [0-9a-f]{10} is not signed$/m,
    'is not signed [unsigned]',
    'signed by ada: ',
    'dev/local: settled, healthy, nothing to do',
    /^hello@1\.0\.0 is signed by the key sha256:[0-9a-f]{64}$/m,
  ]) {
    expect(said).toMatch(typeof expected === 'string' ? new RegExp(RegExp.escape(expected)) : expected);
  }
});

test('what people have comes along, line by line', async () => {
  const [naming = ''] = await shellBlocks('The first ten minutes');
  const story = terminal(ROOT, scriptOf([naming, ...(await shellBlocks('From what you have'))]));
  const code = await story.code;
  const said = story.said();
  expect([code, code === 0 ? '' : said]).toEqual([0, '']);
  for (const expected of [
    'left out: web/web.yaml:8: Secret token holds secret values',
    '1 file came along to dev, 1 thing did not',
    '4 documents, 0 errors, 0 warnings',
    'greeting: hello',
    '0 files would change, 3 as they should be',
    'standard input is no declaration of Capstan',
  ]) {
    expect(said).toContain(expected);
  }
  expect(said).not.toContain('not-for-git');
});

test('service and forge run by hand, as two processes', async () => {
  const folder = await bench.folder();
  const [forge, service] = [await freePort(), await freePort()];
  const blocks = (await shellBlocks('Service and forge by hand')).map((block) =>
    block.replaceAll('127.0.0.1:3000', `127.0.0.1:${forge}`).replaceAll('127.0.0.1:8080', `127.0.0.1:${service}`),
  );
  const [naming = ''] = await shellBlocks('The first ten minutes');
  const named = naming.replace('$PWD', ROOT);
  const isServer = (block: string): boolean => /^capstan (forge --data|serve)/.test(block);
  expect(blocks.map(isServer)).toEqual([true, false, false, true, false, false]);
  const [startForge = '', accounts = '', configuration = '', startService = '', doctor = '', release = ''] = blocks;

  const first = terminal(folder, `${named}\n${startForge}`);
  await expect.poll(first.said, { timeout: 120_000 }).toContain('the local forge serves');
  const prepared = terminal(folder, scriptOf([named, accounts, configuration]));
  expect([await prepared.code, prepared.said()]).toEqual([0, expect.stringContaining('is a repository with two commits')]);
  const third = terminal(folder, `${named}\n${startService}`);
  // The second terminal knows `api` from its first block.
  const api = /^api\(\).*$/m.exec(accounts)?.[0] ?? '';
  const second = terminal(folder, scriptOf([named, api, doctor, release]));
  const code = await second.code;
  expect([code, code === 0 ? '' : second.said() + third.said()]).toEqual([0, '']);
  const said = second.said();
  expect(said).toContain('ok    webhook: the forge sends to ');
  expect(said).toContain('ok    required check: capstan/promote is required on main');
  expect(said).toMatch(/dev +local +Synced +healthy +hello@1\.1\.0/);
  expect(said).not.toContain('FAIL');
});
