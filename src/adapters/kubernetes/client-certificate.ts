import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** Why a client certificate and its key cannot be used, and which of the two is to blame; undefined if they can. */
export function unusable(
  cert: string,
  key: string | undefined,
  now: number,
): { readonly part: 'certificate' | 'key'; readonly why: string } | undefined {
  const certificate = parsed(cert);
  if (certificate === undefined) return { part: 'certificate', why: 'is no certificate' };
  if (key === undefined) return { part: 'certificate', why: 'has no client-key beside it' };
  const secret = privateKey(key);
  if (secret === undefined) return { part: 'key', why: 'is no private key without a passphrase' };
  if (!certificate.checkPrivateKey(secret)) return { part: 'key', why: 'belongs to another certificate' };
  const { validFrom, validTo } = certificate;
  if (Date.parse(validTo) <= now) return { part: 'certificate', why: `expired at ${new Date(validTo).toISOString()}` };
  if (Date.parse(validFrom) > now) return { part: 'certificate', why: `is valid only from ${new Date(validFrom).toISOString()}` };
  return undefined;
}

export function isCertificate(pem: string): boolean {
  return parsed(pem) !== undefined;
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function privateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
