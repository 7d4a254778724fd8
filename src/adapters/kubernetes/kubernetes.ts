import type { ClusterAccess } from '#model/cluster-access.ts';
import type { EnvironmentName, TargetName } from '#model/names.ts';
import type { Chance, Clock, Timers } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import type { SealedSecrets } from '#ports/sealed-secrets.ts';
import type { Target, TargetDeclaration, Targets } from '#ports/target.ts';
import type { ClusterByHand } from './by-hand.ts';
import type { ClusterTargets } from './cluster-targets.ts';

export interface KubernetesOptions {
  /** By the names that git uses. */
  readonly credentials: ReadonlyMap<string, ClusterAccess>;
  /** Without it an object whose values are encrypted in git is an outcome that failed. */
  readonly secrets: SealedSecrets | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly chance: Chance;
}

export interface KubernetesTargets extends Targets {
  watch(moved: (environment: EnvironmentName, target: TargetName) => void): void;
  close(): Promise<void>;
  /** What was asked of all servers so far, for the counting tests. */
  counts(): { readonly requests: number; readonly watches: number; readonly retries: number };
}

/** Targets in Kubernetes clusters. Most processes have none: what drives them is loaded for the first that is opened. */
export function kubernetesTargets(options: KubernetesOptions): KubernetesTargets {
  let targets: Promise<ClusterTargets> | undefined;
  let loaded: ClusterTargets | undefined;
  let isClosed = false;
  let tell: (environment: EnvironmentName, target: TargetName) => void = () => undefined;

  async function load(): Promise<ClusterTargets> {
    const { clusterTargets } = await import('./cluster-targets.ts');
    loaded = clusterTargets(options, (environment, target) => tell(environment, target));
    return loaded;
  }

  async function open(environment: EnvironmentName, target: TargetName, declaration: TargetDeclaration): Promise<Target> {
    if (declaration.driver !== 'kubernetes') {
      throw new PortError('unsupported', `target ${target} has driver ${declaration.driver}; this delivers to Kubernetes`);
    }
    if (isClosed) throw new PortError('unsupported', 'connections to clusters were closed');
    targets ??= load();
    return (await targets).open(environment, target, declaration);
  }

  return {
    open,
    watch(moved) {
      tell = moved;
    },
    async close() {
      isClosed = true;
      await (await targets)?.close();
    },
    counts: () => loaded?.counts() ?? { requests: 0, watches: 0, retries: 0 },
  };
}

/** By the current context of a kubeconfig, for what people do by hand. */
export async function openClusterByHand(file: string): Promise<ClusterByHand> {
  const { openByHand } = await import('./by-hand.ts');
  return openByHand(file);
}

/** The contexts of a kubeconfig as credentials of their names. */
export async function credentialsIn(file: string, configured: KubernetesOptions['credentials']): Promise<KubernetesOptions['credentials']> {
  const { namedContexts } = await import('./named-contexts.ts');
  return namedContexts(file, configured);
}
