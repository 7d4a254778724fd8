import type { Project } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import { pointerToken } from '#model/json.ts';
import { compareText, type Place, type Problem } from '#model/problem.ts';
import { parseQuantity, quantityText } from '#model/quantity.ts';
import { listed, visibleText } from '#model/quoted.ts';
import type { Rendering, TargetRendering } from '#model/rendering.ts';
import { requestsOf, type Share } from './pod-requests.ts';
import type { EnvironmentRendering } from './shared-objects.ts';

type Quota = Readonly<Record<string, string | number>>;

interface Part {
  /** What people know it by: `eu-1/greeter`, or an environment. */
  readonly name: string;
  readonly amount: bigint;
}

const known = new WeakMap<TargetRendering, readonly Share[]>();

/** V-39 for one environment: the sum over its targets. */
export function environmentQuotaProblems(environment: DesiredEnvironment, rendering: Rendering): readonly Problem[] {
  const { quota } = environment.declared.value.spec;
  if (quota === undefined) return [];
  const who = { name: environment.name, at: (key: string): Place => environment.declared.at(`/spec/quota${pointerToken(key)}`) };
  return exceeded(who, quota, (resource) => partsOf(rendering, resource));
}

/** V-39 for tenants: the sum over their environments. */
export function tenantQuotaProblems(
  project: Declared<Project> | undefined,
  renderings: readonly EnvironmentRendering[],
): readonly Problem[] {
  return Object.entries(project?.value.spec.tenants ?? {}).flatMap(([tenant, { quota }]) => {
    if (quota === undefined || project === undefined) return [];
    const own = renderings.filter(({ environment }) => environment.declared.value.spec.tenancy?.tenant === tenant);
    const base = `/spec/tenants${pointerToken(tenant)}/quota`;
    return exceeded(
      { name: `tenant ${visibleText(tenant, 60)}`, at: (key) => project.at(`${base}${pointerToken(key)}`) },
      quota,
      (resource) => own.map(({ environment, rendering }) => ({ name: environment.name, amount: sumOf(partsOf(rendering, resource)) })),
    );
  });
}

interface Owner {
  readonly name: string;
  readonly at: (key: string) => Place;
}

function exceeded(owner: Owner, quota: Quota, parts: (resource: string) => readonly Part[]): readonly Problem[] {
  return Object.entries(quota).flatMap(([key, declared]) => {
    const most = parseQuantity(declared);
    const resource = key.replace(/^requests\./, '');
    const found = parts(resource);
    const wanted = sumOf(found);
    if (most === undefined || wanted <= most) return [];
    const form = resource === 'memory' || resource.endsWith('storage') ? 'size' : 'count';
    const largest = [...found].sort((a, b) => (a.amount === b.amount ? compareText(a.name, b.name) : a.amount < b.amount ? 1 : -1));
    const shown = largest.filter(({ amount }) => amount > 0n).map(({ name, amount }) => `${name} ${quantityText(amount, form)}`);
    return [
      {
        code: 'quota-exceeded',
        rule: 'V-39',
        severity: 'error',
        phase: 'resolve',
        message: `${owner.name} would request ${quantityText(wanted, form)} ${SPOKEN.get(resource) ?? visibleText(resource, 60)} of ${quantityText(most, form)}; largest: ${listed(shown, 3)}`,
        remedy: 'Lower requests or replicas, or raise the quota.',
        place: owner.at(key),
        related: [],
      },
    ];
  });
}

const SPOKEN: ReadonlyMap<string, string> = new Map([['cpu', 'CPU']]);

function sumOf(parts: readonly Part[]): bigint {
  return parts.reduce((sum, { amount }) => sum + amount, 0n);
}

function partsOf(rendering: Rendering, resource: string): readonly Part[] {
  return rendering.targets.flatMap((target) => {
    const shares = known.get(target) ?? requestsOf(target.objects);
    known.set(target, shares);
    return shares.flatMap(({ object, amounts }) => {
      const amount = amounts.get(resource);
      return amount === undefined ? [] : [{ name: `${target.target.name}/${object.key.name}`, amount }];
    });
  });
}
