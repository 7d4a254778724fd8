/** The house of the architecture as data: who may import whom, where packages live, what the core never does. */

export interface FolderRule {
  /** Folders of ours it may import, beside itself. */
  readonly folders: readonly string[];
  /** Packages that live here; `node:*` is everything Node brings. */
  readonly packages: readonly string[];
  /** Doors beside `<folder>/<folder>.ts`. */
  readonly doors?: readonly string[];
}

const CHAPTER_NAMES = [
  'desired',
  'resolve',
  'render',
  'trust',
  'policy',
  'plan',
  'health',
  'promotion',
  'rollout',
  'edge',
  'ledger',
  'arrival',
] as const;

export const CHAPTERS: ReadonlySet<string> = new Set(CHAPTER_NAMES);

/** Folders without a door: each of their files is public. */
export const PUBLIC_FOLDERS: ReadonlySet<string> = new Set(['model', 'ports', 'loops']);

const CHAPTER: FolderRule = { folders: ['model', 'schemas'], packages: ['node:crypto'] };
const ADAPTER: FolderRule = { folders: ['model', 'ports'], packages: ['node:*'] };

/** The packages of each adapter's vendor. */
const ADAPTERS: Readonly<Record<string, FolderRule>> = {
  // What the two git adapters have in common: git's own formats, read and written in process.
  'adapters/git-objects': { ...ADAPTER, packages: ['node:*', 'isomorphic-git'] },
  'adapters/git': {
    folders: [...ADAPTER.folders, 'adapters/git-objects'],
    packages: ['node:*', 'isomorphic-git'],
    doors: ['#adapters/git/http-backend.ts', '#adapters/git/initialise.ts', '#adapters/git/working-directory.ts'],
  },
  'adapters/isomorphic-git': { folders: [...ADAPTER.folders, 'adapters/git-objects'], packages: ['node:*', 'isomorphic-git'] },
  'adapters/render-workers': { ...ADAPTER, folders: [...ADAPTER.folders, 'render'] },
  'adapters/directory': ADAPTER,
  // Foreign programs, found, checked and run under limits.
  'adapters/tools': ADAPTER,
  'adapters/kubernetes': { ...ADAPTER, packages: ['node:*', '@kubernetes/client-node', 'undici'] },
  // A folder or archive in the place of a registry.
  'adapters/oci-layout': ADAPTER,
  'adapters/oci': { ...ADAPTER, packages: ['node:*', 'undici'] },
  'adapters/sigstore': {
    ...ADAPTER,
    packages: [
      'node:*',
      '@sigstore/bundle',
      '@sigstore/core',
      '@sigstore/protobuf-specs',
      '@sigstore/sign',
      '@sigstore/tuf',
      '@sigstore/verify',
      '@noble/ciphers',
      '@noble/curves',
    ],
    // TUF is loaded only where a mirror is configured, the cipher of cosign's key files only where there is one.
    doors: ['#adapters/sigstore/cosign-key.ts', '#adapters/sigstore/tuf-root.ts'],
  },
  // Signatures of commits that only libraries read: OpenPGP, and CMS with X.509 chains.
  'adapters/signatures': { ...ADAPTER, packages: ['node:*', 'openpgp', 'pkijs', 'asn1js'] },
  'adapters/sqlite': ADAPTER,
  'adapters/machine': { ...ADAPTER, packages: ['node:*', 'pino', 'ulid'] },
  'adapters/github': {
    ...ADAPTER,
    packages: ['node:*', '@octokit/rest', '@octokit/auth-app', '@octokit/plugin-retry', '@octokit/plugin-throttling', '@octokit/webhooks'],
  },
};

const HOUSE: Readonly<Record<string, FolderRule>> = {
  model: {
    folders: ['schemas'],
    packages: ['node:crypto', 'node:buffer', 'node:module', 'yaml', 'semver', 'ajv', 'ajv-formats', 're2js', '@bufbuild/cel'],
  },
  ...Object.fromEntries(CHAPTER_NAMES.map((name) => [name, CHAPTER])),
  render: { ...CHAPTER, packages: ['node:crypto', 'node:module', 'handlebars'] },
  ports: { folders: ['model'], packages: [] },
  loops: { folders: ['model', 'ports', ...CHAPTER_NAMES], packages: [] },
  service: { folders: ['model', 'ports', 'loops', 'schemas'], packages: ['node:*', 'fastify', 'prom-client'] },
  forge: { folders: ['model', 'ports'], packages: ['node:*', 'fastify'] },
  agent: { folders: ['model', 'edge', 'trust'], packages: ['node:*'] },
  cli: {
    folders: ['model', 'ports', 'loops', 'service', 'schemas', 'package.json'],
    packages: ['node:*', 'commander'],
    doors: ['#cli/found.ts', '#cli/powers.ts'],
  },
  assembly: {
    folders: ['model', 'ports', 'loops', 'service', 'forge', 'cli', 'schemas', ...CHAPTER_NAMES, ...Object.keys(ADAPTERS)],
    packages: ['node:*'],
  },
  'main.ts': { folders: ['model', 'ports', 'cli', 'assembly'], packages: ['node:*'] },
  ...ADAPTERS,
};

export function folderRule(folder: string): FolderRule | undefined {
  return Object.hasOwn(HOUSE, folder) ? HOUSE[folder] : undefined;
}

export const FORBIDDEN_NAMES: ReadonlySet<string> = new Set([
  'util',
  'utils',
  'common',
  'helper',
  'helpers',
  'shared',
  'misc',
  'types',
  'constants',
  'manager',
  'index',
]);

/** Globals that bring the world in, and the files of the model that may use them as pure functions of their arguments. */
export const IMPURE: ReadonlyMap<string, readonly string[]> = new Map([
  ['Date', ['src/model/instant.ts', 'src/model/calendar.ts']],
  ['process', []],
  ['console', []],
  ['fetch', []],
  ['Promise', []],
  ['performance', []],
  ['crypto', []],
  ['globalThis', []],
  ['setTimeout', []],
  ['setInterval', []],
  ['setImmediate', []],
  ['queueMicrotask', []],
  ['require', []],
  ['eval', []],
]);

export const IMPURE_CRYPTO: ReadonlySet<string> = new Set([
  'randomBytes',
  'randomUUID',
  'randomInt',
  'randomFill',
  'randomFillSync',
  'getRandomValues',
  'webcrypto',
  'default',
]);
