import type { DesiredEnvironment } from '#model/desired.ts';
import { DEFAULT_DELETION_BUDGET } from '#model/plan.ts';
import type { DeletionBudget } from '#model/plan.ts';

export function deletionBudget(environment: DesiredEnvironment): DeletionBudget {
  const declared = environment.declared.value.spec.sync?.deletionBudget;
  return { count: declared?.count ?? DEFAULT_DELETION_BUDGET.count, percent: declared?.percent ?? DEFAULT_DELETION_BUDGET.percent };
}

/** `sync.confirm` lets exactly this rendering delete. */
export function isConfirmed(environment: DesiredEnvironment, digest: string): boolean {
  return (environment.declared.value.spec.sync?.confirm ?? []).some((item) => item.rendering === digest);
}
