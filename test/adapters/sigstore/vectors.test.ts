import { describe, expect, it } from 'vitest';

import { sigstoreBundles } from '#adapters/sigstore/sigstore.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import { credentialOf, sigstoreVectors } from '#test/sigstore-vectors.ts';
import type { Vector } from '#test/sigstore-vectors.ts';
import { BUNDLE_VERDICTS } from '#test/verdict-tables/bundles.ts';

const VECTORS = sigstoreVectors();

describe.skipIf(VECTORS === undefined)('row 62: the vectors of sigstore-conformance', () => {
  const bundles = sigstoreBundles();
  const ways: readonly [string, (vector: Vector) => BundleQuestion['subject']][] = [
    ['by file', ({ artifact }) => ({ kind: 'bytes', bytes: artifact })],
    ['by digest', ({ digest }) => ({ kind: 'digest', algorithm: 'sha256', hex: digest })],
  ];

  it('are 70, and those are refused that must be', () => {
    expect(VECTORS).toHaveLength(70);
    expect(BUNDLE_VERDICTS.filter(({ vector, code }) => vector.endsWith('_fail') === (code === null))).toEqual([]);
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
        return { vector: vector.name, code: finding.kind === 'verified' ? null : finding.code };
      });

      expect(found).toEqual(BUNDLE_VERDICTS);
    });
});
