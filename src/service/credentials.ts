import { access, constants } from 'node:fs/promises';
import { resolve } from 'node:path';

import type { ClusterAccess, ClusterLogin } from '#model/cluster-access.ts';
import { USUAL_CLUSTER_RESOURCES } from '#model/cluster-access.ts';
import { isJsonObject, pointerToken, valueAt, type Json } from '#model/json.ts';
import { configurationProblem, textAt, type Draft } from './configuration-draft.ts';

/** The entries of `credentials`; a kubeconfig that cannot be read is a problem where the service starts. */
export async function credentialsOf(draft: Draft, purpose: 'service' | 'command'): Promise<ReadonlyMap<string, ClusterAccess>> {
  const entries = valueAt(draft.value, '/credentials');
  const found = new Map<string, ClusterAccess>();
  if (!isJsonObject(entries)) return found;
  for (const [name, entry] of Object.entries(entries)) {
    const source = sourceOf(draft, entry);
    if (purpose === 'service' && source.kind === 'kubeconfig' && !(await isReadable(source.file))) {
      const message = `the kubeconfig of credentials ${name}, ${source.file}, cannot be read`;
      const place = draft.at(`/credentials${pointerToken(name)}/kubeconfig/file`);
      const remedy = 'Write the file and let this process read it, or name another one.';
      draft.problems.push(configurationProblem('kubeconfig-unreadable', place, message, remedy));
    }
    found.set(name, {
      source,
      environments: textsOf(entry, '/environments'),
      namespaces: textsOf(entry, '/namespaces'),
      clusterResources: textsOf(entry, '/clusterResources') ?? USUAL_CLUSTER_RESOURCES,
      impersonate: textAt(entry, '/impersonate'),
    });
  }
  return found;
}

function sourceOf(draft: Draft, entry: Json): ClusterLogin {
  if (valueAt(entry, '/inCluster') === true) return { kind: 'in-cluster' };
  return {
    kind: 'kubeconfig',
    file: resolve(draft.directory, textAt(entry, '/kubeconfig/file') ?? ''),
    context: textAt(entry, '/context'),
    allowExec: valueAt(entry, '/allowExec') === true,
  };
}

function textsOf(entry: Json, pointer: string): readonly string[] | undefined {
  const list = valueAt(entry, pointer);
  return Array.isArray(list) ? list.filter((item) => typeof item === 'string') : undefined;
}

async function isReadable(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}
