import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { recordDigest } from '#ledger/ledger.ts';
import type { AuditRecord } from '#model/receipt.ts';
import { workbench, type Ended, type Workbench } from './capstan-program.ts';

let bench: Workbench;
let origin: string;

/** A platform with two renderings of dev, one of staging, and their records; ada signs what she declares. */
beforeAll(async () => {
  bench = await workbench();
  origin = await bench.platform();
  await bench.run(origin, 'ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(origin, '../ada'));
  await bench.run(origin, 'ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(origin, '../stranger'));
  const ada = (await readFile(join(origin, '../ada.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
  const project = join(origin, 'environments/project.yaml');
  await writeFile(
    project,
    `${(await readFile(project, 'utf8')).trimEnd()}\n    - name: ada\n      sshKey: ${ada}\n      for:\n        - evidence\n`,
  );
  await bench.git(origin, 'commit', '-qam', 'Trust ada');
  await must(origin, 'reconcile', 'dev');
  await must(origin, 'reconcile', 'staging');
  const capsule = join(origin, 'capsules/hello/capsule.yaml');
  const text = await readFile(capsule, 'utf8');
  await writeFile(capsule, text.replace('version: 1.0.0', 'version: 1.0.1').replace('greeting: Hello', 'greeting: Salve'));
  await bench.git(origin, 'commit', '-qam', 'hello 1.0.1');
  const { branch } = JSON.parse((await must(origin, 'promote', 'dev', '-o', 'json')).out) as { branch: string };
  await bench.git(origin, 'merge', '-q', branch);
  await must(origin, 'reconcile', 'dev');
}, 120_000);
afterAll(() => bench.close());

async function must(folder: string, ...args: readonly string[]): Promise<Ended> {
  const ended = await bench.capstan(folder, ...args);
  if (ended.code !== 0) throw new Error(`${args.join(' ')}: ${ended.code} ${ended.err}`);
  return ended;
}

/** A work tree of the attacker's, as stock git clones it, and what somebody who clones after the attack verifies. */
interface Attack {
  readonly folder: string;
  git(...args: readonly string[]): Promise<string>;
  /** A commit with stock git on top of a branch, signed by a key file or by nobody, pushed by force. */
  push(branch: string, options: { message?: string; key?: string | undefined }): Promise<void>;
}

async function stage(): Promise<{
  attack: Attack;
  verify: (...args: readonly string[]) => Promise<{ code: number; codes: string[]; said: string }>;
}> {
  const around = await bench.folder();
  await bench.git(around, 'clone', '-q', '--bare', origin, 'remote.git');
  await bench.git(around, 'clone', '-q', 'remote.git', 'work');
  const folder = join(around, 'work');
  const git = (...args: readonly string[]) => bench.git(folder, ...args);
  const attack: Attack = {
    folder,
    git,
    async push(branch, { message = 'x', key }) {
      await git('add', '-A');
      const signing = key === undefined ? [] : ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${key}`];
      await git(...signing, 'commit', '-q', '--allow-empty', ...(key === undefined ? [] : ['-S']), '-m', message);
      await git('push', '-q', '--force', 'origin', `HEAD:refs/heads/${branch}`);
    },
  };
  return {
    attack,
    async verify(...args) {
      await rm(join(around, 'victim'), { recursive: true, force: true });
      await bench.git(around, 'clone', '-q', 'remote.git', 'victim');
      const { code, out, err } = await bench.capstan(join(around, 'victim'), 'verify', '-o', 'json', ...args);
      if (out === '') throw new Error(err);
      const { problems } = JSON.parse(out) as { problems: { code: string; message: string }[] };
      return {
        code,
        codes: [...new Set(problems.map((problem) => problem.code))].sort(),
        said: problems.map((one) => one.message).join('\n'),
      };
    },
  };
}

const stranger = (): string => join(origin, '../stranger');
const ada = (): string => join(origin, '../ada');
const engine = (): string => join(origin, '.capstan/engine_ed25519');

async function recordsIn(folder: string): Promise<{ path: string; record: AuditRecord }[]> {
  const files = (await readdir(join(folder, 'audit'), { recursive: true })).filter((file) => file.endsWith('.json'));
  const read = await Promise.all(
    files.map(async (file) => {
      const path = join(folder, 'audit', file);
      return { path, record: JSON.parse(await readFile(path, 'utf8')) as AuditRecord };
    }),
  );
  return read.sort((a, b) => a.record.data.seq - b.record.data.seq);
}

/** A record that continues the chain without a flaw. */
async function forge(folder: string): Promise<string> {
  const last = (await recordsIn(folder)).at(-1);
  if (last === undefined) throw new Error('there is no record');
  const { record } = last;
  const id = `${record.id.slice(0, -1)}${record.id.endsWith('0') ? '1' : '0'}`;
  const next = {
    ...record,
    id,
    data: { ...record.data, seq: record.data.seq + 1, prev: `sha256:${recordDigest(record)}`, health: 'healthy' },
  };
  await writeFile(join(last.path, '..', `${id}.json`), JSON.stringify(next));
  return `audit(dev): 1 record\n\nEnvironment: dev\nTarget: local\nAudit-Record: ${recordDigest(next)}\nRun-Id: ${record.data.run_id}\nTrace-Id: ${'0'.repeat(32)}`;
}

test('a clone of what only the engine wrote is verified', async () => {
  const { verify } = await stage();

  expect(await verify()).toEqual({ code: 0, codes: [], said: '' });
});

describe('audit', () => {
  test.each([
    ['by nobody', () => undefined, 'unsigned', /is not signed/],
    ['by a stranger', stranger, 'signature-refused', /no trust entry names the key/],
    ['by a person of the project', ada, 'signature-refused', /no trust entry names the key/],
  ])('a forged record, well-formed and in the chain, %s', async (_, key, code, words) => {
    const { attack, verify } = await stage();
    await attack.git('checkout', '-q', 'audit');
    await attack.push('audit', { key: key(), message: await forge(attack.folder) });
    const seen = await verify();

    expect([seen.code, seen.codes]).toEqual([3, [code]]);
    expect(seen.said).toMatch(words);
  });

  test('a record that is dropped, with what follows signed by a stranger', async () => {
    const { attack, verify } = await stage();
    await attack.git('checkout', '-q', 'audit');
    const [, second] = await recordsIn(attack.folder);
    await rm(second?.path ?? '');
    await attack.push('audit', { key: stranger() });
    const { code, codes } = await verify();

    expect([code, codes]).toEqual([3, expect.arrayContaining(['signature-refused', 'trailer-missing'])]);
  });

  test('a history without one record, written anew: the chain names the gap', async () => {
    const { attack, verify } = await stage();
    await attack.git('checkout', '-q', 'audit');
    const [, second] = await recordsIn(attack.folder);
    await rm(second?.path ?? '');
    await attack.git('checkout', '-q', '--orphan', 'fresh');
    await attack.push('audit', { key: stranger() });

    expect((await verify()).codes).toEqual(expect.arrayContaining(['audit-gap', 'signature-refused', 'trailer-mismatch']));
  });

  test('records in another order, and one with another content', async () => {
    const { attack, verify } = await stage();
    await attack.git('checkout', '-q', 'audit');
    const [first, second] = await recordsIn(attack.folder);
    if (first === undefined || second === undefined) throw new Error('two records are needed');
    await writeFile(first.path, JSON.stringify({ ...second.record, id: first.record.id }));
    await writeFile(second.path, JSON.stringify({ ...first.record, id: second.record.id }));
    await attack.git('checkout', '-q', '--orphan', 'fresh');
    await attack.push('audit', { key: stranger() });
    const reordered = await verify();
    await writeFile(first.path, JSON.stringify({ ...first.record, data: { ...first.record.data, health: 'degraded' } }));
    await writeFile(second.path, JSON.stringify(second.record));
    await attack.push('audit', { key: stranger() });

    expect(reordered.codes).toEqual(expect.arrayContaining(['audit-chain', 'signature-refused']));
    expect((await verify()).codes).toEqual(expect.arrayContaining(['audit-chain', 'signature-refused']));
  });

  test.each([
    ['no JSON', '{'],
    ['JSON of another shape', '{"id":"x","data":null}'],
    ['a number that is none', '{"id":"x","time":"2026-01-01T00:00:00Z","data":{"seq":"1","prev":""}}'],
  ])('a record that is %s is named, and nothing rests on the ledger', async (_, text) => {
    const { attack, verify } = await stage();
    await attack.git('checkout', '-q', 'audit');
    const [first] = await recordsIn(attack.folder);
    await writeFile(join(first?.path ?? '', '../zzz.json'), text);
    await attack.push('audit', {});
    const { code, codes, said } = await verify();

    expect([code, codes]).toEqual([3, ['audit-unreadable']]);
    expect(said).toMatch(/^audit [0-9a-f]{10}: an audit record cannot be read$/);
  });

  test("another branch of the engine's in its place", async () => {
    const { attack, verify } = await stage();
    await attack.git('push', '-q', '--force', 'origin', 'origin/rendered/dev:refs/heads/audit');
    const { code, codes } = await verify();

    expect([code, codes]).toEqual([3, ['trailer-missing']]);
  });

  test('cut back to an earlier head: only a second look can know', async () => {
    const { attack, verify } = await stage();
    const seen = join(attack.folder, '../seen.json');
    const first = await verify('--seen', seen);
    const kept = await readFile(seen, 'utf8');
    await attack.git('push', '-q', '--force', 'origin', 'origin/audit~1:refs/heads/audit');
    const second = await verify('--seen', seen);

    expect(first.code).toBe(0);
    expect((await verify()).code).toBe(0);
    expect([second.code, second.codes]).toEqual([3, ['branch-rewound']]);
    expect(second.said).toMatch(
      /^audit was at [0-9a-f]{10} when it was verified before, and is at [0-9a-f]{10}, which does not follow it$/,
    );
    expect(await readFile(seen, 'utf8')).toBe(kept);
  });

  test('taken away, once it was seen', async () => {
    const { attack, verify } = await stage();
    const seen = join(attack.folder, '../seen.json');
    await verify('--seen', seen);
    await attack.git('push', '-q', 'origin', ':refs/heads/audit');

    expect((await verify('--seen', seen)).said).toMatch(/^audit was at [0-9a-f]{10} when it was verified before, and is gone$/);
  });
});

describe('rendered branches', () => {
  test.each([
    ['by nobody', () => undefined, 'unsigned'],
    ['by a stranger', stranger, 'signature-refused'],
    ['by a person of the project', ada, 'signature-refused'],
  ])('other content under copied trailers, %s', async (_, key, code) => {
    const { attack, verify } = await stage();
    await attack.git('checkout', '-q', 'rendered/dev');
    const message = await attack.git('log', '-1', '--format=%B');
    const file = (await attack.git('ls-files', '*.yaml')).split('\n')[0] ?? '';
    await writeFile(join(attack.folder, file), 'kind: Evil\n');
    await attack.push('rendered/dev', { key: key(), message });
    const seen = await verify();

    expect(seen.code).toBe(3);
    expect(seen.codes).toContain(code);
  });

  test('forged trailers, even under the key of the engine, do not fit what the commit changes', async () => {
    const { attack, verify } = await stage();
    await attack.git('checkout', '-q', 'rendered/dev');
    const message = (await attack.git('log', '-1', '--format=%B')).replace(/^Capsule: .*$/m, 'Capsule: hello@9.9.9');
    const file = (await attack.git('ls-files', '*.yaml')).split('\n')[0] ?? '';
    await writeFile(join(attack.folder, file), 'kind: Evil\n');
    await attack.push('rendered/dev', { key: engine(), message });
    const { code, codes } = await verify();

    expect([code, codes]).toEqual([3, ['trailer-mismatch']]);
  });

  test('content that its metadata names is rendered again by --full, whoever signed it', async () => {
    const { attack, verify } = await stage();
    await attack.git('checkout', '-q', 'rendered/dev');
    const message = await attack.git('log', '-1', '--format=%B');
    const path = join(attack.folder, 'local/render.metadata');
    await writeFile(
      path,
      (await readFile(path, 'utf8')).replace(
        /"configSha256":\s*"[0-9a-f]/,
        (text) => `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}`,
      ),
    );
    await attack.push('rendered/dev', { key: engine(), message });

    expect((await verify('--full')).codes).toContain('render-differs');
  });

  test('cut back: the ledger names what is gone', async () => {
    const { attack, verify } = await stage();
    await attack.git('push', '-q', '--force', 'origin', 'origin/rendered/dev~1:refs/heads/rendered/dev');
    const { code, codes, said } = await verify();

    expect([code, codes]).toEqual([3, ['branch-rewound']]);
    expect(said).toMatch(/^audit record \w+ names commit [0-9a-f]{10} of rendered\/dev, which is not on that branch/);
  });

  test("another environment's rendering in its place", async () => {
    const { attack, verify } = await stage();
    await attack.git('push', '-q', '--force', 'origin', 'origin/rendered/staging:refs/heads/rendered/dev');
    const { code, codes } = await verify();

    expect([code, codes]).toEqual([3, ['branch-rewound', 'trailer-mismatch']]);
  });
});

describe('main', () => {
  test('a lock with the right tree and another sha256', async () => {
    const { attack, verify } = await stage();
    const path = join(attack.folder, 'environments/dev/environment.lock.yaml');
    await writeFile(
      path,
      (await readFile(path, 'utf8')).replace(/sha256: "?[0-9a-f]{8}/, (text) => `${text.slice(0, -8)}00000000`),
    );
    await attack.push('main', { key: ada() });
    const { code, codes, said } = await verify();

    expect([code, codes]).toEqual([3, ['lock-content-mismatch']]);
    expect(said).toMatch(/locks hello@1\.0\.1 with sha256 00000000/);
  });

  test('cut back behind what was applied', async () => {
    const { attack, verify } = await stage();
    await attack.git('push', '-q', '--force', 'origin', 'origin/main~1:refs/heads/main');
    const { code, codes, said } = await verify();

    expect([code, codes]).toEqual([3, ['branch-rewound']]);
    expect(said).toMatch(/names commit [0-9a-f]{10} of main, which is not on that branch/);
  });
});

test('what --seen kept is believed only as it was written', async () => {
  const { attack, verify } = await stage();
  const seen = join(attack.folder, '../seen.json');
  await writeFile(seen, '{"heads":{"main":"HEAD"}}');

  await expect(verify('--seen', seen)).rejects.toThrow('is not what verify --seen writes');
});
