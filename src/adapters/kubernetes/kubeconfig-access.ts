import { quoted } from '#model/quoted.ts';
import type { Bearer } from './bearer.ts';
import { fileToken, writtenToken } from './bearer.ts';
import { impersonationHeaders } from './impersonation.ts';
import type { ChosenContext } from './kubeconfig.ts';
import { besideFile, chooseContext, entryText } from './kubeconfig.ts';
import { pemSource } from './pem.ts';
import type { AccessWords, ServerAccess } from './server-access.ts';
import { serverUrl } from './server-url.ts';

export interface KubeconfigOptions {
  readonly file: string;
  readonly context: string | undefined;
  readonly impersonate: string | undefined;
  readonly allowExec: boolean;
  readonly now: () => number;
}

/** A server as a context of a kubeconfig describes it; what it asks for and is not safe is refused with its line. */
export async function kubeconfigAccess(options: KubeconfigOptions): Promise<ServerAccess> {
  const chosen = await chooseContext(options.file, options.context);
  refuseUnsafe(chosen);
  const bearer = bearerOf(chosen, options.now);
  const ca = pemSource(chosen, chosen.cluster, 'certificate-authority');
  const cert = pemSource(chosen, chosen.user, 'client-certificate');
  const key = pemSource(chosen, chosen.user, 'client-key');
  const servername = entryText(chosen.cluster, 'tls-server-name', chosen.refuse);
  const impersonated = impersonationHeaders(options.impersonate);
  const access: ServerAccess = {
    url: serverUrl(chosen, bearer !== undefined || cert !== undefined),
    words: wordsOf(chosen),
    headers() {
      const token = bearer?.current();
      return typeof token === 'object' ? token.then((text) => headersOf(text, impersonated)) : headersOf(token, impersonated);
    },
    renew: async () => (await bearer?.renew()) ?? false,
    tls: async () => ({ ca: await ca?.read(), cert: await cert?.read(), key: await key?.read(), servername }),
  };
  return access;
}

function headersOf(token: string | undefined, impersonated: readonly string[]): readonly string[] {
  return token === undefined ? impersonated : ['authorization', `Bearer ${token}`, ...impersonated];
}

function refuseUnsafe({ cluster, user, refuse }: ChosenContext): void {
  if (cluster.value['insecure-skip-tls-verify'] === true) {
    throw refuse(
      `${cluster.pointer}/insecure-skip-tls-verify`,
      `cluster ${quoted(cluster.name)} turns the check of the server's certificate off, so that anybody in between could take the credentials`,
      'Remove insecure-skip-tls-verify and give certificate-authority.',
      'denied',
    );
  }
  if (user.value['auth-provider'] !== undefined && user.value['auth-provider'] !== null) {
    throw refuse(
      `${user.pointer}/auth-provider`,
      `user ${quoted(user.name)} uses an auth-provider, which Kubernetes removed in 1.26`,
      'Use a token, a token file or a client certificate.',
      'denied',
    );
  }
  if (user.value['exec'] !== undefined && user.value['exec'] !== null) {
    throw refuse(
      `${user.pointer}/exec`,
      `user ${quoted(user.name)} has its credentials made by a program (exec), which is not allowed`,
      'Use a token, a token file or a client certificate, or allow it in the configuration.',
      'denied',
    );
  }
}

function bearerOf(chosen: ChosenContext, now: () => number): Bearer | undefined {
  const { file, user, refuse } = chosen;
  const path = entryText(user, 'tokenFile', refuse);
  if (path !== undefined) return fileToken(besideFile(file, path), now);
  const token = entryText(user, 'token', refuse);
  return token === undefined ? undefined : writtenToken(token, `the token of user ${quoted(user.name)} in ${file}`);
}

function wordsOf({ file, cluster, user, refuse }: ChosenContext): AccessWords {
  const at = `user ${quoted(user.name)} of ${file}`;
  const authority = entryText(cluster, 'certificate-authority', refuse);
  const isInline = entryText(cluster, 'certificate-authority-data', refuse) !== undefined;
  return {
    cluster: `cluster ${quoted(cluster.name)} of ${file}`,
    user: at,
    authority: isInline
      ? `certificate-authority-data of cluster ${quoted(cluster.name)} in ${file}`
      : authority === undefined
        ? 'what this machine trusts'
        : besideFile(file, authority),
    credential: at,
  };
}
