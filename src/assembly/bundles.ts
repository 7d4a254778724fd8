import type { Bundles } from '#ports/bundles.ts';

/** Sigstore's packages are loaded when the first bundle is looked at. */
export function lazyBundles(): () => Promise<Bundles> {
  let loaded: Promise<Bundles> | undefined;
  return () => {
    loaded ??= import('#adapters/sigstore/sigstore.ts').then(({ sigstoreBundles }) => sigstoreBundles());
    return loaded;
  };
}
