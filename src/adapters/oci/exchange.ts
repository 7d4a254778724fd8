import type { Dispatcher } from 'undici';

import type { RegistryLimits } from './registry-limits.ts';

/** One request as it is put on the wire. */
export interface WireRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: readonly string[];
  readonly body: Uint8Array | undefined;
  /** Bytes of a successful answer. */
  readonly limit: number;
  /** Milliseconds in all. */
  readonly within: number;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export type Exchange =
  | { readonly kind: 'answer'; readonly answer: WireAnswer }
  | { readonly kind: 'too-large' }
  /** `why` finishes the sentence "the registry ..."; it holds nothing of the request. */
  | { readonly kind: 'failed'; readonly why: string };

const LARGEST_REFUSAL = 64 * 1024;

/** Sends one request; every end is a value. Of an answer never more than its limit is held; the rest is not read. */
export function exchange(dispatcher: Dispatcher, request: WireRequest, limits: RegistryLimits): Promise<Exchange> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    let answer: Omit<WireAnswer, 'body'> = { status: 0, headers: {} };
    let size = 0;
    let isEnded = false;
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => end({ kind: 'failed', why: 'was too slow' }), Math.max(1, request.within));

    function end(how: Exchange): void {
      if (isEnded) return;
      isEnded = true;
      clearTimeout(timer);
      resolve(how);
      controller?.abort(new Error(how.kind));
    }
    function tooLarge(): void {
      // What a refusal says beyond its status is of no interest.
      end(isSuccess(answer.status) ? { kind: 'too-large' } : { kind: 'answer', answer: { ...answer, body: Buffer.alloc(0) } });
    }

    const options = {
      origin: request.url.origin,
      method: request.method,
      path: `${request.url.pathname}${request.url.search}`,
      headers: [...request.headers],
      body: request.body ?? null,
      headersTimeout: limits.headers,
      bodyTimeout: limits.idle,
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started;
        if (isEnded) started.abort(new Error('ended'));
      },
      onResponseStart(_controller, status, headers) {
        answer = { status, headers };
        const announced = Number(headers['content-length'] ?? 0);
        if (request.method !== 'HEAD' && announced > limitOf(request, status)) tooLarge();
      },
      onResponseData(_controller, chunk) {
        size += chunk.length;
        if (size > limitOf(request, answer.status)) tooLarge();
        else chunks.push(chunk);
      },
      onResponseEnd() {
        controller = undefined;
        end({ kind: 'answer', answer: { ...answer, body: Buffer.concat(chunks, size) } });
      },
      onResponseError(_controller, error) {
        end({ kind: 'failed', why: failureWords(error) });
      },
    };
    try {
      dispatcher.dispatch(options, handler);
    } catch (error) {
      // What cannot even be put on the wire.
      end({ kind: 'failed', why: failureWords(error) });
    }
  });
}

function limitOf({ limit }: WireRequest, status: number): number {
  return isSuccess(status) ? limit : LARGEST_REFUSAL;
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ENOTFOUND: 'has no address',
  EAI_AGAIN: 'has no address for now',
  UND_ERR_CONNECT_TIMEOUT: 'did not take the connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'was too slow to answer',
  UND_ERR_BODY_TIMEOUT: 'stopped in the middle of its answer',
  UND_ERR_SOCKET: 'cut the connection',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'sent another length than it said',
  UND_ERR_HEADERS_OVERFLOW: 'sent too many headers',
  ECONNRESET: 'cut the connection',
};

const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Of an error only its code is repeated: messages may quote what was sent. */
function failureWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'without a reason';
  if (UNTRUSTED.has(code)) return `shows a certificate that is not trusted here (${code}); NODE_EXTRA_CA_CERTS names more authorities`;
  return Object.hasOwn(WORDS, code) ? (WORDS[code] ?? code) : `could not be reached (${code})`;
}
