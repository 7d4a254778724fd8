import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';

import { now } from './access.ts';
import { refuse } from './answer.ts';
import type { Caller, World } from './call.ts';
import type { Account, Stored } from './records.ts';

export interface NewToken {
  readonly token: string;
  readonly row: Stored<'token'>;
}

export function issueToken(
  world: Pick<World, 'store' | 'clock'>,
  account: Account,
  grant: { readonly scopes: readonly string[]; readonly note: string; readonly installation?: number; readonly expiresAt?: string },
): NewToken {
  const prefix = grant.installation === undefined ? 'ghp_' : 'ghs_';
  const token = prefix + randomBytes(27).toString('base64url').replaceAll(/[-_]/g, '0');
  const createdAt = `${new Date(world.clock.now()).toISOString().slice(0, 19)}Z`;
  const row = world.store.insert(
    'token',
    { parent: 0, key: hashOf(token) },
    {
      account: account.id,
      scopes: grant.scopes,
      note: grant.note,
      lastEight: token.slice(-8),
      installation: grant.installation,
      expiresAt: grant.expiresAt,
      createdAt,
    },
  );
  return { token, row };
}

/** Who an `Authorization` header names. A wrong credential is 401 in GitHub's words, never anonymous. */
export function callerOf(world: World, header: string | undefined): Caller {
  if (header === undefined || header === '') return { kind: 'anonymous' };
  const [scheme = '', credential = ''] = header.split(/\s+/, 2);
  switch (scheme.toLowerCase()) {
    case 'basic': {
      const decoded = Buffer.from(credential, 'base64').toString('utf8');
      return callerOfToken(world, decoded.slice(decoded.indexOf(':') + 1));
    }
    case 'token':
      return callerOfToken(world, credential);
    case 'bearer':
      return credential.split('.').length === 3 ? callerOfJwt(world, credential) : callerOfToken(world, credential);
    case '':
      return { kind: 'anonymous' };
  }
  throw refuse(401, 'Bad credentials');
}

function callerOfToken(world: World, token: string): Caller {
  const row = world.store.find('token', 0, hashOf(token));
  const account = row === undefined ? undefined : world.store.get('account', row.account);
  if (row === undefined || account === undefined) throw refuse(401, 'Bad credentials');
  if (row.expiresAt !== undefined && row.expiresAt <= now(world)) throw refuse(401, 'Bad credentials');
  if (row.installation === undefined) return { kind: 'user', account, scopes: row.scopes };
  const installation = world.store.get('installation', row.installation);
  const app = installation === undefined ? undefined : world.store.get('app', installation.app);
  if (installation === undefined || app === undefined) throw refuse(401, 'Bad credentials');
  return { kind: 'installation', account, app, installation };
}

/** An App's own login: RS256, issued by its id or client id, alive for at most ten minutes. */
function callerOfJwt(world: World, token: string): Caller {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const head = jsonOf(header);
  const claims = jsonOf(payload);
  const app = appOfIssuer(world, claims.get('iss'));
  if (app === undefined) throw refuse(401, "'Issuer' claim ('iss') must be an Integration");
  const genuine =
    head.get('alg') === 'RS256' &&
    verify('RSA-SHA256', Buffer.from(`${header}.${payload}`), createPublicKey(app.publicKey), Buffer.from(signature, 'base64url'));
  if (!genuine) throw refuse(401, 'A JSON web token could not be decoded');
  const seconds = world.clock.now() / 1000;
  const [issued, expires] = [claims.get('iat'), claims.get('exp')];
  if (typeof expires !== 'number' || expires <= seconds)
    throw refuse(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  if (expires > seconds + 660) throw refuse(401, "'Expiration time' claim ('exp') is too far in the future");
  if (typeof issued !== 'number' || issued > seconds + 60)
    throw refuse(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
  return { kind: 'app', app };
}

function appOfIssuer(world: World, issuer: unknown): Stored<'app'> | undefined {
  const text = String(issuer);
  const id = Number(text.startsWith('Iv1.') ? text.slice(4) : text);
  return Number.isSafeInteger(id) ? world.store.get('app', id) : undefined;
}

function jsonOf(part: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  } catch {
    throw refuse(401, 'A JSON web token could not be decoded');
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
