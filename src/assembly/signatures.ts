import type { Bundles } from '#ports/bundles.ts';
import type { CommitSignatures } from '#ports/commit-signatures.ts';

/** Libraries for OpenPGP and X.509 are loaded when the first such signature is looked at. */
export function lazySignatures(bundles: () => Promise<Bundles>): () => Promise<CommitSignatures> {
  let loaded: Promise<CommitSignatures> | undefined;
  return () => {
    loaded ??= import('#adapters/signatures/signatures.ts').then(({ commitSignatures }) => commitSignatures(bundles));
    return loaded;
  };
}
