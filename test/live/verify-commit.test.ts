import { spawnSync } from 'node:child_process';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { assemble } from '#assembly/assembly.ts';
import { runCli } from '#cli/cli.ts';
import { COMMIT_VERDICTS, type CommitVerdictRow } from '#test/verdict-tables/commits.ts';
import { signedObjects, type SignedObjects } from './signed-objects.ts';
import type { Scene } from './signing-bench.ts';

let objects: SignedObjects;
const made = new Map<string, Scene>();

beforeAll(() => {
  for (const program of ['ssh-keygen', 'gpg', 'gpgsm', 'openssl'])
    if (spawnSync(program, ['--version']).error !== undefined)
      throw new Error(`${program} is not installed: apt-get install gnupg gpgsm openssl openssh-client`);
  objects = signedObjects();
});
afterAll(() => objects.close());

function sceneOf(row: CommitVerdictRow): Scene {
  const scene = made.get(row.scene) ?? objects.make(row.scene);
  made.set(row.scene, scene);
  return scene;
}

async function capstan(...words: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let [out, err] = ['', ''];
  const code = await runCli([...words, '--repo', objects.repository], async () => assemble(), {
    out: (text) => (out += text),
    err: (text) => (err += text),
    say: () => undefined,
    isVerbose: false,
    env: {},
    cwd: objects.repository,
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

describe.each(['any', 'SSH', 'OpenPGP', 'X.509', 'tag'] as const)('%s', (form) => {
  test.each(COMMIT_VERDICTS.filter((row) => row.form === form))('$made: $code', async (row) => {
    const scene = sceneOf(row);
    const command = form === 'tag' ? 'verify-tag' : 'verify-commit';

    const ended = await capstan(command, ...scene.trusted, ...(row.asked ?? []), '-o', 'json', scene.revision);

    const code = ended.out === '' ? 'unreadable' : (JSON.parse(ended.out) as { code: string | null }).code;
    expect([code, ended.code, code === row.code ? '' : ended.out + ended.err]).toEqual([row.code, exitOf(row.code), '']);
    const witness = objects.witness(command, scene) ? 'accepts' : 'refuses';
    expect(row.git === 'varies' ? 'varies' : witness).toBe(row.git);
  });
});

function exitOf(code: string | null): number {
  if (code === null) return 0;
  return code === 'unreadable' ? 1 : 3;
}

test('no row is told twice, and each form has what is accepted and what is not', () => {
  const names = COMMIT_VERDICTS.map((row) => `${row.form} ${row.scene} ${(row.asked ?? []).join(' ')}`);
  expect(new Set(names).size).toBe(names.length);
  for (const form of ['any', 'SSH', 'OpenPGP', 'X.509', 'tag'])
    expect(new Set(COMMIT_VERDICTS.filter((row) => row.form === form).map((row) => row.code === null)).size).toBe(2);
});
