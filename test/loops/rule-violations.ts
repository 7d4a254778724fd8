import { edit, edits } from './garden.ts';
import {
  DEV,
  LOCK,
  NOTE,
  PACKAGE,
  POLICY,
  PROD,
  PROD_CONFIG,
  REDIS,
  SCHEMA,
  WEB,
  library,
  redisNeedsWeb,
  release,
  type Row,
} from './rule-changes.ts';

/** Each with what validate says of it: every problem, with its place. */
export const VIOLATIONS: readonly Row[] = [
  ['V-01: an anchor', { [DEV]: edit('risk: low', 'risk: &x low') }, ['V-01 yaml-feature environments/dev/environment.yaml:6:9']],
  [
    'V-01: a key twice',
    { [DEV]: edit('  risk: low\n', '  risk: low\n  "risk": low\n') },
    ['V-01 yaml-feature environments/dev/environment.yaml:7:3'],
  ],
  ['V-01: a tag', { [DEV]: edit('risk: low', 'risk: !!str low') }, ['V-01 yaml-feature environments/dev/environment.yaml:6:9']],
  ['V-01: a second document', { [DEV]: (text) => `${text}---\na: b\n` }, ['V-01 yaml-feature environments/dev/environment.yaml:31:1']],
  [
    'V-01: a key that objects inherit',
    { [DEV]: edit('  risk: low\n', '  risk: low\n  __proto__: {}\n') },
    ['V-01 yaml-feature environments/dev/environment.yaml:7:3'],
  ],
  [
    'V-01: more than a mebibyte',
    { [DEV]: (text) => `${text}# ${'x'.repeat(1_048_576)}\n` },
    ['V-01 yaml-feature environments/dev/environment.yaml'],
  ],
  ['a tab as indentation, once', { [DEV]: edit('  risk: low', '\trisk: low') }, ['yaml-syntax environments/dev/environment.yaml:6:1']],
  [
    'V-03: an environment',
    { [DEV]: edit('name: dev', 'name: development') },
    ['V-03 directory-name-differs environments/dev/environment.yaml:4:9'],
  ],
  [
    'V-03: a capsule',
    { 'capsules/extra/capsule.yaml': library('extras') },
    ['V-03 directory-name-differs capsules/extra/capsule.yaml:4:9'],
  ],
  [
    'V-04: a target',
    { 'environments/dev/targets/one.yaml': 'driver: directory\npath: x\n' },
    ['V-04 declared-twice environments/dev/targets/one.yaml:1:1'],
  ],
  ['V-04: a policy', { 'policies/a.yaml': POLICY, 'policies/b.yaml': POLICY }, ['V-04 declared-twice policies/b.yaml:1:1']],
  ['V-05', { [WEB]: edit('version: 1.0.0', 'version: 1.1.0+build') }, ['V-05 version-not-semver capsules/web/capsule.yaml:5:12']],
  [
    'V-06, which history holds',
    [{ [WEB]: edit('version: 1.0.0', 'version: 1.1.0+a') }, { [WEB]: edit('1.1.0+a', '1.1.0'), [PACKAGE]: '{ "version": "1.1.0" }' }],
    ['V-06 versions-equal capsules/web/capsule.yaml:5:12'],
  ],
  ['V-07', { [WEB]: edit('Hello', 'Hi') }, ['V-07 changed-without-bump capsules/web/capsule.yaml:5:12']],
  [
    'V-08',
    { [WEB]: edit('version: 1.0.0', 'version: 0.9.0'), [PACKAGE]: '{ "version": "0.9.0" }' },
    ['V-08 version-decreases capsules/web/capsule.yaml:5:12'],
  ],
  [
    'V-09',
    [{ [WEB]: edit('Hello', 'Hi') }, release({ [WEB]: edit('Hi', 'Hey') })],
    ['V-09 release-rewritten capsules/web/capsule.yaml:5:12'],
  ],
  [
    'V-10: a link',
    { ...release(), 'capsules/web/files/link': { link: '../../../secret' } },
    ['V-10 capsule-file-not-regular capsules/web/files/link'],
  ],
  [
    'V-10: the declaration itself is a link',
    { 'capsules/extra/capsule.yaml': { link: '../web/capsule.yaml' } },
    ['V-10 capsule-file-not-regular capsules/extra/capsule.yaml'],
  ],
  [
    'V-10: two names that differ in case',
    { ...release(), 'capsules/web/files/A.txt': 'a', 'capsules/web/files/a.txt': 'a' },
    ['V-10 capsule-file-not-regular capsules/web/files/a.txt'],
  ],
  [
    'V-11',
    release({ [WEB]: edit('files/app.json.hbs', '../redis/capsule.yaml') }),
    ['V-11 file-outside-capsule capsules/web/capsule.yaml:23:21'],
  ],
  ['V-12', release({ [WEB]: edit('files/app.json.hbs', 'files/app.jsn.hbs') }), ['V-12 file-missing capsules/web/capsule.yaml:23:21']],
  [
    'V-12: another spelling',
    release({ [WEB]: edit('files/app.json.hbs', './files/app.json.hbs') }),
    ['V-12 file-missing capsules/web/capsule.yaml:23:21'],
  ],
  ['V-13', { [WEB]: edit('version: 1.0.0', 'version: 1.1.0') }, ['V-13 version-file-differs capsules/web/capsule.yaml:9:7']],
  [
    'V-15',
    release({ [WEB]: edit('capsule: redis\n', 'capsule: redis\n      service: llm\n') }),
    ['V-15 dependency-kind capsules/web/capsule.yaml:31:5'],
  ],
  ['V-16: without an end', release({ [WEB]: edit('^7.0.0', '">=7.0.0"') }), ['V-16 range-unbounded capsules/web/capsule.yaml:33:16']],
  ['V-16: of an environment', { [PROD]: edit('^1.0.0', '">=1.0.0"') }, ['V-16 range-unbounded environments/prod/environment.yaml:16:16']],
  ['V-16: no range at all', { [PROD]: edit('^1.0.0', 'newest') }, ['V-16 range-invalid environments/prod/environment.yaml:16:16']],
  [
    'V-17: of a capsule',
    release({ [WEB]: edit('capsule: redis', 'capsule: rediss') }),
    ['V-17 unknown-capsule capsules/web/capsule.yaml:32:16'],
  ],
  [
    'V-17 of an environment, and V-43 downstream',
    { [DEV]: edit('    web:\n', '    wbe:\n') },
    ['V-17 unknown-capsule environments/dev/environment.yaml:20:5', 'V-43 upstream-lacks-capsule environments/prod/environment.yaml:15:5'],
  ],
  ['V-18: an output', release({ [WEB]: edit('output: url', 'output: uri') }), ['V-18 wiring-mismatch capsules/web/capsule.yaml:18:9']],
  [
    'V-18: a protocol, so the output is not there either',
    release({ [WEB]: edit('protocol: redis', 'protocol: http') }),
    ['V-18 wiring-mismatch capsules/web/capsule.yaml:18:9', 'V-18 wiring-mismatch capsules/web/capsule.yaml:35:19'],
  ],
  ['V-19', { ...release(), [REDIS]: redisNeedsWeb('') }, ['V-19 dependency-cycle capsules/redis/capsule.yaml:22:5']],
  ['V-20: of a new release', release({ [WEB]: edit('^7.0.0', '^8.0.0') }), ['V-20 unresolvable capsules/web/capsule.yaml:33:16']],
  [
    'V-20 of an environment, and V-44 downstream',
    { [DEV]: edit('^1.0.0', '^2.0.0') },
    ['V-20 unresolvable environments/dev/environment.yaml:20:5', 'V-44 ranges-apart environments/prod/environment.yaml:16:16'],
  ],
  [
    'V-41, and V-50 because prod is riskier',
    { [DEV]: edit('environments: []', 'environments: [prod]') },
    ['V-41 promotion-cycle environments/dev/environment.yaml:26:22', '~V-50 risk-order environments/dev/environment.yaml:26:22'],
  ],
  [
    'V-41: of an environment with itself',
    { [DEV]: edit('environments: []', 'environments: [dev]') },
    ['V-41 promotion-cycle environments/dev/environment.yaml:26:22'],
  ],
  [
    'V-42',
    { [PROD]: edit('environments: [dev]', 'environments: [staging]') },
    ['V-42 upstream-unknown environments/prod/environment.yaml:19:22'],
  ],
  [
    'V-43, and V-47 because the lock lags',
    {
      [PROD]: edit('  promotion:\n', '    extra:\n      version: ^1.0.0\n  promotion:\n'),
      'capsules/extra/capsule.yaml': library('extra'),
    },
    [
      'V-47 lock-incomplete environments/prod/environment.lock.yaml:5:1',
      'V-43 upstream-lacks-capsule environments/prod/environment.yaml:17:5',
    ],
  ],
  ['V-46: a field', { [LOCK]: edit('- environment', '- redis') }, ['V-46 lock-edited environments/dev/environment.lock.yaml:20:5']],
  [
    'V-46: the form alone',
    { [LOCK]: edit('requestedBy:\n      - environment', 'requestedBy: [environment]') },
    ['V-46 lock-edited environments/dev/environment.lock.yaml:20:1'],
  ],
  ['V-47: no lock', { [LOCK]: undefined }, ['V-47 lock-incomplete environments/dev/environment.lock.yaml']],
  [
    'V-47: an instance is missing',
    { [LOCK]: (text) => text.replace(/ {2}redis:\n(?: {4}.*\n)+/, '') },
    ['V-47 lock-incomplete environments/dev/environment.lock.yaml:5:1'],
  ],
  [
    'V-47: instances too many',
    { [DEV]: edit('version: ^1.0.0', 'enabled: false\n      version: ^1.0.0') },
    [
      'V-47 lock-incomplete environments/dev/environment.lock.yaml:6:3',
      'V-47 lock-incomplete environments/dev/environment.lock.yaml:14:3',
      'V-43 upstream-lacks-capsule environments/prod/environment.yaml:15:5',
    ],
  ],
  [
    'V-48: another tree',
    { [LOCK]: (text) => text.replace(/gitTree: .*/, `gitTree: ${'a'.repeat(40)}`) },
    ['V-48 lock-content-mismatch environments/dev/environment.lock.yaml:10:14'],
  ],
  [
    'V-48: another digest',
    { [LOCK]: (text) => text.replace(/sha256: .*/, `sha256: ${'a'.repeat(64)}`) },
    ['V-48 lock-content-mismatch environments/dev/environment.lock.yaml:11:13'],
  ],
  [
    'V-48: no such release',
    { [LOCK]: edit('version: 7.2.5', 'version: 7.2.6') },
    ['V-48 lock-content-mismatch environments/dev/environment.lock.yaml:8:14'],
  ],
  [
    'V-49',
    { [LOCK]: (text) => text.replace(/commit: .*/, `commit: ${'a'.repeat(40)}`) },
    ['V-49 lock-commit-unreachable environments/dev/environment.lock.yaml:9:13'],
  ],
  [
    'V-51',
    { [DEV]: edit('version: ^1.0.0\n', 'version: ^1.0.0\n      targets:\n        matchLabels:\n          size: large\n') },
    ['V-51 selects-nothing environments/dev/environment.yaml:22:7'],
  ],
  [
    'V-54',
    { [DEV]: edit('driver: directory', 'driver: terraform') },
    [
      'V-54 driver-cannot-deploy environments/dev/environment.yaml:14:15',
      'V-54 driver-cannot-deploy environments/dev/environment.yaml:14:15',
      '~not-supported environments/dev/environment.yaml:14:15',
    ],
  ],
  [
    'V-55: two instances, which the lock does not have yet',
    { [DEV]: edit('    web:\n', '    other:\n      capsule: web\n      version: ^1.0.0\n    web:\n') },
    [
      'V-47 lock-incomplete environments/dev/environment.lock.yaml:5:1',
      'V-46 lock-edited environments/dev/environment.lock.yaml:12:5',
      'V-55 object-owned-twice environments/dev/environment.yaml:23:5',
    ],
  ],
  [
    'V-55: two environments in one place',
    { [PROD]: edits(edit('path: prod/one', 'path: dev/./one/'), edit('shop-prod', 'shop-dev')) },
    ['V-55 object-owned-twice environments/prod/environment.yaml:11:5'],
  ],
  [
    'V-77: a layer of the environment, told once',
    { [DEV]: edit('replicas: 1', 'replicas: 50') },
    ['V-77 config-invalid environments/dev/environment.yaml:23:19'],
  ],
  ['V-77: a layer in a file', { [PROD_CONFIG]: 'greeting: 7\n' }, ['V-77 config-invalid environments/prod/config/web.yaml:1:11']],
  ['V-77: an assertion', { [DEV]: edit('replicas: 1', 'replicas: 12') }, ['V-77 config-assertion-failed capsules/web/capsule.yaml:47:9']],
  [
    'V-77: what a new version would meet where it is not locked yet',
    release({
      [WEB]: edits(edit('greeting: Hello', 'salute: Hello'), edit('config: greeting', 'config: salute')),
      [SCHEMA]: edit('"greeting"', '"salute"'),
      [NOTE]: edit('config.greeting', 'config.salute'),
      'capsules/web/files/app.json.hbs': '{}\n',
    }),
    ['V-22 breaking-without-major capsules/web/capsule.yaml:5:12', 'V-77 config-invalid environments/prod/config/web.yaml:1:11'],
  ],
  [
    'V-78: a null',
    { [DEV]: edit('replicas: 1\n', 'replicas: 1\n        more: null\n') },
    ['~V-78 null-deletes-nothing environments/dev/environment.yaml:24:15'],
  ],
  ['V-78: a repetition', { [PROD_CONFIG]: 'greeting: Hello\n' }, ['~V-78 override-repeats environments/prod/config/web.yaml:1:11']],
  [
    'V-82: unknown keys',
    release({ [SCHEMA]: edit('  "additionalProperties": false,\n', '') }),
    ['V-82 schema-hygiene capsules/web/config.schema.json:1:1'],
  ],
  [
    'V-82: a default',
    release({ [SCHEMA]: edit('"default": 2', '"default": 50') }),
    ['V-82 schema-hygiene capsules/web/config.schema.json:6:78'],
  ],
  ['V-82: a schema that is not JSON', release({ [SCHEMA]: '{' }), ['V-82 schema-not-json capsules/web/config.schema.json:1:2']],
  [
    'V-87: no kind',
    release({ [NOTE]: edit('kind: ConfigMap\n', '') }),
    ['V-87 rendered-object-invalid capsules/web/templates/note.yaml.hbs'],
  ],
  [
    'V-87: a kind that is a message',
    release({ [NOTE]: edit('kind: ConfigMap', 'kind: Event') }),
    ['V-87 rendered-object-invalid capsules/web/templates/note.yaml.hbs'],
  ],
  [
    'V-88: three braces',
    release({ [NOTE]: edit('{{config.greeting}}', '{{{config.greeting}}}') }),
    ['V-88 template-invalid capsules/web/templates/note.yaml.hbs:6:13'],
  ],
  [
    'V-88: a name nobody knows',
    release({ [NOTE]: edit('{{config.greeting}}', '{{now}}') }),
    ['V-88 template-invalid capsules/web/templates/note.yaml.hbs:6:15'],
  ],
  [
    'V-90: a test that does not come out',
    { 'policies/p.yaml': POLICY.replace('expect: deny }', 'expect: allow }') },
    ['V-90 policy-invalid policies/p.yaml:11:3', 'V-90 policy-invalid policies/p.yaml:13:7'],
  ],
  [
    'V-90: a type that cannot be',
    { 'policies/p.yaml': POLICY.replace("object.kind != 'Secret'", "size(object.kind) != 'Secret'") },
    ['V-90 policy-invalid policies/p.yaml:8:19'],
  ],
  [
    'V-90: a name that nobody knows',
    { 'policies/p.yaml': POLICY.replace('object.kind', 'objekt.kind') },
    ['V-90 policy-invalid policies/p.yaml:8:19'],
  ],
  [
    'V-90: an input that its place has no value for',
    { 'policies/p.yaml': POLICY.replace('[render]', '[promotion]') },
    ['V-90 policy-invalid policies/p.yaml:6:7'],
  ],
  [
    'a policy that a cluster cannot judge, exported',
    {
      'policies/p.yaml': POLICY.replace('enforcement: deny', 'export: [vap]\n  match:\n    capsules:\n      matchLabels:\n        a: b'),
    },
    ['policy-not-exportable policies/p.yaml:12:5'],
  ],
  [
    'an exception that is over',
    { 'policies/p.yaml': POLICY.replace('enforcement: deny', 'exceptions:\n    - match: { capsule: web }\n      until: 2020-01-01') },
    ['~policy-exception-lapsed policies/p.yaml:12:14'],
  ],
  [
    'a policy that does not hold',
    { 'policies/p.yaml': POLICY.replaceAll('Secret', 'Service') },
    Array.from({ length: 6 }, () => 'policy-denied policies/p.yaml:8:7'),
  ],
  [
    'V-97: a policy',
    { [DEV]: (text) => `${text}  policies:\n    - ref: nobody\n` },
    ['V-97 reference-undeclared environments/dev/environment.yaml:32:12'],
  ],
  [
    'V-97: a team',
    { [PROD]: (text) => `${text}  approvals:\n    - required: 1\n      teams: [sro]\n` },
    ['V-97 reference-undeclared environments/prod/environment.yaml:26:15'],
  ],
  [
    'V-98',
    release({ [WEB]: edit('  type: service\n', '  type: service\n  engine: ">=9.0.0"\n') }),
    ['V-98 engine-version capsules/web/capsule.yaml:8:11'],
  ],
  ['a file in the wrong folder', { 'environments/test.yaml': 'a: b\n' }, ['~not-read environments/test.yaml']],
  ['a capsule of another spelling', { 'capsules/extra/capsule.yml': library('extra') }, ['~not-read capsules/extra']],
  [
    'a trust key nobody can use',
    { 'environments/project.yaml': (text) => text.replace(/sshKey: .*/, 'sshKey: ssh-ed25519 AAAA') },
    ['unusable-trust-key environments/project.yaml:13:15'],
  ],
];
