import type { Environment } from '#model/declarations.generated.ts';

/** `spec.rollout` of an environment. */
export type RolloutDeclaration = NonNullable<Environment['spec']['rollout']>;

export interface Placed {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Partition<T extends Placed> {
  readonly name: string;
  /** In the order they were declared. */
  readonly targets: readonly T[];
}

/**
 * The declared partitions, then the rest in groups of `autoPartitionSize`; a target belongs to the first one that selects it. A group is
 * never larger than the share says, unless it is one target.
 */
export function partitionsOf<T extends Placed>(declaration: RolloutDeclaration, targets: readonly T[]): readonly Partition<T>[] {
  const open = new Set(targets);
  const named = (declaration.partitions ?? []).map(({ name, selector }): Partition<T> => {
    const chosen = [...open].filter((target) => hasLabels(target.labels, selector.matchLabels ?? {}));
    for (const target of chosen) open.delete(target);
    return { name, targets: chosen };
  });
  const rest = [...open];
  if (rest.length === 0) return named;
  const size = Math.max(1, shareOf(declaration.autoPartitionSize ?? '100%', rest.length));
  if (size >= rest.length) return [...named, { name: 'rest', targets: rest }];
  const groups = Array.from({ length: Math.ceil(rest.length / size) }, (_, index): Partition<T> => {
    return { name: `rest-${index + 1}`, targets: rest.slice(index * size, (index + 1) * size) };
  });
  return [...named, ...groups];
}

/** A number of things, or a percentage of `whole`, rounded down. */
export function shareOf(count: number | string, whole: number): number {
  return typeof count === 'number' ? count : Math.floor((whole * Number.parseFloat(count)) / 100);
}

function hasLabels(labels: Placed['labels'], wanted: Placed['labels']): boolean {
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);
}
