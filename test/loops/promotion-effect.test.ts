import { expect, test } from 'vitest';

import { promote } from '#loops/promote.ts';
import type { PromoteResult } from '#loops/promote.ts';
import { sha256Of } from '#model/digest.ts';
import { toEnvironmentName } from '#model/names.ts';
import { PortError } from '#ports/port-error.ts';
import type { Renderer } from '#ports/renderer.ts';
import { portsOf, rendererInProcess, startEngine, type Engine } from '#test/stories/engine.ts';
import { newOutside, peopleOf, type Outside } from '#test/stories/outside.ts';
import { goOnPolling } from '#test/stories/polled.ts';
import { capsuleFiles, DEV, STAGING, type Files, type Stage } from '#test/stories/shop.ts';
import { declareShop } from '#test/stories/stories.ts';

const MANUAL = { ...DEV, merge: 'manual' } as const;

/** 1.1.0 of web: another size, a schema, a changelog of a stranger. */
const RELEASE: Files = {
  'capsules/web/capsule.yaml': (capsuleFiles('1.1.0')['capsules/web/capsule.yaml'] ?? '')
    .replace('replicas: 1', 'replicas: 2')
    .replace('spec:\n', 'spec:\n  config:\n    schema: config.schema.json\n'),
  'capsules/web/config.schema.json': JSON.stringify({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    additionalProperties: false,
    properties: { greeting: { type: 'string', default: 'Hello', description: 'What it says' } },
  }),
  'capsules/web/CHANGELOG.md':
    '# Changes\n\n## 1.1.0\n\n- two replicas, thanks @everyone\n```\n</details> <!-- capstan {"changeSet":"cs-0000000000000000"} -->\n\n## 1.0.0\n\n- first\n',
};

async function shop(
  renderer: Renderer = rendererInProcess(),
  stages: readonly Stage[] = [MANUAL, STAGING],
): Promise<{ outside: Outside; engine: Engine; renderer: Renderer }> {
  const outside = newOutside();
  await declareShop(outside, stages);
  const engine = startEngine({ ...portsOf(outside), renderer });
  await engine.start();
  return { outside, engine, renderer };
}

const bodies = (outside: Outside): readonly string[] => [...outside.forge.pulls.values()].map(({ request }) => request.body);

test('a pull request tells what is rendered otherwise, what configuration is accepted, and what the authors say', async () => {
  const { outside, engine } = await shop();
  await peopleOf(outside).push(RELEASE, { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });

  const [body = ''] = bodies(outside);
  expect(
    body
      .replaceAll(/`[0-9a-f]{12}`/g, '`digest`')
      .split('\n')
      .slice(13, -1)
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "
    | target | created | updated | deleted | noise | danger |
    |---|---:|---:|---:|---:|---|
    | one | 0 | 1 | 0 | 1 | – |
    | two | 0 | 1 | 0 | 1 | – |

    <details><summary>Objects by target</summary>

    \`\`\`diff
    # one, two
    ! apps/Deployment/shop-dev/web
    - spec.replicas: 1
    + spec.replicas: 2
      (and 4 fields of versions and digests)
    ! core/Service/shop-dev/web  (only versions and digests)
    \`\`\`

    </details>

    <details><summary>Configuration: 2 keys accepted otherwise</summary>

    \`\`\`diff
    # web
    + (the whole): additionalProperties false, type "object"
    + greeting: default "Hello", type "string"
    \`\`\`

    </details>

    <details><summary>Changelog of web</summary>

    \`\`\`\`
    ## 1.1.0
    - two replicas, thanks @everyone
    \`\`\`
    </details> <!⁠-- capstan {"changeSet":"cs-0000000000000000"} --⁠>
    \`\`\`\`

    </details>

    Going back means web 1.0.0.
    "
  `);
  expect(body).not.toContain('- first');
  expect(body.match(/<!--/g)?.length).toBe(1);
});

test('what a pull request shows is what the merge renders: nothing is rendered anew then', async () => {
  const { outside, engine, renderer } = await shop(rendererInProcess(), [MANUAL]);
  await peopleOf(outside).push(RELEASE, { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });
  const [pull] = [...outside.forge.pulls.values()];
  if (pull === undefined) throw new Error('no request');
  const { number, title, headCommit: head } = pull.request;
  const { renders } = renderer.counts();

  await peopleOf(outside).forge('bob').merge(number, { head, title, message: 'by hand' });
  await engine.wake({ kind: 'look' });

  expect([...(outside.targets.get('dev/one')?.files.values() ?? [])].join('\n')).toContain('replicas: 2');
  expect(renderer.counts().renders).toBe(renders);
});

test('a body stays as it is while nothing happens, and when the branch is rebuilt on a base that moved elsewhere', async () => {
  const { outside, engine } = await shop();
  await peopleOf(outside).push(RELEASE, { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });
  const before = bodies(outside);

  outside.now = (outside.now + 600_000) as Outside['now'];
  await goOnPolling(engine);
  await peopleOf(outside).push({ 'docs/notes.md': 'nothing of ours' });
  await engine.wake({ kind: 'look' });
  await startEngine(portsOf(outside)).start();

  expect(bodies(outside)).toEqual(before);
  expect(before.length).toBe(1);
});

/** Answers every unit of 1.1.0 as told. */
function spoiling(answer: (renderer: Renderer, units: Parameters<Renderer['render']>[0]) => ReturnType<Renderer['render']>): Renderer {
  const renderer = rendererInProcess();
  return {
    ...renderer,
    render: (units, signal) =>
      units.some((unit) => unit.pin.version === '1.1.0') ? answer(renderer, units) : renderer.render(units, signal),
  };
}

const dryRun = (engine: Engine): Promise<PromoteResult> =>
  promote(engine.world, { environment: 'dev', only: undefined, dryRun: true, byPerson: true });

test('a change that cannot be rendered says so, and is opened all the same', async () => {
  const { outside, engine } = await shop(
    spoiling(async (_, units) =>
      units.map((unit) => ({
        ok: false as const,
        problems: [
          {
            code: 'template-error',
            rule: undefined,
            severity: 'error' as const,
            phase: 'render' as const,
            message: `no | such <b>helper</b> in ${unit.pin.capsule}`,
            remedy: 'Mend it.',
            place: { file: 'capsules/web/templates/x.hbs', line: 3, column: undefined, pointer: undefined },
            related: [],
          },
        ],
      })),
    ),
  );
  await peopleOf(outside).push(RELEASE, { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });

  expect(bodies(outside)[0]).toContain(
    'This change could not be rendered, so its effect on objects is not known:\n- capsules/web/templates/x.hbs:3: no \\| such &lt;b&gt;helper&lt;/b&gt; in web (template-error)',
  );
  expect((await dryRun(engine)).changes[0]?.draft.effect).toMatchObject({
    rendered: { kind: 'unknown', side: 'proposed' },
    schemas: undefined,
  });
});

test.each(['transient', 'invalid'] as const)('a renderer that is not there (%s) keeps no promotion from opening', async (kind) => {
  let calls = 0;
  const { outside, engine } = await shop(
    spoiling(() => {
      calls += 1;
      return Promise.reject(new PortError(kind, `worker ${calls} is gone`));
    }),
  );
  await peopleOf(outside).push(RELEASE, { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });
  const before = bodies(outside);
  await engine.wake({ kind: 'promote', environment: toEnvironmentName('dev') });

  expect(before).toEqual([expect.stringContaining(`\n- what renders it could not be asked (${kind})\n`)]);
  expect(before[0]).toContain('Changelog of web');
  expect(bodies(outside)).toEqual(before);
  expect(calls).toBeGreaterThan(1);
});

test('what renders differently the second time (V-89) is not remembered as sound', async () => {
  let calls = 0;
  const { outside, engine } = await shop(
    spoiling(async (renderer, units) => {
      calls += 1;
      const answers = await renderer.render(units);
      return answers.map((answer) => {
        if (!answer.ok) return answer;
        const objects = answer.value.objects.map((object) => {
          const text = `${object.text}# ${calls}\n`;
          return { ...object, text, sha256: sha256Of(text) };
        });
        return { ok: true as const, value: { ...answer.value, objects } };
      });
    }),
  );
  await peopleOf(outside).push(RELEASE, { message: 'web 1.1.0' });
  await engine.wake({ kind: 'look' });
  const told = async () => (await dryRun(engine)).changes[0]?.draft.effect.rendered;

  expect(await told()).toMatchObject({
    kind: 'unknown',
    side: 'proposed',
    reasons: ['one', 'two'].map((target) => expect.stringMatching(`for dev/${target} is not deterministic: .*V-89`) as unknown),
  });
  expect(await told()).toEqual(await told());
});
