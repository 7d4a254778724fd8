import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';

import { toInstant } from '#model/instant.ts';
import type { Delivery, Inbox } from '#ports/inbox.ts';
import { PortError } from '#ports/port-error.ts';
import type { InboxReply, InboxRequest } from './inbox-messages.ts';

export interface InboxLimits {
  /** Accepts that may wait for a commit; one more is refused as `transient`. */
  readonly waiting: number;
  readonly waitingBytes: number;
}

interface WaitingAccept {
  readonly delivery: Delivery;
  readonly resolve: (fresh: boolean) => void;
  readonly reject: (error: unknown) => void;
}

export async function openInbox(path: string, limits: InboxLimits): Promise<Inbox> {
  if (path !== ':memory:') await mkdir(dirname(path), { recursive: true });
  const line = await openLine(path);
  let waiting: WaitingAccept[] = [];
  let waitingBytes = 0;
  let committing = false;
  let closed: Promise<void> | undefined;

  /** Everything that arrived while the last commit was under way shares this one. */
  async function commit(): Promise<void> {
    committing = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      waitingBytes = 0;
      const reply = await line.ask(packed(batch)).catch((error: unknown) => error);
      settle(batch, reply);
    }
    committing = false;
  }

  return {
    accept(delivery) {
      if (closed !== undefined) return Promise.reject(new PortError('transient', 'the inbox is closed'));
      if (waiting.length >= limits.waiting || waitingBytes + delivery.body.byteLength > limits.waitingBytes) {
        return Promise.reject(new PortError('transient', 'the inbox has too many deliveries waiting for a commit'));
      }
      return new Promise<boolean>((resolve, reject) => {
        waiting.push({ delivery, resolve, reject });
        waitingBytes += delivery.body.byteLength;
        if (!committing) void commit();
      });
    },
    async pending(limit, except = new Set()) {
      const reply = await line.ask({ kind: 'pending', limit, except });
      const rows = reply.kind === 'rows' ? reply.rows : [];
      return rows.map((row) => ({ ...row, receivedAt: toInstant(row.receivedAt) }));
    },
    async done(ids) {
      if (ids.length > 0) await line.ask({ kind: 'done', ids });
    },
    async forget(before) {
      await line.ask({ kind: 'forget', before });
    },
    close() {
      closed ??= line.ask({ kind: 'close' }).then(() => line.ended());
      return closed;
    },
  };
}

/** Bodies are copied into one buffer of their own, every byte of it: a view of a shared pool would carry the whole pool along. */
function packed(batch: readonly WaitingAccept[]): InboxRequest {
  const length = batch.reduce((sum, { delivery }) => sum + delivery.body.byteLength, 0);
  const bytes = Buffer.allocUnsafeSlow(length);
  let offset = 0;
  const rows = batch.map(({ delivery }) => {
    bytes.set(delivery.body, offset);
    offset += delivery.body.byteLength;
    return { id: delivery.id, event: delivery.event, receivedAt: delivery.receivedAt, length: delivery.body.byteLength };
  });
  return { kind: 'accept', rows, bytes };
}

function settle(batch: readonly WaitingAccept[], reply: unknown): void {
  if (isAccepted(reply)) batch.forEach((one, index) => one.resolve(reply.fresh[index] === true));
  else for (const one of batch) one.reject(reply);
}

function isAccepted(reply: unknown): reply is Extract<InboxReply, { kind: 'accepted' }> {
  return typeof reply === 'object' && reply !== null && 'kind' in reply && reply.kind === 'accepted';
}

interface Line {
  /** Replies come in the order of the requests. */
  ask(request: InboxRequest): Promise<InboxReply>;
  ended(): Promise<void>;
}

async function openLine(path: string): Promise<Line> {
  const worker = new Worker(new URL('./inbox-worker.ts', import.meta.url), { workerData: { path }, execArgv: [] });
  const asked: { resolve: (reply: InboxReply) => void; reject: (error: unknown) => void }[] = [];
  let broken: PortError | undefined;
  const exit = new Promise<void>((resolve) => worker.once('exit', () => resolve()));

  function breakWith(error: PortError): void {
    broken ??= error;
    for (const one of asked.splice(0)) one.reject(broken);
  }
  function next(): Promise<InboxReply> {
    if (broken !== undefined) return Promise.reject(broken);
    return new Promise((resolve, reject) => asked.push({ resolve, reject }));
  }

  worker.on('message', (reply: InboxReply) => {
    const one = asked.shift();
    if (reply.kind === 'failed') one?.reject(new PortError(reply.busy ? 'transient' : 'invalid', `inbox: ${reply.message}`));
    else one?.resolve(reply);
  });
  worker.on('error', (error) => breakWith(new PortError('transient', 'the inbox worker failed', error)));
  worker.on('exit', () => breakWith(new PortError('transient', 'the inbox worker has ended')));

  await next();
  return {
    ask(request) {
      const reply = next();
      if (broken === undefined) worker.postMessage(request, request.kind === 'accept' ? [request.bytes.buffer] : []);
      return reply;
    },
    ended: () => exit,
  };
}
