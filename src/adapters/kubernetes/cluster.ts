import type { Sha256 } from '#model/digest.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { KubernetesObject, ObjectKey } from '#model/kubernetes-object.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { PlannedObject, TargetSync } from '#model/plan.ts';
import type { Clock } from '#ports/machine.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import type { Api, Discovery } from './api.ts';
import type { Marks } from './body.ts';
import type { ClusterInventory } from './inventory.ts';
import type { Lookups } from './lookups.ts';
import type { Pods } from './pods.ts';
import type { Views } from './views.ts';

/** One target in a cluster, kept from run to run. */
export interface Cluster {
  readonly api: Api;
  readonly discovery: Discovery;
  readonly views: Views;
  readonly inventory: ClusterInventory;
  /** What the last look found outside of the views. */
  readonly lookups: Lookups;
  /** Of what is not well. */
  readonly pods: Pods;
  readonly marks: Marks;
  readonly owner: { readonly environment: EnvironmentName; readonly target: TargetName };
  /** Name of the entry of the configuration, for words. */
  readonly credentials: string;
  readonly sync: TargetSync;
  readonly clock: Clock;
  readonly secrets: SealedSecrets | undefined;
  readonly allows: (key: ObjectKey) => boolean;
  /** Where objects may be; empty text: anywhere, as far as `allows` says. */
  readonly namespaces: readonly string[];
  /** The objects of the last look, for as long as its caller has them: their text need not be read again. */
  wanted: WeakRef<readonly PlannedObject[]> | undefined;
}

/** An object of the cluster in whichever way it was found. */
export interface Found {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Undefined: our field manager never applied it. */
  readonly owned: Sha256 | undefined;
  readonly applied: string | undefined;
  /** Version of its API that `owned` is of; undefined where only metadata was read. */
  readonly version: string | undefined;
  readonly managers: readonly string[];
  /** Of an object that no view has: digest of who holds which of its fields since when, so that a write by anybody is seen and a status is not. */
  readonly holders: Sha256 | undefined;
}

type WantedObjects = ReadonlyMap<string, { readonly sha256: Sha256; readonly object: KubernetesObject }>;

/** Made once for each list: every object that is written asks. */
const INDEXES = new WeakMap<readonly PlannedObject[], WantedObjects>();

/** By `keyText`, the objects of the last look. */
export function wantedObjects(cluster: Cluster): WantedObjects {
  const wanted = cluster.wanted?.deref() ?? [];
  const known = INDEXES.get(wanted);
  if (known !== undefined) return known;
  const index: WantedObjects = new Map(wanted.map(({ key, sha256, object }) => [keyText(key), { sha256, object }]));
  INDEXES.set(wanted, index);
  return index;
}
