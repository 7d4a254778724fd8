import type { Policy } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { compareText } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import { compilePolicy } from './compiled.ts';
import { isInForce } from './in-force.ts';

export type ExportFormat = 'vap' | 'kyverno';

/** A cluster knows the object and what was there before; of environments, capsules and changes it knows nothing. */
const KNOWN_TO_CLUSTERS: ReadonlySet<string> = new Set(['object', 'oldObject', 'variables']);
const REASONS: ReadonlySet<string> = new Set(['Unauthorized', 'Forbidden', 'Invalid', 'RequestEntityTooLarge']);
const OPERATIONS: readonly Json[] = ['CREATE', 'UPDATE'];

/** Why a cluster could not judge as this policy does; each is an error at its place. */
export function exportMistakes(policy: Declared<Policy>): readonly Problem[] {
  const { spec } = policy.value;
  const foreign = [...compilePolicy(policy.value).names].filter((name) => !KNOWN_TO_CLUSTERS.has(name));
  const ofObjects = spec.on.some((on) => on === 'render' || on === 'reconcile' || on === 'pullRequest');
  return [
    ...(ofObjects ? [] : [mistake(policy, '/spec/on', `it is judged on ${spec.on.join(', ')}, and a cluster judges objects`)]),
    ...foreign.map((name) => mistake(policy, '/spec/validations', `it names ${name}, which a cluster does not know`)),
    ...(Object.keys(spec.match?.capsules?.matchLabels ?? {}).length > 0
      ? [mistake(policy, '/spec/match/capsules', 'it selects capsules, which a cluster does not know')]
      : []),
    ...((spec.exceptions ?? []).length > 0
      ? [mistake(policy, '/spec/exceptions', 'a cluster would not know when its exceptions end, and would refuse what they let through')]
      : []),
  ];
}

/** The objects that make a cluster judge as this policy does, in the namespaces of the environments where it is in force. */
export function exportedObjects(policy: Policy, environments: readonly DesiredEnvironment[], format: ExportFormat): readonly JsonObject[] {
  const namespaces = [...new Set(environments.filter((item) => isInForce(policy, item)).flatMap(namespacesOf))].sort(compareText);
  switch (format) {
    case 'vap':
      return [admissionPolicy(policy), ...(namespaces.length === 0 ? [] : [admissionBinding(policy, namespaces)])];
    case 'kyverno':
      return namespaces.length === 0 ? [] : [kyvernoPolicy(policy, namespaces)];
  }
}

function namespacesOf(environment: DesiredEnvironment): readonly string[] {
  const usual = environment.declared.value.spec.tenancy?.namespace ?? environment.name;
  return environment.targets.map((target) => target.value.namespace ?? usual);
}

/** `admissionregistration.k8s.io/v1`, ValidatingAdmissionPolicy: stable since Kubernetes 1.30. */
function admissionPolicy(policy: Policy): JsonObject {
  const { spec } = policy;
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: metadataOf(policy),
    spec: {
      failurePolicy: spec.failurePolicy === 'ignore' ? 'Ignore' : 'Fail',
      matchConstraints: { resourceRules: selectorsOf(policy).map(resourceRule) },
      // A namespace selector lets objects of no namespace through to the policy, and those belong to everybody in the cluster.
      matchConditions: [{ name: 'in-a-namespace', expression: "has(object.metadata.namespace) && object.metadata.namespace != ''" }],
      ...variablesOf(policy),
      validations: spec.validations.map((one) => ({
        ...validationOf(one),
        ...(one.reason !== undefined && REASONS.has(one.reason) ? { reason: one.reason } : {}),
      })),
    },
  };
}

function admissionBinding(policy: Policy, namespaces: readonly string[]): JsonObject {
  const action = { deny: 'Deny', warn: 'Warn', audit: 'Audit' }[policy.spec.enforcement ?? 'deny'];
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: metadataOf(policy),
    spec: {
      policyName: policy.metadata.name,
      validationActions: [action],
      matchResources: {
        namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces }] },
      },
    },
  };
}

/** `kyverno.io/v1`, ClusterPolicy with a CEL rule: Kyverno 1.13 and later. */
function kyvernoPolicy(policy: Policy, namespaces: readonly string[]): JsonObject {
  const { spec, metadata } = policy;
  const kinds = selectorsOf(policy).flatMap(({ groups, kinds: names }) =>
    groups.flatMap((group) => names.map((kind) => (group === '*' && kind === '*' ? '*' : `${group === '' ? '' : `${group}/`}*/${kind}`))),
  );
  return {
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    metadata: {
      ...metadataOf(policy),
      annotations: {
        // The policy looks into the templates of workloads itself.
        'pod-policies.kyverno.io/autogen-controllers': 'none',
        'policies.kyverno.io/title': metadata.title ?? metadata.name,
        ...(metadata.description === undefined ? {} : { 'policies.kyverno.io/description': metadata.description }),
      },
    },
    spec: {
      background: !compilePolicy(policy).names.has('oldObject'),
      failurePolicy: spec.failurePolicy === 'ignore' ? 'Ignore' : 'Fail',
      ...(spec.enforcement === 'warn' ? { emitWarning: true } : {}),
      rules: [
        {
          name: metadata.name,
          match: { any: [{ resources: { kinds, namespaces, operations: OPERATIONS } }] },
          validate: {
            failureAction: (spec.enforcement ?? 'deny') === 'deny' ? 'Enforce' : 'Audit',
            cel: { ...variablesOf(policy), expressions: spec.validations.map(validationOf) },
          },
        },
      ],
    },
  };
}

function metadataOf(policy: Policy): JsonObject {
  return { name: policy.metadata.name, labels: { 'app.kubernetes.io/managed-by': 'capstan' } };
}

function variablesOf(policy: Policy): JsonObject {
  const { variables = [] } = policy.spec;
  return variables.length === 0 ? {} : { variables: variables.map(({ name, expression }) => ({ name, expression })) };
}

function validationOf(one: Policy['spec']['validations'][number]): JsonObject {
  return {
    expression: one.expression,
    ...(one.message === undefined ? {} : { message: one.message.replaceAll(/\s+/g, ' ').trim() }),
    ...(one.messageExpression === undefined ? {} : { messageExpression: one.messageExpression }),
  };
}

interface Selector {
  readonly groups: readonly string[];
  readonly kinds: readonly string[];
}

function selectorsOf(policy: Policy): readonly Selector[] {
  const declared = policy.spec.match?.objects ?? [];
  const selectors = declared.length === 0 ? [{}] : declared;
  return selectors.map(({ apiGroups, kinds }) => ({ groups: orAll(apiGroups), kinds: orAll(kinds) }));
}

function orAll(names: readonly string[] | undefined): readonly string[] {
  return names === undefined || names.length === 0 || names.includes('*') ? ['*'] : names;
}

function resourceRule({ groups, kinds }: Selector): JsonObject {
  return { apiGroups: groups, apiVersions: ['*'], operations: OPERATIONS, resources: kinds.map(resourceOf) };
}

/** The resource of a kind by the rule that Kubernetes itself guesses with; kinds that break it stand in the table. */
function resourceOf(kind: string): string {
  const name = kind.toLowerCase();
  const known = IRREGULAR.get(name);
  if (known !== undefined || kind === '*') return known ?? kind;
  if (name.endsWith('s')) return `${name}es`;
  return name.endsWith('y') ? `${name.slice(0, -1)}ies` : `${name}s`;
}

const IRREGULAR: ReadonlyMap<string, string> = new Map([
  ['endpoints', 'endpoints'],
  ['gateway', 'gateways'],
]);

function mistake(policy: Declared<Policy>, pointer: string, reason: string): Problem {
  return {
    code: 'policy-not-exportable',
    rule: undefined,
    severity: 'error',
    phase: 'validate',
    message: `policy ${policy.value.metadata.name} cannot be judged by a cluster: ${reason}`,
    remedy: 'Take it out of the policy, or do not export the policy.',
    place: policy.at(pointer),
    related: [],
  };
}
