import { generateKeyPairSync, sign } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { base64, pair, preAuthentication, sha256, statementAbout } from '#test/sigstore-authorities.ts';
import type { Loose } from '#test/sigstore-authorities.ts';
import { BY_DIGEST, bundles, byKey, CONTENT, derOf, OTHER, outcome, signedByKey } from './judging.ts';

describe('keys', () => {
  it.each(['P-256', 'P-384', 'P-521', 'rsa', 'ed25519'] as const)('%s signs bytes', (type) => {
    const signed = signedByKey(type);

    expect(outcome(byKey(signed))).toBe('verified');
    expect(outcome(byKey(signed, { subject: { kind: 'bytes', bytes: OTHER } }))).toBe('wrong-digest');
  });

  it.each([
    ['P-256', 'verified', ''],
    ['rsa', 'verified', ''],
    ['P-384', 'unsupported-bundle', 'this key signs sha384 digests; give that digest, or the file'],
    ['P-521', 'unsupported-bundle', 'this key signs sha512 digests; give that digest, or the file'],
    ['ed25519', 'unsupported-bundle', 'an ed25519 signature over plain bytes cannot be checked against a digest alone; give the file'],
  ] as const)('%s by digest alone: %s', (type, expected, reason) => {
    const finding = byKey(signedByKey(type), BY_DIGEST);

    expect(outcome(finding)).toBe(expected);
    expect(finding.kind === 'refused' ? finding.reason : '').toBe(reason);
  });

  it.each(['P-256', 'rsa'] as const)('%s by digest alone is refused for another signature', (type) => {
    const signed = signedByKey(type);
    const forged = structuredClone(signed.bundle);
    forged.messageSignature.signature = signedByKey(type).bundle.messageSignature.signature;

    expect(outcome(byKey({ ...signed, bundle: forged }, BY_DIGEST))).toBe('unknown-key');
    forged.messageSignature.signature = base64(Buffer.alloc(256, 1));
    expect(outcome(byKey({ ...signed, bundle: forged }, BY_DIGEST))).toBe('unknown-key');
  });

  it('that are weak or of no known kind do not count', () => {
    const weak = signedByKey('rsa', 1024);
    const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const secret = pair('P-256').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const { pem } = signedByKey('P-256');

    expect(outcome(byKey(weak))).toBe('unknown-key');
    expect(
      [weak.pem, koblitz, secret, `${pem}${pem}`, '', 'x', pem.replace('PUBLIC', 'PRIVATE')].map((text) => bundles.keyDigest(text)),
    ).toEqual(Array.from({ length: 7 }, () => undefined));
    expect(bundles.keyDigest(pem)).toBe(sha256(derOf(pem)).toString('hex'));
  });

  it('of several trusted ones the one that signed is named', () => {
    const signed = signedByKey('P-256');
    const pems = [signedByKey('ed25519').pem, signed.pem, signedByKey('rsa').pem];
    const credentials = pems.map((pem) => ({ kind: 'public-key', pem }) as const);

    expect(byKey(signed, { credentials })).toMatchObject({ fact: { signer: { kind: 'key', spkiSha256: bundles.keyDigest(signed.pem) } } });
  });

  it('sign bundles that are accepted, and not with a public part that is not theirs', async () => {
    const keys = generateKeyPairSync('ed25519');
    const pem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const key = { publicKeyPem: pem, sign: async (bytes: Uint8Array) => sign(null, bytes, keys.privateKey) };
    const draft = { payloadType: 'application/vnd.in-toto+json', payload: statementAbout(CONTENT), key };

    const [envelope, message] = [await bundles.sign(draft), await bundles.signBytes(CONTENT, key)];

    for (const bundle of [envelope, message]) expect(outcome(byKey({ bundle: {}, pem }, { bundle }))).toBe('verified');
    const made = JSON.parse(Buffer.from(envelope).toString()) as Loose;
    expect(made.verificationMaterial).toEqual({ publicKey: { hint: base64(sha256(derOf(pem))) } });
    expect(Buffer.from(made.dsseEnvelope.signatures[0].sig, 'base64')).toEqual(
      sign(null, preAuthentication(draft.payloadType, draft.payload), keys.privateKey),
    );
    await expect(bundles.sign({ ...draft, key: { ...key, publicKeyPem: signedByKey('ed25519').pem } })).rejects.toThrow('does not belong');
    await expect(bundles.sign({ ...draft, key: { ...key, publicKeyPem: 'x' } })).rejects.toThrow('no kind');
    await expect(bundles.sign({ ...draft, payload: Buffer.alloc(1024 * 1024) })).rejects.toThrow('more than');
  });
});
