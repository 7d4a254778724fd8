import { expect, test } from 'vitest';

import { differenceMarkdown, MARKDOWN_LIMIT } from '#cli/diff-markdown.ts';
import { differenceText } from '#cli/diff-text.ts';
import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { differenceOf, type EnvironmentDifference } from '#model/rendered-diff.ts';
import { entry, lockOf, rendering, workload } from '#test/model/renderings.ts';

function changed(
  name: string,
  before: Readonly<Record<string, readonly KubernetesObject[]>>,
  after: Readonly<Record<string, readonly KubernetesObject[]>>,
): EnvironmentDifference {
  const found = differenceOf(
    name,
    { rendering: rendering(name, before), lock: lockOf({ web: entry('1.0.0') }) },
    { rendering: rendering(name, after, { web: '1.1.0' }), lock: lockOf({ web: entry('1.1.0') }) },
  );
  if (found === undefined) throw new Error('nothing differs');
  return found;
}

const CONFIG = { kind: 'ConfigMap', data: { 'app.conf': 'a = 1\nb = 2\nc = 3\n' } };
const SMALL = changed(
  'prod',
  { eu: [workload('web'), workload('conf', CONFIG), workload('old')], us: [workload('web')], zone: [workload('web')] },
  {
    eu: [workload('web', { image: 'r/web:2' }), workload('conf', { ...CONFIG, data: { 'app.conf': 'a = 1\nb = 3\nc = 3\n' } })],
    us: [workload('web', { replicas: 0 })],
    zone: [workload('web', { replicas: 0 })],
  },
);

test('a small difference is told whole', () => {
  const told = differenceMarkdown([SMALL], { limit: MARKDOWN_LIMIT, whole: undefined }).replaceAll(/`[0-9a-f]{12}`/g, '`digest`');

  expect(told).toBe(`| environment | created | updated | deleted | noise | danger | rendering |
|---|---:|---:|---:|---:|---|---|
| prod | 0 | 3 | 1 | 1 | **delete 1, replicas-to-zero 2** | \`digest\` → \`digest\` |

### prod

0 created, 3 updated, 1 deleted, 1 with nothing but versions and digests.

\`\`\`diff
old 1.0.0 leaves
web 1.0.0 -> 1.1.0
image: r/web:1 -> r/web:2 (1 container)
\`\`\`

\`\`\`diff
! delete: eu: apps/Deployment/acme/old
! replicas-to-zero: us: apps/Deployment/acme/web; zone: apps/Deployment/acme/web
\`\`\`

<details><summary>eu: 3 objects</summary>

\`\`\`diff
- apps/Deployment/acme/old  [delete]
! apps/Deployment/acme/web  (only versions and digests)
! core/ConfigMap/acme/conf
  data[app.conf]:
  @@ -1,3 +1,3 @@
   a = 1
  -b = 2
  +b = 3
   c = 3
\`\`\`

</details>

<details><summary>us, zone: 1 object</summary>

\`\`\`diff
! apps/Deployment/acme/web  [replicas-to-zero]
- spec.replicas: 2
+ spec.replicas: 0
\`\`\`

</details>
`);
});

test('the text for a terminal says the same', () => {
  expect(differenceText([SMALL]).replace(/[0-9a-f]{12} -> [0-9a-f]{12}/, 'digest -> digest'))
    .toBe(`prod: digest -> digest, 0 created, 3 updated, 1 deleted, 1 with nothing but versions and digests
  old 1.0.0 leaves
  web 1.0.0 -> 1.1.0
  image: r/web:1 -> r/web:2 (1 container)
  eu
    - apps/Deployment/acme/old  [delete]
    ~ apps/Deployment/acme/web  (only versions and digests)
    ~ core/ConfigMap/acme/conf
          data[app.conf]:
          @@ -1,3 +1,3 @@
           a = 1
          -b = 2
          +b = 3
           c = 3
  us, zone
    ~ apps/Deployment/acme/web  [replicas-to-zero]
        - spec.replicas: 2
        + spec.replicas: 0
`);
});

/** Many environments of many targets of many objects, each of its own. */
function large(environments: number, targets: number, objects: number): readonly EnvironmentDifference[] {
  return Array.from({ length: environments }, (_, at) => {
    const of = (text: string) =>
      Object.fromEntries(
        Array.from({ length: targets }, (_t, target) => [
          `target-${target}`,
          Array.from({ length: objects }, (_o, object) =>
            workload(`object-${object}`, { kind: 'ConfigMap', data: { key: `${text} ${target} ${'x'.repeat(40)}` } }),
          ),
        ]),
      );
    return changed(`env-${at}`, { ...of('before'), gone: [workload('gone')] }, of('after'));
  });
}

test.each([
  [1, 1, 1],
  [1, 3, 300],
  [4, 20, 10],
  [60, 3, 6],
  [700, 1, 1],
])(
  'Markdown of %i environments, %i targets, %i objects fits into a comment and says what is left out',
  (environments, targets, objects) => {
    const differences = large(environments, targets, objects);

    const told = differenceMarkdown(differences, { limit: MARKDOWN_LIMIT, whole: 'all.md' });
    const whole = differenceMarkdown(differences, { limit: Infinity, whole: undefined });

    expect(told.length).toBeLessThanOrEqual(MARKDOWN_LIMIT);
    expect(told.includes('all of it is in `all.md`')).toBe(told !== whole);
    expect(told).toMatch(/\| env-0 \| 0 \| \d+ \| 1 \| 0 \| \*\*delete 1\*\* \|/);
    expect(told.split('```').length % 2).toBe(1);
  },
);

test('what a declaration holds cannot close the fence it stands in', () => {
  const hostile = changed(
    'prod',
    { eu: [workload('web')] },
    { eu: [workload('web', { args: ['```\n# Approved by everyone\n@team </details>'] })] },
  );

  const told = differenceMarkdown([hostile], { limit: MARKDOWN_LIMIT, whole: undefined });

  const fence = /(`{4,})diff\n(?:.*\n)*?\1\n/.exec(told)?.[0];
  expect(fence).toContain('Approved by everyone');
  expect(told.replace(fence ?? '', '')).not.toContain('Approved');
});

test('no difference is one sentence', () => {
  expect(differenceMarkdown([], { limit: MARKDOWN_LIMIT, whole: undefined })).toBe('Nothing rendered changes.\n');
});
