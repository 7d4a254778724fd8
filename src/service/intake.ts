import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Inbox } from '#ports/inbox.ts';
import type { Clock, Ids, Journal } from '#ports/machine.ts';
import type { WebhookVerifier } from '#ports/webhooks.ts';

export interface IntakeParts {
  readonly inbox: Inbox;
  readonly verifier: WebhookVerifier;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly journal: Journal;
  /** Largest body in bytes. */
  readonly limit: number;
  /** How long a refused sender may go on sending before its connection is cut. */
  readonly linger: number;
  /** Told how each delivery ended. */
  readonly counted: (result: IntakeResult, key: 'current' | 'previous' | undefined) => void;
  /** Told after a fresh delivery is on disk. */
  readonly arrived: () => void;
}

export type IntakeResult = 'accepted' | 'repeated' | 'unauthorized' | 'invalid' | 'unsupported' | 'too-large' | 'busy' | 'aborted';

interface Refusal {
  readonly result: IntakeResult;
  readonly status: number;
  readonly words: string;
}

const UNAUTHORIZED: Refusal = { result: 'unauthorized', status: 401, words: 'signature missing or wrong' };
const TOO_LARGE: Refusal = { result: 'too-large', status: 413, words: 'body too large' };
const NOT_POST: Refusal = { result: 'invalid', status: 405, words: 'only POST' };
const NOT_JSON_TYPE: Refusal = { result: 'unsupported', status: 415, words: 'content type must be application/json' };
const ENCODED: Refusal = { result: 'unsupported', status: 415, words: 'content encodings are not taken' };
const NOT_JSON: Refusal = { result: 'invalid', status: 400, words: 'body is not a JSON object' };
const NO_DELIVERY: Refusal = { result: 'invalid', status: 400, words: 'X-GitHub-Delivery or X-GitHub-Event missing or malformed' };
const BUSY: Refusal = { result: 'busy', status: 503, words: 'not stored, send again' };

const SIGNATURE = /^sha256=[0-9a-f]{64}$/;
const DELIVERY_ID = /^[0-9A-Za-z-]{1,64}$/;
const EVENT_NAME = /^[a-z_]{1,64}$/;
const JSON_TYPE = /^application\/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?$/i;

/**
 * The webhook route, over the raw request: cap, signature, durable row, 202. Nothing is parsed, and an unsigned sender learns and
 * leaves nothing, not even a used delivery id. Its handler runs before fastify, whose routing costs more than the whole of it.
 */
export function webhookIntake(parts: IntakeParts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const early = refusalByHeaders(request, parts.limit);
    if (early !== undefined) {
      refuse(parts, request, response, early);
      return;
    }
    receive(parts, request, response);
  };
}

function refusalByHeaders(request: IncomingMessage, limit: number): Refusal | undefined {
  const { headers } = request;
  if (request.method !== 'POST') return NOT_POST;
  if (Number(headers['content-length'] ?? 0) > limit) return TOO_LARGE;
  if (headers['content-encoding'] !== undefined) return ENCODED;
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) return NOT_JSON_TYPE;
  return undefined;
}

/** Reads up to the cap. A body whose signature header cannot be right is counted and thrown away, so that it, too, ends as 413 or 401. */
function receive(parts: IntakeParts, request: IncomingMessage, response: ServerResponse): void {
  const signature = headerText(request, 'x-hub-signature-256');
  const isSigned = SIGNATURE.test(signature);
  const chunks: Uint8Array[] = [];
  let size = 0;
  let isOver = false;
  request.on('data', (chunk: Uint8Array) => {
    size += chunk.byteLength;
    if (isOver) return;
    if (size > parts.limit) {
      isOver = true;
      chunks.length = 0;
      refuse(parts, request, response, TOO_LARGE);
    } else if (isSigned) chunks.push(chunk);
  });
  request.once('error', () => {
    if (!isOver) parts.counted('aborted', undefined);
    isOver = true;
  });
  request.once('end', () => {
    if (isOver) return;
    if (!isSigned) {
      refuse(parts, request, response, UNAUTHORIZED);
      return;
    }
    const [only] = chunks;
    const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size);
    void admit(parts, { request, response }, body, signature);
  });
}

async function admit(
  parts: IntakeParts,
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse },
  body: Uint8Array,
  signature: string,
): Promise<void> {
  const { request, response } = exchange;
  try {
    const key = await parts.verifier.verify(body, signature);
    if (key === undefined) return refuse(parts, request, response, UNAUTHORIZED);
    const id = headerText(request, 'x-github-delivery');
    const event = headerText(request, 'x-github-event');
    if (!DELIVERY_ID.test(id) || !EVENT_NAME.test(event)) return refuse(parts, request, response, NO_DELIVERY);
    if (!looksLikeObject(body)) return refuse(parts, request, response, NOT_JSON);
    const isFresh = await parts.inbox.accept({ id, event, body, receivedAt: parts.clock.now() });
    parts.counted(isFresh ? 'accepted' : 'repeated', key);
    answer(response, 202, 'accepted\n');
    if (isFresh) parts.arrived();
  } catch (error) {
    parts.journal.error({ event: 'intake', reason: error instanceof Error ? error.message : 'unknown' }, 'a delivery could not be stored');
    refuse(parts, request, response, BUSY);
  }
}

const OPENING = 0x7b;
const CLOSING = 0x7d;

/** The parser runs later, in the queue; this only keeps out what can be no delivery at all. */
function looksLikeObject(body: Uint8Array): boolean {
  let first = 0;
  let last = body.byteLength - 1;
  while (first < last && isSpace(body[first])) first++;
  while (last > first && isSpace(body[last])) last--;
  return body[first] === OPENING && body[last] === CLOSING && isUtf8(body);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function refuse(parts: IntakeParts, request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  parts.counted(refusal.result, undefined);
  if (response.headersSent || response.destroyed) return;
  const correlation = parts.ids.traceId();
  parts.journal.debug({ result: refusal.result, status: refusal.status, correlation }, 'a delivery was refused');
  if (refusal.status === 405) response.setHeader('allow', 'POST');
  if (refusal.status === 503) response.setHeader('retry-after', '5');
  if (!request.complete) endAfterLinger(parts, request, response);
  answer(response, refusal.status, `${refusal.words}; correlation ${correlation}\n`);
}

/** The rest of the body is read and dropped for a moment, so that the sender can read the answer; then the connection is cut. */
function endAfterLinger(parts: IntakeParts, request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('connection', 'close');
  request.on('error', () => undefined);
  request.resume();
  const cut = setTimeout(() => request.destroy(), parts.linger);
  request.once('close', () => clearTimeout(cut));
}

function answer(response: ServerResponse, status: number, words: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'content-length': words.length });
  response.end(words);
}

function headerText(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : '';
}
