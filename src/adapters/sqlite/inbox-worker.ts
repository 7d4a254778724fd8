import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

import type { InboxReply, InboxRequest, StoredRow } from './inbox-messages.ts';

/** Pages a little larger than a usual webhook keep a body on one or two of them. */
const SCHEMA = `
  PRAGMA page_size = 8192;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  PRAGMA wal_autocheckpoint = 4000;
  CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS delivery_pending ON delivery (seq) WHERE done = 0;
  CREATE INDEX IF NOT EXISTS delivery_age ON delivery (received_at) WHERE done = 1;
`;

interface Statements {
  readonly insert: StatementSync;
  readonly pending: StatementSync;
  readonly done: StatementSync;
  readonly forget: StatementSync;
}

serve(String(workerData.path));

function serve(path: string): void {
  const port = parentPort;
  if (port === null) throw new Error('the inbox worker runs in a worker thread only');
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(path);
    database.exec(SCHEMA);
  } catch (error) {
    port.postMessage(failure(error));
    port.close();
    return;
  }
  const statements: Statements = {
    insert: database.prepare('INSERT INTO delivery (id, event, received_at, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING'),
    pending: database.prepare('SELECT id, event, received_at AS receivedAt, body FROM delivery WHERE done = 0 ORDER BY seq LIMIT ?'),
    done: database.prepare("UPDATE delivery SET done = 1, body = x'' WHERE id = ?"),
    forget: database.prepare('DELETE FROM delivery WHERE done = 1 AND received_at < ?'),
  };
  port.postMessage({ kind: 'open' } satisfies InboxReply);
  port.on('message', (request: InboxRequest) => {
    let reply: InboxReply;
    try {
      reply = answer(database, statements, request);
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      reply = failure(error);
    }
    port.postMessage(reply);
    if (request.kind === 'close') port.close();
  });
}

function answer(database: DatabaseSync, statements: Statements, request: InboxRequest): InboxReply {
  switch (request.kind) {
    case 'accept': {
      const fresh: boolean[] = [];
      let offset = 0;
      database.exec('BEGIN IMMEDIATE');
      for (const row of request.rows) {
        const body = request.bytes.subarray(offset, offset + row.length);
        offset += row.length;
        fresh.push(statements.insert.run(row.id, row.event, row.receivedAt, body).changes === 1);
      }
      database.exec('COMMIT');
      return { kind: 'accepted', fresh };
    }
    case 'pending':
      return { kind: 'rows', rows: statements.pending.all(request.limit).map(toRow) };
    case 'done': {
      database.exec('BEGIN IMMEDIATE');
      for (const id of request.ids) statements.done.run(id);
      database.exec('COMMIT');
      return { kind: 'ok' };
    }
    case 'forget':
      statements.forget.run(request.before);
      return { kind: 'ok' };
    case 'close':
      database.close();
      return { kind: 'ok' };
  }
}

function toRow(row: Record<string, unknown>): StoredRow {
  return {
    id: String(row['id']),
    event: String(row['event']),
    receivedAt: Number(row['receivedAt']),
    body: row['body'] instanceof Uint8Array ? row['body'] : new Uint8Array(),
  };
}

function failure(error: unknown): InboxReply {
  const message = error instanceof Error ? error.message : 'unknown failure';
  return { kind: 'failed', message, busy: /locked|busy/i.test(message) };
}
