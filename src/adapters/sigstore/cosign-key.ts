import { createPrivateKey, scrypt } from 'node:crypto';

import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';

import { readHostileJson } from '#model/hostile-json.ts';
import type { Json } from '#model/json.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import type { Secret } from '#model/secret.ts';
import { toSecret } from '#model/secret.ts';
import { PortError } from '#ports/port-error.ts';

const ARMOUR = /^\s*-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END ENCRYPTED \1 PRIVATE KEY-----\s*$/;
const LIMITS = { bytes: 16 * 1024, depth: 4 };
/** cosign writes N 65536 (32768 of old), r 8, p 1: 64 MiB. A file that asks for more would take the machine, not open faster. */
const MOST = { cost: 131_072, blockSize: 8, parallelization: 1 };
const LEAST_COST = 16_384;

/** A private key as `cosign generate-key-pair` writes it (scrypt, then NaCl's secretbox over PKCS#8), as PKCS#8 in PEM. */
export async function openCosignKey(text: string, password: Secret): Promise<Secret> {
  const [, , body = ''] = ARMOUR.exec(text) ?? [];
  const read = readHostileJson(Buffer.from(body, 'base64'), LIMITS);
  if (!read.ok || !isJsonObject(read.value)) throw new PortError('invalid', 'this is no private key as cosign writes it');
  const { cost, blockSize, parallelization } = costIn(read.value);
  const bytesAt = (pointer: string) => Buffer.from(jsonText(valueAt(read.value, pointer)), 'base64');
  const nonce = bytesAt('/cipher/nonce');
  if (jsonText(valueAt(read.value, '/cipher/name')) !== 'nacl/secretbox' || nonce.length !== 24)
    throw new PortError('unsupported', 'the key is encrypted in a way that is not known');
  const key = await derived(password, bytesAt('/kdf/salt'), { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize });
  return toSecret(pemOf(opened(key, nonce, bytesAt('/ciphertext'))));
}

function costIn(value: Json): typeof MOST {
  const [cost, blockSize, parallelization] = ['N', 'r', 'p'].map((name) => valueAt(value, `/kdf/params/${name}`));
  if (jsonText(valueAt(value, '/kdf/name')) !== 'scrypt' || cost === undefined)
    throw new PortError('unsupported', 'the key is encrypted in a way that is not known');
  const isUsual = typeof cost === 'number' && Number.isInteger(Math.log2(cost)) && cost >= LEAST_COST && cost <= MOST.cost;
  if (!isUsual || blockSize !== MOST.blockSize || parallelization !== MOST.parallelization)
    throw new PortError('unsupported', `the key asks for scrypt with other costs than N ${LEAST_COST} to ${MOST.cost}, r 8 and p 1`);
  return { ...MOST, cost };
}

function derived(password: Secret, salt: Buffer, options: typeof MOST & { readonly maxmem: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.reveal(), salt, 32, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function opened(key: Buffer, nonce: Buffer, box: Buffer): Uint8Array {
  try {
    return xsalsa20poly1305(key, nonce).decrypt(box);
  } catch (error) {
    throw new PortError('denied', 'the pass phrase does not open the key', error);
  }
}

function pemOf(der: Uint8Array): string {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' })
      .export({ type: 'pkcs8', format: 'pem' })
      .toString();
  } catch {
    throw new PortError('invalid', 'what the key file holds is no private key');
  }
}
