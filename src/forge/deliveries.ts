import { createHmac, randomUUID } from 'node:crypto';

import { now } from './access.ts';
import type { World } from './call.ts';
import type { Delivery, Hook } from './records.ts';

export interface Deliveries {
  /** Sends what waits; returns at once. */
  wake(): void;
  /** Resolves when the requests under way have ended. */
  close(): Promise<void>;
}

/** GitHub gives a receiver ten seconds. */
const TIMEOUT = 10_000;
/** As long as GitHub keeps deliveries. */
const KEPT = 30 * 86_400_000;
const LARGEST_RESPONSE = 64 * 1024;

/**
 * Sends webhooks, in order per hook, each exactly once: there is no retry, as on GitHub. What a stop cut off is recorded as failed, because
 * nobody knows whether it arrived; its receiver may ask for it again.
 */
export function startDeliveries(world: World): Deliveries {
  const busy = new Map<number, Promise<void>>();
  const stop = new AbortController();
  world.store.transaction(() => {
    for (const row of world.store.interrupted()) {
      world.store.save('delivery', { ...row, state: 'ended', status: 'the forge was stopped', statusCode: 0 });
      world.store.unqueue(row.id);
    }
    world.store.forgetDeliveries(new Date(world.clock.now() - KEPT).toISOString());
  });

  function wake(): void {
    for (const hook of world.store.all('hook')) {
      if (busy.has(hook.id) || stop.signal.aborted) continue;
      const sending = drain(world, hook.id, stop.signal)
        .catch((error: unknown) => world.journal.error({ hook: hook.id, error: String(error) }, 'webhook sender failed'))
        .finally(() => busy.delete(hook.id));
      busy.set(hook.id, sending);
    }
  }

  return {
    wake,
    async close() {
      stop.abort();
      await Promise.all(busy.values());
    },
  };
}

async function drain(world: World, hookId: number, signal: AbortSignal): Promise<void> {
  await Promise.resolve();
  while (!signal.aborted) {
    const hook = world.store.get('hook', hookId);
    const next = world.store.waiting(hookId);
    if (hook === undefined || next === undefined) return;
    await send(world, hook, next, signal);
  }
}

async function send(world: World, hook: Hook, row: Delivery, signal: AbortSignal): Promise<void> {
  const body = hook.contentType === 'json' ? row.payload : new URLSearchParams({ payload: row.payload }).toString();
  const headers = requestHeaders(hook, row, body);
  const began = performance.now();
  const sending = world.store.transaction(() => {
    world.store.trying(row.id);
    return world.store.save('delivery', { ...row, state: 'sending', url: hook.url, requestHeaders: headers, deliveredAt: now(world) });
  });
  const result = await post(hook.url, headers, { body, signal });
  const duration = Math.round((performance.now() - began) / 10) / 100;
  world.store.transaction(() => {
    world.store.save('delivery', { ...sending, ...result, state: 'ended', duration });
    world.store.unqueue(row.id);
    const current = world.store.get('hook', hook.id);
    const good = result.statusCode >= 200 && result.statusCode < 300;
    const lastResponse = { code: result.statusCode, status: good ? 'active' : 'failed', message: good ? 'OK' : result.status };
    if (current !== undefined) world.store.save('hook', { ...current, lastResponse });
  });
}

function requestHeaders(hook: Hook, row: Delivery, body: string): Readonly<Record<string, string>> {
  const headers = {
    accept: '*/*',
    'content-type': hook.contentType === 'json' ? 'application/json' : 'application/x-www-form-urlencoded',
    'user-agent': 'GitHub-Hookshot/capstan',
    'X-GitHub-Delivery': row.guid,
    'X-GitHub-Event': row.event,
    'X-GitHub-Hook-ID': String(hook.id),
    'X-GitHub-Hook-Installation-Target-ID': String(row.repository),
    'X-GitHub-Hook-Installation-Target-Type': 'repository',
  };
  if (hook.secret === undefined) return headers;
  return {
    ...headers,
    'X-Hub-Signature': `sha1=${createHmac('sha1', hook.secret).update(body).digest('hex')}`,
    'X-Hub-Signature-256': `sha256=${createHmac('sha256', hook.secret).update(body).digest('hex')}`,
  };
}

type Result = Pick<Delivery, 'status' | 'statusCode' | 'responseHeaders' | 'responseBody'>;

async function post(
  url: string,
  headers: Readonly<Record<string, string>>,
  request: { readonly body: string; readonly signal: AbortSignal },
): Promise<Result> {
  try {
    const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT)]);
    const response = await fetch(url, { method: 'POST', headers, body: request.body, redirect: 'manual', signal });
    const responseBody = await cappedText(response);
    const status = response.ok ? 'OK' : `Invalid HTTP Response: ${response.status}`;
    return { status, statusCode: response.status, responseHeaders: Object.fromEntries(response.headers), responseBody };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    const status = timedOut ? 'timed out' : 'failed to connect to host';
    return { status, statusCode: timedOut ? 504 : 502, responseHeaders: {}, responseBody: '' };
  }
}

async function cappedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LARGEST_RESPONSE) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Puts one delivery in the queue of a hook. Called inside the transaction that it tells about. */
export function enqueue(
  world: World,
  hook: Hook,
  message: {
    readonly repository: number;
    readonly event: string;
    readonly action: string | undefined;
    readonly payload: string;
    readonly guid?: string;
  },
): Delivery {
  const row = world.store.insert(
    'delivery',
    { parent: hook.id, key: undefined },
    {
      guid: message.guid ?? randomUUID(),
      hook: hook.id,
      repository: message.repository,
      event: message.event,
      action: message.action,
      redelivery: message.guid !== undefined,
      payload: message.payload,
      state: 'waiting',
      status: 'pending',
      statusCode: 0,
      duration: 0,
      deliveredAt: now(world),
      url: hook.url,
      requestHeaders: {},
      responseHeaders: {},
      responseBody: '',
    },
  );
  world.store.queue(hook.id, row.id);
  return row;
}
