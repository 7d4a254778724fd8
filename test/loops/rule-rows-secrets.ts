import { edit, edits } from './garden.ts';
import { DEV, library, PROD, release, type Row, SCHEMA, WEB } from './rule-changes.ts';

/** Put together here, so that nobody who looks for secrets finds one in this file. */
const TOKEN = `ghp_${'aB3dE5gH7jK9'.repeat(3)}`;
/** As random as a generator's. */
const PASSWORD = ['vR7', 'kQ2', 'xW9', 'pL4', 'mT8', 'zB3'].join('');
const ENV_FILE = 'capsules/web/files/app.env';
const SENSITIVE = edit(
  '"greeting": { "type": "string" }',
  '"greeting": { "type": "string" }, "password": { "type": "string", "x-sensitive": true }',
);
const SECRET = '  secrets:\n    api-key:\n      required: true\n      keys: [token]\n';
const VARIABLE = '        API_KEY:\n          secret: api-key\n        CACHE_URL:';
const SOURCE = '  secrets:\n    web:\n      api-key:\n        provider: kubernetes\n        name: web\n';

function keyed(secret: string, variable = VARIABLE): (before: string) => string {
  return edits(edit('        CACHE_URL:', variable), edit('  provides:\n', `${secret}  provides:\n`));
}

const BASE = library('base', SECRET);
const CHILD = library('child', '  extends:\n    capsule: base\n    version: ^1.0.0\n');
const DEPLOYED = edit('    web:\n', '    child:\n      version: ^1.0.0\n    web:\n');
const CHILD_SOURCE = SOURCE.replace('web:', 'child:');
/** The child and its parent are not in the lock yet. */
const LAGGING = Array.from({ length: 2 }, () => 'V-47 lock-incomplete environments/dev/environment.lock.yaml:5:1');

/** Each with what validate says of it: every problem, with its place. */
export const SECRET_VIOLATIONS: readonly Row[] = [
  [
    'V-80: a token in a file of a capsule',
    release({ [ENV_FILE]: `A=b\nGH=${TOKEN}\n` }),
    ['V-80 secret-in-file capsules/web/files/app.env:2:4'],
  ],
  [
    'V-80: a token in the comment of a declaration',
    { [DEV]: (text) => `${text}# ${TOKEN}\n` },
    ['V-80 secret-in-file environments/dev/environment.yaml:31:3'],
  ],
  ['V-80: a token in a file that nobody reads', { 'policies/notes/x.txt': `${TOKEN}\n` }, ['V-80 secret-in-file policies/notes/x.txt:1:1']],
  ['V-80: a token beside the capsules', { 'capsules/README.md': `${TOKEN}\n` }, ['V-80 secret-in-file capsules/README.md:1:1']],
  [
    // The version that is locked does not know the key at all.
    'V-80: a sensitive value in the configuration',
    [release({ [SCHEMA]: SENSITIVE }), { [DEV]: edit('replicas: 1', 'replicas: 1\n        password: hush') }],
    ['V-77 config-invalid environments/dev/environment.yaml:24:19', 'V-80 sensitive-literal environments/dev/environment.yaml:24:19'],
  ],
  [
    'V-80: a sensitive value that is a default',
    release({
      [SCHEMA]: edit('"greeting": { "type": "string" }', '"greeting": { "type": "string", "x-sensitive": true, "default": "hush" }'),
    }),
    [
      'V-80 sensitive-literal capsules/web/capsule.yaml:45:17',
      'V-80 sensitive-literal capsules/web/config.schema.json:5:69',
      'V-80 sensitive-literal environments/prod/config/web.yaml:1:11',
    ],
  ],
  [
    'V-81: a variable of a secret that nobody declares',
    release({ [WEB]: keyed('') }),
    ['V-81 secret-undeclared capsules/web/capsule.yaml:19:19'],
  ],
  [
    'V-81: a key that the secret does not have',
    release({
      [WEB]: keyed(SECRET.replace('required: true', 'required: false'), VARIABLE.replace('api-key\n', 'api-key\n          key: tokn\n')),
    }),
    ['V-81 secret-undeclared capsules/web/capsule.yaml:20:16'],
  ],
  [
    'V-81: no source in an environment',
    [release({ [WEB]: keyed(SECRET) }), { [DEV]: (text) => `${text}${SOURCE}` }],
    ['V-81 secret-without-source environments/prod/environment.yaml:5:1'],
  ],
  [
    'V-81: a source of a secret that nobody declares',
    { [DEV]: (text) => `${text}${SOURCE}` },
    ['V-81 secret-source-unknown environments/dev/environment.yaml:33:7'],
  ],
  [
    'V-81: a source for what is not deployed',
    { [DEV]: (text) => `${text}${SOURCE.replace('web:', 'wbe:')}` },
    ['V-81 secret-source-unknown environments/dev/environment.yaml:33:7'],
  ],
  [
    'V-81: no source for what an instance inherits',
    [{ 'capsules/base/capsule.yaml': BASE, 'capsules/child/capsule.yaml': CHILD }, { [DEV]: DEPLOYED }],
    [...LAGGING, 'V-81 secret-without-source environments/dev/environment.yaml:5:1'],
  ],
  [
    'V-80: a random password',
    release({ [ENV_FILE]: `A=b\nDB_PASSWORD=${PASSWORD}\n` }),
    ['V-80 secret-suspected capsules/web/files/app.env:2:13'],
  ],
  [
    'V-80: a token that a comment would hide',
    release({ [ENV_FILE]: `# capstan-ignore V-80: it is mine, until 2999-01-31\nGH=${TOKEN}\n` }),
    ['~suppression-refused capsules/web/files/app.env:1:1', 'V-80 secret-in-file capsules/web/files/app.env:2:4'],
  ],
  [
    'V-81: no source, beside a secret in a file',
    [{ [DEV]: (text) => `${text}${SOURCE}`, [ENV_FILE]: `GH=${TOKEN}\n`, ...release({ [WEB]: keyed(SECRET) }) }],
    ['V-80 secret-in-file capsules/web/files/app.env:1:4', 'V-81 secret-without-source environments/prod/environment.yaml:5:1'],
  ],
];

/** What is just within each rule. */
export const SECRET_NEAR_MISSES: readonly Row[] = [
  ['V-80: a token that documentation would use', release({ [ENV_FILE]: `A=b\nGH=ghp_${'x'.repeat(36)}\n` }), []],
  ['V-80: a sensitive value that nobody gives', release({ [SCHEMA]: SENSITIVE }), []],
  [
    'V-80: a sensitive value by reference',
    release({
      [SCHEMA]: edit(
        '"greeting": { "type": "string" }',
        '"greeting": { "type": "string" }, "password": { "type": "object", "x-open": true, "x-sensitive": true }',
      ),
      [WEB]: edits(
        edit('      greeting: Hello\n', '      greeting: Hello\n      password:\n        secret: api-key\n'),
        edit('  provides:\n', '  secrets:\n    api-key:\n      required: false\n  provides:\n'),
      ),
    }),
    [],
  ],
  [
    'V-81: a source in each environment',
    [release({ [WEB]: keyed(SECRET) }), { [DEV]: (text) => `${text}${SOURCE}`, [PROD]: (text) => `${text}${SOURCE}` }],
    [],
  ],
  ['V-81: a secret that it can do without', release({ [WEB]: keyed(SECRET.replace('required: true', 'required: false')) }), []],
  [
    'V-81: a source ahead of the version that is locked',
    [{ [DEV]: (text) => `${text}${SOURCE}`, [PROD]: (text) => `${text}${SOURCE}` }, release({ [WEB]: keyed(SECRET) })],
    [],
  ],
  [
    'V-81: a source for what an instance inherits, and none for the parent',
    [
      { 'capsules/base/capsule.yaml': BASE, 'capsules/child/capsule.yaml': CHILD },
      { [DEV]: edits(DEPLOYED, (text) => `${text}${CHILD_SOURCE}`) },
    ],
    LAGGING,
  ],
  [
    'V-80: a random value that somebody says is no secret',
    release({ [ENV_FILE]: `# capstan-ignore V-80: public id of the shop, until 2999-01-31\nAPI_KEY=${PASSWORD}\n` }),
    [],
  ],
];
