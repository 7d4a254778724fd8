/** What a token is asked for. */
export interface Scope {
  readonly name: string;
  readonly actions: 'pull' | 'pull,push';
}

/** One call of the distribution API, at one registry or mirror. */
export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** Host and port. */
  readonly host: string;
  /** A path below the registry, or an address that it gave (next page, upload). */
  readonly path: string;
  readonly scope: Scope;
  readonly headers?: readonly string[];
  readonly body?: Uint8Array;
  /** Bytes of the answer. */
  readonly limit: number;
  /** Milliseconds in all. */
  readonly within: number;
  /** Sent twice it has the same end as sent once. */
  readonly isRepeatable: boolean;
}
