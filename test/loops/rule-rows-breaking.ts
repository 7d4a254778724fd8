import { edit, edits } from './garden.ts';
import { PACKAGE, release, type Row, SCHEMA, WEB } from './rule-changes.ts';

const NO_GREETING = {
  [SCHEMA]: edit('    "greeting": { "type": "string" },\n', ''),
  [WEB]: edits(edit('        GREETING:\n          config: greeting\n', ''), edit('    defaults:\n      greeting: Hello\n', '')),
  'environments/prod/config/web.yaml': 'replicas: 3\n',
  'capsules/web/files/app.json.hbs': '{}\n',
  'capsules/web/templates/note.yaml.hbs': undefined,
};

/** web as this version, whatever it was before. */
function as(from: string, to: string): Readonly<Record<string, string | ((before: string) => string)>> {
  return { [WEB]: edit(`version: ${from}`, `version: ${to}`), [PACKAGE]: `{ "version": "${to}" }\n` };
}

/** Each with what validate says of it: every problem, with its place. */
export const BREAKING_VIOLATIONS: readonly Row[] = [
  ['V-22: a key that a minor version removes', release(NO_GREETING), ['V-22 breaking-without-major capsules/web/capsule.yaml:5:12']],
  [
    'V-22: a key that is gone after a prerelease without it',
    [
      {
        ...release(NO_GREETING),
        [PACKAGE]: '{ "version": "1.1.0-rc.1" }\n',
        [WEB]: edits(NO_GREETING[WEB], edit('version: 1.0.0', 'version: 1.1.0-rc.1')),
      },
      as('1.1.0-rc.1', '1.1.0'),
    ],
    ['V-22 breaking-without-major capsules/web/capsule.yaml:5:12'],
  ],
];

/** What is just within each rule. */
export const BREAKING_NEAR_MISSES: readonly Row[] = [
  [
    'V-22: a key that a major version removes',
    {
      ...release(NO_GREETING),
      [PACKAGE]: '{ "version": "2.0.0" }\n',
      [WEB]: edits(NO_GREETING[WEB], edit('version: 1.0.0', 'version: 2.0.0')),
    },
    [],
  ],
  ['V-22: what an earlier commit released is not told again', [release(NO_GREETING), { 'environments/dev/note.txt': 'x' }], []],
];
