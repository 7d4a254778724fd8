import type { JsonObject } from '#model/json.ts';
import type { TargetDraft } from './drafts.ts';
import { nameOf, unused } from './naming.ts';

export interface Targets {
  readonly targets: readonly TargetDraft[];
  /** What an instance of that namespace says of its targets; undefined: nothing, there is only one. */
  selectorOf(namespace: string): JsonObject | undefined;
}

/** A directory target for each namespace; the first one is the environment's own. */
export function targetsOf(environment: string, namespaces: readonly string[]): Targets {
  const distinct = [...new Set(namespaces)];
  const [only, second] = distinct;
  if (only !== undefined && second === undefined) {
    const value = { driver: 'directory', path: environment, namespace: only };
    return { targets: [{ name: 'local', namespace: only, value }], selectorOf: () => undefined };
  }
  const taken = new Set<string>();
  const targets = distinct.map((namespace) => {
    const name = unused(nameOf(namespace), taken);
    taken.add(name);
    const value = { driver: 'directory', path: `${environment}/${name}`, labels: { namespace }, namespace };
    return { name, namespace, value };
  });
  return { targets, selectorOf: (namespace) => ({ matchLabels: { namespace } }) };
}
