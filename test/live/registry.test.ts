import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { ociRegistry } from '#adapters/oci/oci.ts';
import { pushImage, registryContract } from '#test/contracts/registry.contract.ts';
import { startRegistry } from '#test/servers/registry.ts';

for (const kind of ['docker', 'referrers'] as const)
  registryContract(`${kind} registry`, async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'capstan-registry-'));
    const running = await startRegistry(kind, scratch);
    return {
      registry: ociRegistry({ dockerConfig: scratch, env: {}, allowHttp: new Set(), mirrors: new Map() }),
      host: running.host,
      tidy: async () => {
        await running.end();
        rmSync(scratch, { recursive: true });
      },
    };
  });

test.each(['docker', 'referrers'] as const)('skopeo reads what is pushed to the %s registry, and what it pushes is read', async (kind) => {
  const scratch = mkdtempSync(join(tmpdir(), 'capstan-skopeo-'));
  const running = await startRegistry(kind, scratch);
  try {
    const registry = ociRegistry({ dockerConfig: scratch, env: {}, allowHttp: new Set(), mirrors: new Map() });
    const image = await pushImage(registry, { registry: running.host, name: 'acme/web' }, 'what is inside', 'v1');
    const folder = join(scratch, 'pulled');
    const options = { stdio: 'pipe', env: { HOME: scratch, PATH: '/usr/bin:/bin' } } as const;
    execFileSync(
      'skopeo',
      ['--insecure-policy', 'copy', '--src-tls-verify=false', `docker://${running.host}/acme/web:v1`, `dir:${folder}`],
      options,
    );
    execFileSync(
      'skopeo',
      [
        '--insecure-policy',
        'copy',
        '--dest-tls-verify=false',
        '--preserve-digests',
        `dir:${folder}`,
        `docker://${running.host}/acme/copy:v2`,
      ],
      options,
    );

    const copied = await registry.resolveTag({ registry: running.host, name: 'acme/copy' }, 'v2');

    expect(readFileSync(join(folder, 'manifest.json'), 'utf8')).toContain('application/vnd.oci.image.layer.v1.tar');
    expect(copied).toEqual(image);
  } finally {
    await running.end();
    rmSync(scratch, { recursive: true });
  }
});
