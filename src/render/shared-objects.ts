import type { DeclaredTarget, DesiredEnvironment } from '#model/desired.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { Problem } from '#model/problem.ts';
import type { RenderedObject, Rendering } from '#model/rendering.ts';
import { targetIdentities } from '#model/target-identity.ts';

export interface EnvironmentRendering {
  readonly environment: DesiredEnvironment;
  readonly rendering: Rendering;
}

interface Owner {
  readonly environment: DesiredEnvironment;
  readonly target: DeclaredTarget;
  readonly object: RenderedObject;
}

/** V-55 across environments: two of them that write to one place own no object in common. */
export function objectsOwnedTwice(renderings: readonly EnvironmentRendering[]): readonly Problem[] {
  const owners = new Map<string, Owner>();
  return renderings.flatMap(({ environment, rendering }) =>
    environment.targets.flatMap((target) => {
      const objects = rendering.targets.find((item) => item.target.name === target.name)?.objects ?? [];
      return clashes(
        owners,
        objects.map((object) => ({ environment, target, object })),
      );
    }),
  );
}

/** At most one problem for each other environment; what is new is remembered. */
function clashes(owners: Map<string, Owner>, claims: readonly Owner[]): readonly Problem[] {
  const found = new Map<DesiredEnvironment, Problem>();
  for (const claim of claims) {
    for (const place of targetIdentities(claim.target.value)) {
      const key = `${place} ${keyText(claim.object.key)}`;
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, claim);
      else if (owner.environment !== claim.environment && !found.has(owner.environment))
        found.set(owner.environment, ownedTwice(owner, claim));
    }
  }
  return [...found.values()];
}

/** The first object in common says it; the others follow from it. */
function ownedTwice(owner: Owner, other: Owner): Problem {
  const { object } = other;
  const { namespace, name } = object.key;
  const first = owner.target.at('');
  const related =
    first.file === undefined ? [] : [{ file: first.file, line: first.line, note: `also written by ${owner.environment.name}` }];
  return {
    code: 'object-owned-twice',
    rule: 'V-55',
    severity: 'error',
    phase: 'render',
    message: `${object.object.apiVersion} ${object.key.kind} ${namespace === '' ? '' : `${namespace}/`}${name} is rendered by ${owner.environment.name} and ${other.environment.name} on one target (${owner.environment.name}/${owner.target.name}, ${other.environment.name}/${other.target.name})`,
    remedy: 'Give each environment a place or a namespace of its own.',
    place: other.target.at(''),
    related,
  };
}
