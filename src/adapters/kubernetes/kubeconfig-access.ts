import { quoted } from '#model/quoted.ts';
import { isCertificate } from './client-certificate.ts';
import { identityOf } from './identity.ts';
import { impersonationHeaders, writtenImpersonation } from './impersonation.ts';
import type { ChosenContext } from './kubeconfig.ts';
import { chooseContext, entryText } from './kubeconfig.ts';
import { pemSource } from './pem.ts';
import type { ServerAccess } from './server-access.ts';
import { proxyUrl, serverUrl } from './server-url.ts';

export interface KubeconfigOptions {
  readonly file: string;
  readonly context: string | undefined;
  readonly impersonate: string | undefined;
  readonly allowExec: boolean;
  readonly now: () => number;
}

/** A server as a context of a kubeconfig describes it. What is missing, has run out or is not safe is refused with its line. */
export async function kubeconfigAccess(options: KubeconfigOptions): Promise<ServerAccess> {
  const chosen = await chooseContext(options.file, options.context);
  const { file, cluster, user, refuse } = chosen;
  refuseUnchecked(chosen);
  const identity = identityOf(chosen, options);
  const ca = pemSource(chosen, cluster, 'certificate-authority');
  const servername = entryText(cluster, 'tls-server-name', refuse);
  const impersonated = options.impersonate === undefined ? writtenImpersonation(chosen) : impersonationHeaders(options.impersonate);
  const headersOf = (token: string | undefined): readonly string[] =>
    token === undefined ? impersonated : ['authorization', `Bearer ${token}`, ...impersonated];
  const access: ServerAccess = {
    url: serverUrl(chosen, identity.isSecret),
    proxy: proxyUrl(chosen),
    words: {
      cluster: `cluster ${quoted(cluster.name)} of ${file}`,
      user: `user ${quoted(user.name)} of ${file}`,
      authority: ca?.named ?? 'those that this machine trusts',
    },
    headers() {
      const token = identity.token();
      return token instanceof Promise ? token.then(headersOf) : headersOf(token);
    },
    renew: () => identity.renew(),
    async tls() {
      const pair = await identity.certificate();
      const authority = await ca?.read();
      if (ca !== undefined && authority !== undefined && !isCertificate(authority)) {
        throw refuse(ca.pointer, `the CA of cluster ${quoted(cluster.name)} (${ca.named}) is no certificate`, 'Copy it again.');
      }
      return { ca: authority, cert: pair?.cert, key: pair?.key, servername };
    },
  };
  // A file that is missing or has run out is a matter of this moment, not of the first request.
  await access.tls();
  await access.headers();
  return access;
}

/** There is no setting that allows it: whoever answers in the server's place would get the credentials. */
function refuseUnchecked({ cluster, refuse }: ChosenContext): void {
  const value = cluster.value['insecure-skip-tls-verify'];
  if (value === undefined || value === null || value === false) return;
  throw refuse(
    `${cluster.pointer}/insecure-skip-tls-verify`,
    `cluster ${quoted(cluster.name)} turns the check of the server's certificate off, so that whoever answers in its place gets the credentials`,
    'Remove insecure-skip-tls-verify and give certificate-authority.',
    'denied',
  );
}
