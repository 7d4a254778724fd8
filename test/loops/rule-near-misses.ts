import { edit } from './garden.ts';
import { DEV, LOCK, NOTE, PACKAGE, POLICY, PROD, REDIS, SCHEMA, WEB, library, redisNeedsWeb, release, type Row } from './rule-changes.ts';

/** What is just within each rule. */
export const NEAR_MISSES: readonly Row[] = [
  ['V-01: a byte order mark, a marker and CRLF', { [DEV]: (text) => `\uFEFF---\n${text}`.replaceAll('\n', '\r\n') }, []],
  ['V-03 and V-04: another name', { 'capsules/extra/capsule.yaml': library('extra') }, []],
  ['V-04: another target', { 'environments/dev/targets/three.yaml': 'driver: directory\npath: dev/three\n' }, []],
  ['V-05: a prerelease', { [WEB]: edit('version: 1.0.0', 'version: 1.1.0-rc.1'), [PACKAGE]: '{ "version": "1.1.0-rc.1" }' }, []],
  ['V-06, V-07 and V-08: a higher version', release({ [WEB]: edit('Hello', 'Hi') }), []],
  [
    'V-07 and V-09: what was taken back',
    [{ [WEB]: edit('Hello', 'Hi') }, { [WEB]: edit('Hi', 'Hello') }],
    ['~V-09 release-rewritten capsules/web/capsule.yaml:5:12'],
  ],
  ['V-10: two names', { ...release(), 'capsules/web/files/A.txt': 'a', 'capsules/web/files/b.txt': 'a' }, []],
  [
    'V-11 and V-12: another file of the capsule',
    { ...release({ [WEB]: edit('template: files/app.json.hbs', 'file: files/app.json') }), 'capsules/web/files/app.json': '{}' },
    [],
  ],
  ['V-13: both changed', release(), []],
  [
    'V-15 and V-17: a service',
    release({ [WEB]: edit('  provides:', '    model:\n      service: llm\n      optional: true\n      external: true\n  provides:') }),
    [],
  ],
  ['V-16: without an end where the risk is low', { [DEV]: edit('^1.0.0', '">=1.0.0"') }, []],
  ['V-18: an output by the name of its provide', release({ [WEB]: edit('      requires:\n        protocol: redis\n', '') }), []],
  [
    'V-19: through an optional dependency',
    { ...release(), [REDIS]: redisNeedsWeb('      optional: true\n') },
    ['~V-19 dependency-cycle capsules/redis/capsule.yaml:22:5'],
  ],
  ['V-20 and V-44: one exact version', { [DEV]: edit('^1.0.0', '1.0.0') }, []],
  ['V-41, V-42 and V-43: one more environment behind another', { 'environments/edge/config/x.txt': 'no declaration' }, []],
  ['V-46: a comment of a person', { [LOCK]: (text) => `# mine\n${text}` }, []],
  ['V-46 and V-47: a release that is not locked yet', release(), []],
  [
    'V-51: labels of one target',
    { [DEV]: edit('version: ^1.0.0\n', 'version: ^1.0.0\n      targets:\n        matchLabels:\n          size: small\n') },
    [],
  ],
  ['V-55: one place, two namespaces', { [PROD]: edit('path: prod/one', 'path: dev/one') }, []],
  ['V-77: the most that is allowed', { [DEV]: edit('replicas: 1', 'replicas: 9') }, []],
  ['V-78: what the schema alone says', { [DEV]: edit('replicas: 1', 'replicas: 2') }, []],
  ['V-82: a default at its limit', release({ [SCHEMA]: edit('"default": 2', '"default": 9') }), []],
  ['V-87: another kind of one group', release({ [NOTE]: edit('name: note', 'name: notes') }), []],
  ['V-88: a helper', release({ [NOTE]: edit('{{config.greeting}}', '{{upper config.greeting}}') }), []],
  ['V-90: a policy that holds', { 'policies/p.yaml': POLICY }, []],
  [
    'V-90: a variable before it is used',
    {
      'policies/p.yaml': POLICY.replace(
        '  validations:\n    - expression: object.kind',
        '  variables:\n    - { name: kind, expression: object.kind }\n  validations:\n    - expression: variables.kind',
      ),
    },
    [],
  ],
  [
    'a policy that does not hold where it is not in force',
    {
      'policies/p.yaml': POLICY.replaceAll('Secret', 'Service').replace(
        'enforcement: deny',
        'match:\n    environments:\n      matchLabels:\n        stage: x',
      ),
    },
    [],
  ],
  [
    'a policy that an exception lets through',
    {
      'policies/p.yaml': POLICY.replaceAll('Secret', 'Service').replace(
        'enforcement: deny',
        'exceptions:\n    - match: { environment: dev }\n      until: 2999-01-01\n    - match: { environment: prod }\n      until: 2999-01-01',
      ),
    },
    Array.from({ length: 6 }, () => '~policy-excepted policies/p.yaml:8:7'),
  ],
  ['V-97: a team that is declared', { [PROD]: (text) => `${text}  approvals:\n    - required: 1\n      teams: [sre]\n` }, []],
  ['V-98: this very engine', release({ [WEB]: edit('  type: service\n', '  type: service\n  engine: ">=0.1.0 <0.2.0"\n') }), []],
];
