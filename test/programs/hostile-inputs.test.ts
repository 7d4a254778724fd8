import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { searcherOf, told } from '#test/canaries/canaries.ts';
import {
  canaryFile,
  limitedProgram,
  MOST_MEBIBYTES,
  MOST_SECONDS,
  type CanaryFile,
  type LimitedProgram,
} from '#test/canaries/limited-program.ts';

let root: string;
let program: LimitedProgram;
let canaries: readonly CanaryFile[];

beforeAll(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'capstan-hostile-')));
  mkdirSync(join(root, 'home/.docker'), { recursive: true });
  mkdirSync(join(root, 'home/.kube'));
  mkdirSync(join(root, 'home/.ssh'));
  mkdirSync(join(root, 'beside/folder'), { recursive: true });
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: join(root, 'home'),
    NO_COLOR: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    ...Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((who) => [
        [`GIT_${who}_NAME`, 'Ada'],
        [`GIT_${who}_EMAIL`, 'ada@acme.example'],
      ]),
    ),
  };
  program = limitedProgram(root, env);
  canaries = [
    ['beside/canary', ''],
    ['beside/folder/canary.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: canary }\ndata: { a: CANARY }\n'],
    ['beside/folder/capsule.yaml', 'apiVersion: capstan.dev/v1alpha1\nkind: Capsule\nmetadata: { name: hello, title: CANARY }\n'],
    ['beside/folder/environment.yaml', 'a: CANARY\n'],
    ['home/.netrc', 'machine 127.0.0.1 login a password CANARY\n'],
    ['home/.git-credentials', 'http://a:CANARY@127.0.0.1\n'],
    ['home/.docker/config.json', '{"auths":{"127.0.0.1":{"auth":"CANARY"}}}'],
    ['home/.kube/config', 'users: [{ name: a, user: { token: CANARY } }]\n'],
    ['home/.ssh/id_ed25519', 'CANARY\n'],
  ].map(([path = '', content = '']) => {
    const text = `Zq7w-${path.replaceAll(/[^a-z0-9]/g, '')}`;
    return canaryFile(join(root, path), text, content === '' ? undefined : content.replace('CANARY', text));
  });
  const made = await program.run(root, ['init', 'platform']);
  if (made.code !== 0) throw new Error(made.output);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

const DEV = 'environments/dev/environment.yaml';
const CAPSULE = 'capsules/hello/capsule.yaml';
const SCHEMA = 'capsules/hello/config.schema.json';
const TEMPLATE = 'capsules/hello/files/app.json.hbs';
/** Readers of declarations; what they answer is judged by nobody here, only what it costs and shows. */
const READ = ['validate', 'validate -o json', 'render --all --objects', 'lock --all', 'fmt', 'plan dev', 'diff --base HEAD -o markdown'];

type Edit = (folder: string) => void;
const put =
  (path: string, text: string): Edit =>
  (folder) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    rmSync(join(folder, path), { force: true, recursive: true });
    writeFileSync(join(folder, path), text);
  };
const add =
  (path: string, text: string): Edit =>
  (folder) =>
    appendFileSync(join(folder, path), text);
const link =
  (path: string, to: string): Edit =>
  (folder) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    rmSync(join(folder, path), { force: true, recursive: true });
    symlinkSync(to, join(folder, path));
  };
const long =
  (path: string): Edit =>
  (folder) => {
    put(path, 'a: b\n')(folder);
    truncateSync(join(folder, path), 900 * 1024 * 1024);
  };
const OUT = '../../../../beside';

const INPUTS: readonly (readonly [name: string, edits: readonly Edit[], commands: readonly string[]])[] = [
  [
    'links in place of files',
    [
      link(DEV, `${OUT}/folder/canary.yaml`),
      link('capsules/hello/README.md', `${OUT}/canary`),
      link('capsules/hello/CHANGELOG.md', `${OUT}/canary`),
      link('capsules/hello/files/x', `${OUT}/canary`),
      link('CODEOWNERS', '../beside/canary'),
      link('.github/CODEOWNERS', '../../beside/canary'),
      link('.gitattributes', '../beside/canary'),
      link('.gitignore', '../beside/canary'),
      link('.mailmap', '../beside/canary'),
      link('.gitmodules', '../beside/canary'),
      link('policies/own.yaml', '../../beside/folder/canary.yaml'),
    ],
    [...READ, `fmt ${DEV} policies/own.yaml`],
  ],
  ['a link in place of a folder', [link('capsules/evil', '../../beside/folder'), link('environments/evil', '../../beside/folder')], READ],
  [
    'a link in place of a folder that git has',
    [link('capsules/hello', '../../beside/folder'), link('environments/dev', '../../beside/folder')],
    READ,
  ],
  [
    'paths that lead out',
    [
      add(CAPSULE, `    raw:\n      kind: Manifests\n      source:\n        path: ${OUT}/folder\n`),
      add(TEMPLATE, `{{file "${OUT}/canary"}}{{> ${OUT}/canary}}`),
      put('environments/dev/secrets/x.yaml', 'a: b\n'),
    ],
    READ,
  ],
  ['a schema that refers to files', [put(SCHEMA, `{"$ref":"file://${OUT}/canary","properties":{"a":{"$ref":"${OUT}/canary#/x"}}}`)], READ],
  [
    'an alias bomb',
    [
      add(
        DEV,
        `x-a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
          .split('')
          .map((name, at) => `x-${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefghij'[at]}`).join()}]\n`)
          .join('')}`,
      ),
    ],
    READ,
  ],
  [
    'forty thousand keys',
    [
      add(DEV, `x-k:\n${Array.from({ length: 40_000 }, (_, at) => `  k${at}: 1\n`).join('')}`),
      put('policies/own.yaml', `{${Array.from({ length: 80_000 }, (_, at) => `k${at}: 1`).join()}}`),
    ],
    READ,
  ],
  [
    'nesting by the hundred thousand',
    [
      add(DEV, `x-n: ${'['.repeat(200_000)}${']'.repeat(200_000)}\n`),
      put(SCHEMA, `${'{"properties":{"a":'.repeat(40_000)}{}${'}}'.repeat(40_000)}`),
      put('environments/dev/environment.lock.yaml', '- '.repeat(200_000)),
    ],
    READ,
  ],
  [
    'a list of 20 MB',
    [put(DEV, `a:\n${'- b\n'.repeat(5_000_000)}`), put('capsules/hello/manifests/x.yaml', '- b\n'.repeat(5_000_000))],
    READ,
  ],
  ['a file of nearly a gigabyte', [long(DEV), long('policies/own.yaml')], READ],
  [
    'what is no text',
    [put(DEV, `\u0000\ufeff${'\ud800'}${'\u202e'}`), put(CAPSULE, Buffer.from([0xff, 0xfe, 0x61, 0]).toString('latin1'))],
    READ,
  ],
  [
    'a pattern without end',
    [
      put(SCHEMA, '{"type":"object","properties":{"greeting":{"type":"string","pattern":"^(a+)+$"}}}'),
      add(DEV, `x-y: ${'a'.repeat(60)}!\n`),
    ],
    READ,
  ],
  [
    'a schema that multiplies',
    [
      put(
        SCHEMA,
        JSON.stringify({
          $defs: Object.fromEntries(
            Array.from({ length: 40 }, (_, at) => [`d${at}`, { allOf: [{ $ref: `#/$defs/d${at + 1}` }, { $ref: `#/$defs/d${at + 1}` }] }]),
          ),
          $ref: '#/$defs/d0',
        }),
      ),
    ],
    READ,
  ],
  ['loops within loops', [put(TEMPLATE, `${'{{#each @root}}'.repeat(30)}x${'{{/each}}'.repeat(30)}`)], READ],
  [
    'a template that includes itself',
    [put(TEMPLATE, '{{> _x}}'), put('capsules/hello/templates/_x.hbs', '{{> _x}}'), put('capsules/hello/templates/x.yaml.hbs', '{{> _x}}')],
    READ,
  ],
  [
    'ten thousand files',
    [
      (folder) =>
        Array.from({ length: 10_000 }, (_, at) => at).forEach((at) => put(`capsules/hello/files/d${at % 100}/f${at}`, 'x')(folder)),
    ],
    ['validate', 'render --all', 'lock --all'],
  ],
];

function platformWith(edits: readonly Edit[], name: string): string {
  const folder = join(root, `p-${name.replaceAll(/[^a-z]/g, '')}`);
  cpSync(join(root, 'platform'), folder, { recursive: true, verbatimSymlinks: true });
  for (const edit of edits) edit(folder);
  return folder;
}

const DEFECT = /\n\s+at .*\(?(node:|file:|\/).*\d+:\d+|TypeError|RangeError|ReferenceError|Maximum call stack|heap out of memory/;

/** What a run did that it may not. */
async function misdeeds(folder: string, command: string): Promise<readonly string[]> {
  const { code, output, seconds, mebibytes } = await program.run(folder, command.split(' '));
  const search = searcherOf(new Map(canaries.map(({ path, text }) => [path.slice(root.length + 1), text])));
  return [
    ...([0, 1, 2, 3, 4, 64].includes(code) ? [] : [`ended with ${code}: ${output.slice(-600)}`]),
    ...(seconds < MOST_SECONDS ? [] : [`took ${seconds.toFixed(1)} s`]),
    ...(mebibytes <= MOST_MEBIBYTES ? [] : [`took ${mebibytes.toFixed(0)} MiB`]),
    ...(DEFECT.test(output) ? [`spoke of its insides: ${DEFECT.exec(output)?.[0].slice(0, 200)} in ${output.slice(0, 600)}`] : []),
    ...told(search('its output', output)),
    ...canaries.filter((canary) => canary.wasRead()).map(({ path }) => `read ${path.slice(root.length + 1)}`),
  ].map((what) => `${command}: ${what}`);
}

test.each(INPUTS)(
  '%s: no command takes much time or memory, shows its insides, or reads what is beside the repository',
  async (name, edits, commands) => {
    const folder = platformWith(edits, name);
    const found: string[] = [];
    for (const command of commands) found.push(...(await misdeeds(folder, command)));
    rmSync(folder, { recursive: true, force: true });

    expect([...new Set(found)]).toEqual([]);
  },
);

test('the same holds for what is brought in, for bundles, baselines, plans, and files that name servers', async () => {
  const folder = platformWith([], 'others');
  const from = join(root, 'from');
  put(
    'kustomization.yaml',
    `resources: [../beside/folder, ${OUT}/folder/canary.yaml, x.yaml]\nconfigMapGenerator: [{ name: a, files: [../beside/canary] }]\n`,
  )(from);
  put('x.yaml', '- b\n'.repeat(900_000))(from);
  put(
    'Chart.yaml',
    'apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies: [{ name: b, version: 1.0.0, repository: "file://../beside/folder" }]\n',
  )(from);
  put('values.yaml', `a: ${'['.repeat(100_000)}\n`)(from);
  put(
    'app.yaml',
    `apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: { name: a }\nspec: { source: { path: ../beside/folder, repoURL: file://${root}/beside } }\n`,
  )(from);
  put('templates/a.yaml', '{{ .Files.Get "../../beside/canary" }}\n')(from);
  link('linked.yaml', '../beside/folder/canary.yaml')(from);
  link('folder', '../beside/folder')(from);
  execFileSync('mkfifo', [join(from, 'pipe.yaml')]);
  long('long.yaml')(from);
  put('deep.json', `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`)(folder);
  put('wide.json', `{"x":[${'"b",'.repeat(3_000_000)}"b"]}`)(folder);
  long('long.json')(folder);
  put(
    'hostile.yaml',
    `apiVersion: capstan.dev/v1alpha1\nkind: Configuration\nrepository: { url: https://x.example/a/b.git }\nx-a: ${'['.repeat(100_000)}\n`,
  )(folder);
  const files = ['deep.json', 'wide.json', 'long.json'];
  const commands = [
    ...[from, `kustomize ${from}`, `helm ${from}`, `argocd ${from}`, `flux ${from}`].map(
      (source) => `init --dry-run --from ${source} elsewhere`,
    ),
    ...files.flatMap((file) => [
      `apply ${file}`,
      `validate --baseline ${file}`,
      `plan dev --kubeconfig ${file}`,
      `validate --repo . --now 2026-01-01 --baseline ${file} -o sarif`,
      `verify-bundle --bundle ${file} --key ${file} sha256:${'0'.repeat(64)}`,
      `status --config ${file}`,
      `fmt ${file}`,
    ]),
    'status --config hostile.yaml',
  ];
  const found: string[] = [];
  for (const command of commands) found.push(...(await misdeeds(folder, command)));

  expect([...new Set(found)]).toEqual([]);
});

test('the same holds for commits, tags, keys, layouts and archives that are to be verified', async () => {
  const folder = platformWith([], 'signed');
  const git = (args: readonly string[], input?: string): string =>
    execFileSync('git', ['-C', folder, ...args], { input, encoding: 'latin1', maxBuffer: 1 << 28 }).trim();
  const head = git(['cat-file', 'commit', 'HEAD']);
  const [tree = '', ...rest] = head.split('\n');
  const author = rest.filter((line) => line.startsWith('author ') || line.startsWith('committer ')).join('\n');
  const commit = (headers: string, message = 'm'): string =>
    git(['hash-object', '-t', 'commit', '-w', '--stdin', '--literally'], `${tree}\n${author}\n${headers}\n\n${message}\n`);
  const armoured = (kind: string, text: string): string =>
    `gpgsig -----BEGIN ${kind}-----\n${text.replaceAll(/^/gm, ' ')}\n -----END ${kind}-----`;
  const lines = `${'A'.repeat(70)}\n`.repeat(100_000);
  const commits = [
    commit(armoured('SSH SIGNATURE', lines)),
    commit(armoured('PGP SIGNATURE', `\n${lines}`)),
    commit(armoured('SIGNED MESSAGE', lines)),
    commit(armoured('SIGNED MESSAGE', Buffer.from(`3080${'3080'.repeat(60_000)}`, 'hex').toString('base64'))),
    commit(Array.from({ length: 50_000 }, (_, at) => `gpgsig${at} x`).join('\n')),
    commit(Array.from({ length: 50_000 }, () => 'mergetag object x').join('\n')),
    commit('gpgsig x', 'm'.repeat(20_000_000)),
  ];
  git(['tag', '-f', 'deep', commits[0] ?? '']);
  put('signers', 'a namespaces="git" ssh-ed25519 AAAA\n'.repeat(150_000))(folder);
  long('long.tar')(folder);
  long('long.pem')(folder);
  put('junk.tar', 'x'.repeat(5_000_000))(folder);
  put('layout/oci-layout', '{"imageLayoutVersion":"1.0.0"}')(folder);
  link('layout/index.json', '../../beside/canary')(folder);
  link('layout/blobs/sha256', '../../../beside/folder')(folder);
  link('capsules/hello/files/linked', '../../../../beside/canary')(folder);
  const key = '--key long.pem';
  const commands = [
    ...commits.flatMap((id) => [`verify-commit ${id}`, `verify-commit --allowed-signers signers ${id}`]),
    `verify-commit --openpgp-keyring long.pem ${commits[1] ?? ''}`,
    'verify-tag deep',
    ...['./long.tar', './junk.tar', './layout'].flatMap((place) => [`capsule verify ${place} ${key}`, `capsule pull ${place} --out out`]),
    'capsule verify ./layout --key ../beside/none.pem',
    'capsule pack hello --out packed',
    'capsule pack hello --out packed.tar',
    'verify',
  ];
  const found: string[] = [];
  for (const command of commands) found.push(...(await misdeeds(folder, command)));

  expect([...new Set(found)]).toEqual([]);
});

test('a read of a canary is noticed on this machine', () => {
  const canary = canaryFile(join(root, 'control'), 'x');
  expect(canary.wasRead()).toBe(false);

  readFileSync(canary.path);

  expect(canary.wasRead()).toBe(true);
});
