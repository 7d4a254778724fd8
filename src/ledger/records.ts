import { sha256Of, type Sha256 } from '#model/digest.ts';
import type { HealthState } from '#model/health.ts';
import { parseInstant, type Instant } from '#model/instant.ts';
import { canonicalJson, isJsonObject, type Json } from '#model/json.ts';
import type { AuditRecord } from '#model/receipt.ts';

/** Digest of the record before the first one. */
export const GENESIS = `sha256:${'0'.repeat(64)}`;

/** The digest of a record is that of its JCS bytes, and these bytes are its file: `sha256sum` of the file gives it. */
export function recordText(record: AuditRecord): string {
  return canonicalJson(record);
}

export function digestOf(record: AuditRecord): Sha256 {
  return sha256Of(recordText(record));
}

export function timeOf(record: AuditRecord): Instant | undefined {
  return parseInstant(record.time);
}

export function pathOf(id: string, time: string): string {
  return `audit/${time.slice(0, 4)}/${time.slice(5, 7)}/${time.slice(8, 10)}/${id}.json`;
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A ULID whose random part follows from `seed`: the same record drafted twice has the same id. */
export function recordId(at: Instant, seed: string): string {
  let time = '';
  for (let rest = Math.max(0, Math.floor(at)), digit = 0; digit < 10; digit += 1, rest = Math.floor(rest / 32)) {
    time = (CROCKFORD[rest % 32] ?? '0') + time;
  }
  let rest = BigInt(`0x${sha256Of(seed).slice(0, 20)}`);
  let tail = '';
  for (let digit = 0; digit < 16; digit += 1, rest >>= 5n) tail = (CROCKFORD[Number(rest & 31n)] ?? '0') + tail;
  return time + tail;
}

export function textField(record: AuditRecord, name: string): string | undefined {
  const value: Json | undefined = record.data[name];
  return typeof value === 'string' ? value : undefined;
}

/** A version and its content out of `from`, `to`. */
export function versionField(record: AuditRecord, name: 'from' | 'to'): { readonly version: string; readonly sha256: string } | undefined {
  const value: Json | undefined = record.data[name];
  if (!isJsonObject(value)) return undefined;
  const { version, sha256 } = value;
  return typeof version === 'string' && typeof sha256 === 'string' ? { version, sha256 } : undefined;
}

export function healthField(record: AuditRecord, name: string): HealthState | undefined {
  const value = textField(record, name);
  return value === 'healthy' || value === 'progressing' || value === 'degraded' || value === 'unknown' ? value : undefined;
}
