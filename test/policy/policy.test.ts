import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import type { Capsule, Environment, Policy } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import { toBlobId } from '#model/digest.ts';
import { compileExpression, evaluateCondition, EXPRESSION_LIMITS } from '#model/expression.ts';
import { toInstant } from '#model/instant.ts';
import { keyText } from '#model/kubernetes-object.ts';
import { toEnvironmentName, toInstanceName } from '#model/names.ts';
import type { TargetRendering } from '#model/rendering.ts';
import type { RenderingQuestion } from '#policy/policy.ts';
import { checkPolicies, findLapsedExceptions, judgeRendering } from '#policy/policy.ts';
import { assembleTarget, renderUnit } from '#render/render.ts';
import { target, unit } from '#test/render/builders.ts';

const NOW = toInstant(Date.parse('2026-11-04T10:00:00.000Z'));

function declared<T>(file: string, yaml: string): Declared<T> {
  return { value: parse(yaml) as T, file, blob: toBlobId('c'.repeat(40)), at: (pointer) => ({ file, line: 1, column: 1, pointer }) };
}

function policy(spec: string): Declared<Policy> {
  return declared(
    'policies/p.yaml',
    `apiVersion: capstan.dev/v1alpha1\nkind: Policy\nmetadata: { name: p }\nspec:\n${spec.replaceAll(/^/gm, '  ')}`,
  );
}

function environment(labels = '{ stage: production }'): DesiredEnvironment {
  const yaml = `apiVersion: capstan.dev/v1alpha1\nkind: Environment\nmetadata: { name: prod, labels: ${labels} }\nspec: { risk: high }`;
  return {
    name: toEnvironmentName('prod'),
    declared: declared<Environment>('environments/prod/environment.yaml', yaml),
    lock: undefined,
    targets: [],
    configs: new Map(),
    fleets: [],
    devices: [],
  };
}

function rendering(security = ''): TargetRendering {
  const one = unit(`components: { web: { kind: Deployment, image: r/x, ports: { http: { port: 80 } }${security} } }`);
  const rendered = renderUnit(one);
  if (!rendered.ok) throw new Error('the builder does not render');
  const assembled = assembleTarget(target(), [{ ...one, rendered: rendered.value }]);
  if (!assembled.ok) throw new Error('the builder does not assemble');
  return assembled.value;
}

const NON_ROOT = `
on: [render, reconcile]
match: { environments: { matchLabels: { stage: production } }, objects: [{ apiGroups: [apps], kinds: [Deployment] }] }
variables:
- { name: pod, expression: object.spec.template.spec }
validations:
- expression: "has(variables.pod.securityContext) && variables.pod.securityContext.runAsNonRoot"
  messageExpression: "'pods of ' + capsule.instance + ' must not run as root in ' + environment.name"
tests:
- { name: root, input: { object: { spec: { template: { spec: {} } } }, capsule: { instance: a }, environment: { name: b } }, expect: deny }
- { name: other, input: { object: { spec: { template: { spec: { securityContext: { runAsNonRoot: true } } } } } }, expect: allow }
`;

function question(more: Partial<RenderingQuestion> = {}): RenderingQuestion {
  return { environment: environment(), rendering: rendering(), previous: undefined, on: 'render', at: NOW, ...more };
}

describe('a deny policy', () => {
  it('refuses the objects it matches, in check and in reconcile, in its own words', () => {
    const found = (['render', 'reconcile'] as const).map((on) => judgeRendering([policy(NON_ROOT)], question({ on })));

    expect(found.map((problems) => problems.map(({ code, severity, phase, message }) => ({ code, severity, phase, message })))).toEqual(
      ['render', 'sync'].map((phase) => [
        {
          code: 'policy-denied',
          severity: 'error',
          phase,
          message: 'policy p: pods of web must not run as root in prod (apps/Deployment/acme-prod/web of web on prod/eu-1)',
        },
      ]),
    );
    expect(found[0]?.[0]?.place).toEqual({ file: 'policies/p.yaml', line: 1, column: 1, pointer: '/spec/validations/0' });
  });

  it('lets through what obeys it, and what it does not match', () => {
    const obeys = rendering(', security: { runAsNonRoot: true }');

    expect(judgeRendering([policy(NON_ROOT)], question({ rendering: obeys }))).toEqual([]);
    expect(judgeRendering([policy(NON_ROOT)], question({ environment: environment('{ stage: test }') }))).toEqual([]);
    expect(judgeRendering([policy(NON_ROOT)], question({ on: 'pullRequest' }))).toEqual([]);
  });

  it('refuses what cannot be evaluated, unless it says ignore', () => {
    const broken = 'on: [render]\nmatch: { objects: [{ kinds: [Service] }] }\nvalidations: [{ expression: object.nothing.there }]\n';

    expect(judgeRendering([policy(broken)], question()).map((problem) => problem.code)).toEqual(['policy-denied']);
    expect(judgeRendering([policy(`${broken}failurePolicy: ignore\n`)], question())).toEqual([]);
  });

  it('sees the object that was there before', () => {
    const shrink =
      'on: [reconcile]\nvalidations: [{ expression: "oldObject == null || oldObject.metadata.name == object.metadata.name", message: renamed }, { expression: "oldObject != null", message: new }]\n';
    const before = new Map(rendering().objects.map((object) => [keyText(object.key), object.object]));

    expect(judgeRendering([policy(shrink)], question({ on: 'reconcile', previous: before }))).toEqual([]);
    expect(judgeRendering([policy(shrink)], question({ on: 'reconcile' })).map((problem) => problem.message)).toEqual([
      'policy p: new (apps/Deployment/acme-prod/web of web on prod/eu-1)',
      'policy p: new (core/Service/acme-prod/web of web on prod/eu-1)',
    ]);
  });

  it.each([
    ['the capsule', '{ capsule: web }', 'policy-excepted'],
    ['another capsule', '{ capsule: api }', 'policy-denied'],
    ['the environment', '{ environment: prod }', 'policy-excepted'],
    ['another environment and the capsule', '{ environment: dev, capsule: web }', 'policy-denied'],
    ['a kind of change, which an object has none of', '{ change: emergency }', 'policy-denied'],
    ['nothing', '{}', 'policy-denied'],
  ])('knows an exception for %s', (_, match, code) => {
    const excepted = (until: string) =>
      judgeRendering(
        [policy(`${NON_ROOT}exceptions: [{ match: ${match}, until: "${until}", ticket: SEC-9, approvedBy: sre }]\n`)],
        question(),
      );

    expect(excepted('2027-01-31').map((problem) => problem.code)).toEqual([code]);
    expect(excepted('2026-11-04T10:00:00Z').map((problem) => problem.code)).toEqual(['policy-denied']);
    const said = '; let through until 2027-01-31 (SEC-9, approved by sre)';
    expect(excepted('2027-01-31')[0]?.message.endsWith(said)).toBe(code === 'policy-excepted');
  });

  it('is in force where the environment names it, whatever it selects', () => {
    const named = environment('{ stage: test }');
    const spec = { ...named.declared.value.spec, policies: [{ ref: 'p' }] };
    const naming = { ...named, declared: { ...named.declared, value: { ...named.declared.value, spec } } };

    expect(judgeRendering([policy(NON_ROOT)], question({ environment: named }))).toEqual([]);
    expect(judgeRendering([policy(NON_ROOT)], question({ environment: naming })).map((problem) => problem.code)).toEqual(['policy-denied']);
  });

  it('selects capsules by their labels', () => {
    const labelled = policy(NON_ROOT.replace('match: {', 'match: { capsules: { matchLabels: { tier: web } },'));
    const capsules = (tier: string) => {
      const capsule = declared<Capsule>(
        'capsules/web/capsule.yaml',
        `metadata: { name: web, version: 1.0.0, labels: { tier: ${tier} } }\nspec: { type: service }`,
      );
      return new Map([[toInstanceName('web'), capsule]]);
    };

    expect(judgeRendering([labelled], question({ capsules: capsules('api') }))).toEqual([]);
    expect(judgeRendering([labelled], question({ capsules: capsules('web') }))[0]?.related).toEqual([
      { file: 'capsules/web/capsule.yaml', line: 1, note: 'apps/Deployment/acme-prod/web comes from web 1.0.0' },
    ]);
  });

  it('knows the time', () => {
    const dated = policy('on: [render]\nvalidations: [{ expression: "now < timestamp(\'2026-11-04T11:00:00Z\')", message: too late }]\n');

    expect(judgeRendering([dated], question())).toEqual([]);
    expect(judgeRendering([dated], question({ at: toInstant(NOW + 3_600_000) }))).toHaveLength(2);
  });

  it('warns only, where its enforcement says so', () => {
    const found = judgeRendering([policy(`${NON_ROOT}enforcement: warn\n`)], question());

    expect(found.map(({ code, severity }) => ({ code, severity }))).toEqual([{ code: 'policy-warned', severity: 'warning' }]);
  });
});

describe('checking policies', () => {
  it('runs their own tests', () => {
    expect(checkPolicies([policy(NON_ROOT)])).toEqual([]);
    const wrong = policy(
      NON_ROOT.replace(
        'input: { object: { spec: { template: { spec: {} } } }',
        'input: { object: { spec: { template: { spec: { securityContext: { runAsNonRoot: true } } } } }',
      ),
    );

    expect(checkPolicies([wrong]).map(({ rule, message }) => ({ rule, message }))).toEqual([
      { rule: 'V-90', message: 'policy p: test "root" expected deny, got allow' },
    ]);
  });

  it('wants a test of each verdict, and names that are known', () => {
    const found = checkPolicies([
      policy('on: [render]\nvalidations: [{ expression: "true" }]\n'),
      policy('on: [render]\nvalidations: [{ expression: "objekt.kind == \'X\'" }]\n'),
    ]);

    expect(found.map((problem) => problem.message)).toEqual([
      'policy p: has no test that expects allow and none that expects deny',
      expect.stringContaining('names objekt, which is not known here'),
    ]);
  });

  const TESTS = 'tests:\n- { name: a, input: {}, expect: allow }\n- { name: b, input: { object: {} }, expect: deny }\n';

  it.each([
    [
      'a text where a verdict is wanted',
      'on: [render]\nvalidations: [{ expression: "object.a + \'x\'" }]\n',
      ['policy p: it gives a string, and a bool is wanted'],
    ],
    [
      'a type that cannot be',
      "on: [render]\nvalidations: [{ expression: \"size(object) + 'x' == ''\" }]\n",
      ['policy p: + cannot be used with (int, text)'],
    ],
    [
      'a number as a verdict',
      'on: [render]\nvalidations: [{ expression: "size(object)" }]\n',
      ['policy p: it gives a int, and a bool is wanted'],
    ],
    [
      'a message that is no text',
      'on: [render]\nvalidations: [{ expression: "object == null", messageExpression: "size(object)" }]\n',
      ['policy p: it gives a int, and a string is wanted'],
    ],
    [
      'a variable that is not declared',
      'on: [render]\nvariables: [{ name: pod, expression: object.spec }]\nvalidations: [{ expression: variables.pdo == 1 }]\n',
      ['policy p: variables has no pdo (known: pod); did you mean "pod"?'],
    ],
    [
      'a variable before it is declared',
      'on: [render]\nvariables: [{ name: a, expression: variables.b }, { name: b, expression: object.spec }]\nvalidations: [{ expression: variables.a == 1 }]\n',
      ['policy p: variables has no b (there are none)'],
    ],
    [
      'a member that a change never has',
      'on: [promotion]\nvalidations: [{ expression: change.reviewers == 1 }]\n',
      [expect.stringContaining('policy p: change has no reviewers')],
    ],
    [
      'an input that its place has no value for',
      `on: [promotion]\nvalidations: [{ expression: object == null }]\n${TESTS}`,
      ['policy p: names object, which has no value on promotion (it has on render, reconcile, pullRequest)'],
    ],
    [
      'an exception for everything',
      `on: [render]\nvalidations: [{ expression: object == null }]\nexceptions: [{ match: {}, until: 2027-01-01 }]\n${TESTS}`,
      ['policy p: exception 1 does not say what it is about, and lets nothing through'],
    ],
    [
      'nothing in what is right',
      `on: [render]\nvalidations: [{ expression: object == null }]\nexceptions: [{ match: { capsule: a }, until: 2027-01-01 }]\n${TESTS}`,
      [],
    ],
  ])('finds %s', (_, spec, messages) => {
    const found = checkPolicies([policy(spec)]).filter((problem) => !problem.message.includes('has no test'));

    expect(found.map((problem) => problem.message)).toEqual(messages);
  });

  it('says which exceptions are over', () => {
    const dated = policy(
      'on: [render]\nvalidations: [{ expression: "true" }]\nexceptions: [{ match: { capsule: a }, until: 2026-11-04T10:00:00Z }, { match: { capsule: b }, until: 2026-11-04T10:00:01Z }]\n',
    );

    expect(findLapsedExceptions([dated], NOW).map(({ code, place }) => [code, place.pointer])).toEqual([
      ['policy-exception-lapsed', '/spec/exceptions/0/until'],
    ]);
  });
});

describe('expressions', () => {
  it('compare whole numbers, texts and members', () => {
    expect(evaluateCondition('config.replicas <= 20 && config.name.startsWith("a")', { config: { replicas: 3, name: 'ab' } })).toEqual({
      ok: true,
      value: true,
    });
    expect(evaluateCondition('config.list.exists(x, x > 2)', { config: { list: [1, 2, 3] } })).toEqual({ ok: true, value: true });
  });

  it('deny by an error when they take too many steps, nest too deep or are too long', () => {
    const list = Array.from({ length: 100 }, (_, at) => at);
    const deep = compileExpression(`${'('.repeat(40)}1${')'.repeat(40)}`, []);

    expect(evaluateCondition('l.all(a, l.all(b, l.all(c, l.all(d, a + b + c + d >= 0))))', { l: list })).toEqual({
      ok: false,
      message: `the expression costs more than it may (${EXPRESSION_LIMITS.cost})`,
    });
    expect(deep).toEqual({ ok: false, message: `the expression is nested deeper than ${EXPRESSION_LIMITS.nesting} levels` });
    expect(compileExpression('1+'.repeat(5000), []).ok).toBe(false);
    expect(compileExpression(`${'('.repeat(30)}1${')'.repeat(30)}`, []).ok).toBe(true);
  });

  it('know only what they are given', () => {
    expect(evaluateCondition('process == 1', { config: {} })).toEqual({ ok: false, message: expect.stringContaining('names process') });
    expect(evaluateCondition('config.constructor == 1', { config: {} }).ok).toBe(false);
  });
});
