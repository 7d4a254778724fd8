import { ANY_NAME, USUAL_CLUSTER_RESOURCES } from '#model/cluster-access.ts';
import type { ClusterAccess } from '#model/cluster-access.ts';
import { contextNames } from './kubeconfig.ts';

/**
 * The contexts of a kubeconfig that a person names, as credentials: each context is the one of its own name, and an only one is for every
 * name. What the configuration says of a name beside its login (environments, namespaces, kinds) stays.
 */
export async function namedContexts(
  file: string,
  configured: ReadonlyMap<string, ClusterAccess>,
): Promise<ReadonlyMap<string, ClusterAccess>> {
  const contexts = await contextNames(file);
  const [only] = contexts;
  const names = contexts.length === 1 && only !== undefined ? [only, ANY_NAME, ...configured.keys()] : contexts;
  return new Map(
    names.map((name) => {
      const source = { kind: 'kubeconfig', file, context: contexts.length === 1 ? only : name, allowExec: true } as const;
      return [name, { ...(configured.get(name) ?? FREE), source }];
    }),
  );
}

const FREE = { environments: undefined, namespaces: undefined, clusterResources: USUAL_CLUSTER_RESOURCES, impersonate: undefined };
