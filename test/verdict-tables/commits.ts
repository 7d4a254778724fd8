/** One signed commit or tag, as `capstan verify-commit` and stock git answer it: docs/trust.md and test/live/verify-commit.test.ts read the same rows. */
export interface CommitVerdictRow {
  readonly form: 'any' | 'SSH' | 'OpenPGP' | 'X.509' | 'tag';
  /** How the test makes it. */
  readonly scene: string;
  /** What there is, for people. */
  readonly made: string;
  /** Options beside the keys that are trusted. */
  readonly asked?: readonly string[];
  /** null: accepted; `unreadable`: exit 1. */
  readonly code: string | null;
  /** What `git verify-commit` or `git verify-tag` says to the same, with the same keys; `varies` between versions of git and its tools. */
  readonly git: 'accepts' | 'refuses' | 'varies';
}

const SEEN_2020 = ['--first-seen', '2020-01-02T00:00:00Z'];

export const COMMIT_VERDICTS: readonly CommitVerdictRow[] = [
  { form: 'any', scene: 'unsigned', made: 'not signed', code: 'unsigned', git: 'refuses' },
  { form: 'any', scene: 'signed-merge', made: 'a merge, signed', code: null, git: 'accepts' },
  { form: 'any', scene: 'unsigned-merge', made: 'a merge of signed commits, not signed itself', code: 'unsigned', git: 'refuses' },
  { form: 'any', scene: 'mergetag', made: 'a signed merge that embeds the signed tag it merged', code: null, git: 'accepts' },
  { form: 'any', scene: 'forged-author', made: 'another author than the signer; the signer counts', code: null, git: 'accepts' },
  {
    form: 'any',
    scene: 'replaced',
    made: 'not signed, with a signed commit in its place by refs/replace',
    code: 'unsigned',
    git: 'accepts',
  },
  { form: 'any', scene: 'two-headers', made: 'the signature header twice', code: 'several-signatures', git: 'varies' },
  { form: 'any', scene: 'sha256-header', made: 'a second header gpgsig-sha256', code: 'several-signatures', git: 'accepts' },
  { form: 'any', scene: 'text-after', made: 'text after the armoured block', code: 'malformed-signature', git: 'accepts' },
  { form: 'any', scene: 'text-before', made: 'text before the armoured block', code: 'unsupported-signature', git: 'refuses' },
  { form: 'any', scene: 'moved-header', made: 'the signature header moved before the author', code: 'unreadable', git: 'accepts' },
  { form: 'SSH', scene: 'ssh-ed25519', made: 'ed25519 key', code: null, git: 'accepts' },
  { form: 'SSH', scene: 'ssh-ecdsa', made: 'ECDSA P-256 key', code: null, git: 'accepts' },
  { form: 'SSH', scene: 'ssh-rsa', made: 'RSA key of 3072 bits', code: null, git: 'accepts' },
  { form: 'SSH', scene: 'ssh-rsa-1024', made: 'RSA key of 1024 bits', code: 'weak-key', git: 'accepts' },
  { form: 'SSH', scene: 'ssh-sha1', made: 'RSA key, signature over SHA-1 (`ssh-rsa`)', code: 'weak-hash', git: 'refuses' },
  { form: 'SSH', scene: 'ssh-unknown', made: 'key that nobody lists', code: 'unknown-key', git: 'refuses' },
  { form: 'SSH', scene: 'ssh-namespace', made: 'made for namespace `file`', code: 'wrong-namespace', git: 'refuses' },
  { form: 'SSH', scene: 'ssh-tampered', made: 'message changed afterwards', code: 'bad-signature', git: 'refuses' },
  { form: 'SSH', scene: 'ssh-trailing', made: 'bytes behind the end of the signature', code: 'malformed-signature', git: 'refuses' },
  { form: 'SSH', scene: 'ssh-expired', made: '`valid-before` in 2020, commit dated 2019', code: 'outside-window', git: 'accepts' },
  {
    form: 'SSH',
    scene: 'ssh-expired',
    made: 'the same, first seen before that',
    asked: ['--first-seen', '2019-06-01T00:00:00Z'],
    code: null,
    git: 'accepts',
  },
  { form: 'SSH', scene: 'ssh-revoked', made: 'key in a plain list of revoked keys', code: 'revoked-key', git: 'refuses' },
  { form: 'SSH', scene: 'ssh-revoked-krl', made: 'key in an OpenSSH revocation list', code: 'revoked-key', git: 'refuses' },
  { form: 'SSH', scene: 'ssh-certificate', made: 'certificate of a trusted `cert-authority`', code: 'unsupported-key', git: 'accepts' },
  { form: 'OpenPGP', scene: 'pgp-ed25519', made: 'ed25519 key', code: null, git: 'accepts' },
  { form: 'OpenPGP', scene: 'pgp-rsa', made: 'RSA key of 2048 bits', code: null, git: 'accepts' },
  { form: 'OpenPGP', scene: 'pgp-subkey', made: 'signing subkey', code: null, git: 'accepts' },
  { form: 'OpenPGP', scene: 'pgp-unknown', made: 'key that is not in the keyring', code: 'unknown-key', git: 'refuses' },
  { form: 'OpenPGP', scene: 'pgp-expired', made: 'key that expired after it signed', code: 'expired-key', git: 'varies' },
  { form: 'OpenPGP', scene: 'pgp-expired', made: 'the same, first seen before that', asked: SEEN_2020, code: null, git: 'varies' },
  { form: 'OpenPGP', scene: 'pgp-revoked', made: 'key revoked after it signed', code: 'revoked-key', git: 'refuses' },
  {
    form: 'OpenPGP',
    scene: 'pgp-revoked',
    made: 'the same, first seen before that',
    asked: SEEN_2020,
    code: 'revoked-key',
    git: 'refuses',
  },
  { form: 'OpenPGP', scene: 'pgp-tampered', made: 'message changed afterwards', code: 'bad-signature', git: 'refuses' },
  { form: 'OpenPGP', scene: 'pgp-sha1', made: 'signature over SHA-1', code: 'weak-hash', git: 'accepts' },
  { form: 'OpenPGP', scene: 'pgp-sha1-binding', made: 'key whose user id is bound by SHA-1', code: 'weak-hash', git: 'accepts' },
  { form: 'OpenPGP', scene: 'pgp-rsa-1024', made: 'RSA key of 1024 bits', code: 'weak-key', git: 'accepts' },
  { form: 'OpenPGP', scene: 'pgp-two', made: 'two signatures in one block', code: 'malformed-signature', git: 'refuses' },
  { form: 'OpenPGP', scene: 'pgp-text', made: 'text signature, which ignores line endings', code: 'unsupported-signature', git: 'accepts' },
  { form: 'X.509', scene: 'x509', made: 'certificate of the given root (gpgsm)', code: null, git: 'accepts' },
  { form: 'X.509', scene: 'x509-between', made: 'certificate of an authority in between', code: null, git: 'accepts' },
  { form: 'X.509', scene: 'x509-other-root', made: 'certificate of another root', code: 'untrusted-certificate', git: 'refuses' },
  {
    form: 'X.509',
    scene: 'x509-no-authority',
    made: 'issued by a certificate that is no authority',
    code: 'untrusted-certificate',
    git: 'refuses',
  },
  { form: 'X.509', scene: 'x509-tampered', made: 'message changed afterwards', code: 'bad-signature', git: 'refuses' },
  { form: 'X.509', scene: 'x509-expired', made: 'certificate that expired after it signed', code: 'expired-key', git: 'varies' },
  { form: 'X.509', scene: 'x509-expired', made: 'the same, first seen before that', asked: SEEN_2020, code: null, git: 'varies' },
  { form: 'X.509', scene: 'x509-usage', made: 'certificate for encryption only', code: 'not-a-signing-key', git: 'varies' },
  { form: 'X.509', scene: 'x509-rsa-1024', made: 'RSA key of 1024 bits', code: 'weak-key', git: 'accepts' },
  { form: 'X.509', scene: 'x509-sha1', made: 'signature over SHA-1', code: 'weak-hash', git: 'accepts' },
  { form: 'X.509', scene: 'x509-attached', made: 'signature that carries content of its own', code: 'malformed-signature', git: 'refuses' },
  { form: 'X.509', scene: 'x509-keyless', made: 'keyless certificate without the entry of a log', code: 'no-log-proof', git: 'accepts' },
  { form: 'tag', scene: 'tag-ssh', made: 'tag signed with an SSH key', code: null, git: 'accepts' },
  { form: 'tag', scene: 'tag-pgp', made: 'tag signed with an OpenPGP key', code: null, git: 'accepts' },
  { form: 'tag', scene: 'tag-x509', made: 'tag signed with a certificate', code: null, git: 'accepts' },
  { form: 'tag', scene: 'tag-nested', made: 'signed tag of a tag', code: null, git: 'accepts' },
  { form: 'tag', scene: 'tag-of-unsigned', made: 'signed tag of a commit that nobody signed', code: null, git: 'accepts' },
  { form: 'tag', scene: 'tag-unsigned', made: 'annotated tag, not signed', code: 'unsigned', git: 'refuses' },
  { form: 'tag', scene: 'tag-light', made: 'only a name for a signed commit', code: 'lightweight-tag', git: 'refuses' },
  { form: 'tag', scene: 'tag-renamed', made: 'signed tag v1.0.0 under the name v2.0.0', code: 'wrong-tag-name', git: 'accepts' },
  { form: 'tag', scene: 'tag-tampered', made: 'message changed afterwards', code: 'bad-signature', git: 'refuses' },
  { form: 'tag', scene: 'tag-header', made: 'not signed, with a signature header as commits have', code: 'malformed-tag', git: 'refuses' },
];
