import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { assemble } from '#assembly/assembly.ts';
import { runCli } from '#cli/cli.ts';
import { toInstant } from '#model/instant.ts';
import { workbench, type Workbench } from '#test/programs/capstan-program.ts';
import { programPath } from '#test/servers/built-programs.ts';
import { startRegistry, type RegistryKind, type RunningRegistry } from '#test/servers/registry.ts';
import { identityToken, NO_SERVICES, sigstoreServices, type SigstoreServices } from '#test/servers/sigstore-services.ts';
import { jsonBytes } from '#test/sigstore-authorities.ts';

const ISSUER = 'https://issuer.acme.example';
const RELEASE = 'https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main';
const MALLORY = 'https://github.com/mallory/web/.github/workflows/release.yml@refs/heads/main';
const TESTS = 'https://in-toto.io/attestation/test-result/v0.1';
const GATES = '  gates:\n    - name: unit\n      type: tests\n';

const cosign = programPath('cosign');
const scratch = mkdtempSync(join(tmpdir(), 'capstan-attested-'));
const env = { HOME: scratch, COSIGN_PASSWORD: '', COSIGN_YES: 'true', PATH: '/usr/bin:/bin' };
let bench: Workbench;
let services: SigstoreServices;

/** Not synchronous: the authorities that cosign asks live in this process. */
async function run(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(cosign, [...args], { cwd: scratch, env, timeout: 60_000 });
}

beforeAll(async () => {
  bench = await workbench();
  services = await sigstoreServices();
  await bench.run(scratch, 'ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', 'ada');
  for (const name of ['ci', 'mallory']) await run('generate-key-pair', '--output-key-prefix', name);
  writeFileSync(join(scratch, 'none.json'), JSON.stringify(NO_SERVICES));
  writeFileSync(join(scratch, 'services.json'), JSON.stringify(services.signingConfig));
  writeFileSync(join(scratch, 'root.json'), jsonBytes(services.acme.root));
  writeFileSync(join(scratch, 'passed.json'), '{"result":"PASSED","passedTests":["it serves"]}');
  writeFileSync(join(scratch, 'failed.json'), '{"result":"FAILED"}');
  for (const [name, sub] of [
    ['release-token', RELEASE],
    ['mallory-token', MALLORY],
  ] as const)
    writeFileSync(join(scratch, name), identityToken({ iss: ISSUER, sub, aud: 'sigstore', exp: 4_102_444_800, iat: 1_600_000_000 }));
}, 60_000);
afterAll(async () => {
  await services.close();
  await bench.close();
  rmSync(scratch, { recursive: true });
});

const keyed = (key: string): readonly string[] => ['--key', `${key}.key`, '--signing-config', 'none.json'];
const keyless = (token: string): readonly string[] => [
  '--signing-config',
  'services.json',
  '--trusted-root',
  'root.json',
  '--identity-token',
  token,
];
const attest = (signer: readonly string[], predicate: string, reference: string): Promise<void> =>
  run('attest', ...signer, '--allow-http-registry', '--type', TESTS, '--predicate', predicate, reference);

/** In this process, two minutes ahead: the authorities live in the next minute. */
async function capstan(cwd: string, ...args: readonly string[]): Promise<{ readonly code: number; readonly out: string }> {
  const powers = assemble();
  const now = toInstant(Date.now() + 120_000);
  let out = '';
  const code = await runCli(
    [...args, '--repo', '.', '--config', 'capstan.yaml'],
    async () => ({ ...powers, openWorld: async (place, terminal) => powers.openWorld({ ...place, now }, terminal) }),
    {
      out: (text) => void (out += text),
      err: (text) => void (out += text),
      say: () => undefined,
      isVerbose: false,
      env: bench.env,
      cwd,
      isTerminal: false,
      signal: new AbortController().signal,
    },
  );
  return { code, out };
}

interface Stage {
  readonly platform: string;
  /** The artifact of hello 1.0.1. */
  readonly reference: string;
  /** Gates of its promotion to dev. */
  readonly gate: (name: string) => Promise<string>;
}

/** A project that trusts `entries`; hello 1.0.1 is released and its artifact pushed. */
async function stage(
  running: RunningRegistry,
  name: string,
  change: { readonly entries: string; readonly capsule?: string },
): Promise<Stage> {
  const platform = await bench.platform();
  const below = `${running.host}/${name}`;
  const edit = (path: string, to: (text: string) => string): void =>
    writeFileSync(join(platform, path), to(readFileSync(join(platform, path), 'utf8')));
  writeFileSync(
    join(platform, 'capstan.yaml'),
    `apiVersion: capstan.dev/v1alpha1\nkind: Configuration\nrepository: { url: "https://forge.example/acme/platform.git" }\nregistries: { capsules: ${below} }\n`,
  );
  mkdirSync(join(platform, 'policies/trust'), { recursive: true });
  for (const file of ['ci.pub', 'root.json']) writeFileSync(join(platform, 'policies/trust', file), readFileSync(join(scratch, file)));
  edit('environments/project.yaml', (text) => `${text.trimEnd()}\n${change.entries}`);
  edit('environments/dev/environment.yaml', (text) => text.replace('  gates:\n', GATES));
  await bench.git(platform, 'add', '.');
  await bench.git(platform, 'commit', '-qm', 'Ask for tests');
  edit('capsules/hello/capsule.yaml', (text) => `${text.replace('version: 1.0.0', 'version: 1.0.1').trimEnd()}\n${change.capsule ?? ''}`);
  const signing = ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${join(scratch, 'ada')}`];
  await bench.git(platform, ...signing, 'commit', '-S', '-qam', 'Release hello 1.0.1');
  const pushed = await bench.capstan(platform, 'capsule', 'push', 'hello@1.0.1', `${below}/hello`);
  expect([pushed.code, pushed.err]).toEqual([0, expect.any(String)]);
  return {
    platform,
    reference: `${below}/hello@${pushed.out.trim()}`,
    gate: async (wanted) => {
      const { out } = await capstan(platform, 'promote', 'dev', '--dry-run', '-o', 'json');
      const { gates } = JSON.parse(out) as {
        readonly gates: readonly { readonly name: string; readonly status: string; readonly detail: string }[];
      };
      const found = gates.find((gate) => gate.name === wanted);
      return `${found?.status ?? 'none'}: ${found?.detail ?? ''}`;
    },
  };
}

describe.each<RegistryKind>(['docker', 'referrers'])('in the %s registry', (kind) => {
  let running: RunningRegistry;
  beforeAll(async () => {
    const own = join(scratch, kind);
    mkdirSync(own);
    running = await startRegistry(kind, own);
  });
  afterAll(() => running.end());

  test('what cosign attests of a capsule with the right key answers its gate, with another one is refused', async () => {
    const entries = '    - name: ci\n      publicKey: { file: policies/trust/ci.pub }\n      for: [evidence]\n';
    const { platform, reference, gate } = await stage(running, 'keyed', { entries });
    expect(await gate('unit')).toBe('waiting: no evidence: there is no tests evidence of hello@1.0.1');

    await attest(keyed('mallory'), 'passed.json', reference);
    expect(await gate('unit')).toMatch(/^failed: evidence refused: hello@1\.0\.1: unknown-key: /);

    await attest(keyed('ci'), 'passed.json', reference);
    expect(await gate('unit')).toBe('passed: hello@1.0.1: 1 of 1 passed (ci)');
    const told = JSON.parse((await capstan(platform, 'evidence', 'hello@1.0.1', '-o', 'json')).out) as {
      readonly items: readonly object[];
    };
    expect(told.items).toEqual([
      expect.objectContaining({ statements: [expect.objectContaining({ signer: 'ci' })], refused: [expect.anything()], unread: null }),
    ]);
  });

  test('a keyless attestation answers it by whom the project names, and by nobody else', async () => {
    const entries = `    - name: pipeline\n      issuer: ${ISSUER}\n      identity: ${RELEASE}\n      for: [evidence]\n  sigstore:\n    trustedRoot: { file: policies/trust/root.json }\n`;
    const { reference, gate } = await stage(running, 'keyless', { entries });
    await attest(keyless('mallory-token'), 'passed.json', reference);
    expect(await gate('unit')).toMatch(/^failed: evidence refused: hello@1\.0\.1: wrong-identity: /);

    await attest(keyless('release-token'), 'passed.json', reference);
    expect(await gate('unit')).toBe('passed: hello@1.0.1: 1 of 1 passed (pipeline)');

    await attest(keyless('release-token'), 'failed.json', reference);
    expect(await gate('unit')).toMatch(/^failed: hello@1\.0\.1: /);
  });

  test('a release that cosign signed keyless is accepted, promoted and applied, and by another identity is not', async () => {
    const entries = `    - name: release\n      issuer: ${ISSUER}\n      identity: ${RELEASE}\n      for: [capsule, evidence]\n    - name: ada\n      sshKey: ${readFileSync(join(scratch, 'ada.pub'), 'utf8').trim()}\n      for: [capsule]\n  sigstore:\n    trustedRoot: { file: policies/trust/root.json }\n`;
    const capsule = '  security:\n    signatures:\n      required: true\n      identities: [release]\n';
    const { platform, reference, gate } = await stage(running, 'signed', { entries, capsule });
    const { out } = await bench.capstan(platform, 'capsule', 'sign', 'hello@1.0.1', '--statement', '--repo', '.');
    writeFileSync(join(scratch, 'statement.json'), out);
    const signedBy = async (token: string): Promise<void> => {
      const bundle = join(scratch, `${kind}-${token}.json`);
      await run('attest-blob', ...keyless(token), '--statement', 'statement.json', '--bundle', bundle);
      expect(await capstan(platform, 'capsule', 'sign', reference, '--bundle', bundle)).toMatchObject({ code: 0 });
    };
    const verdict = async (...who: readonly string[]) =>
      JSON.parse((await capstan(platform, 'capsule', 'verify', reference, '-o', 'json', ...who)).out) as { readonly code: string | null };
    const who = ['--certificate-oidc-issuer', ISSUER, '--trusted-root', join(scratch, 'root.json'), '--certificate-identity'];

    expect([await gate('signed'), (await verdict()).code]).toEqual(['waiting: hello@1.0.1 is not signed', 'unsigned']);
    await signedBy('mallory-token');
    expect([await gate('signed'), (await verdict()).code]).toEqual([expect.stringMatching(/^failed: /), 'wrong-identity']);
    await signedBy('release-token');
    expect([await gate('signed'), (await verdict()).code]).toEqual([expect.stringMatching(/^passed: .* by release$/), null]);
    expect([(await verdict(...who, RELEASE)).code, (await verdict(...who, `${RELEASE}x`)).code]).toEqual([null, 'wrong-identity']);

    await attest(keyless('release-token'), 'passed.json', reference);
    expect(await gate('unit')).toBe('passed: hello@1.0.1: 1 of 1 passed (release)');
    await capstan(platform, 'promote', 'dev');
    const branch = (await bench.git(platform, 'branch', '--list', 'promote/dev/*', '--format=%(refname:short)')).trim();
    await bench.git(platform, 'merge', '--quiet', branch);
    expect(await capstan(platform, 'reconcile', 'dev')).toMatchObject({ code: 0 });
  });
});
