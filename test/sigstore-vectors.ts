import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Credential } from '#model/trust-policy.ts';
import { TEST_DATA } from './foreign-manifests.ts';

/** One case of sigstore-conformance: what is verified against what, and whether it must hold. */
export interface Vector {
  readonly name: string;
  readonly holds: boolean;
  readonly bundle: Uint8Array;
  readonly artifact: Uint8Array;
  readonly digest: string;
  readonly trustedRoot: Uint8Array;
  readonly key: string | undefined;
  readonly identity: string;
  readonly issuer: string;
}

const IDENTITY =
  'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main';
const ISSUER = 'https://token.actions.githubusercontent.com';

/** All 70; undefined, loudly, where the data is not on this machine. In CI its absence is a failure. */
export function sigstoreVectors(): readonly Vector[] | undefined {
  const archive = join(TEST_DATA, 'sigstore-conformance', 'vectors.tar.xz');
  if (!existsSync(archive)) {
    const words = `${archive} is not there: set CAPSTAN_TEST_DATA to where the test data is`;
    if (process.env['CI'] !== undefined) throw new Error(words);
    process.stderr.write(`\n*** NOT TESTED: ${words}\n`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'capstan-sigstore-'));
  try {
    execFileSync('tar', ['-xJf', archive, '-C', folder]);
    return vectorsIn(join(folder, 'bundle-verify'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function vectorsIn(folder: string): readonly Vector[] {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return names.map((name) => {
    const file = (path: string) => (existsSync(join(folder, name, path)) ? readFileSync(join(folder, name, path)) : undefined);
    const artifact = file('artifact') ?? readFileSync(join(folder, 'a.txt'));
    return {
      name,
      holds: !name.endsWith('_fail'),
      bundle: readFileSync(join(folder, name, 'bundle.sigstore.json')),
      artifact,
      digest: createHash('sha256').update(artifact).digest('hex'),
      trustedRoot: file('trusted_root.json') ?? readFileSync(join(folder, 'trusted_root.public-good.json')),
      key: file('key.pub')?.toString(),
      identity: file('identity')?.toString().trim() ?? IDENTITY,
      issuer: file('issuer')?.toString().trim() ?? ISSUER,
    };
  });
}

/** The key if there is one, else the identity: as the conformance suite runs its clients. */
export function credentialOf({ key, issuer, identity }: Vector): Extract<Credential, { kind: 'public-key' | 'keyless' }> {
  return key === undefined ? { kind: 'keyless', issuer, identity: { kind: 'exact', identity } } : { kind: 'public-key', pem: key };
}
