import type { Api, Discovery } from './api.ts';
import { openDiscovery } from './discovery.ts';
import { kubeconfigAccess } from './kubeconfig-access.ts';
import type { TransportLimits } from './transport-limits.ts';
import { TRANSPORT_LIMITS } from './transport-limits.ts';
import { openApi } from './transport.ts';

export interface ConnectionOptions {
  readonly source:
    | { readonly kind: 'kubeconfig'; readonly file: string; readonly context?: string | undefined }
    | { readonly kind: 'in-cluster' };
  /** User that every request is made as. */
  readonly impersonate?: string | undefined;
  /** Whether a kubeconfig may name a program that makes its credentials. Default: no. */
  readonly allowExec?: boolean;
  readonly limits?: Partial<TransportLimits>;
}

/** One API server under one identity. */
export interface Connection {
  readonly api: Api;
  readonly discovery: Discovery;
  close(): Promise<void>;
}

/** Reads the credentials; nothing is sent yet. PortError `invalid` or `denied` where they cannot or must not be used. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const { source } = options;
  if (source.kind === 'in-cluster') throw new Error('not yet');
  const access = await kubeconfigAccess({
    file: source.file,
    context: source.context,
    impersonate: options.impersonate,
    allowExec: options.allowExec ?? false,
    now: Date.now,
  });
  const api = await openApi(access, { ...TRANSPORT_LIMITS, ...options.limits });
  return { api, discovery: openDiscovery(api, Date.now), close: () => api.close() };
}
