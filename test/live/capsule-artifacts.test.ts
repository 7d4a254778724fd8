import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { workbench, type Ended, type Workbench } from '#test/programs/capstan-program.ts';
import { programPath } from '#test/servers/built-programs.ts';
import { startRegistry, type RegistryKind, type RunningRegistry } from '#test/servers/registry.ts';
import { NO_SERVICES } from '#test/servers/sigstore-services.ts';

const PREDICATE = 'https://capstan.dev/capsule-release/v1';
const cosign = programPath('cosign');
const KINDS = ['docker', 'referrers'] as const;

let bench: Workbench;
let platform: string;
const running = new Map<RegistryKind, RunningRegistry>();

beforeAll(async () => {
  bench = await workbench();
  platform = await bench.platform();
  const pairs = {
    ed25519: generateKeyPairSync('ed25519'),
    ecdsa: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    rsa: generateKeyPairSync('rsa', { modulusLength: 3072 }),
    other: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };
  for (const [name, { privateKey, publicKey }] of Object.entries(pairs)) {
    writeFileSync(join(platform, '..', `${name}.pem`), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    writeFileSync(join(platform, '..', `${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
  }
  for (const kind of KINDS) {
    const scratch = await bench.folder();
    running.set(kind, await startRegistry(kind, scratch));
  }
}, 120_000);

afterAll(async () => {
  for (const registry of running.values()) await registry.end();
  await bench.close();
});

/** Runs the program, and expects it to end so. */
async function capstan(code: number, ...args: readonly string[]): Promise<Ended> {
  const ended = await bench.capstan(platform, ...args);
  expect([args.join(' '), ended.code, ended.code === code ? '' : ended.err]).toEqual([args.join(' '), code, '']);
  return ended;
}

function repositoryOf(kind: RegistryKind, name: string): string {
  return `${running.get(kind)?.host ?? ''}/acme/${name}`;
}

function skopeo(...args: readonly string[]): void {
  execFileSync(
    'skopeo',
    ['--insecure-policy', 'copy', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false', ...args],
    {
      cwd: platform,
      stdio: 'pipe',
      env: { HOME: platform, PATH: '/usr/bin:/bin' },
    },
  );
}

function cosignAccepts(reference: string, key: string): boolean {
  const args = [
    'verify-attestation',
    '--key',
    `../${key}.pub`,
    '--type',
    PREDICATE,
    '--insecure-ignore-tlog',
    '--allow-http-registry',
    reference,
  ];
  const ended = spawnSync(cosign, args, {
    cwd: platform,
    env: { HOME: platform, PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return ended.status === 0;
}

describe.each(KINDS)('in the %s registry', (kind) => {
  test('a capsule is pushed once, pulled with equal files, and its version never gets another content', async () => {
    const there = repositoryOf(kind, 'hello');
    const { out } = await capstan(0, 'capsule', 'push', 'hello', there);
    expect(JSON.parse((await capstan(0, 'capsule', 'push', 'hello', there, '-o', 'json')).out)).toMatchObject({
      state: 'there-already',
      artifact: out.trim(),
    });
    const into = join(platform, '..', `pulled-${kind}`);
    await capstan(0, 'capsule', 'pull', `${there}:1.0.0`, '--out', into);
    expect(await bench.run(platform, 'diff', '-r', into, 'capsules/hello')).toBe('');
    await capstan(4, 'capsule', 'pull', `${there}:1.0.0`, '--out', into);
    expect((await capstan(1, 'capsule', 'pull', `${there}:9.9.9`)).err).toContain('has no 9.9.9');

    const file = join(platform, 'capsules/hello/extra.txt');
    writeFileSync(file, 'changed\n');
    expect((await capstan(3, 'capsule', 'push', 'hello', there)).err).toContain('a release never changes');
    execFileSync('rm', [file]);
  });

  test.each(['ed25519', 'ecdsa', 'rsa'])('a signature by a key of %s is accepted here and by cosign, and by no other key', async (key) => {
    const there = repositoryOf(kind, `signed-${key}`);
    const digest = (await capstan(0, 'capsule', 'push', 'hello', there)).out.trim();
    const reference = `${there}@${digest}`;
    expect(JSON.parse((await capstan(3, 'capsule', 'verify', reference, '--key', `../${key}.pub`, '-o', 'json')).out)).toMatchObject({
      code: 'unsigned',
    });

    await capstan(0, 'capsule', 'sign', reference, '--key', `../${key}.pem`);

    expect(JSON.parse((await capstan(0, 'capsule', 'verify', reference, '--key', `../${key}.pub`, '-o', 'json')).out)).toMatchObject({
      verdict: 'accepted',
    });
    expect(JSON.parse((await capstan(3, 'capsule', 'verify', reference, '--key', '../other.pub', '-o', 'json')).out)).toMatchObject({
      code: 'unknown-key',
    });
    expect([cosignAccepts(reference, key), cosignAccepts(reference, 'other')]).toEqual([true, false]);
    await capstan(0, 'verify-image', '--type', PREDICATE, '--key', `../${key}.pub`, reference);
  });

  test('a layout that was signed without a network is pushed with its signature', async () => {
    const layout = join(platform, '..', `layout-${kind}`);
    const there = repositoryOf(kind, 'offline');
    const digest = (await capstan(0, 'capsule', 'pack', 'hello', '--out', layout)).out.trim();
    await capstan(0, 'capsule', 'sign', layout, '--key', '../ecdsa.pem');
    await capstan(0, 'capsule', 'push', layout, there);
    await capstan(0, 'capsule', 'verify', `${there}@${digest}`, '--key', '../ecdsa.pub');
    expect(cosignAccepts(`${there}@${digest}`, 'ecdsa')).toBe(true);
  });

  test('what cosign signs of the statement comes in as a signature, and of another statement does not', async () => {
    const there = repositoryOf(kind, 'statement');
    const digest = (await capstan(0, 'capsule', 'push', 'hello', there)).out.trim();
    const [statement, bundle] = [join(platform, '..', 'statement.json'), join(platform, '..', `bundle-${kind}.json`)];
    const text = (await capstan(0, 'capsule', 'sign', 'hello', '--statement')).out;
    const env = { HOME: platform, PATH: '/usr/bin:/bin', COSIGN_PASSWORD: '', COSIGN_YES: 'true' };
    const sign = (signed: string): void => {
      writeFileSync(statement, signed);
      const args = [
        'attest-blob',
        '--key',
        '../blob.key',
        '--statement',
        statement,
        '--bundle',
        bundle,
        '--signing-config',
        '../services.json',
      ];
      execFileSync(cosign, args, { cwd: platform, env, stdio: 'pipe', timeout: 60_000 });
    };
    writeFileSync(join(platform, '../services.json'), JSON.stringify(NO_SERVICES));
    const importing = ['import-key-pair', '--key', '../ecdsa.pem', '--output-key-prefix', '../blob', '-y'];
    execFileSync(cosign, importing, { cwd: platform, env, stdio: 'pipe', timeout: 60_000 });

    sign(text.replace('"gitTree":"', '"gitTree":"00'));
    expect((await capstan(3, 'capsule', 'sign', `${there}@${digest}`, '--bundle', bundle)).err).toContain(
      'carries a signature of another git tree',
    );
    sign(text);
    await capstan(0, 'capsule', 'sign', `${there}@${digest}`, '--bundle', bundle);

    await capstan(0, 'capsule', 'verify', `${there}@${digest}`, '--key', '../ecdsa.pub');
    expect(cosignAccepts(`${there}@${digest}`, 'ecdsa')).toBe(true);
  });

  test('skopeo copies what was packed there and back with equal digests', async () => {
    const layout = join(platform, '..', `skopeo-${kind}`);
    const there = repositoryOf(kind, 'copied');
    const digest = (await capstan(0, 'capsule', 'pack', 'hello', '--out', layout)).out.trim();
    skopeo(`oci:${layout}:1.0.0`, `docker://${there}:1.0.0`);
    expect(JSON.parse((await capstan(0, 'capsule', 'pull', `${there}@${digest}`, '-o', 'json')).out)).toMatchObject({ artifact: digest });
    const back = join(platform, '..', `back-${kind}`);
    skopeo(`docker://${there}:1.0.0`, `oci:${back}:1.0.0`);
    expect(JSON.parse((await capstan(0, 'capsule', 'pull', back, '-o', 'json')).out)).toMatchObject({ artifact: digest, version: '1.0.0' });
  });

  test('a tag that was moved to an old release is found out, however well that is signed', async () => {
    const there = repositoryOf(kind, 'replayed');
    await capstan(0, 'capsule', 'push', 'hello', there);
    await capstan(0, 'capsule', 'sign', there.concat(':1.0.0'), '--key', '../ecdsa.pem');
    skopeo(`docker://${there}:1.0.0`, `docker://${there}:1.1.0`);
    expect((await capstan(3, 'capsule', 'pull', `${there}:1.1.0`)).err).toContain('its tag says 1.1.0, but it is hello@1.0.0');
  });
});

test('two machines pack the same bytes, whatever their umask, time zone, locale and order of checkout', async () => {
  const bytesOf = async (around: readonly string[]): Promise<string> => {
    const folder = await bench.folder();
    await bench.run(folder, 'git', 'clone', '-q', platform, 'clone');
    const out = join(folder, 'hello.tar');
    await bench.run(
      join(folder, 'clone'),
      'env',
      ...around,
      'bash',
      '-c',
      `umask ${around[0]?.includes('Kolkata') === true ? '077' : '002'}; find . -name '*.yaml' -exec touch -d 2001-01-01 {} +; exec "$0" "$@"`,
      process.execPath,
      join(import.meta.dirname, '../../src/capstan.cjs'),
      'capsule',
      'pack',
      'hello',
      '--out',
      out,
    );
    return createHash('sha256').update(readFileSync(out)).digest('hex');
  };
  const first = await bytesOf(['TZ=Asia/Kolkata', 'LC_ALL=tr_TR.UTF-8']);
  const second = await bytesOf(['TZ=America/St_Johns', 'LC_ALL=C']);
  expect(second).toBe(first);
});
