import type { KubernetesObject } from '#model/kubernetes-object.ts';
import { groupAndVersion } from '#model/kubernetes-object.ts';
import type { KubernetesApi } from '#model/kubernetes-shapes.ts';
import { minorNumber } from '#model/kubernetes-shapes.ts';
import type { ObjectFinding } from '#model/object-finding.ts';
import { listed, visibleText } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { checkCustomResource } from './custom-resource-check.ts';
import type { CustomKinds, CustomVersion } from './custom-resources.ts';
import type { Check } from './kubernetes-check.ts';
import { CHECK_LIMITS, checkShape } from './kubernetes-check.ts';
import { meaningMistakes } from './kubernetes-meaning.ts';

/** What the schemas say of an object. `unknown`: nobody here knows its kind. */
export type ObjectJudgement = { readonly kind: 'judged'; readonly findings: readonly ObjectFinding[] } | { readonly kind: 'unknown' };

/** Does the judgement depend on the definitions that the environment brings? */
export function isBuiltIn(api: KubernetesApi, object: KubernetesObject): boolean {
  return api.kinds.has(`${object.apiVersion} ${object.kind}`);
}

/** V-87: an object against what Kubernetes and the definitions beside it say of its kind. */
export function judgeAgainstSchemas(api: KubernetesApi, custom: CustomKinds, object: KubernetesObject): ObjectJudgement {
  const name = `${object.apiVersion} ${object.kind}`;
  const check: Check = { api, isSecret: object.kind === 'Secret', findings: [], steps: 0 };
  const shape = api.kinds.get(name);
  if (shape !== undefined) {
    checkShape(check, shape, object);
    // What is broken in its shape has no meaning yet.
    const meaning = check.findings.some((finding) => !finding.isTolerated) ? [] : meaningMistakes(object);
    return judged(check, [...meaning, ...deprecation(api, name)]);
  }
  const { group, version } = groupAndVersion(object.apiVersion);
  const versions = custom.get(`${group}/${object.kind}`);
  if (versions !== undefined) {
    const known = versions.get(version);
    if (known?.isServed !== true) return { kind: 'judged', findings: [unservedVersion(object, versions)] };
    if (known.schema !== undefined) checkCustomResource(check, known.schema, object);
    return judged(
      check,
      known.deprecation === undefined ? [] : [deprecated(`is deprecated: ${visibleText(known.deprecation, 300)}`, undefined)],
    );
  }
  if (!api.groups.has(group)) return { kind: 'unknown' };
  return { kind: 'judged', findings: [removal(api, name) ?? unknownKind(api, object)] };
}

function judged(check: Check, more: readonly ObjectFinding[]): ObjectJudgement {
  const large: readonly ObjectFinding[] =
    check.steps <= CHECK_LIMITS.steps
      ? []
      : [
          {
            code: 'object-too-large',
            pointer: '',
            message: 'is too large to be judged whole',
            remedy: 'Make several objects of it, or let its definition ask for less.',
            isOfMinor: false,
            isTolerated: true,
          },
        ];
  return { kind: 'judged', findings: [...check.findings, ...large, ...more] };
}

function deprecation(api: KubernetesApi, name: string): readonly ObjectFinding[] {
  const life = api.lives.get(name);
  if (life?.deprecated === undefined || minorNumber(life.deprecated) > minorNumber(api.minor)) return [];
  const ends = life.removed === undefined ? '' : `; Kubernetes ${life.removed} has it no more`;
  return [deprecated(`is deprecated since Kubernetes ${life.deprecated}${ends}`, replacementOf(api, name))];
}

function deprecated(message: string, replacement: string | undefined): ObjectFinding {
  const remedy = replacement === undefined ? 'Plan for what replaces it.' : `Use ${replacement}.`;
  return { code: 'object-api-deprecated', pointer: '/apiVersion', message, remedy, isOfMinor: true, isTolerated: true };
}

function removal(api: KubernetesApi, name: string): ObjectFinding | undefined {
  const life = api.lives.get(name);
  if (life?.removed === undefined || minorNumber(life.removed) > minorNumber(api.minor)) return undefined;
  const replacement = replacementOf(api, name);
  return {
    code: 'object-api-removed',
    pointer: '/apiVersion',
    message: `is ${name}, which Kubernetes has no more since ${life.removed}${replacement === undefined ? '' : `; ${replacement} replaces it`}`,
    remedy: replacement === undefined ? 'Remove the object; nothing replaces it.' : `Write it as ${replacement}; its fields may differ.`,
    isOfMinor: true,
    isTolerated: false,
  };
}

/** What the minor at hand has of the same kind: what is named as the replacement, else a version of the same group. */
function replacementOf(api: KubernetesApi, name: string): string | undefined {
  const named = api.lives.get(name)?.replacement;
  if (named !== undefined && api.kinds.has(named)) return named;
  const [apiVersion = '', kind = ''] = (named ?? name).split(' ');
  const { group } = groupAndVersion(apiVersion);
  const others = [...api.kinds.keys()].filter((one) => one.endsWith(` ${kind}`) && one !== name && groupAndVersion(one).group === group);
  return others.sort(byStability)[0];
}

/** `v1` before `v1beta2` before `v1alpha3`. */
function byStability(a: string, b: string): number {
  const rank = (name: string): number => (name.includes('alpha') ? 2 : name.includes('beta') ? 1 : 0);
  return rank(a) - rank(b) || (a < b ? 1 : -1);
}

function unknownKind(api: KubernetesApi, object: KubernetesObject): ObjectFinding {
  const { group } = groupAndVersion(object.apiVersion);
  const elsewhere = [...api.kinds.keys()].filter((name) => name.endsWith(` ${object.kind}`));
  const inVersion = [...api.kinds.keys()]
    .filter((name) => name.startsWith(`${object.apiVersion} `))
    .map((name) => name.split(' ')[1] ?? '');
  const same = elsewhere.filter((name) => groupAndVersion(name).group === group);
  const hint = [...(same.length > 0 ? same : elsewhere)].sort(byStability);
  return {
    code: 'object-kind-unknown',
    pointer: hint.length > 0 || inVersion.length === 0 ? '/apiVersion' : '/kind',
    message: `is ${object.apiVersion} ${object.kind}, which Kubernetes ${api.minor} does not have${didYouMean(object.kind, inVersion)}`,
    remedy: hint.length > 0 ? `Use ${listed(hint, 4)}.` : 'Correct apiVersion and kind.',
    isOfMinor: true,
    isTolerated: false,
  };
}

function unservedVersion(object: KubernetesObject, versions: ReadonlyMap<string, CustomVersion>): ObjectFinding {
  const { group } = groupAndVersion(object.apiVersion);
  const served = [...versions].flatMap(([name, version]) => (version.isServed ? [`${group}/${name}`] : []));
  return {
    code: 'object-kind-unknown',
    pointer: '/apiVersion',
    message: `is ${object.apiVersion} ${object.kind}, a version that its definition does not serve`,
    remedy: `Use ${listed(served, 6)}.`,
    isOfMinor: false,
    isTolerated: false,
  };
}
