import { createHash, createPublicKey, verify } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { parseSshPublicKey } from '#model/ssh-key.ts';
import { parseSshSignature, verifySshSignature } from '#model/ssh-signature.ts';
import type { Signer } from '#ports/machine.ts';
import { checkNoValidate } from './stock-ssh.ts';

export interface SignerBench {
  readonly signer: Signer;
  close(): Promise<void>;
}

const PAYLOAD = Buffer.from('tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\nsigned bytes, not only text: \u0000\u0001\n');

/** What every key port promises, wherever the key lies. */
export function signerContract(name: string, open: () => Promise<SignerBench>): void {
  describe(`the key port over ${name}`, () => {
    let bench: SignerBench;
    beforeAll(async () => {
      bench = await open();
    });
    afterAll(async () => bench.close());

    test('signs for git so that our verifier and OpenSSH agree', async () => {
      const armoured = await bench.signer.sign(PAYLOAD);
      const read = parseSshSignature(armoured.trimEnd());
      if (!read.ok) throw new Error(read.reason);

      expect(verifySshSignature(read.value, PAYLOAD)).toBe(true);
      expect(verifySshSignature(read.value, Buffer.concat([PAYLOAD, Buffer.from('x')]))).toBe(false);
      expect(read.value.hash).toBe('sha512');
      expect(await checkNoValidate(PAYLOAD, armoured, 'git')).toContain('Good "git" signature');
    });

    test('signs for another purpose so that git does not take it', async () => {
      const armoured = await bench.signer.sign(PAYLOAD, 'rotation@capstan.dev');

      expect(parseSshSignature(armoured.trimEnd())).toMatchObject({ ok: false, code: 'wrong-namespace' });
      expect(await checkNoValidate(PAYLOAD, armoured, 'rotation@capstan.dev')).toContain('Good "rotation@capstan.dev" signature');
    });

    test('names the key that signs', async () => {
      const read = parseSshSignature((await bench.signer.sign(PAYLOAD)).trimEnd());
      const declared = parseSshPublicKey(bench.signer.publicKey);

      expect(read.ok && declared.ok && read.value.publicKey.blob.equals(declared.value.blob)).toBe(true);
      expect(bench.signer).toMatchObject({ name: 'Capstan', email: 'engine@acme.example' });
    });

    test('signs plain bytes for envelopes, under the public key that it gives', async () => {
      const key = await bench.signer.plainKey();
      const publicKey = createPublicKey(key.publicKeyPem);
      const details = publicKey.asymmetricKeyDetails?.namedCurve;
      const hash = publicKey.asymmetricKeyType === 'ed25519' ? null : details === 'secp384r1' ? 'sha384' : 'sha256';
      const signature = await key.sign(PAYLOAD);

      expect(verify(hash, PAYLOAD, publicKey, signature)).toBe(true);
      expect(verify(hash, createHash('sha256').update(PAYLOAD).digest(), publicKey, signature)).toBe(false);
    });

    test('answers many at once, each its own', async () => {
      const payloads = Array.from({ length: 20 }, (_, index) => Buffer.from(`payload ${index}`));
      const blocks = await Promise.all(payloads.map(async (payload) => bench.signer.sign(payload)));
      const verdicts = blocks.map((block, index) => {
        const read = parseSshSignature(block.trimEnd());
        return read.ok && verifySshSignature(read.value, payloads[index] ?? Buffer.alloc(0));
      });

      expect(verdicts).toEqual(payloads.map(() => true));
    });
  });
}
