import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { ociRegistry } from '#adapters/oci/oci.ts';
import { pushImage } from '#test/contracts/registry.contract.ts';
import { workbench, type Workbench } from '#test/programs/capstan-program.ts';
import { programPath } from '#test/servers/built-programs.ts';
import { startRegistry } from '#test/servers/registry.ts';
import { NO_SERVICES } from '#test/servers/sigstore-services.ts';

const cosign = programPath('cosign');
const scratch = mkdtempSync(join(tmpdir(), 'capstan-signed-path-'));
const env = { HOME: scratch, COSIGN_PASSWORD: '', COSIGN_YES: 'true', PATH: '/usr/bin:/bin' };
const run = (...args: readonly string[]): string =>
  execFileSync(cosign, args, { cwd: scratch, env, stdio: 'pipe', timeout: 60_000 }).toString();
let bench: Workbench;

beforeAll(async () => {
  bench = await workbench();
  run('generate-key-pair', '--output-key-prefix', 'build');
  writeFileSync(join(scratch, 'services.json'), JSON.stringify(NO_SERVICES));
});
afterAll(async () => {
  await bench.close();
  rmSync(scratch, { recursive: true });
});

describe.each(['docker', 'referrers'] as const)('the %s registry', (kind) => {
  test('an image reaches a target when real cosign has signed it, and stays when the registry goes', async () => {
    const own = join(scratch, kind);
    mkdirSync(own);
    const running = await startRegistry(kind, own);
    try {
      const registry = ociRegistry({ dockerConfig: scratch, env: {}, allowHttp: new Set(), mirrors: new Map() });
      const { digest } = await pushImage(registry, { registry: running.host, name: 'acme/hello' }, 'hello', 'v1');
      const platform = await bench.platform();
      const capsule = join(platform, 'capsules/hello/capsule.yaml');
      const text = readFileSync(capsule, 'utf8').replace(/image: .*/, `image: ${running.host}/acme/hello@${digest}`);
      writeFileSync(capsule, text.replace('version: 1.0.0', 'version: 1.0.1'));
      const project = join(platform, 'environments/project.yaml');
      const key = readFileSync(join(scratch, 'build.pub'), 'utf8').trim().replaceAll('\n', '\n        ');
      const entry = `    - name: build\n      publicKey: |\n        ${key}\n      for: [image]\n`;
      writeFileSync(project, `${readFileSync(project, 'utf8').trimEnd()}\n${entry}`);
      await bench.git(platform, 'commit', '-qam', 'Trust the build, and release what it built');
      const promoted = async () =>
        JSON.parse((await bench.capstan(platform, 'promote', 'dev', '--dry-run', '-o', 'json')).out) as { gates: readonly object[] };
      const images = async () => (await promoted()).gates.filter((gate) => 'name' in gate && gate.name === 'image-signatures');

      expect(await images()).toEqual([expect.objectContaining({ status: 'failed', detail: expect.stringContaining('(unsigned)') })]);

      run(
        'sign',
        '--key',
        'build.key',
        '--signing-config',
        'services.json',
        '--allow-http-registry',
        `${running.host}/acme/hello@${digest}`,
      );

      expect(await images()).toEqual([expect.objectContaining({ status: 'passed', detail: '1 of 1 signed' })]);
      await bench.capstan(platform, 'promote', 'dev');
      const branch = (await bench.git(platform, 'branch', '--list', 'promote/dev/*', '--format=%(refname:short)')).trim();
      await bench.git(platform, 'merge', '--quiet', branch);
      expect(await bench.capstan(platform, 'reconcile', 'dev')).toMatchObject({ code: 0 });

      await running.end();
      expect(await bench.capstan(platform, 'reconcile', 'dev')).toMatchObject({ code: 0 });
      rmSync(join(platform, '.capstan/kept'), { recursive: true });
      const lost = await bench.capstan(platform, 'reconcile', 'dev');
      expect([lost.code, `${lost.out}${lost.err}`]).toEqual([4, expect.stringContaining('could not look for signatures of')]);
    } finally {
      await running.end();
    }
  });
});
