import { readdirSync, readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { tokenSigner } from '#adapters/machine/machine.ts';
import { toSecret } from '#model/secret.ts';
import { isPortError } from '#ports/port-error.ts';
import { signerContract } from '#test/contracts/signer.contract.ts';
import { softToken, type SoftToken } from '#test/servers/soft-token.ts';

const WHO = { name: 'Capstan', email: 'engine@acme.example' };
const TYPES = ['EC:prime256v1', 'EC:secp384r1', 'rsa:2048', 'rsa:3072'];
let token: SoftToken;

beforeAll(async () => {
  token = await softToken(TYPES);
}, 60_000);
afterAll(async () => token?.close());

function keyOf(type: string, pin: string = token.pin) {
  const env = { ...token.env, PATH: process.env['PATH'] };
  return { publicKey: token.keys.get(type) ?? '', module: token.module, pin: toSecret(pin), env };
}

for (const type of TYPES)
  signerContract(`PKCS#11, ${type}`, async () => ({ signer: await tokenSigner(keyOf(type), WHO), close: () => Promise.resolve() }));

describe('a token', () => {
  test('with another PIN gives nothing, and the PIN is in no word of it', async () => {
    const error: unknown = await tokenSigner(keyOf('rsa:2048', '000000'), WHO).catch((reason: unknown) => reason);

    expect(isPortError(error) && [error.kind, error.message]).toEqual([
      'denied',
      expect.stringMatching(/^the PKCS#11 module .* gives no key: .* it is not tried again before a restart$/),
    ]);
    expect(String(error)).not.toContain('000000');
  });

  test('without a PIN at hand is not asked', async () => {
    await expect(tokenSigner({ ...keyOf('rsa:2048'), pin: undefined }, WHO)).rejects.toMatchObject({ kind: 'missing' });
  });

  test('that does not hold the key is refused, though it holds others', async () => {
    const publicKey =
      'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLw48Df2X1PbU5vH/7j56ImHRYROQbYk0FVwKc7YVCDyAIlj1ugTea7qGHR1CPQDjNoSAKvlAuY2toNv73J6hAo=';

    await expect(tokenSigner({ ...keyOf('rsa:2048'), publicKey }, WHO)).rejects.toMatchObject({
      kind: 'missing',
      message: expect.stringMatching(/does not hold the key SHA256:.* \(it holds 4 others\)/),
    });
  });

  test('is opened again when its helper was killed', async () => {
    const signer = await tokenSigner(keyOf('EC:prime256v1'), WHO);
    const before = await signer.sign(Buffer.from('one'));
    for (const helper of helpersOf(token.env['SOFTHSM2_CONF'] ?? '')) process.kill(helper, 'SIGKILL');

    expect(before).toContain('BEGIN SSH SIGNATURE');
    expect(await signer.sign(Buffer.from('two'))).toContain('BEGIN SSH SIGNATURE');
  });

  test('has its PIN in no argument and no variable of a process', async () => {
    await tokenSigner(keyOf('EC:prime256v1'), WHO);
    const seen = processes().filter((one) => `${one.arguments}\0${one.environment}`.includes(token.pin));

    expect(processes().some((one) => one.arguments.includes('ssh-pkcs11-helper'))).toBe(true);
    expect(seen.map((one) => one.arguments)).toEqual([]);
  });
});

function processes() {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^[0-9]+$/.test(pid)) return [];
    try {
      const [line, environment] = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'));
      return [{ pid: Number(pid), arguments: line ?? '', environment: environment ?? '' }];
    } catch {
      // It ended meanwhile, or belongs to somebody else.
      return [];
    }
  });
}

/** Helpers that this test started: they know its token. */
function helpersOf(configuration: string): readonly number[] {
  return processes()
    .filter((one) => one.arguments.includes('ssh-pkcs11-helper') && one.environment.includes(configuration))
    .map((one) => one.pid);
}
