import type { Delivery, Inbox } from '#ports/inbox.ts';
import { PortError } from '#ports/port-error.ts';

/** The Inbox double: the same promises, nothing kept after close. */
export function memoryInbox(): Inbox {
  const rows = new Map<string, { readonly delivery: Delivery; done: boolean }>();
  let closed = false;
  return {
    async accept(delivery) {
      if (closed) throw new PortError('transient', 'the inbox is closed');
      if (rows.has(delivery.id)) return false;
      rows.set(delivery.id, { delivery: { ...delivery, body: Uint8Array.from(delivery.body) }, done: false });
      return true;
    },
    async pending(limit, except = new Set()) {
      const found: Delivery[] = [];
      let bytes = 0;
      for (const { delivery, done } of rows.values()) {
        if (done || except.has(delivery.id)) continue;
        bytes += delivery.body.byteLength;
        if (found.length === limit || (found.length > 0 && bytes > 32 * 1024 * 1024)) break;
        found.push(delivery);
      }
      return found;
    },
    async done(ids) {
      for (const id of ids) {
        const row = rows.get(id);
        if (row !== undefined) row.done = true;
      }
    },
    async forget(before) {
      for (const [id, row] of rows) if (row.done && row.delivery.receivedAt < before) rows.delete(id);
    },
    async close() {
      closed = true;
    },
  };
}
