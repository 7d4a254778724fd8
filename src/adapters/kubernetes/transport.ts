import { setTimeout as delay } from 'node:timers/promises';

import type { Json, JsonObject } from '#model/json.ts';
import { isJsonObject } from '#model/json.ts';
import { visibleText } from '#model/quoted.ts';
import { PortError } from '#ports/port-error.ts';
import type { Api, ApiAnswer, ApiRequest } from './api.ts';
import { concurrency } from './concurrency.ts';
import type { Exchange, WireAnswer } from './exchange.ts';
import { exchange } from './exchange.ts';
import { mayPass, noAnswer, serverWords } from './failures.ts';
import { openPools } from './pools.ts';
import type { ServerAccess } from './server-access.ts';
import type { TransportLimits } from './transport-limits.ts';
import { linesOf } from './watch-lines.ts';

const APPLY = 'application/apply-patch+yaml';

/** Requests to one server; see `Api` for what it promises. */
export async function openApi(access: ServerAccess, limits: TransportLimits): Promise<Api> {
  const pools = await openPools(access, limits);
  const slots = concurrency(limits.concurrency);
  const prefix = access.url.pathname.replace(/\/+$/, '');
  const counts = { requests: 0, watches: 0, retries: 0 };
  /** Since when no request has had an answer; shared, so that many requests wait for one outage together. */
  let awaySince: number | undefined;
  let hasAnswered = false;

  async function once(request: ApiRequest, headers: readonly string[], signal: AbortSignal | undefined): Promise<Exchange> {
    const entering = slots.enter(signal);
    if (entering !== undefined) await entering;
    try {
      counts.requests++;
      const wire = {
        method: request.method,
        path: prefix + request.path,
        headers: [...headers, ...contentHeaders(request)],
        body: request.body,
        headersTimeout: limits.headers,
        bodyTimeout: limits.body,
        limit: limits.answer,
      };
      const exchanged = await exchange(pools.requests, wire, signal);
      if (exchanged.kind === 'answer' && exchanged.answer.status === 429) slots.overloaded();
      else if (exchanged.kind === 'answer') slots.keptUp();
      return exchanged;
    } finally {
      slots.leave();
    }
  }

  /** Milliseconds until a request may be sent again; undefined if the server has been away for too long. */
  function waitForServer(tries: number): number | undefined {
    awaySince ??= Date.now();
    const patience = hasAnswered ? limits.patience : limits.firstPatience;
    if (tries >= limits.tries || Date.now() - awaySince > patience) return undefined;
    return backoff(tries, limits);
  }

  async function request(asked: ApiRequest, signal?: AbortSignal): Promise<ApiAnswer> {
    const started = Date.now();
    let wasRenewed = false;
    for (let tries = 1; ; tries++) {
      const headers = await access.headers();
      const exchanged = await once(asked, headers, signal);
      let wait: number | undefined;
      switch (exchanged.kind) {
        case 'aborted':
          throw exchanged.reason;
        case 'too-large':
          throw new PortError('invalid', `${serverWords(access)} answered ${described(asked)} with more than ${limits.answer} bytes`);
        case 'failed':
          if (mayPass(exchanged.error) && (!exchanged.wasSent || isRepeatable(asked))) wait = waitForServer(tries);
          if (wait === undefined) throw noAnswer(exchanged.error, access);
          break;
        case 'answer': {
          awaySince = undefined;
          hasAnswered = true;
          const { answer } = exchanged;
          const asksAgain = answer.status === 429 || (answer.status >= 500 && answer.headers['retry-after'] !== undefined);
          if (asksAgain) {
            wait = retryAfter(answer, tries, limits);
            if (tries >= limits.tries || Date.now() + wait - started > limits.patience) throw stillBusy(access, answer, tries);
          } else if (answer.status === 401) {
            if (wasRenewed || !(await isRenewed(access, headers))) throw refusedCredentials(access);
            wasRenewed = true;
            wait = 0;
          } else return toAnswer(answer, asked, access);
        }
      }
      counts.retries++;
      if (wait > 0) await delay(wait, undefined, signal === undefined ? {} : { signal });
    }
  }

  async function* watch(path: string, signal: AbortSignal): AsyncGenerator<JsonObject, void> {
    counts.watches++;
    const stream = await pools.watches.request({
      method: 'GET',
      path: prefix + path,
      headers: [...(await access.headers()), 'accept', 'application/json', 'user-agent', 'capstan'],
      headersTimeout: limits.headers,
      bodyTimeout: limits.silence,
      signal,
    });
    for await (const line of linesOf(stream.body, limits.line)) yield JSON.parse(line) as JsonObject;
  }

  return { request, watch, counts: () => ({ ...counts }), close: () => pools.close() };
}

function contentHeaders({ body, contentType, accept }: ApiRequest): readonly string[] {
  const always = ['accept', accept ?? 'application/json', 'user-agent', 'capstan'];
  return body === undefined ? always : [...always, 'content-type', contentType ?? 'application/json'];
}

/** Sent twice they have the same end as sent once. */
function isRepeatable({ method, contentType }: ApiRequest): boolean {
  return method === 'GET' || method === 'DELETE' || (method === 'PATCH' && contentType === APPLY);
}

async function isRenewed(access: ServerAccess, sent: readonly string[]): Promise<boolean> {
  // Another request may have read the new token already, so what was sent counts, not what changed now.
  await access.renew();
  const now = await access.headers();
  return now.length !== sent.length || now.some((text, index) => text !== sent[index]);
}

function refusedCredentials(access: ServerAccess): PortError {
  return new PortError('denied', `${serverWords(access)} does not accept ${access.words.credential}: expired or revoked (401). Renew it.`);
}

function stillBusy(access: ServerAccess, { status }: WireAnswer, tries: number): PortError {
  return new PortError(
    'transient',
    `${serverWords(access)} asked ${tries} times to be asked later (${status}): it is overloaded or not ready`,
  );
}

/** The wait that the server names in seconds, never less than our own would be. */
function retryAfter({ headers }: WireAnswer, tries: number, limits: TransportLimits): number {
  const seconds = Number(headers['retry-after']);
  const own = backoff(tries, limits);
  return Number.isFinite(seconds) ? Math.max(own, seconds * 1000) : own;
}

/** Doubles, with a share of chance so that those who failed together do not come back together. */
function backoff(tries: number, { wait, longestWait }: TransportLimits): number {
  return Math.min(longestWait, wait * 2 ** (tries - 1)) * (0.75 + Math.random() / 2);
}

function toAnswer(answer: WireAnswer, asked: ApiRequest, access: ServerAccess): ApiAnswer {
  const { status } = answer;
  const body = parsed(answer.body);
  if (body !== undefined) return { status, body, warnings: warningsOf(answer) };
  const text = visibleText(answer.body.subarray(0, 1000).toString('utf8').trim());
  if (status < 400)
    throw new PortError(
      'invalid',
      `${serverWords(access)} answered ${described(asked)} with ${status} and what is no JSON object: ${text}`,
    );
  return { status, body: { kind: 'Status', status: 'Failure', code: status, message: text }, warnings: warningsOf(answer) };
}

function parsed(bytes: Buffer): JsonObject | undefined {
  try {
    const value = JSON.parse(bytes.toString('utf8')) as Json;
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `299 - "text"`, RFC 9111 before it was dropped; Kubernetes still uses it. */
function warningsOf({ headers }: WireAnswer): readonly string[] {
  const { warning } = headers;
  if (warning === undefined) return [];
  return [warning].flat().map((text) => visibleText(text.replace(/^\d{3} \S+ "(.*)"$/s, '$1').replaceAll('\\"', '"'), 1000));
}

function described({ method, path }: ApiRequest): string {
  return `${method} ${visibleText(path.split('?', 1)[0] ?? path)}`;
}
