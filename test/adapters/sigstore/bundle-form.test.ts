import { beforeAll, describe, expect, it } from 'vitest';

import { authorities, jsonBytes, signedEnvelope, signedMessage, statementAbout } from '#test/sigstore-authorities.ts';
import type { Authorities, Loose } from '#test/sigstore-authorities.ts';
import { CONTENT, judgedBy, libraryAccepts, OTHER, outcome } from './judging.ts';

let acme: Authorities;

beforeAll(async () => {
  acme = await authorities();
});

describe('the form of a bundle', () => {
  it('is of a version that is known', async () => {
    const { bundle } = await signedMessage(acme, CONTENT);
    const unknown = { ...bundle, mediaType: 'application/vnd.dev.sigstore.bundle.v0.9+json' };
    const padded = { ...bundle, mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json; charset=utf-8' };

    expect(libraryAccepts(acme, unknown)).toBe(true);
    expect(outcome(judgedBy(acme, unknown))).toBe('unsupported-bundle');
    expect(outcome(judgedBy(acme, padded))).toBe('unsupported-bundle');
  });

  it('has one content and one kind of key, in no spelling both', async () => {
    const { bundle } = await signedMessage(acme, CONTENT);
    const { bundle: other } = await signedEnvelope(acme, statementAbout(OTHER));
    const both = { ...bundle, dsseEnvelope: other.dsseEnvelope };
    const hidden = { ...bundle, dsse_envelope: other.dsseEnvelope };
    const keys = { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, publicKey: { hint: 'x' } } };

    expect(libraryAccepts(acme, both)).toBe(true);
    expect([both, hidden, keys].map((bent) => outcome(judgedBy(acme, bent)))).toEqual([
      'malformed-bundle',
      'malformed-bundle',
      'malformed-bundle',
    ]);
  });

  it('has one signature', async () => {
    const { bundle } = await signedEnvelope(acme, statementAbout(CONTENT));
    const [one] = bundle.dsseEnvelope.signatures;
    const withSignatures = (...signatures: readonly Loose[]) =>
      outcome(judgedBy(acme, { ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, signatures } }));

    expect([withSignatures(), withSignatures(one), withSignatures(one, one)]).toEqual(['malformed-bundle', 'verified', 'malformed-bundle']);
  });

  const NESTED = '['.repeat(100_000);
  const HOSTILE: readonly [string, string][] = [
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '7'],
    ['bytes that are no text', '\u{fffd}'],
    ['brackets without end', NESTED],
    ['deep nesting', `${NESTED}${']'.repeat(100_000)}`],
    ['deep nesting in a field', `{"mediaType":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`],
    ['quotes without end', `{"a":"${'\\"'.repeat(200_000)}`],
    ['a key twice', '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","media\\u0054ype":"x"}'],
    [
      'a key that reaches into prototypes',
      '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","__proto__":{"messageSignature":{}}}',
    ],
    ['no material', '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{}}'],
  ];

  it.each(HOSTILE)('refuses %s', (_what, text) => {
    const bytes = text === '\u{fffd}' ? Buffer.from([0x7b, 0xff, 0x7d]) : Buffer.from(text);

    expect(outcome(judgedBy(acme, {}, { bundle: bytes }))).toBe('malformed-bundle');
  });

  it('has limits: bytes, and entries, timestamps and certificates', async () => {
    const { bundle } = await signedMessage(acme, CONTENT, { timestamp: true });
    const { tlogEntries, timestampVerificationData, certificate } = bundle.verificationMaterial;
    const withMaterial = (more: object) =>
      outcome(judgedBy(acme, { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, ...more } }));
    const padded = Buffer.concat([jsonBytes(bundle), Buffer.alloc(1024 * 1024, ' ')]);

    expect(outcome(judgedBy(acme, {}, { bundle: padded }))).toBe('malformed-bundle');
    expect(withMaterial({ tlogEntries: Array.from({ length: 17 }, () => tlogEntries[0]) })).toBe('malformed-bundle');
    const [stamp] = timestampVerificationData.rfc3161Timestamps;
    expect(withMaterial({ timestampVerificationData: { rfc3161Timestamps: Array.from({ length: 17 }, () => stamp) } })).toBe(
      'malformed-bundle',
    );
    const chain = { certificates: Array.from({ length: 17 }, () => certificate) };
    expect(withMaterial({ certificate: null, x509CertificateChain: chain })).toBe('malformed-bundle');
  });
});
