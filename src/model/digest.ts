import { createHash } from 'node:crypto';

import type { Brand } from '#model/names.ts';

/** 64 lower-case hex digits. */
export type Sha256 = Brand<string, 'Sha256'>;
/** 40 lower-case hex digits each. */
export type CommitId = Brand<string, 'CommitId'>;
export type TreeId = Brand<string, 'TreeId'>;
export type BlobId = Brand<string, 'BlobId'>;
export type ObjectId = CommitId | TreeId | BlobId;

const HEX40 = /^[0-9a-f]{40}$/;
const HEX64 = /^[0-9a-f]{64}$/;

export function isObjectId(text: string): boolean {
  return HEX40.test(text);
}

function toObjectId<T extends string>(text: string): T {
  if (!HEX40.test(text)) throw new Error(`not a git object id: ${JSON.stringify(text.slice(0, 80))}`);
  return text as T;
}

export function toCommitId(text: string): CommitId {
  return toObjectId<CommitId>(text);
}

export function toTreeId(text: string): TreeId {
  return toObjectId<TreeId>(text);
}

export function toBlobId(text: string): BlobId {
  return toObjectId<BlobId>(text);
}

export function toSha256(text: string): Sha256 {
  if (!HEX64.test(text)) throw new Error(`not a sha256 digest: ${JSON.stringify(text.slice(0, 80))}`);
  return text as Sha256;
}

export function sha256Of(content: string | Uint8Array): Sha256 {
  return createHash('sha256').update(content).digest('hex') as Sha256;
}

/**
 * The digest of a list of files: sha256 over the lines `sha256␠␠path\n`, sorted bytewise by path
 * (in-toto dirHash; equals `find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum | sha256sum`).
 */
export function listDigest(files: readonly { readonly path: string; readonly sha256: Sha256 }[]): Sha256 {
  return sha256Of(listLines(files));
}

/** What `listDigest` is the digest of. */
export function listLines(files: readonly { readonly path: string; readonly sha256: Sha256 }[]): string {
  const rows = files.map((file) => ({ bytes: Buffer.from(file.path, 'utf8'), line: `${file.sha256}  ${file.path}\n` }));
  rows.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  return rows.map((row) => row.line).join('');
}
