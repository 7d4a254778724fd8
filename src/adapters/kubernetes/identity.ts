import { quoted } from '#model/quoted.ts';
import { toSecret, type Secret } from '#model/secret.ts';
import type { Bearer } from './bearer.ts';
import { fileToken, writtenToken } from './bearer.ts';
import { unusable } from './client-certificate.ts';
import { loginProgram } from './exec-identity.ts';
import type { ChosenContext } from './kubeconfig.ts';
import { besideFile, entryText } from './kubeconfig.ts';
import { pemSource } from './pem.ts';

/** Who asks: a token sent with each request, a certificate shown by each connection, or both. */
export interface Identity {
  token(): Secret | undefined | Promise<Secret | undefined>;
  certificate(): Promise<KeyPair | undefined>;
  renew(): Promise<void>;
  /** Whether there is anything that must not be seen on the way. */
  readonly isSecret: boolean;
}

export interface KeyPair {
  readonly cert: string;
  readonly key: Secret | undefined;
}

export interface IdentityOptions {
  readonly allowExec: boolean;
  readonly now: () => number;
}

/** What the user entry of a kubeconfig gives; kinds of login that are not safe or no longer exist are refused with their line. */
export function identityOf(chosen: ChosenContext, options: IdentityOptions): Identity {
  const { user, refuse } = chosen;
  for (const [field, why] of Object.entries(GONE)) {
    const value = user.value[field];
    if (value === undefined || value === null || value === '') continue;
    throw refuse(`${user.pointer}/${field}`, `user ${quoted(user.name)} has ${field}, ${why}`, INSTEAD, 'denied');
  }
  if (user.value['exec'] !== undefined && user.value['exec'] !== null) {
    if (options.allowExec) return loginProgram(chosen, options.now);
    throw refuse(
      `${user.pointer}/exec`,
      `user ${quoted(user.name)} has a program make its credentials (exec), which is not allowed here`,
      `${INSTEAD} Or set allowExec in the configuration's credentials if this file is only written by those who may run programs as the engine.`,
      'denied',
    );
  }
  const bearer = bearerOf(chosen, options.now);
  const pair = keyPairOf(chosen, options.now);
  return {
    token: () => bearer?.current(),
    certificate: async () => pair?.(),
    async renew() {
      await bearer?.renew();
    },
    isSecret: bearer !== undefined || pair !== undefined,
  };
}

const INSTEAD = 'Use a token, a token file or a client certificate.';
const GONE: Readonly<Record<string, string>> = {
  'auth-provider': 'which Kubernetes removed in 1.26',
  username: 'and Kubernetes removed passwords in 1.19',
  password: 'and Kubernetes removed passwords in 1.19',
};

function bearerOf(chosen: ChosenContext, now: () => number): Bearer | undefined {
  const { file, user, refuse } = chosen;
  // As in client-go the file wins over a token beside it.
  const path = entryText(user, 'tokenFile', refuse);
  if (path !== undefined) return fileToken(besideFile(file, path), now);
  const token = entryText(user, 'token', refuse);
  return token === undefined ? undefined : writtenToken(token, `the token of user ${quoted(user.name)} in ${file}`);
}

function keyPairOf(chosen: ChosenContext, now: () => number): (() => Promise<KeyPair>) | undefined {
  const { user, refuse } = chosen;
  const cert = pemSource(chosen, user, 'client-certificate');
  const key = pemSource(chosen, user, 'client-key');
  if (cert === undefined) {
    if (key === undefined) return undefined;
    throw refuse(
      key.pointer,
      `user ${quoted(user.name)} has a client-key without client-certificate`,
      'Add the certificate or remove the key.',
    );
  }
  return async () => {
    const pair = { cert: await cert.read(), key: await key?.read() };
    const found = unusable(pair.cert, pair.key, now());
    if (found === undefined) return { cert: pair.cert, key: pair.key === undefined ? undefined : toSecret(pair.key) };
    const source = found.part === 'key' && key !== undefined ? key : cert;
    const message = `the client-${found.part} of user ${quoted(user.name)} (${source.named}) ${found.why}`;
    throw refuse(source.pointer, message, 'Put the certificate of this user and its own key there.', 'denied');
  };
}
