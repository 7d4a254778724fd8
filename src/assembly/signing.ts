import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { findPlace } from '#cli/found.ts';
import type { Found } from '#cli/found.ts';
import type { Place, Terminal } from '#cli/powers.ts';
import type { SigningKey } from '#model/signing-key.ts';
import type { Signer } from '#ports/machine.ts';
import { isPortError } from '#ports/port-error.ts';

/** Where this process keeps what can be lost, unless a configuration says otherwise. */
export function stateOf(found: Found): string {
  return join(found.root, '.capstan');
}

/** Variables that a module may read: those of the makers of tokens, and what any program needs. Secrets of the engine are not among them. */
const MODULE_VARIABLES = /^(HOME|PATH|LANG|TMPDIR|SOFTHSM2_.*|PKCS11.*|P11_.*|OPENSC_.*|YUBIHSM_.*|TPM2_PKCS11_.*|NFAST_.*|CKNFAST_.*)$/;

function keyOf(found: Found): SigningKey {
  return found.configuration?.identity.signingKey ?? { kind: 'file', path: join(stateOf(found), 'engine_ed25519') };
}

function whoOf(found: Found): { readonly name: string; readonly email: string } {
  const identity = found.configuration?.identity;
  return { name: identity?.name ?? 'Capstan', email: identity?.email ?? 'engine@capstan.invalid' };
}

export async function openSigner(place: Place, terminal: Terminal): Promise<Signer> {
  return signerAt(await findPlace(place, terminal), terminal.env);
}

export async function signerAt(found: Found, env: Terminal['env']): Promise<Signer> {
  return openKeyAt(keyOf(found), whoOf(found), env);
}

async function openKeyAt(key: SigningKey, who: { readonly name: string; readonly email: string }, env: Terminal['env']): Promise<Signer> {
  const { agentSigner, fileSigner, tokenSigner } = await import('#adapters/machine/machine.ts');
  switch (key.kind) {
    case 'file':
      return fileSigner(key.path, who);
    case 'agent':
      return agentSigner(key, who);
    case 'pkcs11':
      return tokenSigner({ ...key, env: Object.fromEntries(Object.entries(env).filter(([name]) => MODULE_VARIABLES.test(name))) }, who);
  }
}

/** A command that only reads makes no key and asks nobody for one: it is opened when something is signed. */
export async function lazySigner(found: Found, env: Terminal['env']): Promise<Signer> {
  let opened: Promise<Signer> | undefined;
  function signer(): Promise<Signer> {
    opened ??= signerAt(found, env).catch((error: unknown) => {
      // An agent that is not there yet may come; a PIN that was refused is not tried again.
      if (isPortError(error) && error.kind === 'transient') opened = undefined;
      throw error;
    });
    return opened;
  }
  const key = keyOf(found);
  return {
    publicKey: key.kind === 'file' ? await publicKeyAt(`${key.path}.pub`) : key.publicKey,
    ...whoOf(found),
    sign: async (payload, namespace) => (await signer()).sign(payload, namespace),
    plainKey: async () => (await signer()).plainKey(),
  };
}

/** What a key says of itself beside it; empty where there is no key yet. */
async function publicKeyAt(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trim().split(/\s+/).slice(0, 2).join(' ');
}

export async function openKey(path: string, name: string): Promise<Signer> {
  const { fileSigner } = await import('#adapters/machine/machine.ts');
  return fileSigner(path, { name, email: `${name}@acme.example` });
}
