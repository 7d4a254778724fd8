import type { Place, Terminal } from '#cli/powers.ts';
import type { Bundles } from '#ports/bundles.ts';

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

export async function trustedRoot(_place: Place, _terminal: Terminal): Promise<Uint8Array | undefined> {
  return Promise.resolve(undefined);
}
