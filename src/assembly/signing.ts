import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { findPlace } from '#cli/found.ts';
import type { Found } from '#cli/found.ts';
import type { Place, Terminal } from '#cli/powers.ts';
import type { Signer } from '#ports/machine.ts';

/** Where this process keeps what can be lost, unless a configuration says otherwise. */
export function stateOf(found: Found): string {
  return join(found.root, '.capstan');
}

function keyOf(found: Found): string {
  return found.configuration?.identity.signingKey ?? join(stateOf(found), 'engine_ed25519');
}

export async function openSigner(place: Place, terminal: Terminal): Promise<Signer> {
  return signerAt(await findPlace(place, terminal));
}

export async function signerAt(found: Found): Promise<Signer> {
  const { fileSigner } = await import('#adapters/machine/machine.ts');
  const identity = found.configuration?.identity;
  return fileSigner(keyOf(found), { name: identity?.name ?? 'Capstan', email: identity?.email ?? 'engine@capstan.invalid' });
}

/** A command that only reads makes no key: it is opened when something is signed. */
export async function lazySigner(found: Found): Promise<Signer> {
  const identity = found.configuration?.identity;
  let opened: Promise<Signer> | undefined;
  function signer(): Promise<Signer> {
    opened ??= signerAt(found);
    return opened;
  }
  return {
    publicKey: await publicKeyAt(`${keyOf(found)}.pub`),
    name: identity?.name ?? 'Capstan',
    email: identity?.email ?? 'engine@capstan.invalid',
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
