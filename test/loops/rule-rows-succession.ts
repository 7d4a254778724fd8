import { edit, edits, type Change } from './garden.ts';
import { DEV, library, PROD, REDIS, release, WEB, type Row } from './rule-changes.ts';

const OLD = 'capsules/old/capsule.yaml';
const askForOld = edit('  capsules:\n', '  capsules:\n    old:\n      version: ^1.0.0\n');

/** Redis 7.3.0, which ends. */
function ending(spec: string): Change {
  return { [REDIS]: edits(edit('7.2.5', '7.3.0'), edit('  type: service\n', `  type: service\n  ${spec}`)) };
}

function retiredAs(version: string): (before: string) => string {
  return edits(edit('7.2.5', version), edit('  type: service\n', '  type: service\n  lifecycle: retired\n'));
}

const IMPORT = (url: string, name: string): string =>
  `  imports:\n    ${name}:\n      url: ${url}\n      commit: ${'a'.repeat(40)}\n      path: capsules/${name}\n`;

function importing(url: string, name: string): (before: string) => string {
  return edit('  dependencies:\n', `${IMPORT(url, name)}  dependencies:\n`);
}

const withRecipe = edit('  capsules:\n', '  recipes:\n    cache:\n      capsule: redis\n      version: ^7.0.0\n  capsules:\n');

/** What goes with what and what follows what: conflicts, upgrades, retirement, imports. */
export const SUCCESSION_VIOLATIONS: readonly Row[] = [
  [
    'V-21: a capsule beside one that it excludes',
    { [OLD]: library('old', '  conflicts:\n    - capsule: redis\n      version: ^7.0.0\n'), [DEV]: askForOld },
    ['V-21 capsule-conflict environments/dev/environment.yaml:22:5'],
  ],
  [
    'V-24: a retired version in the range of who needs it',
    ending('lifecycle: retired\n'),
    ['V-24 retired-in-use capsules/web/capsule.yaml:31:5'],
  ],
  [
    'V-24: a version after its sunset',
    ending('lifecycle: deprecated\n  deprecation:\n    sunset: 2026-01-04\n'),
    ['V-24 sunset-passed capsules/web/capsule.yaml:31:5'],
  ],
  [
    'V-24: a deprecated version is a warning',
    ending('lifecycle: deprecated\n  deprecation:\n    replacedBy: web\n    sunset: 2027-03-31\n'),
    ['~V-24 deprecated-in-use capsules/web/capsule.yaml:31:5'],
  ],
  [
    'V-24: a deprecated capsule that does not say what follows',
    ending('lifecycle: deprecated\n'),
    ['V-24 deprecation-missing capsules/redis/capsule.yaml:8:14', '~V-24 deprecated-in-use capsules/web/capsule.yaml:31:5'],
  ],
  [
    'V-24: a retired capsule that an environment asks for',
    { [OLD]: library('old', '  lifecycle: retired\n'), [DEV]: askForOld },
    ['V-24 retired-in-use environments/dev/environment.yaml:20:5', 'V-20 unresolvable environments/dev/environment.yaml:20:5'],
  ],
  [
    'V-17: an import by http',
    release({ [WEB]: importing('http://git.example/redis.git', 'valkey') }),
    ['V-17 import-address capsules/web/capsule.yaml:32:12'],
  ],
  [
    'V-04: an import named like a capsule of this repository',
    release({ [WEB]: importing('https://git.example/redis.git', 'redis') }),
    ['V-04 declared-twice capsules/web/capsule.yaml:31:5'],
  ],
  [
    'V-04: two imports of one name from two repositories',
    {
      ...release({ [WEB]: importing('https://git.example/a.git', 'valkey') }),
      [OLD]: library('old', IMPORT('https://git.example/b.git', 'valkey')),
    },
    ['V-04 declared-twice capsules/web/capsule.yaml:31:5'],
  ],
  [
    'V-97: a replacement that nobody declares',
    ending('deprecation:\n    replacedBy: valkey\n'),
    ['V-97 reference-undeclared capsules/redis/capsule.yaml:9:17'],
  ],
  [
    'V-17: a type without a recipe',
    release({ [WEB]: edit('      capsule: redis\n', '      type: cache\n') }),
    ['V-17 missing-recipe environments/dev/environment.yaml:5:1', 'V-17 missing-recipe environments/prod/environment.yaml:5:1'],
  ],
];

export const SUCCESSION_NEAR_MISSES: readonly Row[] = [
  [
    'V-21: a capsule beside another version of what it excludes',
    { [OLD]: library('old', '  conflicts:\n    - capsule: redis\n      version: <7.0.0\n'), [DEV]: askForOld },
    ['V-47 lock-incomplete environments/dev/environment.lock.yaml:5:1'],
  ],
  ['V-24: a version on the last day before its sunset', ending('deprecation:\n    sunset: 2026-01-05\n'), []],
  ['V-24: a retired version beyond every range', { [REDIS]: retiredAs('8.0.0') }, []],
  ['V-17: an import that nobody needs yet', release({ [WEB]: importing('https://git.example/redis.git', 'valkey') }), []],
  [
    'V-04: two imports of one repository',
    {
      ...release({ [WEB]: importing('https://git.example/a.git', 'valkey') }),
      [OLD]: library('old', IMPORT('https://git.example/a.git', 'valkey')),
    },
    [],
  ],
  [
    'V-17: a type with a recipe',
    [{ ...release({ [WEB]: edit('      capsule: redis\n', '      type: cache\n') }), [DEV]: withRecipe, [PROD]: withRecipe }],
    [],
  ],
];
