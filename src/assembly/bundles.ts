import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { findPlace } from '#cli/found.ts';
import type { Found } from '#cli/found.ts';
import type { Place, Terminal } from '#cli/powers.ts';
import type { Secret } from '#model/secret.ts';
import type { Bundles } from '#ports/bundles.ts';
import { PortError } from '#ports/port-error.ts';
import { stateOf } from './signing.ts';

/** Sigstore's packages are loaded when the first bundle is looked at. */
export function lazyBundles(): () => Promise<Bundles> {
  let loaded: Promise<Bundles> | undefined;
  return () => {
    loaded ??= openBundles();
    return loaded;
  };
}

export async function openBundles(): Promise<Bundles> {
  return (await import('#adapters/sigstore/sigstore.ts')).sigstoreBundles();
}

export async function openCosignKey(text: string, password: Secret): Promise<Secret> {
  return (await import('#adapters/sigstore/cosign-key.ts')).openCosignKey(text, password);
}

export async function trustedRoot(place: Place, terminal: Terminal): Promise<Uint8Array | undefined> {
  return machineRoot(await findPlace(place, terminal))();
}

/** The trusted root of the configuration, read once; what went wrong is asked again. */
export function machineRoot(found: Found): () => Promise<Uint8Array | undefined> {
  let read: Promise<Uint8Array | undefined> | undefined;
  return () => {
    read ??= readRoot(found).catch((error: unknown) => {
      read = undefined;
      throw error;
    });
    return read;
  };
}

async function readRoot(found: Found): Promise<Uint8Array | undefined> {
  const source = found.configuration?.trust.sigstore;
  if (source === undefined) return undefined;
  if (source.kind === 'tuf') {
    const { trustedRootByTuf } = await import('#adapters/sigstore/tuf-root.ts');
    const state = found.configuration === undefined ? stateOf(found) : dirname(found.configuration.sqlite);
    return trustedRootByTuf({ mirror: source.mirror, rootFile: source.rootFile, cache: join(state, 'tuf') });
  }
  return readFile(source.path).catch((error: unknown) => {
    throw new PortError('missing', `trust.sigstore.trustedRoot: ${source.path} cannot be read`, error);
  });
}
