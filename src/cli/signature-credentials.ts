import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';

import type { Credential, IdentityMatch } from '#model/trust-policy.ts';
import type { Bundles } from '#ports/bundles.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import type { Invocation } from './cli.ts';
import { UsageError } from './exit-code.ts';
import { findPlace } from './found.ts';
import type { Terminal } from './powers.ts';
import { placeOf } from './repository.ts';

export type SignatureCredential = Extract<Credential, { kind: 'public-key' | 'keyless' }>;

const LARGEST_KEY = 16 * 1024;
const LARGEST_ROOT = 1024 * 1024;

/** `--key`, or issuer and identity: exactly one of both, and nothing of it empty. There is no form that means anyone. */
export async function credentialIn({ options, terminal }: Invocation, bundles: Bundles): Promise<SignatureCredential> {
  const key = textOf(options, 'key');
  const issuer = textOf(options, 'certificateOidcIssuer');
  const match = identityIn(options);
  if (key !== undefined) {
    if (issuer !== undefined || match !== undefined) throw new UsageError('--key and --certificate-... exclude each other');
    return { kind: 'public-key', pem: await keyAt(key, terminal, bundles) };
  }
  if (issuer === undefined && match === undefined)
    throw new UsageError('who must have signed? Give --key, or --certificate-oidc-issuer with --certificate-identity');
  if (issuer === undefined)
    throw new UsageError('--certificate-identity needs --certificate-oidc-issuer: a name counts only with who vouched for it');
  if (match === undefined)
    throw new UsageError(
      '--certificate-oidc-issuer needs --certificate-identity (or --certificate-identity-pattern): an issuer vouches for anyone',
    );
  return { kind: 'keyless', issuer, identity: match };
}

function identityIn(options: Invocation['options']): IdentityMatch | undefined {
  const identity = textOf(options, 'certificateIdentity');
  const pattern = textOf(options, 'certificateIdentityPattern');
  if (identity !== undefined && pattern !== undefined)
    throw new UsageError('--certificate-identity and --certificate-identity-pattern exclude each other');
  if (identity !== undefined) return { kind: 'exact', identity };
  return pattern === undefined ? undefined : { kind: 'pattern', pattern };
}

function textOf(options: Invocation['options'], name: string): string | undefined {
  const value = options[name];
  if (typeof value !== 'string') return undefined;
  if (value.trim() === '') throw new UsageError(`--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} is empty`);
  return value;
}

async function keyAt(path: string, terminal: Terminal, bundles: Bundles): Promise<string> {
  const pem = (await fileAt(path, terminal, LARGEST_KEY)).toString('latin1');
  if (bundles.keyDigest(pem) === undefined)
    throw new PortError(
      'invalid',
      `${path} is no public key that counts: one PEM block of ECDSA (P-256, P-384, P-521), RSA of 2048 to 8192 bits, or ed25519`,
    );
  return pem;
}

/** `--trusted-root`, else that of the project around the caller, else that of the configuration. A root with a mistake is not used for anything. */
export async function trustedRootFor(invocation: Invocation, bundles: Bundles, isNeeded: boolean): Promise<Uint8Array | undefined> {
  const { options, terminal } = invocation;
  const path = options.trustedRoot;
  if (typeof path !== 'string' && !isNeeded) return undefined;
  const bytes = typeof path === 'string' ? await fileAt(path, terminal, LARGEST_ROOT) : await declaredRoot(invocation);
  if (bytes === undefined)
    throw new PortError(
      'missing',
      'a signature with a certificate needs a trusted root: give --trusted-root FILE, or name one in Project.spec.sigstore or in trust.sigstore of capstan.yaml',
    );
  const read = bundles.readRoot(bytes);
  if (!read.ok)
    throw new PortError(
      'invalid',
      read.mistakes
        .map(({ pointer, reason }) => `${typeof path === 'string' ? path : 'the trusted root'}: ${pointer || 'it'} ${reason}`)
        .join('\n'),
    );
  return bytes;
}

async function declaredRoot({ options, powers, terminal }: Invocation): Promise<Uint8Array | undefined> {
  return (await projectRoot({ options, powers, terminal })) ?? (await powers.trustedRoot(placeOf(options), terminal));
}

/** What the accepted declaration of the default branch names; undefined outside of a repository. A mirror is not asked for: that would fetch. */
async function projectRoot({ options, powers, terminal }: Omit<Invocation, 'words'>): Promise<Uint8Array | undefined> {
  const place = { ...placeOf(options), readsCheckout: true };
  if ((await findPlace(place, terminal)).isMirror) return undefined;
  const world = await powers.openWorld(place, terminal).catch((error: unknown) => {
    if (isPortError(error) && error.kind === 'missing') return undefined;
    throw error;
  });
  if (world === undefined) return undefined;
  try {
    const main = await world.repository.resolve(world.settings.branch);
    if (main === undefined) return undefined;
    const { trust } = await world.history.upTo(main);
    return (await (await import('#loops/trust-material.ts')).trustMaterial(world, trust)).trustedRoot;
  } finally {
    await world.close();
  }
}

/** A file of the caller, or a sentence why not; never more of it is read than may be. */
export async function fileAt(path: string, terminal: Terminal, most: number): Promise<Buffer> {
  const bytes = await beginningOf(path, terminal, most);
  if (bytes.length > most) throw new PortError('invalid', `${path} has more than ${most} bytes`);
  return bytes;
}

/** At most one byte more than `most`, so that the reader sees that there is more. */
export async function beginningOf(path: string, terminal: Terminal, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  try {
    for await (const part of createReadStream(resolve(terminal.cwd, path), { end: most })) parts.push(part as Buffer);
  } catch (error) {
    throw new PortError('missing', `${path} cannot be read`, error);
  }
  return Buffer.concat(parts);
}
