import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { sqliteInbox } from '#adapters/sqlite/sqlite.ts';
import { delivery, inboxContract } from '#test/contracts/inbox.contract.ts';
import { memoryInbox } from '#test/contracts/memory-inbox.ts';

async function folder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'capstan-inbox-'));
}

inboxContract('in memory', async () => ({ open: async () => memoryInbox(), keeps: false, tidy: async () => undefined }));

inboxContract('sqlite', async () => {
  const root = await folder();
  return { open: () => sqliteInbox(join(root, 'state.db')), keeps: true, tidy: () => rm(root, { recursive: true }) };
});

test('accepts that wait for one commit are bounded, and a refused one may come again', async () => {
  const root = await folder();
  const inbox = await sqliteInbox(join(root, 'state.db'), { waiting: 2 });

  const answers = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map((id) => inbox.accept(delivery(id))));
  const refused = answers.filter((answer) => answer.status === 'rejected');

  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.reason).toMatchObject({ name: 'PortError', kind: 'transient' });
  expect(await inbox.accept(delivery('e'))).toBe(true);
  await inbox.close();
  await rm(root, { recursive: true });
});

test('two openings of one file see each other and accept an id once', async () => {
  const root = await folder();
  const [one, two] = [await sqliteInbox(join(root, 'state.db')), await sqliteInbox(join(root, 'state.db'))];

  const ids = Array.from({ length: 50 }, (_, index) => `d${index}`);
  const answers = await Promise.all(ids.flatMap((id) => [one.accept(delivery(id)), two.accept(delivery(id))]));

  expect(answers.filter(Boolean)).toHaveLength(50);
  expect(await one.pending(100)).toHaveLength(50);
  await one.close();
  await two.close();
  await rm(root, { recursive: true });
});

test('row 14: what was accepted is there after the process was killed', async () => {
  const root = await folder();
  const path = join(root, 'state.db');
  const script = `
    const { sqliteInbox } = await import(${JSON.stringify(new URL('../../src/adapters/sqlite/sqlite.ts', import.meta.url).href)});
    const inbox = await sqliteInbox(${JSON.stringify(path)});
    for (let n = 0; ; n++) {
      const ids = [0, 1, 2, 3].map((k) => 'd' + (n * 4 + k));
      await Promise.all(ids.map((id) => inbox.accept({ id, event: 'push', body: Buffer.alloc(2000, 65), receivedAt: n })));
      process.stdout.write(ids.join('\\n') + '\\n');
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += String(chunk);
    if (printed.length > 400) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const promised = printed.slice(0, printed.lastIndexOf('\n')).split('\n');

  const inbox = await sqliteInbox(path);
  const kept = new Set((await inbox.pending(1_000_000)).map((row) => row.id));

  expect(promised.length).toBeGreaterThan(50);
  expect(promised.filter((id) => !kept.has(id))).toEqual([]);
  await inbox.close();
  await rm(root, { recursive: true });
});

test('a file that is no database is refused in words', async () => {
  const root = await folder();

  await expect(sqliteInbox(root)).rejects.toMatchObject({ name: 'PortError', message: expect.stringContaining('inbox:') });

  await rm(root, { recursive: true });
});
