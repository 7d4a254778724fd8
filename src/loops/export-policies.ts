import { exportPolicies } from '#policy/policy.ts';
import type { Snapshot } from './reading.ts';
import type { ReadingWorld } from './world.ts';

export type ExportFormat = Parameters<typeof exportPolicies>[1]['format'];

export const EXPORT_FORMATS: readonly ExportFormat[] = ['vap', 'kyverno'];

/** The policies of a snapshot as objects that a cluster enforces; `names` chooses, nothing means those that list the format. */
export async function policiesForClusters(
  world: Pick<ReadingWorld, 'reading'>,
  at: Snapshot,
  wanted: { readonly format: ExportFormat; readonly names: readonly string[] },
): Promise<ReturnType<typeof exportPolicies> & { readonly known: readonly string[] }> {
  const { state, problems } = await world.reading.declarations(at);
  const exported = exportPolicies(state, { format: wanted.format, names: new Set(wanted.names) });
  const unreadable = problems.filter((problem) => problem.place.file?.startsWith('policies/') === true);
  return {
    ...exported,
    problems: [...unreadable, ...exported.problems],
    known: state.policies.map((policy) => policy.value.metadata.name),
  };
}
