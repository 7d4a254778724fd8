import { generateKeyPairSync, randomBytes, scryptSync } from 'node:crypto';

import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { expect, test } from 'vitest';

import { openCosignKey } from '#adapters/sigstore/cosign-key.ts';
import { toSecret } from '#model/secret.ts';
import { base64 } from '#test/sigstore-authorities.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const DER = privateKey.export({ type: 'pkcs8', format: 'der' });

function armoured(value: object, name = 'SIGSTORE'): string {
  const body = base64(Buffer.from(JSON.stringify(value))).replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN ENCRYPTED ${name} PRIVATE KEY-----\n${body}\n-----END ENCRYPTED ${name} PRIVATE KEY-----\n`;
}

function file(password: string, content: Uint8Array = DER) {
  const [salt, nonce] = [randomBytes(32), randomBytes(24)];
  const key = scryptSync(password, salt, 32, { N: 16_384, r: 8, p: 1, maxmem: 64 * 1024 * 1024 });
  return {
    kdf: { name: 'scrypt', params: { N: 16_384, r: 8, p: 1 }, salt: base64(salt) },
    cipher: { name: 'nacl/secretbox', nonce: base64(nonce) },
    ciphertext: base64(xsalsa20poly1305(key, nonce).encrypt(content)),
  };
}

test.each(['SIGSTORE', 'COSIGN'])('a key file of cosign is opened by its pass phrase alone (%s)', async (name) => {
  const text = armoured(file('open sesame'), name);

  const pem = await openCosignKey(text, toSecret('open sesame'));

  expect(pem.reveal()).toBe(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  expect(String(pem)).toBe('[secret]');
  await expect(openCosignKey(text, toSecret('open'))).rejects.toMatchObject({ kind: 'denied' });
});

test('a file that asks for more work than cosign ever does is refused before any is done', async () => {
  const usual = file('x');
  const asking = (params: object) => openCosignKey(armoured({ ...usual, kdf: { ...usual.kdf, params } }), toSecret('x'));
  const began = performance.now();

  for (const params of [
    { N: 2 ** 30, r: 8, p: 1 },
    { N: 65_536, r: 1024, p: 1 },
    { N: 65_536, r: 8, p: 1_000_000 },
    { N: 65_535, r: 8, p: 1 },
    { N: 2, r: 8, p: 1 },
    { N: '65536', r: 8, p: 1 },
    {},
  ])
    await expect(asking(params)).rejects.toMatchObject({ kind: 'unsupported' });
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('what is no such file, or holds no key, is told', async () => {
  const usual = file('x');

  for (const text of ['', 'x', armoured([]), armoured({}).replace('e30=', '###'), armoured({ ...usual, more: 'x'.repeat(20_000) })])
    await expect(openCosignKey(text, toSecret('x'))).rejects.toMatchObject({ kind: 'invalid' });
  await expect(openCosignKey(armoured({ ...usual, cipher: { name: 'none' } }), toSecret('x'))).rejects.toMatchObject({
    kind: 'unsupported',
  });
  await expect(openCosignKey(armoured(file('x', Buffer.from('no key'))), toSecret('x'))).rejects.toMatchObject({ kind: 'invalid' });
  await expect(openCosignKey(armoured({ ...usual, ciphertext: base64(randomBytes(40)) }), toSecret('x'))).rejects.toMatchObject({
    kind: 'denied',
  });
});
