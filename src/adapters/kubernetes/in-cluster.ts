import { join } from 'node:path';

import type { Secret } from '#model/secret.ts';
import { PortError } from '#ports/port-error.ts';
import { fileToken } from './bearer.ts';
import { impersonationHeaders } from './impersonation.ts';
import type { ServerAccess } from './server-access.ts';
import { readTextFile } from './text-file.ts';

export interface InClusterOptions {
  /** Where a pod finds the files of its service account; another folder in tests. */
  readonly folder: string;
  /** `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`. */
  readonly host: string | undefined;
  readonly port: string | undefined;
  readonly impersonate: string | undefined;
  readonly now: () => number;
}

export const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
const LIMIT = 1024 * 1024;

/** The API server of the cluster that the engine itself runs in, as the service account of its pod. */
export async function inClusterAccess(options: InClusterOptions): Promise<ServerAccess> {
  const { folder, now } = options;
  const token = fileToken(join(folder, 'token'), now, 'Mount the token there.');
  const authority = join(folder, 'ca.crt');
  const impersonated = impersonationHeaders(options.impersonate);
  const withToken = (text: Secret): readonly string[] => ['authorization', `Bearer ${text.reveal()}`, ...impersonated];
  const access: ServerAccess = {
    url: serverOf(options),
    proxy: undefined,
    words: { cluster: 'the cluster that this pod runs in', user: `the service account of this pod (${join(folder, 'token')})`, authority },
    headers() {
      const text = token.current();
      return text instanceof Promise ? text.then(withToken) : withToken(text);
    },
    renew: () => token.renew(),
    async tls() {
      const read = await readTextFile(authority, LIMIT);
      if (read.kind === 'text') return { ca: read.text, cert: undefined, key: undefined, servername: undefined };
      throw new PortError('invalid', `the cluster's CA ${authority} cannot be used: ${read.why}. ${REMEDY}`);
    },
  };
  await Promise.all([access.headers(), access.tls()]);
  return access;
}

const REMEDY = 'inCluster is for an engine that runs in a pod with automountServiceAccountToken; elsewhere name a kubeconfig.';

function serverOf({ host, port }: InClusterOptions): URL {
  const text = `https://${host?.includes(':') === true ? `[${host}]` : host}:${port}`;
  if (host !== undefined && port !== undefined && /^[0-9]{1,5}$/.test(port) && URL.canParse(text)) return new URL(text);
  throw new PortError('invalid', `KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT name no server. ${REMEDY}`);
}
