import { edit, edits, type Change } from './garden.ts';
import { DEV, library, REDIS, WEB, type Row } from './rule-changes.ts';

const file = (name: string): string => `capsules/${name}/capsule.yaml`;
const extending = (name: string): string => `  extends:\n    capsule: ${name}\n    version: ^1.0.0\n`;
const bundling = (child: string, capsule: string): string =>
  `  instances:\n    ${child}:\n      capsule: ${capsule}\n      version: ^1.0.0\n`;

/** c1 extends c2, and so on to the last. */
function chain(length: number, link: (next: string) => string): Change {
  const names = Array.from({ length }, (_, at) => `c${at + 1}`);
  return Object.fromEntries(
    names.map((name, at) => [file(name), library(name, names[at + 1] === undefined ? '' : link(names[at + 1] ?? ''))]),
  );
}

const PORT = '  components:\n    web:\n      kind: Deployment\n      ports:\n        http:\n          port: 8080\n';
/** A base that only lets components.web.env be added to. */
const SEALED = library('base', `  sealed: true\n  extensionPoints:\n    - name: env\n      path: /components/web/env\n${PORT}`);
const CHILD_ENV = '  components:\n    web:\n      kind: Deployment\n      env:\n        LEVEL:\n          value: info\n';

function sealedBelow(spec: string, files: Change = {}): Change {
  return { [file('base')]: SEALED, [file('child')]: library('child', `${extending('base')}${spec}`), ...files };
}

const optionalCache = edits(
  edit('version: 1.0.0', 'version: 1.1.0'),
  edit('      version: ^7.0.0\n', '      version: ^7.0.0\n      optional: true\n'),
);
const guarded = edits(optionalCache, edit('          output: url\n', '          output: url\n          when: capabilities.cache\n'));
const PACKAGE = { 'capsules/web/files/package.json': '{ "version": "1.1.0" }\n' };
const NOTE = 'capsules/web/templates/note.yaml.hbs';
const long = (letter: string): string => letter.repeat(39);
const askFor = (name: string, more = ''): ((before: string) => string) =>
  edit('    web:\n', `    ${name}:\n      version: ^1.0.0\n${more}    web:\n`);

/** Composition: extends, bundles, private and optional dependencies. */
export const COMPOSITION_VIOLATIONS: readonly Row[] = [
  [
    'V-20: a parent and a child that nobody released in that range',
    { [file('a')]: library('a', extending('redis')), [file('b')]: library('b', bundling('x', 'redis')) },
    ['V-20 unresolvable capsules/a/capsule.yaml:10:14', 'V-20 unresolvable capsules/b/capsule.yaml:11:16'],
  ],
  [
    'braces in the configuration of a child',
    {
      [file('a')]: library('a', `${bundling('x', 'b')}      config:\n        text: "{{config.text}}"\n`),
      [file('b')]: library('b'),
    },
    ['~child-config-literal capsules/a/capsule.yaml:12:7'],
  ],
  [
    'V-25: capsules that extend each other',
    { [file('a')]: library('a', extending('b')), [file('b')]: library('b', extending('a')) },
    ['V-25 extends-endless capsules/a/capsule.yaml:8:3'],
  ],
  [
    'V-25: a capsule that extends itself',
    { [file('a')]: library('a', extending('a')) },
    ['V-25 extends-endless capsules/a/capsule.yaml:8:3'],
  ],
  ['V-25: a chain of nine', chain(9, extending), ['V-25 extends-endless capsules/c1/capsule.yaml:8:3']],
  [
    'V-25: bundles in each other',
    { [file('a')]: library('a', bundling('x', 'b')), [file('b')]: library('b', bundling('y', 'a')) },
    ['V-25 bundle-endless capsules/a/capsule.yaml:9:5'],
  ],
  ['V-25: nine bundles in each other', chain(9, (next) => bundling('x', next)), ['V-25 bundle-endless capsules/c1/capsule.yaml:9:5']],
  [
    'V-26: a child that changes a port of its sealed parent',
    sealedBelow(PORT.replace('8080', '9090')),
    ['V-26 sealed-changed capsules/child/capsule.yaml:16:17'],
  ],
  [
    'V-26: a child that adds a component to its sealed parent',
    sealedBelow('  components:\n    other:\n      kind: Job\n'),
    ['V-26 sealed-changed capsules/child/capsule.yaml:12:5'],
  ],
  [
    'V-26: a template more',
    sealedBelow('', { 'capsules/child/templates/more.yaml.hbs': 'kind: ConfigMap\n' }),
    ['V-26 sealed-changed capsules/child/capsule.yaml:6:1'],
  ],
  [
    'V-26: a file in the place of the sealed one',
    sealedBelow('', { 'capsules/base/files/a.txt': 'a\n', 'capsules/child/files/a.txt': 'b\n' }),
    ['V-26 sealed-changed capsules/child/capsule.yaml:6:1'],
  ],
  [
    'V-26: an environment that patches what is sealed',
    {
      [WEB]: edits(edit('version: 1.0.0', 'version: 1.1.0'), edit('  type: service\n', '  type: service\n  sealed: true\n')),
      ...PACKAGE,
      [DEV]: edit(
        '      config:\n',
        '      patches:\n        - target: { kind: Deployment }\n          ops: [{ op: add, path: /spec/paused, value: true }]\n      config:\n',
      ),
    },
    ['V-26 sealed-changed environments/dev/environment.yaml:22:7'],
  ],
  [
    'V-27: a child and a private dependency of one name',
    {
      [file('a')]: library(
        'a',
        `${bundling('x', 'b')}  dependencies:\n    x:\n      capsule: b\n      version: ^1.0.0\n      shared: false\n`,
      ),
      [file('b')]: library('b'),
    },
    ['V-27 derived-name capsules/a/capsule.yaml:13:5'],
  ],
  [
    'V-27: a nested name that is too long for its objects',
    { [file(long('a'))]: library(long('a'), bundling(long('x'), 'b')), [file('b')]: library('b'), [DEV]: askFor(long('a')) },
    ['V-27 derived-name environments/dev/environment.yaml:20:5'],
  ],
  [
    'V-28: an optional dependency in a variable',
    { ...PACKAGE, [WEB]: optionalCache },
    ['V-28 dependency-unguarded capsules/web/capsule.yaml:18:9'],
  ],
  [
    'V-28: an optional dependency in a template',
    { ...PACKAGE, [WEB]: guarded, [NOTE]: (text) => `${text}  cache: {{dependencies.cache.outputs.url}}\n` },
    ['V-28 dependency-unguarded capsules/web/templates/note.yaml.hbs:7:12'],
  ],
  [
    'V-28: in the wrong branch',
    {
      ...PACKAGE,
      [WEB]: guarded,
      [NOTE]: (text) => `${text}  {{#if capabilities.cache}}{{else}}cache: {{dependencies.cache.outputs.url}}{{/if}}\n`,
    },
    ['V-28 dependency-unguarded capsules/web/templates/note.yaml.hbs:7:46'],
  ],
  [
    'V-30: waiting for the end of what has none',
    { [file('a')]: library('a', '  dependencies:\n    cache:\n      capsule: redis\n      version: ^7.0.0\n      condition: completed\n') },
    ['V-30 never-completes capsules/a/capsule.yaml:12:18', '~not-supported capsules/a/capsule.yaml:12:18'],
  ],
  [
    'V-97: a wish for a child that nothing makes',
    { [DEV]: edit('      config:\n', '      instances:\n        nobody:\n          config: {}\n      config:\n') },
    ['V-97 nested-undeclared environments/dev/environment.yaml:23:9'],
  ],
];

export const COMPOSITION_NEAR_MISSES: readonly Row[] = [
  ['V-25: a chain of eight', chain(8, extending), []],
  ['V-25: eight bundles in each other', chain(8, (next) => bundling('x', next)), []],
  [
    'V-25: two bundles with the same child',
    { [file('a')]: library('a', bundling('x', 'b')), [file('b')]: library('b'), [file('c')]: library('c', bundling('x', 'b')) },
    [],
  ],
  ['V-26: a child that adds where its sealed parent is open', sealedBelow(CHILD_ENV), []],
  ['V-26: a child that says what its sealed parent says', sealedBelow(PORT), []],
  ['V-26: a file beside those of the sealed one', sealedBelow('', { 'capsules/child/files/b.txt': 'b\n' }), []],
  [
    'V-26: a child of a parent that is not sealed',
    { [file('base')]: library('base', PORT), [file('child')]: library('child', `${extending('base')}${PORT.replace('8080', '9090')}`) },
    [],
  ],
  [
    'V-27: a child and a shared dependency on the same capsule',
    {
      [file('a')]: library('a', `${bundling('x', 'b')}  dependencies:\n    y:\n      capsule: b\n      version: ^1.0.0\n`),
      [file('b')]: library('b'),
    },
    [],
  ],
  ['V-28: an optional dependency in a variable that asks for it', { ...PACKAGE, [WEB]: guarded }, []],
  [
    'V-28: an optional dependency in a template that asks for it',
    {
      ...PACKAGE,
      [WEB]: guarded,
      [NOTE]: (text) => `${text}  {{#if (and capabilities.cache config.greeting)}}cache: {{dependencies.cache.outputs.url}}{{/if}}\n`,
    },
    [],
  ],
  [
    'V-30: waiting for the end of a Job',
    {
      [REDIS]: edits(
        edit('7.2.5', '7.3.0'),
        edit('    cache:\n', '    cache:\n      primary: true\n'),
        edit(
          '  components:\n',
          '  components:\n    setup:\n      kind: Job\n      image: registry.example.com/setup@sha256:DIGEST\n'.replace(
            'DIGEST',
            '1f0a3c2b7e5d4896'.repeat(4),
          ),
        ),
      ),
      [file('a')]: library('a', '  dependencies:\n    cache:\n      capsule: redis\n      version: ^7.3.0\n      condition: completed\n'),
    },
    ['~not-supported capsules/a/capsule.yaml:12:18'],
  ],
];
