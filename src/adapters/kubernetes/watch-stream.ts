import type { Dispatcher } from 'undici';

import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import type { Exchange } from './exchange.ts';
import { codeOf } from './failures.ts';
import { linesOf } from './watch-lines.ts';

/** An accepted watch: what comes of it, as it comes. */
export interface Opened {
  readonly kind: 'opened';
  readonly pieces: AsyncIterable<Buffer>;
}

export interface WatchRequest {
  readonly path: string;
  readonly headers: string[];
  readonly headersTimeout: number;
  readonly silence: number;
}

/** Of a refusal: a `Status` is small, and what is longer comes from elsewhere. */
const REFUSAL_LIMIT = 64 * 1024;

export async function openWatch(dispatcher: Dispatcher, request: WatchRequest, signal: AbortSignal): Promise<Exchange | Opened> {
  const { path, headers, headersTimeout, silence } = request;
  try {
    const answered = await dispatcher.request({ method: 'GET', path, headers, headersTimeout, bodyTimeout: silence, signal });
    if (answered.statusCode === 200) return { kind: 'opened', pieces: answered.body };
    const body = await firstBytes(answered.body, REFUSAL_LIMIT);
    return { kind: 'answer', answer: { status: answered.statusCode, headers: answered.headers, body } };
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted', reason: signal.reason };
    return { kind: 'failed', error: error instanceof Error ? error : new Error(String(error)), wasSent: true };
  }
}

export interface Watching {
  /** Bytes of one event. */
  readonly line: number;
  readonly silence: number;
  readonly signal: AbortSignal;
  /** Words for a connection that broke. */
  readonly broken: (error: Error) => PortError | Promise<PortError>;
  /** Of the server. */
  readonly named: string;
}

export async function* watchEvents({ pieces }: Opened, watching: Watching): AsyncGenerator<JsonObject, void> {
  const { silence, signal, broken, named } = watching;
  try {
    for await (const line of linesOf(pieces, watching)) yield eventOf(line, named);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (isPortError(error)) throw error;
    if (codeOf(error) === 'UND_ERR_BODY_TIMEOUT')
      throw new PortError('transient', `${named} was silent in a watch for ${silence / 1000} s`, error);
    throw await broken(error instanceof Error ? error : new Error(String(error)));
  }
}

function eventOf(line: string, named: string): JsonObject {
  let event: Json | undefined;
  try {
    event = JSON.parse(line) as Json;
  } catch {
    event = undefined;
  }
  if (isJsonObject(event)) return event;
  throw new PortError('invalid', `${named} sent a line in a watch that is no JSON object`);
}

async function firstBytes(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body) {
    pieces.push(piece);
    size += piece.length;
    if (size > limit) break;
  }
  return Buffer.concat(pieces).subarray(0, limit);
}
