/** One question about an image, as `capstan verify-image` and cosign 3.1.3 answer it: docs/trust.md and test/live/verify-image.test.ts read the same rows. */
export interface ImageVerdictRow {
  /** How the test makes it. */
  readonly scene: string;
  /** What there is in the registry, for people. */
  readonly made: string;
  /** Options of `capstan verify-image` beside the key and the image. */
  readonly asked: readonly string[];
  readonly key: 'own' | 'other';
  /** null: accepted. */
  readonly code: string | null;
  /** What `cosign verify` or `cosign verify-attestation` says to the same question. */
  readonly cosign: 'accepts' | 'refuses';
}

const OLD = '--allow-legacy-signatures';

export const IMAGE_VERDICTS: readonly ImageVerdictRow[] = [
  { scene: 'signed', made: 'signed by cosign 3', asked: [], key: 'own', code: null, cosign: 'accepts' },
  {
    scene: 'signed',
    made: 'signed by cosign 3, with annotation team=web',
    asked: ['-a', 'team=web'],
    key: 'own',
    code: null,
    cosign: 'accepts',
  },
  {
    scene: 'signed',
    made: 'signed by cosign 3, with annotation team=web',
    asked: ['-a', 'team=api'],
    key: 'own',
    code: 'wrong-annotation',
    cosign: 'refuses',
  },
  { scene: 'signed', made: 'signed by cosign 3 with another key', asked: [], key: 'other', code: 'unknown-key', cosign: 'refuses' },
  {
    scene: 'signed',
    made: 'signed by cosign 3, and nothing else',
    asked: ['--type', 'slsaprovenance1'],
    key: 'own',
    code: 'wrong-predicate',
    cosign: 'refuses',
  },
  { scene: 'signed-rsa', made: 'signed by cosign 3 with an RSA key', asked: [], key: 'own', code: null, cosign: 'accepts' },
  { scene: 'signed-p384', made: 'signed by cosign 3 with a P-384 key', asked: [], key: 'own', code: null, cosign: 'refuses' },
  { scene: 'old-rsa', made: 'signed in the older format with an RSA key', asked: [OLD], key: 'own', code: null, cosign: 'accepts' },
  { scene: 'old-p384', made: 'signed in the older format with a P-384 key', asked: [OLD], key: 'own', code: null, cosign: 'refuses' },
  { scene: 'signed-ed25519', made: 'signed by cosign 3 with an ed25519 key', asked: [], key: 'own', code: null, cosign: 'refuses' },
  { scene: 'unsigned', made: 'unsigned', asked: [], key: 'own', code: 'unsigned', cosign: 'refuses' },
  { scene: 'unsigned', made: 'unsigned', asked: [OLD], key: 'own', code: 'unsigned', cosign: 'refuses' },
  {
    scene: 'attested',
    made: 'SLSA provenance by cosign 3',
    asked: ['--type', 'slsaprovenance1'],
    key: 'own',
    code: null,
    cosign: 'accepts',
  },
  { scene: 'attested', made: 'SBOM (SPDX) by cosign 3', asked: ['--type', 'spdxjson'], key: 'own', code: null, cosign: 'accepts' },
  { scene: 'attested', made: 'vulnerability scan by cosign 3', asked: ['--type', 'vuln'], key: 'own', code: null, cosign: 'accepts' },
  {
    scene: 'attested',
    made: 'attestations, but none of this type',
    asked: ['--type', 'openvex'],
    key: 'own',
    code: 'wrong-predicate',
    cosign: 'refuses',
  },
  { scene: 'attested', made: 'attestations, but no signature', asked: [], key: 'own', code: 'wrong-predicate', cosign: 'accepts' },
  {
    scene: 'transplanted',
    made: "another image's signature, pushed as this one's",
    asked: [],
    key: 'own',
    code: 'wrong-digest',
    cosign: 'refuses',
  },
  { scene: 'changed', made: 'a signature whose statement was changed', asked: [], key: 'own', code: 'bad-signature', cosign: 'refuses' },
  {
    scene: 'junk',
    made: 'a referrer that claims to be a bundle and is none',
    asked: [],
    key: 'own',
    code: 'malformed-bundle',
    cosign: 'refuses',
  },
  { scene: 'junk-and-signed', made: 'the same, beside a good signature', asked: [], key: 'own', code: null, cosign: 'accepts' },
  { scene: 'old', made: 'signed in the older format (tag .sig)', asked: [], key: 'own', code: 'legacy-signature', cosign: 'accepts' },
  { scene: 'old', made: 'signed in the older format, which is allowed', asked: [OLD], key: 'own', code: null, cosign: 'accepts' },
  {
    scene: 'old',
    made: 'signed in the older format, with annotation team=web',
    asked: [OLD, '-a', 'team=web'],
    key: 'own',
    code: null,
    cosign: 'accepts',
  },
  {
    scene: 'old',
    made: 'signed in the older format, with annotation team=web',
    asked: [OLD, '-a', 'team=api'],
    key: 'own',
    code: 'wrong-annotation',
    cosign: 'refuses',
  },
  { scene: 'old', made: 'signed in the older format with another key', asked: [OLD], key: 'other', code: 'unknown-key', cosign: 'refuses' },
  {
    scene: 'old',
    made: 'SLSA provenance in the older format (tag .att)',
    asked: [OLD, '--type', 'slsaprovenance1'],
    key: 'own',
    code: null,
    cosign: 'accepts',
  },
  {
    scene: 'old-transplanted',
    made: "another image's older signature under this one's tag",
    asked: [OLD],
    key: 'own',
    code: 'wrong-digest',
    cosign: 'refuses',
  },
  {
    scene: 'old-other-payload',
    made: 'an older signature over something that is no image signature',
    asked: [OLD],
    key: 'own',
    code: 'wrong-predicate',
    cosign: 'accepts',
  },
  { scene: 'index', made: 'a multi-arch image whose index is signed', asked: [], key: 'own', code: null, cosign: 'accepts' },
  {
    scene: 'index-child',
    made: 'one image of a multi-arch image whose index is signed',
    asked: [],
    key: 'own',
    code: 'unsigned',
    cosign: 'refuses',
  },
  {
    scene: 'child-index',
    made: 'a multi-arch image of which one image is signed',
    asked: [],
    key: 'own',
    code: 'unsigned',
    cosign: 'refuses',
  },
  { scene: 'tag-moved', made: 'signed; its tag names something else by now', asked: [], key: 'own', code: null, cosign: 'accepts' },
  { scene: 'tag-taken', made: 'what the tag of a signed image was moved to', asked: [], key: 'own', code: 'unsigned', cosign: 'refuses' },
  { scene: 'missing', made: 'not in the registry', asked: [], key: 'own', code: 'not-found', cosign: 'refuses' },
  { scene: 'ours', made: 'signed by Capstan', asked: [], key: 'own', code: null, cosign: 'accepts' },
  {
    scene: 'ours',
    made: 'attested by Capstan',
    asked: ['--type', 'https://capstan.dev/test/v1'],
    key: 'own',
    code: null,
    cosign: 'accepts',
  },
];
