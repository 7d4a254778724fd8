/** Times in milliseconds, sizes in bytes. */
export interface RegistryLimits {
  readonly connect: number;
  /** Until the head of an answer. */
  readonly headers: number;
  /** Between two pieces of an answer. */
  readonly idle: number;
  /** One call with its redirects, its login and its repetitions. */
  readonly total: number;
  /** The same where a blob is moved. */
  readonly transfer: number;
  /** One manifest, one page of a list. */
  readonly document: number;
  readonly redirects: number;
  readonly pages: number;
  /** Entries of a list of referrers, over all pages. */
  readonly referrers: number;
  /** Manifests read because a list does not say what they are. */
  readonly inspected: number;
  readonly tries: number;
  /** Before the second try; it doubles up to `longestWait`, which also bounds what a registry may ask for. */
  readonly wait: number;
  readonly longestWait: number;
}

export const REGISTRY_LIMITS: RegistryLimits = {
  connect: 10_000,
  headers: 15_000,
  idle: 15_000,
  total: 30_000,
  transfer: 300_000,
  document: 4 * 1024 * 1024,
  redirects: 5,
  pages: 16,
  referrers: 1024,
  inspected: 64,
  tries: 4,
  wait: 250,
  longestWait: 10_000,
};
