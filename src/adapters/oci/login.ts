import { toSecret } from '#model/secret.ts';
import type { Secret } from '#model/secret.ts';

/** How one logs in to a registry: with a password, or with a refresh token that buys tokens. */
export type Login =
  | { readonly kind: 'password'; readonly user: string; readonly password: Secret }
  | { readonly kind: 'identity-token'; readonly token: Secret };

/** What is known for a registry (host and port); undefined is anonymous. */
export type Logins = (host: string) => Promise<Login | undefined>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Docker's helpers give refresh tokens under this name. */
const TOKEN_USER = '<token>';

export function passwordLogin(user: string, password: string): Login {
  const secret = toSecret(password);
  return user === TOKEN_USER ? { kind: 'identity-token', token: secret } : { kind: 'password', user, password: secret };
}
