import { toCapsuleName, toInstanceName, type CapsuleName, type InstanceName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import type { GivenLayer, ReleasedCapsule } from '#model/resolution.ts';
import type { Asker, DependencyEdge } from './dependency-edges.ts';
import { pinnedBy, type NoImport } from './import-pins.ts';
import { DEEPEST } from './lineage.ts';
import type { ResolveInput } from './resolve-input.ts';
import type { Slot } from './slot.ts';

export interface FoundChildren {
  readonly edges: readonly DependencyEdge[];
  /** Children whose `when` does not hold. */
  readonly skipped: readonly string[];
  readonly tooDeep: { readonly instance: string; readonly pointer: string } | undefined;
  readonly noImport?: NoImport | undefined;
}

const NONE: FoundChildren = { edges: [], skipped: [], tooDeep: undefined };

/** The instances that a bundle brings along: `<bundle>.<child>`, each of its own. */
export function childrenOf(input: ResolveInput, asker: Asker, released: ReleasedCapsule): FoundChildren {
  const { instances } = released.declaration.spec;
  if (instances === undefined) return NONE;
  const edges: DependencyEdge[] = [];
  const skipped: string[] = [];
  for (const [child, wanted] of Object.entries(instances).sort(([a], [b]) => compareText(a, b))) {
    const expression = wanted.when ?? undefined;
    if (expression !== undefined && input.applies?.({ ...asker, capsule: released, dependency: child, expression }) === false) {
      skipped.push(child);
      continue;
    }
    const name = `${asker.instance}.${child}`;
    if (name.split('.').length > DEEPEST) return { edges, skipped, tooDeep: { instance: name, pointer: `/spec/instances/${child}` } };
    const pinned = pinnedBy(input, released, { dependency: child, name: wanted.capsule });
    if (pinned !== undefined && typeof pinned !== 'string') return { edges, skipped, tooDeep: undefined, noImport: pinned };
    edges.push({
      dependency: child,
      optional: false,
      instance: toInstanceName(name),
      capsule: toCapsuleName(wanted.capsule),
      ranges: pinned === undefined ? [wanted.version] : [wanted.version, pinned],
      recipe: undefined,
      isChild: true,
    });
  }
  return { edges, skipped, tooDeep: undefined };
}

/**
 * Who serves a shared dependency of an instance: a child of the innermost bundle around it that has one of that capsule, else the environment.
 * Of several children the one named like the dependency, then like the capsule, then the first by name.
 */
export function servedBy(
  slots: ReadonlyMap<InstanceName, Slot>,
  wanted: { readonly instance: InstanceName; readonly capsule: CapsuleName; readonly dependency: string },
): InstanceName | undefined {
  const { instance, capsule, dependency } = wanted;
  for (let end = instance.lastIndexOf('.'); end > 0; end = instance.lastIndexOf('.', end - 1)) {
    const edges = slots.get(toInstanceName(instance.slice(0, end)))?.choice?.edges ?? [];
    const children = edges.filter((edge) => edge.isChild === true && edge.capsule === capsule && edge.instance !== instance);
    const best =
      children.find((edge) => edge.dependency === dependency) ??
      children.find((edge) => edge.dependency === String(capsule)) ??
      children[0];
    if (best !== undefined) return best.instance;
  }
  return undefined;
}

/** What the bundle says of its child's configuration. */
export function givenTo(slot: Slot): GivenLayer | undefined {
  for (const { by } of slot.requests) {
    const edge = by?.choice?.edges.find((one) => one.isChild === true && one.instance === slot.instance);
    const value = edge === undefined ? undefined : by?.choice?.released?.declaration.spec.instances?.[edge.dependency]?.config;
    if (by !== undefined && edge !== undefined && value !== undefined) return { by: by.instance, child: edge.dependency, value };
  }
  return undefined;
}
