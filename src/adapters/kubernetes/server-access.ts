/** Where a server is and as whom it is asked. What may change on disk is read again when it is needed. */
export interface ServerAccess {
  /** Origin, and the path that comes before `/api` where the server is behind another. */
  readonly url: URL;
  /** Connections are tunnelled through it (HTTP CONNECT). */
  readonly proxy: URL | undefined;
  readonly words: AccessWords;
  /** Name and value in turn, sent with each request; never in a message. */
  headers(): readonly string[] | Promise<readonly string[]>;
  /** Reads tokens again after the server refused them. */
  renew(): Promise<void>;
  /** For a new connection. Absent CA: the certificates that this machine trusts. */
  tls(): Promise<TlsMaterial>;
}

/** What messages call the parts. */
export interface AccessWords {
  /** `cluster "prod" of /etc/capstan/prod.kubeconfig` */
  readonly cluster: string;
  /** `user "capstan" of /etc/capstan/prod.kubeconfig` */
  readonly user: string;
  /** What the server's certificate is checked against: a file, or where its text stands. */
  readonly authority: string;
}

export interface TlsMaterial {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
}
