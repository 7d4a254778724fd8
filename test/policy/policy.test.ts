import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import type { Environment, Policy } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import { toBlobId } from '#model/digest.ts';
import { compileExpression, evaluateCondition, EXPRESSION_LIMITS } from '#model/expression.ts';
import { toEnvironmentName } from '#model/names.ts';
import type { TargetRendering } from '#model/rendering.ts';
import type { RenderingQuestion } from '#policy/policy.ts';
import { checkPolicies, judgeRendering } from '#policy/policy.ts';
import { assembleTarget, renderUnit } from '#render/render.ts';
import { target, unit } from '#test/render/builders.ts';

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
  return { environment: environment(), rendering: rendering(), previous: undefined, on: 'render', ...more };
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
    const before = rendering();

    expect(judgeRendering([policy(shrink)], question({ on: 'reconcile', previous: before }))).toEqual([]);
    expect(judgeRendering([policy(shrink)], question({ on: 'reconcile' })).map((problem) => problem.message)).toEqual([
      'policy p: new (apps/Deployment/acme-prod/web of web on prod/eu-1)',
      'policy p: new (core/Service/acme-prod/web of web on prod/eu-1)',
    ]);
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
