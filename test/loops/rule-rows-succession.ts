import { edit } from './garden.ts';
import { DEV, library, type Row } from './rule-changes.ts';

const OLD = 'capsules/old/capsule.yaml';
const askForOld = edit('  capsules:\n', '  capsules:\n    old:\n      version: ^1.0.0\n');

/** What goes with what and what follows what: conflicts, upgrades, retirement, imports. */
export const SUCCESSION_VIOLATIONS: readonly Row[] = [
  [
    'V-21: a capsule beside one that it excludes',
    { [OLD]: library('old', '  conflicts:\n    - capsule: redis\n      version: ^7.0.0\n'), [DEV]: askForOld },
    ['V-21 capsule-conflict environments/dev/environment.yaml:22:5'],
  ],
];

export const SUCCESSION_NEAR_MISSES: readonly Row[] = [
  [
    'V-21: a capsule beside another version of what it excludes',
    { [OLD]: library('old', '  conflicts:\n    - capsule: redis\n      version: <7.0.0\n'), [DEV]: askForOld },
    ['V-47 lock-incomplete environments/dev/environment.lock.yaml:5:1'],
  ],
];
