import type { ObjectKey } from '#model/kubernetes-object.ts';
import { listed, quoted } from '#model/quoted.ts';
import { didYouMean } from '#model/suggest.ts';

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
  | { readonly kind: 'in-cluster' };

export type AccessChoice =
  | { readonly kind: 'found'; readonly access: ClusterAccess }
  | { readonly kind: 'refused'; readonly message: string };

/** No name of credentials: an entry that is for all of them. */
export const ANY_NAME = '*';

/** The entry that a target names, if there is one and its environment may use it; else why not and what to do. */
export function chooseAccess(
  credentials: ReadonlyMap<string, ClusterAccess>,
  asked: { readonly environment: string; readonly target: string; readonly credentials: string | undefined },
): AccessChoice {
  const { environment, target, credentials: name } = asked;
  if (name === undefined) return { kind: 'refused', message: `target ${target} of ${environment} is a cluster and names no credentials` };
  const access = credentials.get(name) ?? credentials.get(ANY_NAME);
  if (access === undefined) {
    const known = [...credentials.keys()].sort();
    const near = didYouMean(name, known);
    const there = known.length === 0 ? 'it has none' : `known: ${listed(known, 20)}`;
    return {
      kind: 'refused',
      message: `the configuration has no credentials ${quoted(name)} (${there})${near}${near === '' ? '.' : ''} Add credentials.${name} to capstan.yaml, or correct the name in git.`,
    };
  }
  if (allowsEnvironment(access, environment)) return { kind: 'found', access };
  const allowed = access.environments ?? [];
  return {
    kind: 'refused',
    message: `credentials ${name} may not be used by ${environment} (allowed: ${allowed.length === 0 ? 'no environment' : listed(allowed, 20)}). Add ${environment} to credentials.${name}.environments in capstan.yaml, or use other credentials.`,
  };
}

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
  const isNamespace = key.kind === 'Namespace' && key.group === '';
  // Anybody who may define kinds may call one so.
  const short = key.kind === 'Namespace' && !isNamespace ? undefined : key.kind;
  const isNamed = access.clusterResources.some((entry) => entry === '*' || entry === short || entry === `${key.kind}.${key.group}`);
  return isNamed && (!isNamespace || allowsNamespace(access, key.name, declared));
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
