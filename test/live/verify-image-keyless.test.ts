import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ociRegistry } from '#adapters/oci/oci.ts';
import { assemble } from '#assembly/assembly.ts';
import { runCli } from '#cli/cli.ts';
import { pushImage } from '#test/contracts/registry.contract.ts';
import { programPath } from '#test/servers/built-programs.ts';
import { startRegistry } from '#test/servers/registry.ts';
import type { RunningRegistry } from '#test/servers/registry.ts';
import { identityToken, sigstoreServices } from '#test/servers/sigstore-services.ts';
import type { SigstoreServices } from '#test/servers/sigstore-services.ts';
import { authorities, jsonBytes } from '#test/sigstore-authorities.ts';

const ISSUER = 'https://issuer.acme.example';
const ADA = 'https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main';
const MALLORY = 'https://github.com/mallory/web/.github/workflows/release.yml@refs/heads/main';
const scratch = mkdtempSync(join(tmpdir(), 'capstan-keyless-'));
const cosign = programPath('cosign');
const env = { HOME: scratch, COSIGN_YES: 'true', PATH: '/usr/bin:/bin' };

let services: SigstoreServices;
beforeAll(async () => {
  services = await sigstoreServices();
  writeFileSync(join(scratch, 'services.json'), JSON.stringify(services.signingConfig));
  writeFileSync(join(scratch, 'root.json'), jsonBytes(services.acme.root));
  writeFileSync(join(scratch, 'other-root.json'), jsonBytes((await authorities()).root));
  writeFileSync(join(scratch, 'provenance.json'), '{"buildDefinition":{"buildType":"x"},"runDetails":{"builder":{"id":"y"}}}');
  for (const [name, sub] of [
    ['ada', ADA],
    ['mallory', MALLORY],
  ] as const)
    writeFileSync(join(scratch, name), identityToken({ iss: ISSUER, sub, aud: 'sigstore', exp: 4_102_444_800, iat: 1_600_000_000 }));
});
afterAll(async () => {
  await services.close();
  rmSync(scratch, { recursive: true });
});

/** Not synchronous: the authorities that cosign asks live in this process. */
async function run(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(cosign, [...args], { cwd: scratch, env, timeout: 60_000 });
}

async function accepts(...args: readonly string[]): Promise<boolean> {
  return run(...args).then(
    () => true,
    () => false,
  );
}

async function codeOf(...args: readonly string[]): Promise<string | null> {
  let out = '';
  await runCli(['verify-image', ...args, '-o', 'json'], async () => assemble(), {
    out: (text) => void (out += text),
    err: (text) => void (out += text),
    say: () => undefined,
    isVerbose: false,
    env: { HOME: scratch, PATH: '' },
    cwd: scratch,
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return (JSON.parse(out) as { readonly code: string | null }).code;
}

const who = (identity: string): readonly string[] => [
  '--certificate-identity',
  identity,
  '--certificate-oidc-issuer',
  ISSUER,
  '--trusted-root',
  'root.json',
];

for (const kind of ['docker', 'referrers'] as const)
  describe(`images that cosign signed keyless, in the ${kind} registry`, () => {
    let running: RunningRegistry;
    let signed: string;
    beforeAll(async () => {
      running = await startRegistry(kind, scratch);
      const registry = ociRegistry({ dockerConfig: scratch, env: {}, allowHttp: new Set(), mirrors: new Map() });
      const image = await pushImage(registry, { registry: running.host, name: 'acme/keyless' }, 'keyless');
      signed = `${running.host}/acme/keyless@${image.digest}`;
      const signer = ['--signing-config', 'services.json', '--trusted-root', 'root.json', '--identity-token', 'ada'];
      await run('sign', ...signer, '-a', 'team=web', signed);
      await run('attest', ...signer, '--type', 'slsaprovenance1', '--predicate', 'provenance.json', signed);
    });
    afterAll(() => running.end());

    test('are accepted from whom they are of, and from nobody else, and cosign says the same', async () => {
      const asked = async (identity: string): Promise<readonly unknown[]> => [
        await codeOf(...who(identity), signed),
        await accepts('verify', ...who(identity), signed),
      ];

      expect([await asked(ADA), await asked(MALLORY)]).toEqual([
        [null, true],
        ['wrong-identity', false],
      ]);
    });

    test('are asked for their type, their annotations and their authorities', async () => {
      const other = who(ADA).map((word) => (word === 'root.json' ? 'other-root.json' : word));

      expect([
        await codeOf(...who(ADA), '--type', 'slsaprovenance1', signed),
        await codeOf(...who(ADA), '--type', 'vuln', signed),
        await codeOf(...who(ADA), '-a', 'team=web', signed),
        await codeOf(...who(ADA), '-a', 'team=api', signed),
        await codeOf(...who(`${ADA}x`), signed),
        await codeOf('--certificate-identity-pattern', 'https://github.com/acme/.*', ...who(ADA).slice(2), signed),
        await codeOf('--certificate-identity-pattern', 'github.com/acme', ...who(ADA).slice(2), signed),
      ]).toEqual([null, 'wrong-predicate', null, 'wrong-annotation', 'wrong-identity', null, 'wrong-identity']);
      expect(['untrusted-certificate', 'untrusted-log']).toContain(await codeOf(...other, signed));
    });
  });
