import { sha256Of, toSha256 } from '#model/digest.ts';
import type { Sha256 } from '#model/digest.ts';
import type { Json } from '#model/json.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import { quoted } from '#model/quoted.ts';

/** What is known of one object that is ours. Each key stands in one row only. */
export interface Row {
  readonly key: ObjectKey;
  readonly path: string;
  /** Digest of the rendered text. */
  readonly sha256: Sha256;
  /** Announced, and perhaps never done: the object may be there or not. Then nothing is known of `uid` and `owned`. */
  readonly pending: boolean;
  readonly uid: string;
  /** Digest of the fields that are ours, as the server answered when they were last written. */
  readonly owned: Sha256 | undefined;
  /** Version of its API that `owned` was read in: fields have other names in another. */
  readonly version: string;
}

/** The rows of one ConfigMap and what it says of itself. */
export interface Part {
  readonly environment: string;
  readonly target: string;
  /** How many ConfigMaps there were when it was written; one that is missing is a loss. */
  readonly parts: number;
  /** Counts the writings of the whole inventory: `rendering` is that of the part that was written last. */
  readonly sequence: number;
  readonly rendering: Sha256;
  readonly rows: readonly Row[];
}

/** A ConfigMap may hold 1 MiB; this leaves room for what the server adds. */
export const PART_LIMITS = { rows: 2000, bytes: 960_000 } as const;

const FORMAT = '1';

/** The `data` of the ConfigMap: a head, and one line a row. */
export function partData({ environment, target, parts, sequence, rendering, rows }: Part): Readonly<Record<string, string>> {
  const lines = rows.map(rowLine).join('\n');
  return {
    formatVersion: FORMAT,
    environment,
    target,
    parts: String(parts),
    sequence: String(sequence),
    rendering,
    rowsSha256: sha256Of(lines),
    rows: lines,
  };
}

/** Lines are kept short: there may be thousands. */
export function rowLine({ key, path, sha256, pending, uid, owned, version }: Row): string {
  return JSON.stringify([key.group, key.kind, key.namespace, key.name, path, sha256, pending ? 1 : 0, uid, owned ?? '', version]);
}

/** The part, or in words why it cannot be believed. */
export function readPart(data: Json | undefined): Part | string {
  if (!isJsonObject(data)) return 'it has no data';
  const { formatVersion, environment, target, rows: lines } = data;
  if (formatVersion !== FORMAT) return `its formatVersion is ${quoted(jsonText(formatVersion), 40)}, and this version reads "${FORMAT}"`;
  if (typeof environment !== 'string' || typeof target !== 'string') return 'it names no environment and target';
  const parts = countOf(data['parts']);
  const sequence = countOf(data['sequence']);
  const rendering = digestOf(data['rendering']);
  if (parts === undefined || sequence === undefined || rendering === undefined) return 'it does not say what it was written for';
  if (typeof lines !== 'string') return 'it has no rows';
  if (sha256Of(lines) !== data['rowsSha256']) return 'its rows were edited: their digest is not the one that it names';
  const rows = rowsOf(lines);
  return typeof rows === 'string' ? rows : { environment, target, parts, sequence, rendering, rows };
}

function rowsOf(lines: string): readonly Row[] | string {
  const rows: Row[] = [];
  for (const line of lines === '' ? [] : lines.split('\n')) {
    const row = readRow(line);
    if (row === undefined) return `row ${rows.length + 1} is none: ${quoted(line, 80)}`;
    rows.push(row);
    if (rows.length > PART_LIMITS.rows) return `it has more than ${PART_LIMITS.rows} rows`;
  }
  return rows;
}

/** A key or a path that stands in two rows, in words. */
export function doubledRow(rows: Iterable<Row>): string | undefined {
  const keys = new Set<string>();
  const paths = new Set<string>();
  for (const { key, path } of rows) {
    const text = keyText(key);
    if (keys.has(text)) return `${quoted(text)} is named twice`;
    if (paths.has(path)) return `path ${quoted(path)} is named twice`;
    keys.add(text);
    paths.add(path);
  }
  return undefined;
}

function readRow(line: string): Row | undefined {
  const cells = parsed(line);
  if (!Array.isArray(cells) || cells.length !== 10) return undefined;
  const [group, kind, namespace, name, path, sha256, pending, uid, owned, version]: readonly unknown[] = cells;
  if (typeof group !== 'string' || typeof kind !== 'string' || typeof namespace !== 'string' || typeof name !== 'string') return undefined;
  if (typeof path !== 'string' || typeof uid !== 'string' || (pending !== 0 && pending !== 1)) return undefined;
  if (![group, namespace, name].every(isSegment) || !isSegment(kind) || kind === '' || name === '' || !isObjectPath(path)) return undefined;
  if (typeof version !== 'string' || !VERSION.test(version)) return undefined;
  const digest = digestOf(sha256);
  if (digest === undefined || uid.length > LONGEST_UID || !UID.test(uid)) return undefined;
  const ours = digestOf(owned);
  if (ours === undefined && owned !== '') return undefined;
  const isPending = pending === 1;
  // Without them nobody could say whose the object is.
  if (!isPending && (uid === '' || ours === undefined)) return undefined;
  return { key: { group, kind, namespace, name }, path, sha256: digest, pending: isPending, uid, owned: ours, version };
}

const UID = /^[A-Za-z0-9-]*$/;
const LONGEST_UID = 128;
const VERSION = /^(?:v[a-z0-9]+)?$/;
/** Letters, digits and what names of objects may hold (RBAC names have colons). */
const SEGMENT = /^[A-Za-z0-9.:_@+~-]*$/;
const LONGEST_SEGMENT = 253;
/** Lengths are looked at apart: a pattern that counts to hundreds is slow to make. */
const OBJECT_PATH = /^[A-Za-z0-9._-]+\/[A-Za-z0-9._%-]+$/;
const LONGEST_PATH = 1600;
const DOTS = /(?:^|\/)\.\.?(?:\/|$)/;

function isSegment(text: string): boolean {
  return text.length <= LONGEST_SEGMENT && SEGMENT.test(text) && text !== '.' && text !== '..';
}

/** `<instance>/<file>` */
export function isObjectPath(path: string): boolean {
  return path.length <= LONGEST_PATH && OBJECT_PATH.test(path) && !DOTS.test(path);
}

function countOf(value: Json | undefined): number | undefined {
  return typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
}

function digestOf(value: unknown): Sha256 | undefined {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? toSha256(value) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
