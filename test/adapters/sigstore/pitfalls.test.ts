import { initializeTSA } from '@sigstore/mock';
import { beforeAll, describe, expect, it } from 'vitest';

import type { IdentityMatch } from '#model/trust-policy.ts';
import {
  ADA,
  authorities,
  base64,
  ISSUER,
  jsonBytes,
  pair,
  sha256,
  signedEnvelope,
  signedMessage,
  statementAbout,
} from '#test/sigstore-authorities.ts';
import type { Authorities, EntryKind, Loose } from '#test/sigstore-authorities.ts';
import { credentialOf, sigstoreVectors } from '#test/sigstore-vectors.ts';
import { bundles, byKey, CONTENT, derOf, judgedBy, libraryAccepts, OTHER, outcome, signedByKey } from './judging.ts';

let acme: Authorities;

beforeAll(async () => {
  acme = await authorities();
});

describe('a keyless bundle', () => {
  it('is accepted with everything in place, and says who, when and who saw it', async () => {
    const { bundle } = await signedEnvelope(acme, statementAbout(CONTENT), { timestamp: true });

    const finding = judgedBy(acme, bundle);

    expect(libraryAccepts(acme, bundle)).toBe(true);
    expect(finding).toEqual({
      kind: 'verified',
      fact: {
        subjects: [{ name: 'artifact', digest: { sha256: sha256(CONTENT).toString('hex') } }],
        predicateType: 'https://acme.example/tested/v1',
        predicate: { passed: true },
        signer: { kind: 'keyless', issuer: ISSUER, identity: ADA },
        signedAt: expect.any(Number),
        seenBy: ['https://log.acme.example', 'https://time.acme.example'],
        annotations: {},
        bundle: sha256(jsonBytes(bundle)).toString('hex'),
      },
    });
  });

  it('needs a certificate log, a signature log and a signed time', async () => {
    const { bundle } = await signedMessage(acme, CONTENT, { timestamp: true });
    const { bundle: untimed } = await signedMessage(acme, CONTENT, { entry: 'hashedrekord/0.0.2' });
    const unlogged = await authorities({ certificateLog: false });
    const { bundle: uncertified } = await signedMessage(unlogged, CONTENT);
    const withoutLog = structuredClone(bundle);
    withoutLog.verificationMaterial.tlogEntries = [];
    untimed.verificationMaterial.timestampVerificationData.rfc3161Timestamps = [];

    expect(outcome(judgedBy(acme, bundle))).toBe('verified');
    expect(outcome(judgedBy(acme, withoutLog))).toBe('untrusted-log');
    expect(outcome(judgedBy(acme, untimed))).toBe('untrusted-time');
    expect(outcome(judgedBy(acme, uncertified, { trustedRoot: jsonBytes(unlogged.root) }))).toBe('untrusted-certificate');
  });

  it('is refused where only keys are trusted, and where no trusted root is given', async () => {
    const { bundle } = await signedMessage(acme, CONTENT);

    expect(outcome(byKey({ bundle, pem: signedByKey('P-256').pem }))).toBe('unknown-key');
    expect(outcome(byKey({ bundle, pem: signedByKey('P-256').pem }, { trustedRoot: jsonBytes(acme.root) }))).toBe('unknown-key');
    expect(outcome(judgedBy(acme, bundle, { trustedRoot: undefined }))).toBe('untrusted-certificate');
  });
});

describe('row 61: what was not signed, or not by those, or not as this', () => {
  it('row 61: another key, another digest and another statement have different codes', async () => {
    const signed = signedByKey('P-256');
    const { bundle } = await signedEnvelope(acme, statementAbout(OTHER));
    const changed = structuredClone(signed.bundle);
    changed.messageSignature.signature = signedByKey('P-256').bundle.messageSignature.signature;
    changed.verificationMaterial.publicKey.hint = base64(sha256(derOf(signed.pem)));

    expect(outcome(byKey(signed))).toBe('verified');
    expect(outcome(byKey({ ...signed, pem: signedByKey('P-256').pem }))).toBe('unknown-key');
    expect(outcome(byKey({ ...signed, bundle: changed }))).toBe('bad-signature');
    expect(outcome(byKey(signed, { subject: { kind: 'bytes', bytes: OTHER } }))).toBe('wrong-digest');
    expect(libraryAccepts(acme, bundle)).toBe(true);
    expect(outcome(judgedBy(acme, bundle))).toBe('wrong-digest');
  });

  it('row 61: a statement with one right and one wrong digest of its subject is not about it', async () => {
    const digest = { sha256: sha256(CONTENT).toString('hex'), sha512: '0'.repeat(128) };
    const { bundle } = await signedEnvelope(acme, statementAbout(CONTENT, { subject: [{ name: 'artifact', digest }] }));

    expect(outcome(judgedBy(acme, bundle))).toBe('wrong-digest');
  });

  it('row 61: an envelope that holds no in-toto statement is refused', async () => {
    const { bundle } = await signedEnvelope(acme, statementAbout(CONTENT), { payloadType: 'application/json' });
    const { bundle: unstated } = await signedEnvelope(
      acme,
      jsonBytes({ subject: [{ digest: { sha256: sha256(CONTENT).toString('hex') } }] }),
    );

    expect(libraryAccepts(acme, bundle)).toBe(true);
    expect(outcome(judgedBy(acme, bundle))).toBe('unsupported-bundle');
    expect(libraryAccepts(acme, unstated)).toBe(true);
    expect(outcome(judgedBy(acme, unstated))).toBe('malformed-bundle');
  });

  const ASKED: readonly [string, IdentityMatch, string][] = [
    ['exactly this identity', { kind: 'exact', identity: ADA }, 'verified'],
    ['an identity of which it is a part', { kind: 'exact', identity: `${ADA}s` }, 'wrong-identity'],
    ['a part of the identity', { kind: 'exact', identity: 'github.com/acme' }, 'wrong-identity'],
    ['no identity', { kind: 'exact', identity: '' }, 'wrong-identity'],
    ['a pattern for a part', { kind: 'pattern', pattern: 'github.com/acme' }, 'wrong-identity'],
    ['a pattern for the beginning', { kind: 'pattern', pattern: 'https://github[.]com/acme/' }, 'wrong-identity'],
    [
      'a pattern for all of it',
      { kind: 'pattern', pattern: 'https://github[.]com/acme/[^/]+/[.]github/workflows/.+@refs/heads/main' },
      'verified',
    ],
    ['a pattern with alternatives', { kind: 'pattern', pattern: 'x|github' }, 'wrong-identity'],
    ['a pattern that breaks out of its group', { kind: 'pattern', pattern: 'x)|(?:.*' }, 'wrong-identity'],
    ['a pattern that quotes what follows', { kind: 'pattern', pattern: '.*\\Q' }, 'wrong-identity'],
    ['a pattern of lines', { kind: 'pattern', pattern: '(?m)^https:.*acme$|x' }, 'wrong-identity'],
    ['no pattern', { kind: 'pattern', pattern: '' }, 'wrong-identity'],
  ];

  it.each(ASKED)('row 61: asked for %s', async (_what, identity, expected) => {
    const { bundle } = await signedMessage(acme, CONTENT);

    expect(outcome(judgedBy(acme, bundle, { credentials: [{ kind: 'keyless', issuer: ISSUER, identity }] }))).toBe(expected);
  });

  it('row 61: an issuer is compared in full', async () => {
    const { bundle } = await signedMessage(acme, CONTENT);
    const asked = (issuer: string) =>
      outcome(judgedBy(acme, bundle, { credentials: [{ kind: 'keyless', issuer, identity: { kind: 'exact', identity: ADA } }] }));

    expect([ISSUER, `${ISSUER}/`, 'https://issuer', '', '.*'].map(asked)).toEqual([
      'verified',
      'wrong-identity',
      'wrong-identity',
      'wrong-identity',
      'wrong-identity',
    ]);
  });

  it('row 61: nobody trusted is not anybody', async () => {
    const { bundle } = await signedMessage(acme, CONTENT);

    expect(outcome(judgedBy(acme, bundle, { credentials: [] }))).toBe('unknown-key');
    expect(outcome(byKey(signedByKey('P-256'), { credentials: [] }))).toBe('unknown-key');
  });

  it('row 61: a digest that lies is refused, though nothing but the signature depends on it', () => {
    const signed = signedByKey('P-256');
    signed.bundle.messageSignature.messageDigest.digest = base64(sha256(OTHER));

    expect(libraryAccepts(acme, signed.bundle, signed.pem)).toBe(true);
    expect(outcome(byKey(signed))).toBe('wrong-digest');
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('row 61: the hint %s is only a hint', (hint) => {
    const signed = signedByKey('P-256');
    signed.bundle.verificationMaterial.publicKey.hint = hint;

    expect(outcome(byKey(signed))).toBe('verified');
    expect(outcome(byKey({ ...signed, pem: signedByKey('P-256').pem }))).toBe('unknown-key');
  });
});

describe('row 63: log entries of something else', () => {
  const KINDS: readonly (readonly [EntryKind, 'message' | 'envelope'])[] = [
    ['hashedrekord/0.0.1', 'message'],
    ['hashedrekord/0.0.2', 'message'],
    ['hashedrekord/0.0.2', 'envelope'],
    ['dsse/0.0.1', 'envelope'],
    ['dsse/0.0.2', 'envelope'],
    ['intoto/0.0.2', 'envelope'],
  ];

  it.each(KINDS)('row 63: %s of a %s counts, and not if it names another certificate', async (entry, content) => {
    const make = (named?: Buffer) => {
      const wish = named === undefined ? { entry } : { entry, named };
      return content === 'message' ? signedMessage(acme, CONTENT, wish) : signedEnvelope(acme, statementAbout(CONTENT), wish);
    };
    const right = await make();
    const wrong = await make(await acme.certificate(pair('P-256').publicKey));

    expect(outcome(judgedBy(acme, right.bundle))).toBe('verified');
    expect(libraryAccepts(acme, wrong.bundle)).toBe(true);
    expect(judgedBy(acme, wrong.bundle)).toEqual({
      kind: 'refused',
      code: 'untrusted-log',
      reason: 'a log entry names another key or certificate than the one that signed',
    });
  });

  it('row 63: an entry about another signature is refused, alone and beside the right one', async () => {
    const { bundle } = await signedMessage(acme, CONTENT);
    const { bundle: other } = await signedMessage(acme, OTHER);
    const [right] = bundle.verificationMaterial.tlogEntries;
    const [wrong] = other.verificationMaterial.tlogEntries;
    const withEntries = (...tlogEntries: readonly Loose[]) => {
      const bent = structuredClone(bundle);
      bent.verificationMaterial.tlogEntries = tlogEntries;
      return outcome(judgedBy(acme, bent));
    };

    expect(withEntries(right)).toBe('verified');
    expect(withEntries(wrong)).toBe('untrusted-log');
    expect(withEntries(right, wrong)).toBe('untrusted-log');
    expect(withEntries(right, right)).not.toBe('verified');
  });

  it('row 63: an entry of a log that nobody trusts is refused; a key needs none, so there it only does not count', async () => {
    const elsewhere = await authorities();
    const { bundle, signature } = await signedMessage(acme, CONTENT);
    const body = JSON.parse(Buffer.from(bundle.verificationMaterial.tlogEntries[0].canonicalizedBody, 'base64').toString()) as Loose;
    bundle.verificationMaterial.tlogEntries = [await elsewhere.logged(body)];
    const signed = signedByKey('P-256');
    body.spec.signature = { content: signed.bundle.messageSignature.signature, publicKey: { content: base64(Buffer.from(signed.pem)) } };
    const logged = {
      ...signed,
      bundle: {
        ...signed.bundle,
        verificationMaterial: { ...signed.bundle.verificationMaterial, tlogEntries: [await elsewhere.logged(body)] },
      },
    };

    expect(signature).toBeInstanceOf(Buffer);
    expect(outcome(judgedBy(acme, bundle))).toBe('untrusted-log');
    expect(byKey(logged, { trustedRoot: jsonBytes(acme.root) })).toMatchObject({
      kind: 'verified',
      fact: { signedAt: undefined, seenBy: [] },
    });
    expect(byKey(logged, { trustedRoot: jsonBytes(elsewhere.root) })).toMatchObject({
      kind: 'verified',
      fact: { signedAt: expect.any(Number), seenBy: ['https://log.acme.example'] },
    });
    logged.bundle.verificationMaterial.tlogEntries[0].inclusionPromise.signedEntryTimestamp = base64(Buffer.from('forged'));
    expect(outcome(byKey(logged, { trustedRoot: jsonBytes(elsewhere.root) }))).toBe('untrusted-log');
  });

  it('row 63: a log whose key was not trusted yet, or not any more, does not count', async () => {
    const { bundle } = await signedMessage(acme, CONTENT, { entry: 'hashedrekord/0.0.2' });
    const root = structuredClone(acme.root);
    root.tlogs[0].publicKey.validFor.end = '2021-01-01T00:00:00Z';

    expect(outcome(judgedBy(acme, bundle, { trustedRoot: jsonBytes(root) }))).toBe('untrusted-log');
  });
});

describe('row 64: a certificate that has expired', () => {
  const vectors = sigstoreVectors();

  it.skipIf(vectors === undefined)('row 64: is accepted if it was valid when a log saw the signature', () => {
    const vector = vectors?.find(({ name }) => name === 'happy-path-v0.3');
    if (vector === undefined) throw new Error('the vector is gone');

    const finding = bundles.verify({
      bundle: vector.bundle,
      subject: { kind: 'bytes', bytes: vector.artifact },
      credentials: [credentialOf(vector)],
      trustedRoot: vector.trustedRoot,
    });

    expect(finding).toMatchObject({ kind: 'verified', fact: { signedAt: Date.parse('2024-03-19T17:26:26Z') } });
  });
});

describe('row 65: times that lie', () => {
  it('row 65: a timestamp after the certificate, before it, or of an authority that nobody trusts is refused', async () => {
    const { bundle, signature } = await signedMessage(acme, CONTENT);
    const stampedAt = async (days: number) => {
      const tsa = await initializeTSA(pair('P-384'), new Date(acme.clock.getTime() + days * 86_400_000));
      const root = structuredClone(acme.root);
      root.timestampAuthorities[0].certChain.certificates = [tsa.intCertificate, tsa.rootCertificate].map((der) => ({
        rawBytes: Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64'),
      }));
      const bent = structuredClone(bundle);
      bent.verificationMaterial.timestampVerificationData.rfc3161Timestamps = [await acme.stamped(signature, tsa)];
      return { bent, root };
    };
    const future = await stampedAt(30);
    const past = await stampedAt(-30);

    expect(outcome(judgedBy(acme, future.bent, { trustedRoot: jsonBytes(future.root) }))).toBe('untrusted-certificate');
    expect(outcome(judgedBy(acme, past.bent, { trustedRoot: jsonBytes(past.root) }))).toBe('untrusted-time');
    expect(outcome(judgedBy(acme, future.bent))).toBe('untrusted-time');
    const now = await stampedAt(0);
    expect(outcome(judgedBy(acme, now.bent, { trustedRoot: jsonBytes(now.root) }))).toBe('verified');
    expect(outcome(judgedBy(acme, now.bent))).toBe('untrusted-time');
  });

  it('row 65: a time of the log that was changed is refused', async () => {
    const { bundle } = await signedMessage(acme, CONTENT);
    const forged = (change: (entry: Loose) => void) => {
      const bent = structuredClone(bundle);
      change(bent.verificationMaterial.tlogEntries[0]);
      return outcome(judgedBy(acme, bent));
    };

    expect(forged((entry) => (entry.integratedTime = String(Number(entry.integratedTime) + 60)))).toBe('untrusted-log');
    expect(forged((entry) => (entry.integratedTime = '4102444800'))).toBe('untrusted-certificate');
    expect(forged((entry) => delete entry.inclusionPromise)).toBe('untrusted-time');
    expect(forged((entry) => (entry.integratedTime = '-1'))).toBe('malformed-bundle');
  });
});
