import { CONFIG, output, REPO } from './command-row.ts';
import type { CommandRow } from './command-row.ts';

/** Who must have signed. */
const SIGNERS = [
  { flags: '--trusted-root <file>', description: 'a sigstore trusted root (default: that of the configuration); a key needs none' },
  { flags: '--key <file>', description: 'the public key (PEM) that must have signed' },
  { flags: '--certificate-identity <identity>', description: 'who must have signed: exactly this name in the certificate' },
  { flags: '--certificate-identity-pattern <pattern>', description: 'or a regular expression (RE2) that all of the name matches' },
  { flags: '--certificate-oidc-issuer <issuer>', description: 'who must have vouched for the identity: exactly this issuer' },
];

/** Without the first, third and fourth the project's trust policy decides. */
const COMMIT_SIGNERS = [
  { flags: '--allowed-signers <file>', description: "SSH keys that may sign, as git's gpg.ssh.allowedSignersFile" },
  {
    flags: '--revoked-keys <file>',
    description: 'keys that no longer count: a list of keys or fingerprints, or an OpenSSH revocation list',
  },
  { flags: '--openpgp-keyring <file>', description: 'OpenPGP certificates that may sign, armoured or binary' },
  { flags: '--x509-root <file>', description: 'certificates may sign that end at one of these roots (PEM)' },
  { flags: '--first-seen <time>', description: 'RFC 3339: keys must have been valid then (default: as the ledger tells, else now)' },
];

/** Commands about who signed what. */
export const TRUST_COMMANDS: readonly CommandRow[] = [
  {
    name: 'verify',
    description: 'check, offline from a clone, every commit the engine made',
    words: [],
    options: [
      REPO,
      CONFIG,
      { flags: '--full', description: 'render again and compare' },
      { flags: '--seen <file>', description: 'keep the heads here, and refuse if one that was kept is lost' },
      { flags: '--trust-root <commit>', description: 'start of trust (default: as the configuration says, else the first commit)' },
      output('text, json'),
    ],
    example: 'capstan verify --full',
    load: async () => (await import('./verify.ts')).verify,
  },
  {
    name: 'endorse',
    description: 'add your signature to what a branch brings, where several people must sign',
    words: [{ name: '[revision]', description: 'a branch (default: HEAD); on the default branch: what is held there' }],
    options: [
      REPO,
      CONFIG,
      { flags: '--key <file>', description: 'your private key (OpenSSH, without passphrase); without it: print the git command' },
      output('text, json'),
    ],
    example: 'capstan endorse topic',
    load: async () => (await import('./endorse.ts')).endorse,
  },
  {
    name: 'seal',
    description: 'accept everything that stands on the default branch, signed by who may change the policy',
    words: [],
    options: [
      REPO,
      CONFIG,
      { flags: '--reason <text>', description: 'why, in one line; it stands in history' },
      { flags: '--key <file>', description: 'your private key (OpenSSH, without passphrase); without it: print the git command' },
      output('text, json'),
    ],
    example: 'capstan seal --reason "imported from the old repository"',
    load: async () => (await import('./endorse.ts')).seal,
  },
  {
    name: 'verify-commit',
    description: 'who signed a commit or a range, and which entry allows it, or why not',
    words: [{ name: '<revision>', description: 'a commit, or BASE..HEAD: every commit, and BASE must be an ancestor' }],
    options: [REPO, CONFIG, ...COMMIT_SIGNERS, output('text, json')],
    example: 'capstan verify-commit --allowed-signers signers v1.0.0..main',
    load: async () => (await import('./verify-commit.ts')).verifyCommit,
  },
  {
    name: 'verify-tag',
    description: 'who signed a tag, and which entry allows it, or why not; it vouches for the tag only',
    words: [{ name: '<tag>', description: 'its name, or the id of the tag object' }],
    options: [REPO, CONFIG, ...COMMIT_SIGNERS, output('text, json')],
    example: 'capstan verify-tag --openpgp-keyring keys.asc v1.0.0',
    load: async () => (await import('./verify-commit.ts')).verifyTag,
  },
  {
    name: 'verify-bundle',
    description: 'a sigstore bundle, offline: who signed what, and who vouches for it',
    words: [{ name: '<file|sha256:digest>', description: 'what was signed, or only its digest' }],
    options: [{ flags: '--bundle <file>', description: 'the bundle (JSON)' }, ...SIGNERS, CONFIG, output('text, json')],
    example: 'capstan verify-bundle --bundle app.sigstore.json --key cosign.pub app.tar.gz',
    load: async () => (await import('./verify-bundle.ts')).verifyBundle,
  },
  {
    name: 'verify-image',
    description: "an image's or artifact's signatures and attestations in its registry: who signed it",
    words: [{ name: '<image@sha256:digest>', description: 'by its digest; of a multi-arch image the digest of the index' }],
    options: [
      {
        flags: '--type <predicate>',
        description: 'an attestation of this type (URI, or as cosign calls it: slsaprovenance1, spdxjson, vuln ...)',
      },
      { flags: '-a, --annotation <key=value>', description: 'the signature must say this; may be given several times', isRepeatable: true },
      { flags: '--require-repository', description: 'the signature must name this repository, not only the digest' },
      ...SIGNERS,
      {
        flags: '--allow-legacy-signatures',
        description: 'also the tags sha256-<digest>.sig and .att, which cosign wrote before version 3',
      },
      { flags: '--allow-http-registry', description: 'plain HTTP where the registry does not speak TLS (this machine: always)' },
      CONFIG,
      output('text, json'),
    ],
    example: 'capstan verify-image --key cosign.pub registry.acme.example/web@sha256:<digest>',
    load: async () => (await import('./verify-image.ts')).verifyImage,
  },
  {
    name: 'attest',
    description: 'sign what a check found about contents, and put it onto the evidence branch',
    words: [{ name: '<subject...>', description: 'CAPSULE, CAPSULE@VERSION, or an environment: whatever its lock holds' }],
    options: [
      REPO,
      CONFIG,
      { flags: '--rev <revision>', description: 'the commit whose capsules are meant (default: HEAD)' },
      { flags: '--type <type>', description: 'tests, scan, eval, drill, sbom, provenance' },
      { flags: '--gate <name>', description: 'only for the gate of this name (default: for every gate of the type)' },
      { flags: '--predicate <file>', description: 'what was found, as JSON' },
      { flags: '--key <file>', description: 'private key (PEM, OpenSSH or cosign.key) that spec.trust names for evidence' },
      output('text, json'),
    ],
    example: 'capstan attest web --type tests --predicate result.json --key ci.pem',
    load: async () => (await import('./attest.ts')).attest,
  },
  {
    name: 'approve',
    description: "approve a promotion with a signature of one's own, for approvals that ask for `signed: true`",
    words: [
      { name: '<environment>', description: 'where it would be promoted to' },
      { name: '[change-set]', description: 'which one, where several wait (cs-...)' },
    ],
    options: [
      REPO,
      CONFIG,
      { flags: '--key <file>', description: 'OpenSSH private key (ed25519) that spec.trust names for approval' },
      { flags: '--statement <file>', description: 'write the text here, for `ssh-keygen -Y sign`; with --signature: what was signed' },
      { flags: '--signature <file>', description: 'what ssh-keygen made of it' },
      output('text, json'),
    ],
    example: 'capstan approve prod --key ~/.ssh/id_ed25519',
    load: async () => (await import('./approve.ts')).approve,
  },
  {
    name: 'evidence',
    description: 'statements about contents: who signed them, and whether they count',
    words: [{ name: '<subject...>', description: 'CAPSULE, CAPSULE@VERSION, or an environment: whatever its lock holds' }],
    options: [
      REPO,
      CONFIG,
      { flags: '--rev <revision>', description: 'the commit whose capsules are meant (default: HEAD)' },
      { flags: '--environment <name>', description: 'as gates of this environment read them' },
      output('text, json'),
    ],
    example: 'capstan evidence web --environment prod',
    load: async () => (await import('./evidence.ts')).evidence,
  },
  {
    name: 'capsule',
    description: 'capsules as OCI artifacts: pack, push, pull, sign, verify',
    words: [
      { name: '<action>', description: 'pack, push, pull, sign, verify' },
      { name: '<what>', description: 'a capsule (greeter, greeter@1.4.2), a layout (./greeter, greeter.tar) or a reference of a registry' },
      { name: '[where]', description: 'with push, sign and verify: a registry (ghcr.io/acme/greeter) or a layout' },
    ],
    options: [
      REPO,
      { flags: '--rev <revision>', description: 'the capsule as it is there (default: the working directory)' },
      CONFIG,
      { flags: '--out <path>', description: 'pack: folder or .tar of the layout; pull: folder of the files; sign: file of the bundle' },
      { flags: '--allow-older', description: 'pull: even what is older than the locks of this repository' },
      { flags: '--evidence', description: 'sign: onto the evidence branch, too (where no other place is named: only there)' },
      {
        flags: '--key <file>',
        description: 'sign: the private key (PEM, OpenSSH or cosign.key); verify: the public key that must have signed',
      },
      { flags: '--statement', description: 'sign: write what is to be signed, for key services and cosign attest-blob --statement' },
      { flags: '--bundle <file>', description: 'sign: a bundle that another program made of that statement, instead of --key' },
      ...SIGNERS.filter(({ flags }) => !flags.startsWith('--key ')),
      { flags: '--allow-http-registry', description: 'plain HTTP where the registry does not speak TLS (this machine: always)' },
      output('text, json'),
    ],
    example: 'capstan capsule push greeter@1.4.2 ghcr.io/acme/capsules/greeter',
    load: async () => (await import('./capsule.ts')).capsule,
  },
  {
    name: 'identity',
    description: "the engine's key: show it, make one, let another follow it",
    words: [{ name: '[action...]', description: 'show (default), new FILE, rotate' }],
    options: [
      REPO,
      CONFIG,
      { flags: '--to <file>', description: 'with rotate: key file that follows this one' },
      { flags: '--to-config <file>', description: 'with rotate: configuration that names the key that follows (agents, tokens)' },
      { flags: '--overlap <duration>', description: 'with rotate: how long both keys count (default: 7d)' },
      { flags: '--dry-run', description: 'with rotate: write nothing, only show the change' },
      output('text, json'),
    ],
    example: 'capstan identity rotate --to engine_ed25519.next',
    load: async () => (await import('./identity.ts')).identity,
  },
];
