import { X509Certificate } from 'node:crypto';

import { isJsonObject } from '#model/json.ts';
import type { Json } from '#model/json.ts';

/** What is sent or shown and has run out at `now`, in words; undefined if nothing can be seen of that. */
export function outOfDate(headers: readonly string[], cert: string | undefined, now: number): string | undefined {
  const at = headers.indexOf('authorization');
  const expires = at < 0 ? undefined : tokenExpiry(headers[at + 1] ?? '');
  if (expires !== undefined && expires <= now) return `its token expired at ${new Date(expires).toISOString()}`;
  if (cert === undefined) return undefined;
  const { validFrom, validTo } = new X509Certificate(cert);
  if (Date.parse(validTo) <= now) return `its client certificate expired at ${new Date(validTo).toISOString()}`;
  if (Date.parse(validFrom) > now) return `its client certificate is valid only from ${new Date(validFrom).toISOString()}`;
  return undefined;
}

/** The `exp` of a JSON web token. It is the server that judges it: this is for words only, so its signature does not matter. */
function tokenExpiry(authorization: string): number | undefined {
  const [, claims] = authorization.replace(/^Bearer /, '').split('.', 3);
  if (claims === undefined) return undefined;
  try {
    const parsed = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Json;
    const expires = isJsonObject(parsed) ? parsed['exp'] : undefined;
    return typeof expires === 'number' ? expires * 1000 : undefined;
  } catch {
    return undefined;
  }
}
