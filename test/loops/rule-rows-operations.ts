import { edit } from './garden.ts';
import { DEV, NOTE, PROD, release, type Row, WEB } from './rule-changes.ts';

const PROJECT = 'environments/project.yaml';
const OWNERS = '.github/CODEOWNERS';

const pod = (image: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: note\nspec:\n  containers:\n    - name: note\n      image: ${image}\n`;
const DIGEST = `sha256:${'0a1b2c3d'.repeat(8)}`;

/** Web has two pods and one more while it changes, redis one. */
const quota = (pods: number) => (text: string) => `${text}  quota:\n    pods: ${pods}\n`;

/** Each of two targets of dev has one pod of web with its surge and one of redis. */
const tenant = (pods: number) => ({
  [PROJECT]: edit('  teams:\n', `  tenants:\n    green:\n      quota:\n        pods: ${pods}\n  teams:\n`),
  [DEV]: edit('    mode: shared\n', '    mode: shared\n    tenant: green\n'),
  [PROD]: edit('    mode: shared\n', '    mode: shared\n    tenant: green\n'),
});

export const OPERATION_VIOLATIONS: readonly Row[] = [
  [
    'V-14: a changelog that does not know the version',
    release({ 'capsules/web/CHANGELOG.md': '# Changes\n\n## 1.0.0\n' }),
    ['~V-14 changelog-lacks-version capsules/web/CHANGELOG.md'],
  ],
  [
    'V-31: a tag where the risk is medium',
    release({ [WEB]: (text) => text.replace(/web@sha256:[0-9a-f]+/, 'web:1.1.0') }),
    ['V-31 image-not-pinned capsules/web/capsule.yaml:14:14'],
  ],
  [
    'V-31: a tag in a template',
    release({ [NOTE]: pod('registry.example.com/note:latest') }),
    ['V-31 image-not-pinned capsules/web/capsule.yaml'],
  ],
  ['V-39: more pods than an environment may have', { [PROD]: quota(3) }, ['V-39 quota-exceeded environments/prod/environment.yaml:25:11']],
  ['V-39: more pods than a tenant may have', tenant(9), ['V-39 quota-exceeded environments/project.yaml:11:15']],
  [
    'V-50 and V-86: a risky environment without a soak, which nobody owns',
    { [PROD]: edit('risk: medium', 'risk: high') },
    ['~V-86 code-owners-missing ', '~V-50 risk-order environments/prod/environment.yaml:17:3'],
  ],
  [
    'V-91: windows that do not open any more',
    { [PROD]: (text) => `${text}  windows:\n    - { name: launch, kind: allow, start: "2025-12-01", duration: 7h }\n` },
    ['~not-supported environments/prod/environment.yaml:24:3', 'V-91 window-never-opens environments/prod/environment.yaml:24:3'],
  ],
];

export const OPERATION_NEAR_MISSES: readonly Row[] = [
  ['V-14: a changelog that knows it', release({ 'capsules/web/CHANGELOG.md': '# Changes\n\n## [1.1.0] - 2026-01-05\n\n## 1.0.0\n' }), []],
  ['V-31: a digest in a template', release({ [NOTE]: pod(`registry.example.com/note@${DIGEST}`) }), []],
  ['V-39: as many pods as an environment may have', { [PROD]: quota(4) }, []],
  ['V-39: as many pods as a tenant may have', tenant(10), []],
  ['V-48 and V-49: a lock whose release lies behind other commits', [{ 'README.md': 'one\n' }, { 'README.md': 'two\n' }], []],
  [
    'V-50 and V-86: a risky environment with a soak and an owner',
    {
      [PROD]: (text) => text.replace('risk: medium', 'risk: high').replace('merge: auto', 'merge: auto\n    soak: 1h'),
      [OWNERS]: '* @garden/sre\n',
    },
    [],
  ],
  ['V-89: a rendering that is the same twice', release(), []],
];
