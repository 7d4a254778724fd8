import type { Invocation } from './cli.ts';

export interface CommandRow {
  readonly name: string;
  readonly description: string;
  readonly words: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly { readonly flags: string; readonly description: string; readonly isRepeatable?: true }[];
  readonly example: string;
  readonly load: () => Promise<(invocation: Invocation) => Promise<number>>;
}

const REPO = { flags: '--repo <path>', description: 'the repository, bare or not (default: the one around the current directory)' };
const REV = { flags: '--rev <revision>', description: 'read this commit or branch instead of the working directory or default branch' };
const CONFIG = { flags: '--config <file>', description: 'configuration of the service (default: ./capstan.yaml if there is one)' };
const KUBECONFIG = {
  flags: '--kubeconfig <file>',
  description: 'reach clusters by the contexts of this file, by the names of their credentials (an only one: for all)',
};
const TARGET = { flags: '--target <name>', description: 'only this target' };

function output(formats: string): { readonly flags: string; readonly description: string } {
  return { flags: '-o, --output <format>', description: `output format: ${formats}` };
}

/** Who must have signed. */
const SIGNERS = [
  { flags: '--trusted-root <file>', description: 'a sigstore trusted root (default: that of the configuration); a key needs none' },
  { flags: '--key <file>', description: 'the public key (PEM) that must have signed' },
  { flags: '--certificate-identity <identity>', description: 'who must have signed: exactly this name in the certificate' },
  { flags: '--certificate-identity-pattern <pattern>', description: 'or a regular expression (RE2) that all of the name matches' },
  { flags: '--certificate-oidc-issuer <issuer>', description: 'who must have vouched for the identity: exactly this issuer' },
];

/** Every command, in the order of the story it belongs to. A command's module is loaded only when it runs. */
export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'init',
    description: 'write a small repository that validates, plans and runs at once',
    words: [
      {
        name: '[directory...]',
        description: 'where (default: the current directory); after `--from argocd` and the like: what to read, then where',
      },
    ],
    options: [
      { flags: '--from <source>', description: 'bring what there is: a directory of manifests, or argocd, flux, helm, kustomize' },
      { flags: '--namespace <name>', description: 'with --from: where objects are that name none (default: default)' },
      { flags: '--environment <name>', description: 'with --from: the environment to make where the source knows none (default: dev)' },
      { flags: '--dry-run', description: 'write nothing, only list the files' },
      output('text, json'),
    ],
    example: 'capstan init --from k8s platform',
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'validate',
    description: 'check every declaration, all problems at once',
    words: [],
    options: [
      REPO,
      REV,
      { flags: '--now <time>', description: 'judge what ends at a time as of this date or RFC 3339 time (default: the clock)' },
      { flags: '--base <revision>', description: 'only what changed since this revision, and what follows from it' },
      { flags: '--baseline <file>', description: 'known problems: only new ones are told' },
      { flags: '--write-baseline', description: 'take what is there as known: write --baseline' },
      { flags: '--watch', description: 'look again whenever a file of the working directory changes' },
      output('text, json, sarif, junit, github; several at once: text,sarif=report.sarif'),
    ],
    example: 'capstan validate --base main -o github,sarif=report.sarif',
    load: async () => (await import('./validate.ts')).validate,
  },
  {
    name: 'fmt',
    description: 'lay declarations out in the one way; comments stay',
    words: [{ name: '[path...]', description: 'files or folders (default: environments, capsules and policies of the current directory)' }],
    options: [
      { flags: '--check', description: 'write nothing; exit 1 if a file would change' },
      { flags: '--stdin', description: 'from standard input to standard output' },
      output('text, json'),
    ],
    example: 'capstan fmt --check',
    load: async () => (await import('./fmt.ts')).fmt,
  },
  {
    name: 'lock',
    description: 'write the locks the engine would write',
    words: [{ name: '[environment...]', description: 'environments' }],
    options: [
      REPO,
      { flags: '--all', description: 'every environment' },
      { flags: '--check', description: 'write nothing; exit 1 if a lock would change' },
    ],
    example: 'capstan lock --all',
    load: async () => (await import('./lock.ts')).lock,
  },
  {
    name: 'render',
    description: 'render environments to Kubernetes objects',
    words: [{ name: '[environment...]', description: 'environments' }],
    options: [
      REPO,
      REV,
      { flags: '--all', description: 'every environment' },
      { flags: '--out <directory>', description: 'write exactly the tree of rendered/ENV under DIRECTORY/ENV' },
      { flags: '--objects', description: 'with -o json: the objects, too' },
      output('yaml, json'),
    ],
    example: 'capstan render prod --out /tmp/rendered',
    load: async () => (await import('./render.ts')).render,
  },
  {
    name: 'diff',
    description: 'rendered difference between two commits, or HEAD and the working directory; no target needed',
    words: [{ name: '[environment...]', description: 'environments (default: all)' }],
    options: [
      REPO,
      { flags: '--base <revision>', description: 'before (default: HEAD; needed with --head)' },
      { flags: '--head <revision>', description: 'after (default: the working directory)' },
      { flags: '--whole <file>', description: 'write all of it, too: .json, .md (which -o md folds to 60,000 characters) or text' },
      { flags: '--detailed-exitcode', description: 'exit 2 if something differs' },
      output('text, md, json'),
    ],
    example: 'capstan diff --base main --head HEAD -o md',
    load: async () => (await import('./diff.ts')).diff,
  },
  {
    name: 'plan',
    description: 'difference between desired and live',
    words: [{ name: '<environment>', description: 'the environment' }],
    options: [
      REPO,
      CONFIG,
      KUBECONFIG,
      TARGET,
      { flags: '--save <file>', description: 'save the plan for `capstan apply`' },
      { flags: '--detailed-exitcode', description: 'exit 2 if there is something to do' },
      output('text, json'),
    ],
    example: 'capstan plan prod --save plan.json',
    load: async () => (await import('./plan.ts')).plan,
  },
  {
    name: 'apply',
    description: 'apply a saved plan; refuses if anything it was based on moved',
    words: [{ name: '<file>', description: 'written by `capstan plan --save`' }],
    options: [REPO, CONFIG, KUBECONFIG, output('text, json')],
    example: 'capstan apply plan.json',
    load: async () => (await import('./apply.ts')).apply,
  },
  {
    name: 'reconcile',
    description: 'one run of the whole path; prints the receipt',
    words: [{ name: '<environment>', description: 'the environment' }],
    options: [
      REPO,
      CONFIG,
      KUBECONFIG,
      TARGET,
      { flags: '--dry-run', description: 'write nothing' },
      { flags: '--wait [timeout]', description: 'until all of it is there and well, at most so long (default: 5m); exit 1 if it is not' },
      output('text, json'),
    ],
    example: 'capstan reconcile dev --wait=10m',
    load: async () => (await import('./reconcile.ts')).reconcile,
  },
  {
    name: 'status',
    description: 'what is live, healthy, drifted, waiting, and why',
    words: [{ name: '[environment]', description: 'only this one' }],
    options: [REPO, CONFIG, KUBECONFIG, output('text, json')],
    example: 'capstan status prod',
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'get',
    description: 'list capsules, environments, targets, devices or runs',
    words: [{ name: '<kind>', description: 'capsules, environments, targets, devices, runs' }],
    options: [REPO, CONFIG, KUBECONFIG, REV, output('table, json, yaml, name')],
    example: 'capstan get capsules',
    load: async () => (await import('./get.ts')).get,
  },
  {
    name: 'promote',
    description: 'open or update the promotion pull request; says which gates hold it',
    words: [{ name: '<environment>', description: 'the environment to promote to' }],
    options: [
      REPO,
      CONFIG,
      { flags: '--capsule <name[@version]>', description: 'only this capsule' },
      { flags: '--dry-run', description: 'show the draft, open nothing' },
      output('text, json'),
    ],
    example: 'capstan promote staging --dry-run',
    load: async () => (await import('./promote.ts')).promote,
  },
  {
    name: 'history',
    description: 'the ledger; --at answers what ran in an environment at a time',
    words: [],
    options: [
      REPO,
      CONFIG,
      { flags: '--environment <name>', description: 'only this environment' },
      { flags: '--capsule <name>', description: 'only this capsule' },
      { flags: '--at <time>', description: 'RFC 3339: what ran then' },
      { flags: '--since <time>', description: 'RFC 3339 or a duration' },
      output('text, json'),
    ],
    example: 'capstan history --environment prod --at 2026-11-01T00:00:00Z',
    load: async () => (await import('./history.ts')).history,
  },
  {
    name: 'verify',
    description: 'check, offline from a clone, every commit the engine made',
    words: [],
    options: [
      REPO,
      CONFIG,
      { flags: '--full', description: 'render again and compare' },
      { flags: '--trust-root <commit>', description: 'start of trust (default: the first commit)' },
      output('text, json'),
    ],
    example: 'capstan verify --full',
    load: async () => (await import('./verify.ts')).verify,
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
      { flags: '--key <file>', description: 'private key (PEM or OpenSSH) that spec.trust names for evidence' },
      output('text, json'),
    ],
    example: 'capstan attest web --type tests --predicate result.json --key ci.pem',
    load: async () => (await import('./attest.ts')).attest,
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
  {
    name: 'explain',
    description: 'a problem in full: why, example, remedy',
    words: [{ name: '[code]', description: 'a code or rule (`V-07`); without it, all of them' }],
    options: [output('text, json')],
    example: 'capstan explain V-07',
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'schema',
    description: 'JSON Schema of a declaration kind',
    words: [
      { name: '[kind...]', description: 'Project, Environment, EnvironmentLock, Capsule, Policy, Fleet, Device; without it, the list' },
    ],
    options: [
      { flags: '--all', description: 'every kind, outputs included' },
      { flags: '--out <directory>', description: 'write them as files (without --all and kinds: the declarations)' },
      { flags: '--check', description: 'with --out: write nothing; exit 1 if a file is missing or old' },
      { flags: '--vscode', description: 'settings for VS Code that find these files in schemas/' },
    ],
    example: 'capstan schema Capsule > capsule.schema.json',
    load: async () => (await import('./schema.ts')).schema,
  },
  {
    name: 'export-policies',
    description: 'policies as objects that a cluster enforces by itself',
    words: [{ name: '[policy...]', description: 'policies (default: those that list the format in `export`)' }],
    options: [
      REPO,
      REV,
      { flags: '--format <format>', description: 'vap (ValidatingAdmissionPolicy and its binding) or kyverno (default: vap)' },
    ],
    example: 'capstan export-policies --format vap | kubectl apply -f -',
    load: async () => (await import('./export-policies.ts')).exportPoliciesAs,
  },
  {
    name: 'doctor',
    description: 'look at git, forge, webhook, clock, targets and trust root, with the command that mends each',
    words: [],
    options: [
      REPO,
      CONFIG,
      KUBECONFIG,
      { flags: '--fix', description: 'install the webhook and the required check' },
      output('text, json'),
    ],
    example: 'capstan doctor',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'serve',
    description: 'the service: webhooks and timers in, reconciled environments out',
    words: [],
    options: [{ flags: '--config <file>', description: 'configuration (default: ./capstan.yaml)' }],
    example: 'capstan serve --config capstan.yaml',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'forge',
    description: 'the local forge: a GitHub-shaped server for demos, labs and tests',
    words: [{ name: '[action...]', description: '`user add NAME` adds a person and prints a token' }],
    options: [
      { flags: '--data <directory>', description: 'state (default: .capstan/forge)' },
      { flags: '--listen <host:port>', description: 'address (default: 127.0.0.1:3000)' },
    ],
    example: 'capstan forge --data ./forge --listen 127.0.0.1:3000',
    load: async () => (await import('./forge.ts')).forge,
  },
  {
    name: 'demo',
    description: 'the whole story on this machine: forge, service, and directories or a cluster as targets',
    words: [],
    options: [
      { flags: '--exit', description: 'end when the story is told' },
      { flags: '--listen <host:port>', description: "the forge's address (default: 127.0.0.1, any free port)" },
      { flags: '--directory <path>', description: 'where (default: a new temporary directory)' },
      { flags: '--kubernetes <kubeconfig>', description: 'on namespaces of this cluster, made for it and removed at the end' },
      { flags: '--image <image>', description: 'with --kubernetes: an image by digest that its nodes can pull and that keeps running' },
      { flags: '--keep', description: 'with --kubernetes: leave the namespaces there' },
      { flags: '--yes', description: 'with --kubernetes: even if the cluster is not on this machine' },
    ],
    example: 'capstan demo',
    load: async () => (await import('./demo.ts')).demo,
  },
  {
    name: 'completion',
    description: 'shell completion',
    words: [{ name: '<shell>', description: 'bash, zsh or fish' }],
    options: [],
    example: 'capstan completion bash > /etc/bash_completion.d/capstan',
    load: async () => (await import('./completion.ts')).completion,
  },
  {
    name: 'version',
    description: 'the version of capstan, Node and git',
    words: [],
    options: [output('text, json')],
    example: 'capstan version',
    load: async () => (await import('./version.ts')).version,
  },
];
