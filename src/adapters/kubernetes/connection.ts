import { X509Certificate } from 'node:crypto';

import type { Api, Discovery } from './api.ts';
import { openDiscovery } from './discovery.ts';
import { inClusterAccess, SERVICE_ACCOUNT_FOLDER } from './in-cluster.ts';
import { kubeconfigAccess } from './kubeconfig-access.ts';
import type { ServerAccess } from './server-access.ts';
import type { TransportLimits } from './transport-limits.ts';
import { TRANSPORT_LIMITS } from './transport-limits.ts';
import { openApi } from './transport.ts';

export interface ConnectionOptions {
  readonly source:
    | { readonly kind: 'kubeconfig'; readonly file: string; readonly context?: string | undefined }
    | { readonly kind: 'in-cluster'; readonly folder?: string | undefined };
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
  /** When the client certificate ends; undefined where none is shown. Tokens are renewed by whoever writes them. */
  certificateEnds(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** Reads the credentials; nothing is sent yet. PortError `invalid` or `denied` where they cannot or must not be used. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const access = await accessOf(options);
  const api = await openApi(access, { ...TRANSPORT_LIMITS, ...options.limits }, () => discovery.forget());
  const discovery = openDiscovery(api, Date.now);
  return {
    api,
    discovery,
    certificateEnds: async () => {
      const { cert } = await access.tls();
      return cert === undefined ? undefined : Date.parse(new X509Certificate(cert).validTo);
    },
    close: () => api.close(),
  };
}

function accessOf({ source, impersonate, allowExec }: ConnectionOptions): Promise<ServerAccess> {
  switch (source.kind) {
    case 'kubeconfig':
      return kubeconfigAccess({ file: source.file, context: source.context, impersonate, allowExec: allowExec ?? false, now: Date.now });
    case 'in-cluster':
      return inClusterAccess({
        folder: source.folder ?? SERVICE_ACCOUNT_FOLDER,
        host: process.env['KUBERNETES_SERVICE_HOST'],
        port: process.env['KUBERNETES_SERVICE_PORT'],
        impersonate,
        now: Date.now,
      });
  }
}
