import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

import type { InboxReply, InboxRequest, StoredRow } from './inbox-messages.ts';

/**
 * The bodies of one commit are one compressed block: deliveries of a repository resemble each other, and what is written twice (log
 * and checkpoint) and flushed once per commit is then a fifth of what came in. A block goes when its last delivery is done.
 */
const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  PRAGMA wal_autocheckpoint = 4000;
  CREATE TABLE IF NOT EXISTS block (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    size INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    block INTEGER NOT NULL,
    start INTEGER NOT NULL,
    size INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS delivery_pending ON delivery (block, seq) WHERE done = 0;
`;

interface Statements {
  readonly insertBlock: StatementSync;
  readonly dropBlock: StatementSync;
  readonly insert: StatementSync;
  readonly pending: StatementSync;
  readonly block: StatementSync;
  readonly done: StatementSync;
  readonly sweep: StatementSync;
  readonly forget: StatementSync;
}

const FASTEST = { params: { [constants.ZSTD_c_compressionLevel]: -3 } };

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
    insertBlock: database.prepare('INSERT INTO block (size, bytes) VALUES (?, ?)'),
    dropBlock: database.prepare('DELETE FROM block WHERE id = ?'),
    insert: database.prepare(
      'INSERT INTO delivery (id, event, received_at, block, start, size) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
    ),
    pending: database.prepare('SELECT id, event, received_at, block, start, size FROM delivery WHERE done = 0 ORDER BY block, seq LIMIT ?'),
    block: database.prepare('SELECT size, bytes FROM block WHERE id = ?'),
    done: database.prepare('UPDATE delivery SET done = 1 WHERE id = ? AND done = 0 RETURNING block'),
    sweep: database.prepare('DELETE FROM block WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM delivery WHERE block = ?1 AND done = 0)'),
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
    case 'accept':
      return { kind: 'accepted', fresh: accept(database, statements, request) };
    case 'pending':
      return { kind: 'rows', rows: pending(statements, request) };
    case 'done': {
      database.exec('BEGIN IMMEDIATE');
      const blocks = new Set(request.ids.flatMap((id) => statements.done.all(id).map((row) => Number(row['block']))));
      for (const block of blocks) statements.sweep.run(block);
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

function accept(database: DatabaseSync, statements: Statements, request: Extract<InboxRequest, { kind: 'accept' }>): readonly boolean[] {
  const bytes = zstdCompressSync(request.bytes, FASTEST);
  const fresh: boolean[] = [];
  let start = 0;
  database.exec('BEGIN IMMEDIATE');
  const block = statements.insertBlock.run(request.bytes.byteLength, bytes).lastInsertRowid;
  for (const row of request.rows) {
    fresh.push(statements.insert.run(row.id, row.event, row.receivedAt, block, start, row.length).changes === 1);
    start += row.length;
  }
  if (!fresh.includes(true)) statements.dropBlock.run(block);
  database.exec('COMMIT');
  return fresh;
}

/** Bodies of one answer: a flood of long ones is handed over in parts. */
const PENDING_BYTES = 32 * 1024 * 1024;

function pending(statements: Statements, { limit, except }: Extract<InboxRequest, { kind: 'pending' }>): readonly StoredRow[] {
  let opened = { id: -1, bytes: new Uint8Array() };
  const rows: StoredRow[] = [];
  let bytes = 0;
  for (const row of statements.pending.iterate(limit + except.size)) {
    const id = String(row['id']);
    const size = Number(row['size']);
    if (except.has(id)) continue;
    bytes += size;
    if (rows.length === limit || (rows.length > 0 && bytes > PENDING_BYTES)) break;
    const block = Number(row['block']);
    if (opened.id !== block) opened = { id: block, bytes: blockBytes(statements, block) };
    const start = Number(row['start']);
    // A copy: a view would carry the whole block to the other thread.
    const body = Uint8Array.from(opened.bytes.subarray(start, start + size));
    rows.push({ id, event: String(row['event']), receivedAt: Number(row['received_at']), body });
  }
  return rows;
}

function blockBytes(statements: Statements, id: number): Uint8Array<ArrayBuffer> {
  const row = statements.block.get(id);
  const bytes = row?.['bytes'];
  if (!(bytes instanceof Uint8Array)) throw new Error(`block ${id} is missing`);
  return zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, Number(row?.['size'])) });
}

function failure(error: unknown): InboxReply {
  const message = error instanceof Error ? error.message : 'unknown failure';
  return { kind: 'failed', message, busy: /locked|busy/i.test(message) };
}
