import type { Inbox } from '#ports/inbox.ts';
import { openInbox, type InboxLimits } from './inbox.ts';

/**
 * Deliveries in an SQLite file that survives power loss (WAL, synchronous=FULL). The database lives in a worker thread, because
 * node:sqlite blocks; accepts that arrive while a commit is under way share the next one. Two processes may open the same file.
 */
export function sqliteInbox(path: string, limits: Partial<InboxLimits> = {}): Promise<Inbox> {
  return openInbox(path, { waiting: 4096, waitingBytes: 64 * 1024 * 1024, ...limits });
}
