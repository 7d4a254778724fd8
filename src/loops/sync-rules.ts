import type { DeclaredTarget, DesiredEnvironment } from '#model/desired.ts';
import { DEFAULT_DEADLINE } from '#model/health.ts';
import type { Patience } from '#model/health.ts';
import { parseDuration } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import { DEFAULT_DELETION_BUDGET, DEFAULT_TARGET_SYNC } from '#model/plan.ts';
import type { DeletionBudget, TargetSync } from '#model/plan.ts';
import type { TargetDeclaration } from '#ports/target.ts';

export function deletionBudget(environment: DesiredEnvironment): DeletionBudget {
  const declared = environment.declared.value.spec.sync?.deletionBudget;
  return { count: declared?.count ?? DEFAULT_DELETION_BUDGET.count, percent: declared?.percent ?? DEFAULT_DELETION_BUDGET.percent };
}

/** How long what is on its way may take, as `sync.timeout` says. */
export function patienceOf(environment: DesiredEnvironment, now: Instant): Patience {
  const declared = environment.declared.value.spec.sync?.timeout;
  return { now, deadline: (declared === undefined ? undefined : parseDuration(declared)) ?? DEFAULT_DEADLINE };
}

/** `sync.confirm` lets exactly this rendering delete. */
export function isConfirmed(environment: DesiredEnvironment, digest: string): boolean {
  return (environment.declared.value.spec.sync?.confirm ?? []).some((item) => item.rendering === digest);
}

/** How a target keeps objects, as `sync` of its environment says. */
export function targetSync(environment: DesiredEnvironment): TargetSync {
  const sync = environment.declared.value.spec.sync;
  return {
    deletionPolicy: sync?.deletionPolicy ?? DEFAULT_TARGET_SYNC.deletionPolicy,
    ignore: (sync?.drift?.ignore ?? []).map(({ target, paths }) => ({ group: target.group, kind: target.kind, name: target.name, paths })),
    recreate: sync?.force ?? DEFAULT_TARGET_SYNC.recreate,
  };
}

/** What an environment says of its failed runs, in milliseconds; undefined where it says nothing. */
export function retryRule(environment: DesiredEnvironment) {
  const { retryInterval, retryBudget } = environment.declared.value.spec.sync ?? {};
  const interval = parseDuration(retryInterval ?? '');
  const per = parseDuration(retryBudget?.per ?? '');
  const attempts = retryBudget?.attempts;
  const budget = per === undefined || attempts === undefined ? undefined : { attempts, per };
  return interval === undefined && budget === undefined ? undefined : { interval, budget };
}

/** Why nothing of an environment is synced; undefined where it is. */
export function suspension(environment: DesiredEnvironment): string | undefined {
  return environment.declared.value.spec.sync?.suspend === true
    ? `${environment.name} is suspended (sync.suspend): nothing is synced`
    : undefined;
}

/** What a target is opened with: all that git says of it. */
export function targetDeclaration(environment: DesiredEnvironment, target: DeclaredTarget): TargetDeclaration {
  const { driver, path, credentials, impersonate } = target.value;
  return { driver, path, credentials, namespace: namespaceOf(environment, target), impersonate, sync: targetSync(environment) };
}

/** Where objects go that name no namespace. */
export function namespaceOf(environment: DesiredEnvironment, target: DeclaredTarget): string {
  return target.value.namespace ?? environment.declared.value.spec.tenancy?.namespace ?? environment.name;
}
