import type { JsonObject } from '#model/json.ts';
import { toCapsuleName, toInstanceName, type CapsuleName, type InstanceName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import type { ReleasedCapsule } from '#model/resolution.ts';
import { pinnedBy, type NoImport } from './import-pins.ts';
import { DEEPEST } from './lineage.ts';
import type { ResolveInput } from './resolve-input.ts';

/** One instance's need for another. */
export interface DependencyEdge {
  readonly dependency: string;
  readonly optional: boolean;
  readonly instance: InstanceName;
  readonly capsule: CapsuleName;
  /** All must hold: the dependency's own range and that of the recipe it goes by. */
  readonly ranges: readonly string[];
  /** The abstract type whose recipe names the capsule. */
  readonly recipe: string | undefined;
  /** It is no dependency but a child of a bundle. */
  readonly isChild?: boolean;
}

/** Whose dependencies are looked for. */
export interface Asker {
  readonly instance: InstanceName;
  /** Abstract types by which it was asked for so far, sorted. */
  readonly recipes: readonly string[];
  /** What the bundle gives that it is a child of. */
  readonly given: JsonObject | undefined;
}

export interface FoundEdges {
  readonly mandatory: readonly DependencyEdge[];
  readonly optional: readonly DependencyEdge[];
  /** Dependencies whose `when` does not hold. */
  readonly skipped: readonly string[];
  /** Services outside: nothing to install. */
  readonly external: readonly string[];
  readonly unknownType: { readonly type: string; readonly dependency: string } | undefined;
  /** A private instance below the deepest that may be. */
  readonly tooDeep: { readonly instance: string; readonly dependency: string } | undefined;
  /** An import that this clone does not have, or refuses. */
  readonly noImport?: NoImport | undefined;
}

const NONE: FoundEdges = { mandatory: [], optional: [], skipped: [], external: [], unknownType: undefined, tooDeep: undefined };

/** The instances a released capsule needs, by dependency name. A private one is `<instance>.<dependency>`. */
export function dependencyEdges(
  input: ResolveInput,
  asker: Asker,
  released: ReleasedCapsule,
  servedBy: (capsule: CapsuleName, dependency: string) => InstanceName,
): FoundEdges {
  const { dependencies } = released.declaration.spec;
  if (dependencies === undefined) return NONE;
  const mandatory: DependencyEdge[] = [];
  const optional: DependencyEdge[] = [];
  const skipped: string[] = [];
  const external: string[] = [];
  let unknownType: FoundEdges['unknownType'];
  let tooDeep: FoundEdges['tooDeep'];
  let noImport: FoundEdges['noImport'];
  const declared = Object.entries(dependencies).sort(([a], [b]) => compareText(a, b));
  for (const [dependency, wanted] of declared) {
    const expression = wanted.when ?? undefined;
    if (expression !== undefined && input.applies?.({ ...asker, capsule: released, dependency, expression }) === false) {
      skipped.push(dependency);
      continue;
    }
    if (wanted.service !== undefined) {
      external.push(dependency);
      continue;
    }
    const recipe = wanted.type === undefined ? undefined : recipeFor(input, wanted.type);
    const capsule = wanted.capsule ?? recipe?.capsule;
    if (capsule === undefined) {
      if (wanted.optional === true) skipped.push(dependency);
      else unknownType ??= { type: wanted.type ?? dependency, dependency };
      continue;
    }
    const nested = `${asker.instance}.${dependency}`;
    if (wanted.shared === false && nested.split('.').length > DEEPEST) {
      if (wanted.optional === true) skipped.push(dependency);
      else tooDeep ??= { instance: nested, dependency };
      continue;
    }
    const pinned = wanted.capsule === undefined ? undefined : pinnedBy(input, released, { dependency, name: wanted.capsule });
    if (pinned !== undefined && typeof pinned !== 'string') {
      noImport ??= pinned;
      continue;
    }
    const edge: DependencyEdge = {
      dependency,
      optional: wanted.optional === true,
      instance: wanted.shared === false ? toInstanceName(nested) : servedBy(toCapsuleName(capsule), dependency),
      capsule: toCapsuleName(capsule),
      ranges: [wanted.version ?? '*', recipe?.version, pinned].filter((range) => range !== undefined),
      recipe: wanted.type,
    };
    (edge.optional ? optional : mandatory).push(edge);
  }
  return { mandatory, optional, skipped, external, unknownType, tooDeep, noImport };
}

function recipeFor(input: ResolveInput, type: string): { readonly capsule: string; readonly version?: string | undefined } | undefined {
  const recipes = input.environment.declared.value.spec.recipes ?? {};
  return Object.hasOwn(recipes, type) ? recipes[type] : undefined;
}
