import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { initialise } from '#adapters/git/initialise.ts';
import { assemble } from '#assembly/assembly.ts';
import { runCli } from '#cli/cli.ts';
import type { Terminal } from '#cli/powers.ts';
import { sigstoreVectors } from '#test/sigstore-vectors.ts';
import type { Vector } from '#test/sigstore-vectors.ts';

const VECTORS = sigstoreVectors();
/** Not the bundle's fault: what is given to judge it by cannot be read. */
const UNREADABLE: ReadonlySet<string> = new Set(['trust-root-tlog-missing-validity-start_fail', 'managed-key-wrong-key_fail']);
const TERMINAL: Terminal = {
  out: () => undefined,
  err: () => undefined,
  say: () => undefined,
  isVerbose: false,
  env: { PATH: process.env['PATH'] ?? '' },
  cwd: tmpdir(),
  isTerminal: false,
  signal: new AbortController().signal,
};
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'capstan-verify-bundle-'));
  for (const { name, bundle, artifact, trustedRoot, key } of VECTORS ?? []) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'bundle'), bundle);
    await writeFile(join(folder, name, 'artifact'), artifact);
    await writeFile(join(folder, name, 'root'), trustedRoot);
    if (key !== undefined) await writeFile(join(folder, name, 'key'), key);
  }
});

afterAll(() => rm(folder, { recursive: true }));

async function capstan(...args: readonly string[]): Promise<Ended> {
  return capstanIn(folder, ...args);
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function capstanIn(cwd: string, ...args: readonly string[]): Promise<Ended> {
  let [out, err] = ['', ''];
  const code = await runCli(args, async () => assemble(), {
    ...TERMINAL,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    say: (text) => void (err += text),
    cwd,
  });
  return { code, out, err };
}

/** A repository in the folder whose project names a trusted root. */
async function withProject(cwd: string, root: Uint8Array): Promise<string> {
  await mkdir(join(cwd, 'environments'));
  await mkdir(join(cwd, 'policies'));
  await writeFile(join(cwd, 'policies', 'trusted_root.json'), root);
  const spec = 'spec:\n  sigstore:\n    trustedRoot:\n      file: policies/trusted_root.json\n';
  const project = `apiVersion: capstan.dev/v1alpha1\nkind: Project\nmetadata:\n  name: platform\n${spec}`;
  await writeFile(join(cwd, 'environments', 'project.yaml'), project);
  return cwd;
}

function askedOf({ name, key, identity, issuer }: Vector): readonly string[] {
  const who = key === undefined ? ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer] : ['--key', `${name}/key`];
  return ['verify-bundle', '--bundle', `${name}/bundle`, '--trusted-root', `${name}/root`, ...who];
}

describe.skipIf(VECTORS === undefined)('row 62: `capstan verify-bundle` on the vectors of sigstore-conformance', () => {
  const ways: readonly [string, (vector: Vector) => string][] = [
    ['file', ({ name }) => `${name}/artifact`],
    ['digest', ({ digest }) => `sha256:${digest}`],
  ];

  for (const [way, wordOf] of ways)
    it(`is right about 70 of 70 by ${way}`, async () => {
      const found: Record<string, number> = {};
      for (const vector of VECTORS ?? []) found[vector.name] = (await capstan(...askedOf(vector), wordOf(vector))).code;

      const expected = (VECTORS ?? []).map(({ name, holds }) => [name, holds ? 0 : UNREADABLE.has(name) ? 1 : 3]);
      expect(Object.keys(found)).toHaveLength(70);
      expect(found).toEqual(Object.fromEntries(expected));
    });

  it('says in one sentence who signed what, when, and who saw it', async () => {
    const vector = VECTORS?.find(({ name }) => name === 'happy-path-v0.3');
    if (vector === undefined) throw new Error('the vector is gone');

    expect(await capstan(...askedOf(vector), `sha256:${vector.digest}`)).toEqual({
      code: 0,
      out: `sha256:${vector.digest} was signed by ${vector.identity} (${vector.issuer} vouches for the name) at 2024-03-19T17:26:26.000Z, seen by https://rekor.sigstore.dev\n`,
      err: '',
    });
  });

  it('takes the trusted root of the configuration where none is given, and that of the project before it', async () => {
    const vector = VECTORS?.find(({ name }) => name === 'rekor2-happy-path');
    const other = VECTORS?.find(({ name }) => name === 'happy-path-v0.3');
    if (vector === undefined || other === undefined) throw new Error('the vector is gone');
    const asked = (cwd: string) =>
      capstanIn(
        cwd,
        'verify-bundle',
        '--bundle',
        join(folder, vector.name, 'bundle'),
        '--certificate-identity',
        vector.identity,
        '--certificate-oidc-issuer',
        vector.issuer,
        `sha256:${vector.digest}`,
      ).then(({ code }) => code);
    const configured = async (name: string, root: Uint8Array): Promise<string> => {
      const cwd = join(folder, name);
      await mkdir(cwd);
      await writeFile(join(cwd, 'root.json'), root);
      const yaml =
        'repository: { url: "https://github.com/acme/platform.git" }\ntrust: { sigstore: { trustedRoot: { file: root.json } } }\n';
      const signing = 'identity: { signingKey: { file: key } }\n';
      await writeFile(join(cwd, 'capstan.yaml'), `apiVersion: capstan.dev/v1alpha1\nkind: Configuration\n${yaml}${signing}`);
      return cwd;
    };
    const right = await configured('right', vector.trustedRoot);
    const wrong = await configured('wrong', other.trustedRoot);
    await mkdir(join(folder, 'nothing'));

    expect([await asked(right), await asked(wrong), await asked(join(folder, 'nothing'))]).toEqual([0, 3, 1]);
    await initialise(await withProject(wrong, vector.trustedRoot), 'Name a trusted root');
    expect(await asked(wrong)).toBe(0);
  });

  it('names the place of a mistake in a trusted root', async () => {
    const vector = VECTORS?.find(({ name }) => name === 'trust-root-tlog-missing-validity-start_fail');
    if (vector === undefined) throw new Error('the vector is gone');

    expect(await capstan(...askedOf(vector), `${vector.name}/artifact`)).toEqual({
      code: 1,
      out: '',
      err: `capstan: ${vector.name}/root: /tlogs/1/publicKey/validFor/start is missing: nothing is trusted since ever\n`,
    });
  });
});

describe('`capstan verify-bundle`', () => {
  const asked = ['verify-bundle', '--bundle', 'bundle.json', `sha256:${'0'.repeat(64)}`];

  it.each([
    ['nobody', [...asked], 'who must have signed?'],
    ['an empty identity', [...asked, '--certificate-identity', '', '--certificate-oidc-issuer', 'https://issuer.example'], 'is empty'],
    ['an empty issuer', [...asked, '--certificate-identity', 'ada@acme.example', '--certificate-oidc-issuer', ' '], 'is empty'],
    [
      'an empty pattern',
      [...asked, '--certificate-identity-pattern', '', '--certificate-oidc-issuer', 'https://issuer.example'],
      'is empty',
    ],
    ['an identity without issuer', [...asked, '--certificate-identity', 'ada@acme.example'], 'needs --certificate-oidc-issuer'],
    ['an issuer without identity', [...asked, '--certificate-oidc-issuer', 'https://issuer.example'], 'needs --certificate-identity'],
    ['a key and an identity', [...asked, '--key', 'key.pub', '--certificate-identity', 'ada@acme.example'], 'exclude each other'],
    ['a digest that is too short', ['verify-bundle', '--bundle', 'bundle.json', '--key', 'key.pub', 'sha256:abc'], 'is no digest'],
  ])('takes %s as wrong usage, never as anyone', async (_what, args, words) => {
    const ended = await capstan(...args);

    expect([ended.code, ended.out]).toEqual([64, '']);
    expect(ended.err).toContain(words);
  });
});
