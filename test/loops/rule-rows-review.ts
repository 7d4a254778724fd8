import { edit, edits } from './garden.ts';
import { DEV, library, PROD_CONFIG, release, WEB, type Row } from './rule-changes.ts';

const file = (name: string): string => `capsules/${name}/capsule.yaml`;
const askFor = (name: string): ((before: string) => string) => edit('    web:\n', `    ${name}:\n      version: ^1.0.0\n    web:\n`);
const bundle = (when: string): string =>
  library('a', `  instances:\n    x:\n      capsule: b\n      version: ^1.0.0\n      when: ${when}\n`) +
  '  config:\n    schema:\n      type: object\n      additionalProperties: false\n      properties:\n        both:\n          type: boolean\n          default: false\n';
const pinning = (url: string, path: string): Row[1] => ({
  [file('a')]: library(
    'a',
    `  imports:\n    b:\n      url: ${url}\n      commit: ${'a'.repeat(40)}\n      path: ${path}\n  dependencies:\n    b:\n      capsule: b\n      version: ^1.0.0\n`,
  ),
  [DEV]: askFor('a'),
});
const ticking = (cron: string, zone: string): Row[1] => ({
  [file('a')]: library(
    'a',
    `  components:\n    job:\n      kind: CronJob\n      image: registry.example.com/a@sha256:${'a'.repeat(64)}\n      schedule:\n        cron: "${cron}"\n        timeZone: ${zone}\n`,
  ),
});
const choosing = (when: string): Row[1] => ({ [file('a')]: bundle(when), [file('b')]: library('b') });
const CONDITION = 'expression-failed capsules/a/capsule.yaml:12:13';
const storing = (recipe: string): Row[1] => ({
  [file('a')]: library('a', '  dependencies:\n    cache:\n      type: cache\n      version: ^1.0.0\n'),
  [file('b')]: library('b'),
  [DEV]: edits(askFor('a'), edit('spec:\n', `spec:\n  recipes:\n    cache:\n      capsule: ${recipe}\n`)),
});

/** One problem for one mistake, at the mistake. */
export const REVIEW_VIOLATIONS: readonly Row[] = [
  ['a condition that does not parse', choosing('config.both =='), [CONDITION]],
  ['a condition on a field that the schema does not have', choosing('config.bth'), [CONDITION]],
  ['a condition on what conditions do not see', choosing('dependencies.x'), [CONDITION]],
  ['a condition that gives a text', choosing('environment.name'), [CONDITION]],
  ['V-17: a recipe that names nothing is told once', storing('bb'), ['V-17 unknown-capsule environments/dev/environment.yaml:8:16']],
  [
    'V-17: a child that cannot be read is not missing',
    {
      [file('a')]: library('a', '  instances:\n    x:\n      capsule: b\n      version: ^1.0.0\n'),
      [file('b')]: library('b', '  components:\n    web: {}\n'),
      [DEV]: askFor('a'),
    },
    ['missing-field capsules/b/capsule.yaml:9:10'],
  ],
  [
    'V-80: a key in a configuration is told where it stands, and not where it is rendered',
    { [PROD_CONFIG]: `greeting: ${'AKIA'}IOSFODNN7EXAMPLA\n` },
    ['V-80 secret-in-file environments/prod/config/web.yaml:1:11'],
  ],
  ['a cron of four fields', ticking('0 3 * *', 'UTC'), ['schedule-invalid capsules/a/capsule.yaml:13:15']],
  ['a Sunday that Kubernetes does not know', ticking('0 3 * * 7', 'UTC'), ['schedule-invalid capsules/a/capsule.yaml:13:15']],
  ['a time zone that is none', ticking('0 3 * * *', 'Europe/Madrit'), ['schedule-invalid capsules/a/capsule.yaml:14:19']],
  [
    'V-17: an import whose address holds a password is refused, and not called absent',
    pinning('https://eve:word@git.example/b.git', 'capsules/b'),
    ['V-17 import-address capsules/a/capsule.yaml:10:12'],
  ],
  [
    'V-17: an import from beside the repository',
    pinning('https://git.example/b.git', '../b'),
    ['V-17 import-address capsules/a/capsule.yaml:12:13'],
  ],
  [
    'a patch that finds nothing, in as many environments as there are, is told once',
    release({
      [WEB]: (text) =>
        `${text}  patches:\n    - target:\n        kind: Deployment\n      ops:\n        - op: replace\n          path: /spec/nope\n          value: 1\n`,
    }),
    ['patch-failed capsules/web/capsule.yaml:53:11'],
  ],
];

export const REVIEW_NEAR_MISSES: readonly Row[] = [
  ['a condition on a field of the schema', choosing('config.both'), []],
  ['a condition on the environment', choosing(`environment.name == 'config.nothing' && !has(config.both)`), []],
  ['a cron with names, lists and steps', ticking('*/5,7 0-23/2 1,15 JAN-dec sun-FRI', 'Europe/Madrid'), []],
  ['a cron by name', ticking('@daily', 'UTC'), []],
  ['a condition on what all share', choosing('has(config.global.region)'), []],
];
