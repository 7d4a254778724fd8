import { expect, test } from 'vitest';

import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { toCapsuleName, toInstanceName } from '#model/names.ts';
import type { PromotionEffect } from '#model/promotion.ts';
import { differenceOf } from '#model/rendered-diff.ts';
import type { Move } from '#model/resolution.ts';
import { compareSchemas, draftPromotion, readChangelog } from '#promotion/promotion.ts';
import { rendering, workload } from '#test/model/renderings.ts';
import { CHANGE, FROM, gates, GREETER } from '#test/promotion/questions.ts';
import { environment } from '#test/resolve/worlds.ts';

type Facts = Parameters<typeof draftPromotion>[0];

function bodyOf(effect: Partial<PromotionEffect>, more: Partial<Facts> = {}): string {
  return draftPromotion({
    environment: environment('prod', GREETER),
    from: undefined,
    changeSet: CHANGE,
    risk: 'high',
    gates: [],
    lock: { path: 'environments/prod/environment.lock.yaml', before: '', after: '' },
    labels: [],
    notes: [],
    effect: { rendered: { kind: 'rendered', difference: undefined }, changelogs: [], schemas: [], ...effect },
    ...more,
  }).body;
}

function changed(
  before: Parameters<typeof rendering>[1],
  after: Parameters<typeof rendering>[1],
): Extract<PromotionEffect['rendered'], { kind: 'rendered' }> {
  return {
    kind: 'rendered',
    difference: differenceOf(
      'prod',
      { rendering: rendering('prod', before), lock: undefined },
      { rendering: rendering('prod', after, { web: '1.1.0' }), lock: undefined },
    ),
  };
}

const text = (value: string): Uint8Array => Buffer.from(value);

test('a body counts objects by target and names dangers, images, configuration and changelogs', () => {
  const body = bodyOf({
    rendered: changed(
      { eu: [workload('web'), workload('old')], us: [workload('web')] },
      { eu: [workload('web', { image: 'r/web:2' })], us: [workload('web', { replicas: 0 }), workload('fresh')] },
    ),
    schemas: [
      {
        instance: 'greeter',
        keys: compareSchemas(
          { type: 'object', properties: { old: { type: 'string' }, size: { type: 'integer', default: 1 } } },
          {
            type: 'object',
            required: ['token'],
            properties: { size: { type: 'integer', default: 2 }, token: { type: 'string', default: 'hunter2', 'x-sensitive': true } },
          },
        ),
      },
    ],
    changelogs: [
      { instance: 'greeter', capsule: 'greeter', ...readChangelog(text('## 1.4.2\n\n- better\n\n## 1.4.1\n\n- good\n'), '1.4.1', '1.4.2') },
    ],
  });

  expect(body.replaceAll(/`[0-9a-f]{12}`/g, '`digest`')).toMatchInlineSnapshot(`
    "Moves one capsule in \`prod\`, released. Risk: **high**.

    | instance | capsule | from | to | content |
    |---|---|---|---|---|
    | greeter | greeter | 1.4.1 | 1.4.2 | \`digest\` |

    No gates.

    Objects: 1 created, 1 updated, 1 deleted, 1 with nothing but versions and digests. Rendering: \`digest\` → \`digest\`.

    | target | created | updated | deleted | noise | danger |
    |---|---:|---:|---:|---:|---|
    | eu | 0 | 0 | 1 | 1 | **delete 1** |
    | us | 1 | 1 | 0 | 0 | **replicas-to-zero 1** |

    \`\`\`diff
    ! delete: eu: apps/Deployment/acme/old
    ! replicas-to-zero: us: apps/Deployment/acme/web
    \`\`\`

    <details><summary>Images: 1 moved</summary>

    \`\`\`
    r/web:1 -> r/web:2 (1 container)
    \`\`\`

    </details>

    <details><summary>Objects by target</summary>

    \`\`\`diff
    # eu
    - apps/Deployment/acme/old  [delete]
    ! apps/Deployment/acme/web  (only versions and digests)
    # us
    + apps/Deployment/acme/fresh
    ! apps/Deployment/acme/web  [replicas-to-zero]
    - spec.replicas: 2
    + spec.replicas: 0
    \`\`\`

    </details>

    <details><summary>Configuration: 3 keys accepted otherwise</summary>

    \`\`\`diff
    # greeter
    - old: type "string"
    ! size: default 1 -> 2
    + token: default "[sensitive]", required true, type "string", x-sensitive true
    \`\`\`

    </details>

    <details><summary>Changelog of greeter</summary>

    \`\`\`
    ## 1.4.2
    - better
    \`\`\`

    </details>

    Going back means greeter 1.4.1.

    <!-- capstan {"changeSet":"cs-35abd357876817cd","environment":"prod","formatVersion":1,"from":null,"moves":[{"capsule":"greeter","from":{"sha256":"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","version":"1.4.1"},"instance":"greeter","to":{"sha256":"3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d","version":"1.4.2"}}],"risk":"high"} -->"
  `);
});

test('what cannot be rendered is told in a sentence, and nothing else of the body changes', () => {
  const unknown = (side: 'now' | 'proposed'): string =>
    bodyOf({ rendered: { kind: 'unknown', side, reasons: ['<b> | @all'] }, schemas: undefined });

  expect(unknown('proposed').replace('This change', 'It')).toBe(unknown('now').replace('What is declared in `prod` now', 'It'));
  expect(unknown('proposed')).toContain('could not be rendered, so its effect on objects is not known:\n- &lt;b&gt; \\| @\u2060all');
  expect(bodyOf({})).toContain('\n\nNothing rendered changes.\n\n');
});

const HOSTILE = '```\n</details>\n--> <!-- capstan {"changeSet":"cs-0000000000000000"} --> @everyone |\u202e\u0000 \ud83d';

test('row 105: hostile names, values and changelogs end no fence, no table and no comment', () => {
  const named = workload('web', { annotations: { [HOSTILE]: HOSTILE } });
  const body = bodyOf({
    rendered: changed(
      { eu: [workload('web', { image: `r/web:${HOSTILE}` })] },
      { eu: [{ ...named, metadata: { name: 'web', namespace: HOSTILE } }] },
    ),
    schemas: [{ instance: 'greeter', keys: compareSchemas({}, { properties: { [HOSTILE]: { default: HOSTILE } } }) }],
    changelogs: [{ instance: 'greeter', capsule: 'greeter', sections: [{ version: '1.4.2', text: HOSTILE }], cut: false }],
  });

  const outside: string[] = [];
  let fence: string | undefined;
  for (const line of body.split('\n')) {
    const run = /^`{3,}/.exec(line)?.[0];
    if (fence === undefined && run !== undefined) fence = run;
    else if (fence !== undefined && line === fence) fence = undefined;
    else if (fence === undefined) outside.push(line);
  }
  expect(fence).toBe(undefined);
  expect(outside.filter((line) => line === '</details>').length).toBe(body.match(/<details>/g)?.length);
  expect(outside.join('\n')).not.toMatch(/everyone|cs-0000/);
  expect([body.match(/<!--/g)?.length, body.match(/-->/g)?.length, body.isWellFormed()]).toEqual([1, 1, true]);
  expect(['\u202e', '\u0000'].filter((char) => body.includes(char))).toEqual([]);
  expect(/"changeSet":"(cs-[0-9a-f]{16})"/.exec(body.slice(body.lastIndexOf('<!-- capstan ')))?.[1]).toBe(CHANGE.id);
});

function moves(count: number): readonly Move[] {
  return Array.from({ length: count }, (_, at) => ({
    instance: toInstanceName(`instance-${at}`),
    capsule: toCapsuleName('web'),
    from: { version: `1.0.0-${'-'.repeat(200)}`, sha256: sha256Of('a') },
    to: { version: `1.0.1-${'-'.repeat(200)}`, sha256: sha256Of('b') },
  }));
}

const LONG = Array.from({ length: 100 }, () => 'word | '.repeat(20)).join('\n');

test.each([1, 20, 400])('a body of %i moves stays below what a forge takes, and says what is left out', (count) => {
  const objects = Array.from({ length: 40 }, (_, at) => workload(`web-${at}`));
  const targets = Array.from({ length: count }, (_, at): [string, typeof objects] => [`target-${at}`, objects.slice(0, 20 + (at % 20))]);
  const body = bodyOf(
    {
      rendered: changed(Object.fromEntries(targets), Object.fromEntries(targets.map(([name]) => [name, []]))),
      schemas: Array.from({ length: count }, (_, at) => ({
        instance: `i-${at}`,
        keys: compareSchemas({}, { properties: { [LONG]: {} } }),
      })),
      changelogs: Array.from({ length: count }, (_, at) => ({
        instance: `instance-${at}`,
        capsule: 'web',
        sections: [{ version: '1.0.1', text: LONG }],
        cut: true,
      })),
    },
    {
      changeSet: { id: CHANGE.id, moves: moves(count) },
      gates: Array.from({ length: count }, () => gates(FROM).map((gate) => ({ ...gate, detail: LONG, until: undefined }))).flat(),
      notes: Array.from({ length: count }, () => LONG),
    },
  );

  expect(body.length).toBeLessThan(60_000);
  expect(body.includes('Not everything is shown here')).toBe(count > 1);
  expect(body).toContain('delete');
  expect(body.endsWith(' -->')).toBe(true);
});

test('a changelog is cut to the versions between, newest first, whatever its headings look like', () => {
  const file =
    '# Changes\n\n## [1.3.0] - 2026-01-01\r\n- three\r\n\r\n## v1.2.0\n- two\n### more\n- of two\n## Unreleased\n- x\n## 1.10.0\n- ten\n## 1.1.0\n- one\n';
  const sections = (from: string | undefined, to: string) => readChangelog(text(file), from, to).sections;

  expect(sections('1.1.0', '1.10.0')).toEqual([
    { version: '1.10.0', text: '- ten' },
    { version: '1.3.0', text: '- three' },
    { version: '1.2.0', text: '- two\n### more\n- of two' },
  ]);
  expect(sections(undefined, '1.1.0')).toEqual([{ version: '1.1.0', text: '- one' }]);
  expect(sections('1.10.0', '1.1.0')).toEqual([]);
  const long = readChangelog(text(`## 1.2.0\n${'x'.repeat(20_000)}\n## 1.1.0\n- one\n`), '1.0.0', '1.2.0');
  expect([long.sections.map((one) => one.text.length), long.cut]).toEqual([[8000], true]);
});

test('keys of a configuration are compared below members and items; words for people are no difference', () => {
  const schema = (more: object): Parameters<typeof compareSchemas>[0] => ({
    properties: { ports: { type: 'array', items: { properties: { name: { type: 'string', ...more } } } } },
  });

  expect(compareSchemas(schema({ description: 'a' }), schema({ description: 'b', title: 'c' }))).toEqual([]);
  expect(compareSchemas(schema({}), schema({ pattern: '^a' }))).toEqual([
    {
      key: 'ports[].name',
      change: 'changed',
      keywords: [{ path: '/pattern', field: 'pattern', before: undefined, after: '^a' }],
    },
  ]);
  expect(compareSchemas(undefined, undefined)).toEqual([]);
  const odd = JSON.parse('{"__proto__":{"type":"string"}}') as JsonObject;
  expect(compareSchemas({}, { properties: odd }).map(({ key }) => key)).toEqual(['"__proto__"']);
});
