import { sha256Of } from '#model/digest.ts';
import { createMemo } from '#model/memo.ts';
import type { Bundles } from '#ports/bundles.ts';
import { readPublicKey } from './public-key.ts';
import type { SigningKey } from './public-key.ts';
import { signBundle, signBytes } from './sign-bundle.ts';
import { readTrustedRoot } from './trusted-root.ts';
import type { ReadRoot } from './trusted-root.ts';
import { verifyBundle } from './verify-bundle.ts';

const ROOTS_KEPT = 8;
const KEYS_KEPT = 1_000;

/** Sigstore bundles by the packages of sigstore-js, offline; trusted roots and keys are parsed once per content. */
export function sigstoreBundles(): Bundles {
  const roots = createMemo<ReadRoot>(ROOTS_KEPT);
  const openRoot = (bytes: Uint8Array): ReadRoot => {
    const digest = sha256Of(bytes);
    return roots.get(digest) ?? roots.set(digest, readTrustedRoot(bytes));
  };
  const keys = createMemo<{ readonly key: SigningKey | undefined }>(KEYS_KEPT);
  const openKey = (pem: string): SigningKey | undefined => (keys.get(pem) ?? keys.set(pem, { key: readPublicKey(pem) })).key;
  return {
    verify: (question) => verifyBundle(question, { root: openRoot, key: openKey }),
    readRoot: (bytes) => {
      const read = openRoot(bytes);
      return read.ok ? { ok: true, witnesses: read.witnesses } : read;
    },
    sign: signBundle,
    signBytes,
    keyDigest: (pem) => openKey(pem)?.spkiSha256,
  };
}
