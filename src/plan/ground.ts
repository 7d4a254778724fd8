import type { Sha256 } from '#model/digest.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { InventoryObject, Observation } from '#model/plan.ts';
import type { TargetRendering } from '#model/rendering.ts';
import type { Fight } from './fights.ts';

/** What each decision about one object looks up. */
export interface Ground {
  readonly environment: EnvironmentName;
  readonly target: TargetName;
  /** Path -> digest of what is there. */
  readonly found: ReadonlyMap<string, Sha256>;
  /** Path -> what we wrote there; two rows where a run died between the bytes it had and the bytes it gets. */
  readonly owned: ReadonlyMap<string, readonly InventoryObject[]>;
  /** Object -> the paths we own for it. */
  readonly ownedPaths: ReadonlyMap<string, readonly string[]>;
  readonly wantedPaths: ReadonlySet<string>;
  readonly wantedKeys: ReadonlySet<string>;
  readonly adopt: ReadonlySet<string>;
  readonly complete: boolean;
  readonly selfHeal: boolean;
  readonly reverted: ReadonlyMap<string, Sha256 | undefined>;
  readonly fights: ReadonlyMap<string, Fight>;
  /** Path -> who holds there what was ours. */
  readonly changedBy: ReadonlyMap<string, readonly string[]>;
  readonly prune: boolean;
}

export function groundOf(request: {
  readonly rendering: TargetRendering;
  readonly observation: Observation;
  readonly prune: boolean | 'confirm';
  readonly adopt: readonly ObjectKey[];
  readonly selfHeal: boolean;
  readonly reverted?: ReadonlyMap<string, Sha256 | undefined>;
  readonly fights?: ReadonlyMap<string, Fight>;
}): Ground {
  const { rendering, observation, prune, adopt, selfHeal } = request;
  const rows = observation.inventory?.objects ?? [];
  return {
    environment: rendering.target.environment,
    target: rendering.target.name,
    found: new Map(observation.objects.map((object) => [object.path, object.sha256])),
    owned: Map.groupBy(rows, (row) => row.path),
    ownedPaths: pathsByKey(rows),
    wantedPaths: new Set(rendering.objects.map((object) => object.path)),
    wantedKeys: new Set(rendering.objects.map((object) => keyText(object.key))),
    adopt: new Set(adopt.map((key) => keyText(key))),
    complete: observation.complete,
    selfHeal,
    reverted: request.reverted ?? new Map(),
    fights: request.fights ?? new Map(),
    changedBy: new Map(observation.objects.map((object) => [object.path, object.live?.changedBy ?? []])),
    prune: prune !== false,
  };
}

function pathsByKey(rows: readonly InventoryObject[]): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, Set<string>>();
  for (const row of rows) {
    const key = keyText(row.key);
    const known = paths.get(key);
    if (known === undefined) paths.set(key, new Set([row.path]));
    else known.add(row.path);
  }
  return new Map([...paths].map(([key, each]) => [key, [...each]]));
}

/** Whether what is found at a path may be ours: the inventory names it, and not just as announced with other bytes. */
export function isOurs(ground: Ground, path: string, found: Sha256): boolean {
  const rows = ground.owned.get(path);
  return rows !== undefined && rows.some((row) => !row.pending || row.sha256 === found);
}
