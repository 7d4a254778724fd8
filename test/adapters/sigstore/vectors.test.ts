import { describe, expect, it } from 'vitest';

import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import { credentialOf, sigstoreVectors } from '#test/sigstore-vectors.ts';
import type { Vector } from '#test/sigstore-vectors.ts';

const VECTORS = sigstoreVectors();

/** Why each vector that must fail does: the code is for people and programs, so a wrong reason is a mistake, too. */
const CODES: Readonly<Record<string, string>> = {
  'bundle-empty-certificate-chain': 'malformed-bundle',
  'bundle-from-wrong-instance': 'untrusted-certificate',
  'bundle-invalid-base64-signature': 'malformed-bundle',
  'bundle-malformed-json': 'malformed-bundle',
  'bundle-negative-log-index': 'malformed-bundle',
  'bundle-unknown-version': 'unsupported-bundle',
  'bundle-with-root-cert': 'untrusted-certificate',
  'checkpoint-bad-keyhint': 'untrusted-log',
  'checkpoint-wrong-roothash': 'untrusted-log',
  'dsse-invalid-sig': 'bad-signature',
  'dsse-mismatch-envelope': 'untrusted-log',
  'dsse-mismatch-sig': 'untrusted-log',
  'inclusion-proof-corrupted-hash': 'untrusted-log',
  'incorrect-public-key': 'untrusted-log',
  'integrated-time-in-future': 'untrusted-certificate',
  'intoto-expired-certificate': 'untrusted-certificate',
  'intoto-log-entry-mismatch': 'untrusted-log',
  'intoto-missing-inclusion-proof': 'malformed-bundle',
  'intoto-set-outside-signing-cert-validity': 'untrusted-certificate',
  'intoto-tsa-timestamp-outside-cert-validity': 'untrusted-certificate',
  'invalid-checkpoint-signature': 'untrusted-log',
  'invalid-ct-key': 'untrusted-certificate',
  'invalid-inclusion-proof': 'malformed-bundle',
  'managed-key-no-key': 'unknown-key',
  'managed-key-wrong-key': 'unknown-key',
  'message-digest-mismatch': 'wrong-digest',
  'rekor2-checkpoint-missing-log-signature': 'untrusted-log',
  'rekor2-checkpoint-missing-origin': 'untrusted-log',
  'rekor2-checkpoint-missing-root-hash': 'untrusted-log',
  'rekor2-checkpoint-missing-size': 'untrusted-log',
  'rekor2-checkpoint-no-matching-signature': 'untrusted-log',
  'rekor2-dsse-invalid-sig': 'bad-signature',
  'rekor2-dsse-mismatch-envelope': 'untrusted-log',
  'rekor2-dsse-mismatch-sig': 'untrusted-log',
  'rekor2-no-inclusion-proof': 'malformed-bundle',
  'rekor2-no-timestamp': 'untrusted-time',
  'rekor2-timestamp-outside-trust-root-tsa-validity': 'untrusted-time',
  'rekor2-timestamp-outside-tsa-cert-validity': 'untrusted-time',
  'rekor2-timestamp-payload-mismatch': 'untrusted-time',
  'rekor2-timestamp-untrusted-tsa-with-embedded-cert': 'untrusted-time',
  'rekor2-timestamp-untrusted-tsa-without-embedded-cert': 'untrusted-time',
  'rekor2-timestamp-with-incorrect-time': 'untrusted-certificate',
  'set-invalid-signature': 'untrusted-log',
  'signature-mismatch': 'bad-signature',
  'trust-root-tlog-missing-validity-start': 'could-not-look',
  'wrong-hashedrekord-artifact': 'untrusted-log',
  'wrong-hashedrekord-cert-and-sig': 'untrusted-log',
  'wrong-hashedrekord-entry': 'untrusted-log',
  'wrong-material': 'wrong-digest',
};

describe.skipIf(VECTORS === undefined)('row 62: the vectors of sigstore-conformance', () => {
  const bundles = sigstoreBundles();
  const ways: readonly [string, (vector: Vector) => BundleQuestion['subject']][] = [
    ['by file', ({ artifact }) => ({ kind: 'bytes', bytes: artifact })],
    ['by digest', ({ digest }) => ({ kind: 'digest', algorithm: 'sha256', hex: digest })],
  ];

  it('are 70', () => {
    expect(VECTORS).toHaveLength(70);
  });

  for (const [way, subjectOf] of ways)
    it(`all come out as they must, ${way}`, () => {
      const found = (VECTORS ?? []).map((vector) => {
        const finding = bundles.verify({
          bundle: vector.bundle,
          subject: subjectOf(vector),
          credentials: [credentialOf(vector)],
          trustedRoot: vector.trustedRoot,
        });
        return [vector.name, finding.kind === 'verified' ? 'verified' : finding.code];
      });

      const expected = (VECTORS ?? []).map(({ name, holds }) => [name, holds ? 'verified' : CODES[name.replace(/_fail$/, '')]]);
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    });
});
