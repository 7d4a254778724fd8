import type { SealedDocument } from '#model/sealed.ts';
import type { Secret } from '#model/secret.ts';

/**
 * Opens encrypted files, for adapters of targets only: at the moment of writing. PortError `denied` where no key of this machine opens it
 * or its message authentication code does not match, `unsupported` where there is no program for it; no message has a value in it.
 */
export interface SealedSecrets {
  /** The values by key of the Secret. */
  open(document: SealedDocument, signal?: AbortSignal): Promise<ReadonlyMap<string, Secret>>;
}
