import { isJsonObject, jsonText } from '#model/json.ts';
import { parseBoundedJson } from '#model/oci-manifest.ts';
import { toSecret } from '#model/secret.ts';
import type { Secret } from '#model/secret.ts';
import { PortError } from '#ports/port-error.ts';
import { parseChallenge } from './challenge.ts';
import type { Challenge } from './challenge.ts';
import type { Exchange, WireAnswer, WireRequest } from './exchange.ts';
import type { Login, Logins } from './login.ts';
import { isInner, isLoopback } from './origins.ts';
import type { Scope } from './request.ts';

export interface Authentication {
  /** The value of `Authorization` that this registry took last for this scope; undefined before it asked for one. */
  known(origin: URL, scope: Scope): Secret | undefined;
  /** Answers the challenge of a 401. `undefined`: there is nothing to log in with, or nothing is asked that we know. */
  answer(asked: Asked): Promise<Secret | undefined>;
}

export interface Asked {
  readonly host: string;
  readonly origin: URL;
  readonly scope: Scope;
  readonly refusal: WireAnswer;
  /** Sends within the limits of the call that was refused. */
  readonly send: (request: Omit<WireRequest, 'within'>) => Promise<Exchange>;
}

const LARGEST_TOKEN_ANSWER = 64 * 1024;
const CLIENT = 'capstan';

/** Logs in where a registry asks for it, with the login that is filed for exactly this registry. */
export function authentication(logins: Logins): Authentication {
  const taken = new Map<string, Secret>();
  const keyOf = (origin: URL, { name, actions }: Scope): string => `${origin.origin} ${name} ${actions}`;

  async function authorization({ host, origin, scope, send }: Asked, challenge: Challenge): Promise<Secret | undefined> {
    const login = await logins(host);
    switch (challenge.kind) {
      case 'basic':
        return login?.kind === 'password' ? basic(login.user, login.password) : undefined;
      case 'bearer': {
        const realm = checkedRealm(challenge.realm, origin, host);
        return boughtToken({ realm, service: challenge.service, scope, login, host }, send);
      }
    }
  }

  return {
    known: (origin, scope) => taken.get(keyOf(origin, scope)),
    async answer(asked) {
      const challenge = parseChallenge(asked.refusal.headers['www-authenticate']);
      const value = challenge === undefined ? undefined : await authorization(asked, challenge);
      if (value !== undefined) taken.set(keyOf(asked.origin, asked.scope), value);
      return value;
    },
  };
}

/** A registry may send its users to a token server, but not over an open line, and not with a login of its own making. */
function checkedRealm(text: string, origin: URL, host: string): URL {
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  if (
    realm === undefined ||
    realm.username !== '' ||
    realm.password !== '' ||
    (realm.protocol !== 'https:' && realm.origin !== origin.origin)
  )
    throw new PortError('denied', `the registry ${host} sends for tokens to a place that is neither https nor the registry itself`);
  // Nobody outside sends us with a request of its making to where only we can go.
  if (realm.origin !== origin.origin && isInner(realm.hostname) && !(isLoopback(realm.hostname) && isLoopback(origin.hostname)))
    throw new PortError('denied', `the registry ${host} sends for tokens to an address of this machine or of its nearest network`);
  realm.hash = '';
  return realm;
}

interface Purchase {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scope: Scope;
  readonly login: Login | undefined;
  readonly host: string;
}

async function boughtToken(purchase: Purchase, send: Asked['send']): Promise<Secret> {
  const exchanged = await send(tokenRequest(purchase));
  const { host, realm } = purchase;
  const named = `the token server ${realm.host} of the registry ${host}`;
  switch (exchanged.kind) {
    case 'failed':
      throw new PortError('transient', `${named} ${exchanged.why}`);
    case 'too-large':
      throw new PortError('invalid', `${named} answered with more than ${LARGEST_TOKEN_ANSWER} bytes`);
    case 'answer': {
      const { status, body } = exchanged.answer;
      if (status === 429 || status >= 500) throw new PortError('transient', `${named} answered ${status}`);
      // A redirection is a refusal, too: a login goes to the place that was checked and to no other.
      if (status !== 200) throw new PortError('denied', `${named} answered ${status}`);
      const answer = parseBoundedJson(body, 8);
      const token = isJsonObject(answer) ? jsonText(answer['token']) || jsonText(answer['access_token']) : '';
      if (!/^[\x21-\x7e]{1,32768}$/.test(token)) throw new PortError('invalid', `${named} answered without a token`);
      return toSecret(`Bearer ${token}`);
    }
  }
}

function tokenRequest({ realm, service, scope, login }: Purchase): Omit<WireRequest, 'within'> {
  const scopeText = `repository:${scope.name}:${scope.actions}`;
  const fields: readonly (readonly [string, string])[] = [
    ...(service === undefined ? [] : ([['service', service]] as const)),
    ['scope', scopeText],
  ];
  if (login?.kind === 'identity-token') {
    const form = new URLSearchParams({ client_id: CLIENT, grant_type: 'refresh_token' });
    for (const [key, value] of fields) form.append(key, value);
    form.set('refresh_token', login.token.reveal());
    const headers = ['accept', 'application/json', 'content-type', 'application/x-www-form-urlencoded'];
    return { method: 'POST', url: realm, headers, body: Buffer.from(form.toString()), limit: LARGEST_TOKEN_ANSWER };
  }
  const url = new URL(realm);
  for (const [key, value] of fields) url.searchParams.append(key, value);
  const headers = [
    'accept',
    'application/json',
    ...(login === undefined ? [] : ['authorization', basic(login.user, login.password).reveal()]),
  ];
  return { method: 'GET', url, headers, body: undefined, limit: LARGEST_TOKEN_ANSWER };
}

function basic(user: string, password: Secret): Secret {
  return toSecret(`Basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}`);
}
