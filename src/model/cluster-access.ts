import type { ObjectKey } from '#model/kubernetes-object.ts';

/** One entry `credentials.NAME` of the service's configuration: how a cluster is reached, and what may be written there. */
export interface ClusterAccess {
  readonly source: ClusterLogin;
  /** Environments that may use it; undefined: every one. */
  readonly environments: readonly string[] | undefined;
  /** Patterns of namespaces that may be written to; undefined: the namespaces that the targets using it declare. */
  readonly namespaces: readonly string[] | undefined;
  /** `Kind`, `Kind.group` or `*`. */
  readonly clusterResources: readonly string[];
  /** Where the target names nobody. */
  readonly impersonate: string | undefined;
}

export type ClusterLogin =
  | {
      readonly kind: 'kubeconfig';
      /** Absolute path. */
      readonly file: string;
      /** Undefined: the file's current one. */
      readonly context: string | undefined;
      /** Whether a login program that the file names is run. */
      readonly allowExec: boolean;
    }
  | { readonly kind: 'inCluster' };

/** Neither gives anybody rights nor stands in the way of other requests; everything else of a cluster is named on purpose. */
export const USUAL_CLUSTER_RESOURCES: readonly string[] = ['Namespace', 'CustomResourceDefinition.apiextensions.k8s.io'];

export function allowsEnvironment({ environments }: ClusterAccess, environment: string): boolean {
  return environments === undefined || environments.includes(environment);
}

/** `declared`: the namespaces of the targets that use the entry. */
export function allowsNamespace({ namespaces }: ClusterAccess, namespace: string, declared: readonly string[]): boolean {
  return (namespaces ?? declared).some((pattern) => fitsPattern(pattern, namespace));
}

/** A Namespace is written only where its objects could be, too. */
export function allowsClusterObject(access: ClusterAccess, key: ObjectKey, declared: readonly string[]): boolean {
  const isNamed = access.clusterResources.some((entry) => entry === '*' || entry === key.kind || entry === `${key.kind}.${key.group}`);
  if (!isNamed) return false;
  return key.group !== '' || key.kind !== 'Namespace' || allowsNamespace(access, key.name, declared);
}

/** `*` stands for any letters, none included; linear in pattern times text. */
function fitsPattern(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === text;
  const last = rest.pop() ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > text.length - last.length) return false;
    at = found + part.length;
  }
  return true;
}
