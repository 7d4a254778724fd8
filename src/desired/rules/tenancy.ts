import type { RuleContext } from '#desired/facts.ts';
import { problemOf, relatedTo } from '#desired/finding.ts';
import type { DeclaredTarget, DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import type { Place, Problem } from '#model/problem.ts';
import { listed, quoted, visibleText } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';
import { targetIdentities } from '#model/target-identity.ts';

/** V-56 and V-59: tenants keep to their namespaces and targets, and previews end and read nothing of production. */
export function tenancyProblems(context: RuleContext): readonly Problem[] {
  return [
    ...context.state.environments.flatMap((environment) => [
      ...tenantProblems(context, environment),
      ...previewProblems(context, environment),
    ]),
    ...sharedTargets(context),
  ];
}

/** Unknown tenants, and namespaces that do not begin like the tenant's. */
function tenantProblems(context: RuleContext, environment: DesiredEnvironment): readonly Problem[] {
  const tenants = context.state.project?.value.spec.tenants ?? {};
  const { declared, name } = environment;
  const { tenancy } = declared.value.spec;
  const tenant = tenancy?.tenant;
  if (tenant === undefined) return [];
  const found = Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined;
  if (found === undefined) {
    const known = Object.keys(tenants).sort();
    return [
      tenancyProblem(
        declared.at('/spec/tenancy/tenant'),
        `${name} belongs to tenant ${quoted(tenant)}, which the project does not declare (known: ${listed(known)})${didYouMean(tenant, known)}`,
        'Declare it under spec.tenants in environments/project.yaml, or use a declared one.',
      ),
    ];
  }
  const prefix = found.namespacesPrefix;
  if (prefix === undefined) return [];
  const namespaces = [
    { namespace: tenancy?.namespace, place: declared.at('/spec/tenancy/namespace') },
    ...environment.targets.map((target) => ({ namespace: target.value.namespace, place: target.at('/namespace') })),
  ];
  return namespaces.flatMap(({ namespace, place }) =>
    namespace === undefined || namespace.startsWith(prefix)
      ? []
      : [
          tenancyProblem(
            place,
            `namespace ${quoted(namespace)} of ${name} does not begin with ${quoted(prefix)}, as all of tenant ${visibleText(tenant, 60)} do`,
            `Rename it to ${visibleText(`${prefix}${namespace}`, 80)}, or correct the tenant.`,
          ),
        ],
  );
}

function tenancyProblem(place: Place, message: string, remedy: string): Problem {
  return problemOf({ code: 'tenancy-broken', rule: 'V-56', place, message, remedy });
}

interface Use {
  readonly environment: DesiredEnvironment;
  readonly target: DeclaredTarget;
}

/** A dedicated target serves one tenant; an environment without one is a tenant of its own. */
function sharedTargets({ state }: RuleContext): readonly Problem[] {
  const uses = new Map<string, Use[]>();
  for (const environment of state.environments) {
    for (const target of environment.targets) {
      for (const identity of targetIdentities(target.value)) {
        const known = uses.get(identity);
        if (known === undefined) uses.set(identity, [{ environment, target }]);
        else known.push({ environment, target });
      }
    }
  }
  const found = new Map<string, Problem>();
  for (const shared of uses.values()) {
    for (const owner of shared.filter(({ environment }) => environment.declared.value.spec.tenancy?.mode === 'dedicated')) {
      for (const other of shared) {
        if (tenantOf(owner) === tenantOf(other) && ownTenant(owner) === ownTenant(other)) continue;
        const key = `${owner.environment.name} ${owner.target.name} ${other.environment.name} ${other.target.name}`;
        if (!found.has(key)) found.set(key, sharedTarget(owner, other));
      }
    }
  }
  return [...found.values()];
}

function ownTenant({ environment }: Use): string | undefined {
  return environment.declared.value.spec.tenancy?.tenant;
}

function tenantOf(use: Use): string {
  return ownTenant(use) ?? use.environment.name;
}

function sharedTarget(owner: Use, other: Use): Problem {
  return problemOf({
    code: 'tenancy-broken',
    rule: 'V-56',
    place: other.target.at(''),
    message: `target ${owner.environment.name}/${owner.target.name} is dedicated to ${tenantOf(owner)}; ${other.environment.name} belongs to ${tenantOf(other)}`,
    remedy: 'Give each tenant a target of its own, or take mode: dedicated away.',
    related: relatedTo(owner.environment.declared.at('/spec/tenancy/mode'), 'dedicated here'),
  });
}

/** A preview is an environment that says so by a label, or takes what is not released. */
function isPreview({ declared }: DesiredEnvironment): boolean {
  const { metadata, spec } = declared.value;
  const stage = metadata.labels?.['stage'];
  return stage === 'preview' || Object.values(spec.capsules ?? {}).some((request) => request.allowUnreleased === true);
}

function previewProblems(context: RuleContext, environment: DesiredEnvironment): readonly Problem[] {
  if (!isPreview(environment)) return [];
  const { declared, name } = environment;
  const problems: Problem[] = [];
  const { expires } = declared.value.spec;
  if (expires === undefined || expires === null)
    problems.push(
      problemOf({
        code: 'preview-unsafe',
        rule: 'V-59',
        place: declared.at(expires === null ? '/spec/expires' : '/spec'),
        message: `preview ${name} must set expires`,
        remedy: 'Add expires, such as 7d: nobody takes a preview away by hand.',
      }),
    );
  const guarded = guardedSecrets(context, environment);
  for (const { pointer, address } of secretAddresses(environment)) {
    const owner = guarded.get(address);
    if (owner === undefined) continue;
    problems.push(
      problemOf({
        code: 'preview-unsafe',
        rule: 'V-59',
        place: declared.at(pointer),
        message: `preview ${name} reads a secret of ${owner.environment.name} (${owner.environment.declared.value.spec.risk}): the same store and path`,
        remedy: 'Give previews secrets of their own.',
        related: relatedTo(owner.environment.declared.at(owner.pointer), `the secret of ${owner.environment.name}`),
      }),
    );
  }
  return problems;
}

interface Address {
  readonly pointer: string;
  readonly address: string;
}

function secretAddresses({ declared }: DesiredEnvironment): readonly Address[] {
  return Object.entries(declared.value.spec.secrets ?? {}).flatMap(([instance, secrets]) =>
    Object.entries(secrets).flatMap(([secret, { store, path }]) =>
      store === undefined || path === undefined
        ? []
        : [{ pointer: `/spec/secrets${pointerToken(instance)}${pointerToken(secret)}`, address: JSON.stringify([store, path]) }],
    ),
  );
}

/** Secrets of environments of risk high or more. */
function guardedSecrets(context: RuleContext, preview: DesiredEnvironment) {
  const risky = context.state.environments.filter(
    (other) => other !== preview && (other.declared.value.spec.risk === 'high' || other.declared.value.spec.risk === 'critical'),
  );
  return new Map(
    risky.flatMap((environment) =>
      secretAddresses(environment).map(({ pointer, address }) => [address, { environment, pointer }] as const),
    ),
  );
}
