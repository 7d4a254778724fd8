import { quoted } from '#model/quoted.ts';
import type { Secret } from '#model/secret.ts';
import type { PortError } from '#ports/port-error.ts';
import { isPortError } from '#ports/port-error.ts';
import { isCertificate } from './client-certificate.ts';
import type { Identity } from './identity.ts';
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

/**
 * A server as a context of a kubeconfig describes it. What is missing, has run out or is not safe is refused with its line. The file is looked at
 * again for each new connection and after a refusal: new credentials or another CA in it need no restart.
 */
export async function kubeconfigAccess(options: KubeconfigOptions): Promise<ServerAccess> {
  let found = await lookUp(options);
  // A file that is missing or has run out is a matter of this moment, not of the first request.
  await found.tls();
  await found.headers();

  /** Whether the file says something new. */
  async function reread(): Promise<boolean> {
    const next = await lookUp(options);
    if (next.written === found.written) return false;
    if (next.url.href !== found.url.href || next.proxy?.href !== found.proxy?.href) throw movedAway(next.chosen);
    await next.tls();
    found = next;
    return true;
  }

  return {
    url: found.url,
    proxy: found.proxy,
    words: found.words,
    headers: () => found.headers(),
    async renew() {
      if (!(await reread())) await found.identity.renew();
    },
    async tls() {
      // Whoever is writing the file just now does not stop what still works; a refusal of what is there comes with `renew`.
      await reread().catch((error: unknown) => {
        if (!isPortError(error)) throw error;
      });
      return found.tls();
    },
  };
}

interface Found extends Pick<ServerAccess, 'url' | 'proxy' | 'words' | 'headers' | 'tls'> {
  readonly chosen: ChosenContext;
  readonly identity: Identity;
  /** Its text, to be compared. */
  readonly written: string;
}

async function lookUp(options: KubeconfigOptions): Promise<Found> {
  const chosen = await chooseContext(options.file, options.context);
  const { file, cluster, user, refuse } = chosen;
  refuseUnchecked(chosen);
  const identity = identityOf(chosen, options);
  const ca = pemSource(chosen, cluster, 'certificate-authority');
  const servername = entryText(cluster, 'tls-server-name', refuse);
  const impersonated = options.impersonate === undefined ? writtenImpersonation(chosen) : impersonationHeaders(options.impersonate);
  const headersOf = (token: Secret | undefined): readonly string[] =>
    token === undefined ? impersonated : ['authorization', `Bearer ${token.reveal()}`, ...impersonated];
  return {
    chosen,
    identity,
    written: JSON.stringify([cluster.value, user.value]),
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
    async tls() {
      const pair = await identity.certificate();
      const authority = await ca?.read();
      if (ca !== undefined && authority !== undefined && !isCertificate(authority)) {
        throw refuse(ca.pointer, `the CA of cluster ${quoted(cluster.name)} (${ca.named}) is no certificate`, 'Copy it again.');
      }
      return { ca: authority, cert: pair?.cert, key: pair?.key?.reveal(), servername };
    },
  };
}

/** New credentials are for the new server, not for the one that is connected. */
function movedAway({ cluster, refuse }: ChosenContext): PortError {
  const message = `cluster ${quoted(cluster.name)} is at another address than when it was connected`;
  return refuse(`${cluster.pointer}/server`, message, 'Restart the engine to use it.', 'denied');
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
