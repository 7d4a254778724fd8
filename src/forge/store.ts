import { DatabaseSync } from 'node:sqlite';

import type { Kind, Rows, Stored } from './records.ts';

/**
 * Rows of the forge in one SQLite file: (kind, parent, key) -> JSON. `parent` is the id of the row that owns it (0: none), `key` is unique
 * below it or undefined. Every write is on disk when the call returns (WAL, synchronous=FULL).
 */
export interface Store {
  insert<K extends Kind>(kind: K, place: Place, value: Rows[K]): Stored<K>;
  get<K extends Kind>(kind: K, id: number): Stored<K> | undefined;
  find<K extends Kind>(kind: K, parent: number, key: string): Stored<K> | undefined;
  /** Oldest first. */
  list<K extends Kind>(kind: K, parent: number): readonly Stored<K>[];
  /** Newest first, ids below `before`. */
  newest<K extends Kind>(kind: K, parent: number, page: { readonly before: number; readonly limit: number }): readonly Stored<K>[];
  all<K extends Kind>(kind: K): readonly Stored<K>[];
  save<K extends Kind>(kind: K, row: Stored<K>): Stored<K>;
  rename(kind: Kind, id: number, key: string): void;
  remove(kind: Kind, id: number): void;
  /** The queue of a hook's deliveries that were not yet tried. */
  queue(hook: number, delivery: number): void;
  /** From here on the delivery counts as tried. */
  trying(delivery: number): void;
  unqueue(delivery: number): void;
  waiting(hook: number): Stored<'delivery'> | undefined;
  /** Tried when the forge was stopped: nobody knows whether they arrived. */
  interrupted(): readonly Stored<'delivery'>[];
  /** Forgets deliveries made before `moment` (RFC 3339). */
  forgetDeliveries(moment: string): void;
  /** All or nothing; may be nested. */
  transaction<T>(work: () => T): T;
  close(): void;
}

export interface Place {
  readonly parent: number;
  readonly key: string | undefined;
}

interface RawRow {
  readonly id: number;
  readonly body: string;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS rows (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, parent INTEGER NOT NULL, key TEXT, body TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS waiting (delivery INTEGER PRIMARY KEY, hook INTEGER NOT NULL, tried INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS rows_by_key ON rows (kind, parent, key) WHERE key IS NOT NULL;
  CREATE INDEX IF NOT EXISTS rows_by_parent ON rows (kind, parent, id);
`;

export function openStore(path: string): Store {
  const database = new DatabaseSync(path);
  database.exec(SCHEMA);
  const sql = {
    insert: database.prepare('INSERT INTO rows (kind, parent, key, body) VALUES (?, ?, ?, ?)'),
    get: database.prepare('SELECT id, body FROM rows WHERE id = ? AND kind = ?'),
    find: database.prepare('SELECT id, body FROM rows WHERE kind = ? AND parent = ? AND key = ?'),
    list: database.prepare('SELECT id, body FROM rows WHERE kind = ? AND parent = ? ORDER BY id'),
    newest: database.prepare('SELECT id, body FROM rows WHERE kind = ? AND parent = ? AND id < ? ORDER BY id DESC LIMIT ?'),
    all: database.prepare('SELECT id, body FROM rows WHERE kind = ? ORDER BY id'),
    save: database.prepare('UPDATE rows SET body = ? WHERE id = ? AND kind = ?'),
    rename: database.prepare('UPDATE rows SET key = ? WHERE id = ? AND kind = ?'),
    queue: database.prepare('INSERT INTO waiting (delivery, hook) VALUES (?, ?)'),
    unqueue: database.prepare('DELETE FROM waiting WHERE delivery = ?'),
    waiting: database.prepare(
      "SELECT rows.id, body FROM waiting JOIN rows ON rows.id = delivery AND kind = 'delivery' WHERE hook = ? AND tried = 0 ORDER BY delivery LIMIT 1",
    ),
    trying: database.prepare('UPDATE waiting SET tried = 1 WHERE delivery = ?'),
    interrupted: database.prepare('SELECT rows.id, body FROM waiting JOIN rows ON rows.id = delivery WHERE tried = 1 ORDER BY delivery'),
    forget: database.prepare("DELETE FROM rows WHERE kind = 'delivery' AND json_extract(body, '$.deliveredAt') < ?"),
    remove: database.prepare('DELETE FROM rows WHERE id = ? AND kind = ?'),
  };
  let depth = 0;

  function transaction<T>(work: () => T): T {
    if (depth > 0) return work();
    database.exec('BEGIN IMMEDIATE');
    depth += 1;
    try {
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    } finally {
      depth -= 1;
    }
  }

  return {
    insert(kind, place, value) {
      const { lastInsertRowid } = sql.insert.run(kind, place.parent, place.key ?? null, JSON.stringify(value));
      return { ...value, id: Number(lastInsertRowid) };
    },
    get: (kind, id) => parsed(sql.get.get(id, kind)),
    find: (kind, parent, key) => parsed(sql.find.get(kind, parent, key)),
    list: (kind, parent) => parsedRows(sql.list.all(kind, parent)),
    newest: (kind, parent, page) => parsedRows(sql.newest.all(kind, parent, page.before, page.limit)),
    all: (kind) => parsedRows(sql.all.all(kind)),
    save(kind, row) {
      sql.save.run(JSON.stringify({ ...row, id: undefined }), row.id, kind);
      return row;
    },
    rename(kind, id, key) {
      sql.rename.run(key, id, kind);
    },
    remove(kind, id) {
      sql.remove.run(id, kind);
    },
    queue(hook, delivery) {
      sql.queue.run(delivery, hook);
    },
    unqueue(delivery) {
      sql.unqueue.run(delivery);
    },
    trying(delivery) {
      sql.trying.run(delivery);
    },
    interrupted: () => parsedRows(sql.interrupted.all()),
    forgetDeliveries(moment) {
      sql.forget.run(moment);
    },
    waiting: (hook) => parsed(sql.waiting.get(hook)),
    transaction,
    close() {
      database.close();
    },
  };
}

function parsed<K extends Kind>(row: unknown): Stored<K> | undefined {
  if (row === undefined) return undefined;
  const { id, body } = rawRow(row);
  return { ...JSON.parse(body), id };
}

function parsedRows<K extends Kind>(rows: readonly unknown[]): readonly Stored<K>[] {
  return rows.map((row) => {
    const { id, body } = rawRow(row);
    return { ...JSON.parse(body), id };
  });
}

function rawRow(row: unknown): RawRow {
  if (typeof row === 'object' && row !== null && 'id' in row && 'body' in row && typeof row.body === 'string') {
    return { id: Number(row.id), body: row.body };
  }
  throw new Error('a row of the store has another shape than the store writes');
}
