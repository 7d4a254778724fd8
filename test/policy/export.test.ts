import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import type { Policy } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import { toBlobId } from '#model/digest.ts';
import { toTargetName } from '#model/names.ts';
import { checkPolicies, exportPolicies } from '#policy/policy.ts';
import { GREETER } from '#test/promotion/questions.ts';
import { environment } from '#test/resolve/worlds.ts';

function policy(spec: string): Declared<Policy> {
  const value = parse(`metadata: { name: p, title: Replicas }\nspec:\n${spec.trim().replaceAll(/^/gm, '  ')}`) as Policy;
  return {
    value,
    file: 'policies/p.yaml',
    blob: toBlobId('c'.repeat(40)),
    at: (pointer) => ({ file: 'policies/p.yaml', line: 1, column: 1, pointer }),
  };
}

const SPEC = `
on: [render]
match: { objects: [ { apiGroups: [apps], kinds: [Deployment] }, { apiGroups: [networking.k8s.io], kinds: [NetworkPolicy, Ingress] } ] }
variables: [ { name: replicas, expression: object.spec.replicas } ]
validations: [ { expression: variables.replicas <= 3, message: "at most\\n three", reason: Invalid }, { expression: "true", reason: Because } ]
tests:
- { name: a, input: { object: { spec: { replicas: 1 } } }, expect: allow }
- { name: b, input: { object: { spec: { replicas: 4 } } }, expect: deny }
export: [vap, kyverno]
`;

const BARE = environment('prod', GREETER, { tenancy: { mode: 'shared', namespace: 'shop-prod' } });
const TARGETS = [{ driver: 'directory' as const }, { driver: 'directory' as const, namespace: 'shop-eu' }];
const PROD: DesiredEnvironment = {
  ...BARE,
  targets: TARGETS.map((value, at) => ({ name: toTargetName(`t${at}`), value, at: (pointer) => BARE.declared.at(pointer) })),
};

function exported(spec: string, format: 'vap' | 'kyverno', environments: readonly DesiredEnvironment[] = [PROD]) {
  return exportPolicies({ policies: [policy(spec)], environments }, { format, names: new Set() });
}

describe('as a ValidatingAdmissionPolicy', () => {
  it('says the same to a cluster, in the namespaces of the environments where it is in force', () => {
    expect(exported(SPEC, 'vap')).toEqual({
      idle: [],
      problems: [],
      objects: [
        {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicy',
          metadata: { name: 'p', labels: { 'app.kubernetes.io/managed-by': 'capstan' } },
          spec: {
            failurePolicy: 'Fail',
            matchConstraints: {
              resourceRules: [
                { apiGroups: ['apps'], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
                {
                  apiGroups: ['networking.k8s.io'],
                  apiVersions: ['*'],
                  operations: ['CREATE', 'UPDATE'],
                  resources: ['networkpolicies', 'ingresses'],
                },
              ],
            },
            matchConditions: [{ name: 'in-a-namespace', expression: "has(object.metadata.namespace) && object.metadata.namespace != ''" }],
            variables: [{ name: 'replicas', expression: 'object.spec.replicas' }],
            validations: [{ expression: 'variables.replicas <= 3', message: 'at most three', reason: 'Invalid' }, { expression: 'true' }],
          },
        },
        {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicyBinding',
          metadata: { name: 'p', labels: { 'app.kubernetes.io/managed-by': 'capstan' } },
          spec: {
            policyName: 'p',
            validationActions: ['Deny'],
            matchResources: {
              namespaceSelector: {
                matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['shop-eu', 'shop-prod'] }],
              },
            },
          },
        },
      ],
    });
  });

  it('is bound by nothing where it is in force nowhere', () => {
    const elsewhere = SPEC.replace('match: {', 'match: { environments: { matchLabels: { stage: x } },');

    expect(exported(elsewhere, 'vap').objects.map((object) => object['kind'])).toEqual(['ValidatingAdmissionPolicy']);
    expect(exported(elsewhere, 'vap').idle).toEqual(['p']);
    expect(exported(elsewhere, 'kyverno').objects).toEqual([]);
  });

  it('warns, audits and ignores as it does here', () => {
    const actions = (['deny', 'warn', 'audit'] as const).map((enforcement) =>
      exported(`${SPEC}enforcement: ${enforcement}\nfailurePolicy: ignore\n`, 'vap').objects.map((object) => object['spec']),
    );

    expect(actions).toEqual(
      ['Deny', 'Warn', 'Audit'].map((action) => [
        expect.objectContaining({ failurePolicy: 'Ignore' }),
        expect.objectContaining({ validationActions: [action] }),
      ]),
    );
  });
});

it('as a Kyverno policy, it says the same', () => {
  expect(exported(SPEC, 'kyverno').objects).toEqual([
    {
      apiVersion: 'kyverno.io/v1',
      kind: 'ClusterPolicy',
      metadata: {
        name: 'p',
        labels: { 'app.kubernetes.io/managed-by': 'capstan' },
        annotations: { 'pod-policies.kyverno.io/autogen-controllers': 'none', 'policies.kyverno.io/title': 'Replicas' },
      },
      spec: {
        background: true,
        failurePolicy: 'Fail',
        rules: [
          {
            name: 'p',
            match: {
              any: [
                {
                  resources: {
                    kinds: ['apps/*/Deployment', 'networking.k8s.io/*/NetworkPolicy', 'networking.k8s.io/*/Ingress'],
                    namespaces: ['shop-eu', 'shop-prod'],
                    operations: ['CREATE', 'UPDATE'],
                  },
                },
              ],
            },
            validate: {
              failureAction: 'Enforce',
              cel: {
                variables: [{ name: 'replicas', expression: 'object.spec.replicas' }],
                expressions: [{ expression: 'variables.replicas <= 3', message: 'at most three' }, { expression: 'true' }],
              },
            },
          },
        ],
      },
    },
  ]);
});

describe('what a cluster cannot judge', () => {
  it.each([
    [
      'environments',
      SPEC.replace('variables.replicas <= 3', "environment.name == 'prod' && variables.replicas <= 3"),
      'it names environment, which a cluster does not know',
    ],
    [
      'capsules',
      SPEC.replace('match: {', 'match: { capsules: { matchLabels: { tier: web } },'),
      'it selects capsules, which a cluster does not know',
    ],
    [
      'exceptions',
      `${SPEC}exceptions: [ { match: { capsule: a }, until: 2027-01-01 } ]\n`,
      'a cluster would not know when its exceptions end, and would refuse what they let through',
    ],
    [
      'promotions',
      SPEC.replace('on: [render]', 'on: [promotion]').replace('object.spec.replicas', 'size(change.approvals)'),
      'it is judged on promotion, and a cluster judges objects',
    ],
  ])('%s: is not exported, and said by validate', (_, spec, reason) => {
    const message = `policy p cannot be judged by a cluster: ${reason}`;

    expect(exported(spec, 'vap').objects).toEqual([]);
    expect(exported(spec, 'vap').problems.map((problem) => problem.message)).toContain(message);
    expect(checkPolicies([policy(spec)]).map((problem) => problem.message)).toContain(message);
    expect(checkPolicies([policy(spec.replace('export: [vap, kyverno]', ''))]).map((problem) => problem.message)).not.toContain(message);
  });
});

it('without names, only those are exported that list the format', () => {
  const only = SPEC.replace('export: [vap, kyverno]', 'export: [kyverno]');

  expect(exported(only, 'vap').objects).toEqual([]);
  expect(exported(only, 'kyverno').objects).toHaveLength(1);
});
