import { setTimeout as delay } from 'node:timers/promises';

import type { JsonObject } from '#model/json.ts';
import { PortError } from '#ports/port-error.ts';
import type { Api, ApiAnswer, ApiRequest } from './api.ts';
import { certificateFailure, isCertificateFailure } from './certificate-failures.ts';
import { cleanAnswer, cleanEvent } from './clean-answer.ts';
import { concurrency } from './concurrency.ts';
import type { Exchange, WireAnswer } from './exchange.ts';
import { exchange } from './exchange.ts';
import { mayPass, noAnswer, refusedCredentials, serverWords } from './failures.ts';
import { openPools } from './pools.ts';
import { repeating } from './repeating.ts';
import type { ServerAccess } from './server-access.ts';
import { described, statusObject, toAnswer } from './server-answer.ts';
import { serverClock } from './server-clock.ts';
import type { TransportLimits } from './transport-limits.ts';
import type { Opened } from './watch-stream.ts';
import { openWatch, watchEvents } from './watch-stream.ts';

const APPLY = 'application/apply-patch+yaml';

/** Requests to one server; see `Api` for what it promises. `unknownPath` is told when the server has no such kind (any more). */
export async function openApi(access: ServerAccess, limits: TransportLimits, unknownPath: () => void): Promise<Api> {
  const pools = await openPools(access, limits);
  const slots = concurrency(limits.concurrency);
  const again = repeating(limits, Date.now);
  const clock = serverClock(Date.now);
  const prefix = access.url.pathname.replace(/\/+$/, '');
  const counts = { requests: 0, watches: 0, retries: 0 };

  let isClosed = false;

  async function sendInTurn(asked: ApiRequest, headers: readonly string[], signal: AbortSignal | undefined): Promise<Exchange> {
    const entering = slots.enter(signal);
    if (entering !== undefined) await entering;
    try {
      counts.requests++;
      const wire = {
        method: asked.method,
        path: prefix + asked.path,
        headers: [...headers, ...contentHeaders(asked)],
        body: asked.body,
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

  /** Sends until there is an answer that is one: waits where the server asks for it, logs in again once, outlasts a short absence. */
  async function persist(asked: Asked, send: (headers: readonly string[]) => Promise<Exchange | Opened>): Promise<Success> {
    if (isClosed) throw new PortError('transient', `the connection to ${serverWords(access)} has been closed`);
    let since: number | undefined;
    let wasRenewed = false;
    for (let times = 1; ; times++) {
      const headers = await access.headers();
      const exchanged = await send(headers);
      let wait: number | undefined;
      switch (exchanged.kind) {
        case 'aborted':
          throw exchanged.reason;
        case 'too-large':
          throw new PortError('invalid', `${serverWords(access)} answered ${described(asked)} with more than ${limits.answer} bytes`);
        case 'failed':
          since ??= Date.now();
          if (mayPass(exchanged.error, times) && (!exchanged.wasSent || asked.isRepeatable)) wait = again.afterFailure({ times, since });
          if (wait === undefined) throw await failure(exchanged.error);
          if (exchanged.wasSent) asked.lost?.();
          break;
        case 'opened':
          again.answered();
          return exchanged;
        case 'answer': {
          const { answer } = exchanged;
          again.answered();
          clock.note(answer.headers['date']);
          if (asksToWait(answer)) {
            since ??= Date.now();
            wait = again.afterRefusal({ times, since }, answer.headers['retry-after']);
            if (wait === undefined) throw stillBusy(answer, times);
            break;
          }
          if (answer.status !== 401) return { kind: 'answer', answer: cleanAnswer(answer, headers) };
          if (wasRenewed || !(await isRenewed(access, headers))) throw await refusedCredentials(access, headers, clock.ahead());
          wasRenewed = true;
          wait = 0;
        }
      }
      counts.retries++;
      if (wait > 0) await delay(wait, undefined, asked.signal === undefined ? {} : { signal: asked.signal });
    }
  }

  function failure(error: Error): PortError | Promise<PortError> {
    return isCertificateFailure(error) ? certificateFailure(error, access, limits.connect) : noAnswer(error, access);
  }

  function stillBusy({ status }: WireAnswer, tries: number): PortError {
    return new PortError(
      'transient',
      `${serverWords(access)} asked ${tries} times to be asked later (${status}): it is overloaded or not ready`,
    );
  }

  async function request(asked: ApiRequest, signal?: AbortSignal): Promise<ApiAnswer> {
    let isRepeated = false;
    const lost = (): void => void (isRepeated = true);
    const about = { method: asked.method, path: asked.path, isRepeatable: isRepeatable(asked), signal, lost };
    const success = await persist(about, (headers) => sendInTurn(asked, headers, signal));
    if (success.kind === 'opened') throw new Error('a request opens no watch');
    if (isUnknownPath(success.answer)) unknownPath();
    const answer = toAnswer(success.answer, asked, access);
    return isRepeated ? { ...answer, isRepeated } : answer;
  }

  async function* watch(path: string, signal: AbortSignal, opened?: () => void): AsyncGenerator<JsonObject, void> {
    counts.watches++;
    const asked = { method: 'GET' as const, path, isRepeatable: false, signal };
    const wire = { path: prefix + path, headersTimeout: limits.headers, silence: limits.silence };
    const success = await persist(asked, (headers) => openWatch(pools.watches, { ...wire, headers: [...headers, ...ALWAYS] }, signal));
    if (success.kind === 'answer') {
      yield { type: 'ERROR', object: statusObject(success.answer) };
      return;
    }
    opened?.();
    const watching = { line: limits.line, silence: limits.silence, signal, broken: failure, named: serverWords(access) };
    for await (const event of watchEvents(success, watching))
      yield event['type'] === 'ERROR' ? cleanEvent(event, await access.headers()) : event;
  }

  async function close(): Promise<void> {
    isClosed = true;
    await slots.idle(limits.grace);
    await pools.destroy();
  }

  return { request, watch, counts: () => ({ ...counts }), ahead: () => clock.ahead(), close };
}

interface Asked {
  readonly method: ApiRequest['method'];
  readonly path: string;
  readonly isRepeatable: boolean;
  readonly signal: AbortSignal | undefined;
  /** Called when it was sent and no answer came, before it is sent again. */
  readonly lost?: () => void;
}

type Success = Extract<Exchange, { readonly kind: 'answer' }> | Opened;

const ALWAYS = ['accept', 'application/json', 'user-agent', 'capstan'];

function contentHeaders({ body, contentType, accept }: ApiRequest): readonly string[] {
  const always = accept === undefined ? ALWAYS : ['accept', accept, 'user-agent', 'capstan'];
  return body === undefined ? always : [...always, 'content-type', contentType ?? 'application/json'];
}

/** Sent twice they have the same end as sent once. */
function isRepeatable({ method, contentType }: ApiRequest): boolean {
  return method === 'GET' || method === 'DELETE' || (method === 'PATCH' && contentType === APPLY);
}

function asksToWait({ status, headers }: WireAnswer): boolean {
  return status === 429 || (status >= 500 && headers['retry-after'] !== undefined);
}

/** Of a missing object the server says so in a `Status`; of a path that it does not have, in plain text. */
function isUnknownPath({ status, headers }: WireAnswer): boolean {
  return status === 404 && typeof headers['content-type'] === 'string' && headers['content-type'].startsWith('text/plain');
}

async function isRenewed(access: ServerAccess, sent: readonly string[]): Promise<boolean> {
  await access.renew();
  // Another request may have read the new token already: what was sent counts, not what changed just now.
  const now = await access.headers();
  return now.length !== sent.length || now.some((text, index) => text !== sent[index]);
}
