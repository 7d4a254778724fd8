/** Git's smart HTTP server side (`git http-backend`), one request at a time over bytes. */
export interface SmartHttp {
  /** Streams a CGI exchange for one repository; resolves when the response body has ended. */
  serve(request: SmartHttpRequest): Promise<SmartHttpResponse>;
}

export interface SmartHttpRequest {
  readonly repositoryPath: string;
  readonly method: string;
  /** `/info/refs`, `/git-upload-pack`, `/git-receive-pack` */
  readonly pathInfo: string;
  readonly query: string;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly gitProtocol: string | undefined;
  readonly remoteUser: string | undefined;
  /** Git configuration of this one exchange (`receive.denyNonFastForwards`: `true`). */
  readonly configuration: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface SmartHttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}
