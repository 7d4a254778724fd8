import type { Json, JsonObject } from '#model/json.ts';
import { openConnection } from './connection.ts';
import { kubeconfigAccess } from './kubeconfig-access.ts';

/** A cluster as whoever holds the kubeconfig may use it: what a person does with kubectl. */
export interface ClusterByHand {
  readonly url: URL;
  /** `path` begins with `/api`; a body for PATCH is a merge patch. PortError where there is no answer. */
  ask(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: Json,
  ): Promise<{ readonly status: number; readonly body: JsonObject }>;
  close(): Promise<void>;
}

/** By the current context; programs that make credentials are run, for a person started this. */
export async function openByHand(file: string): Promise<ClusterByHand> {
  const { url } = await kubeconfigAccess({ file, context: undefined, impersonate: undefined, allowExec: true, now: Date.now });
  const connection = await openConnection({ source: { kind: 'kubeconfig', file }, allowExec: true });
  return {
    url,
    async ask(method, path, body) {
      const answer = await connection.api.request({
        method,
        path,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {}),
      });
      return { status: answer.status, body: answer.body };
    },
    close: () => connection.close(),
  };
}
