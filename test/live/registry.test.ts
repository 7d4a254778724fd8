import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ociRegistry } from '#adapters/oci/oci.ts';
import { registryContract } from '#test/contracts/registry.contract.ts';
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
