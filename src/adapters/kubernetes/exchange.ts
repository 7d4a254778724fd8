import type { Dispatcher } from 'undici';

import { onAbort } from './abort-listeners.ts';

/** One request as it is put on the wire. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: string[];
  readonly body: string | undefined;
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
  /** Bytes of an answer; more is an error. */
  readonly limit: number;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Why an exchange has no answer, and whether the server can have begun with it. */
type WireFailure =
  | { readonly kind: 'failed'; readonly error: Error; readonly wasSent: boolean }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'aborted'; readonly reason: unknown };

export type Exchange = { readonly kind: 'answer'; readonly answer: WireAnswer } | WireFailure;

/** Sends one request; every end is a value. A handler of our own, because undici's `request` makes two streams for each answer. */
export function exchange(dispatcher: Dispatcher, request: WireRequest, signal: AbortSignal | undefined): Promise<Exchange> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    let status = 0;
    let headers: WireAnswer['headers'] = {};
    let size = 0;
    let isEnded = false;
    const chunks: Buffer[] = [];

    function end(how: Exchange): void {
      if (isEnded) return;
      isEnded = true;
      forget?.();
      resolve(how);
      if (how.kind !== 'answer') controller?.abort(new Error(how.kind));
    }

    if (signal?.aborted === true) return resolve({ kind: 'aborted', reason: signal.reason });
    const forget = signal && onAbort(signal, () => end({ kind: 'aborted', reason: signal.reason }));
    dispatcher.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body ?? null,
        headersTimeout: request.headersTimeout,
        bodyTimeout: request.bodyTimeout,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (isEnded) started.abort(new Error('aborted'));
        },
        onResponseStart(_controller, statusCode, answered) {
          status = statusCode;
          headers = answered;
        },
        onResponseData(_controller, chunk) {
          size += chunk.length;
          if (size > request.limit) end({ kind: 'too-large' });
          else chunks.push(chunk);
        },
        onResponseEnd() {
          const [only] = chunks;
          const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size);
          end({ kind: 'answer', answer: { status, headers, body } });
        },
        onResponseError(_controller, error) {
          end({ kind: 'failed', error, wasSent: controller !== undefined });
        },
      },
    );
  });
}
