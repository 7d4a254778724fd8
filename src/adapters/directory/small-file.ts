import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { isJsonObject } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { codeOf } from './disk.ts';

const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export type SmallFile =
  | { readonly kind: 'absent' }
  | { readonly kind: 'json'; readonly value: JsonObject; readonly text: string }
  | { readonly kind: 'unreadable'; readonly why: string };

/** Reads one JSON object of at most `limit` bytes. Whoever wrote it, it comes back as plain data or as words. */
export async function readSmallJson(path: string, limit: number): Promise<SmallFile> {
  let text: string;
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) return { kind: 'unreadable', why: 'it is not a regular file' };
      if (stat.size > limit) return { kind: 'unreadable', why: `it is larger than ${limit} bytes` };
      const buffer = Buffer.alloc(stat.size + 1);
      let filled = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
        if (filled > stat.size) return { kind: 'unreadable', why: 'it grows while it is read' };
      }
      text = new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, filled));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return { kind: 'absent' };
    if (codeOf(error) === 'ELOOP') return { kind: 'unreadable', why: 'it is a symbolic link' };
    if (error instanceof TypeError) return { kind: 'unreadable', why: 'it is not UTF-8' };
    throw error;
  }
  return parseSmallJson(text);
}

function parseSmallJson(text: string): SmallFile {
  let value: Json;
  let forbidden = false;
  try {
    value = JSON.parse(text, (key, inner: Json): Json => {
      if (FORBIDDEN.has(key)) forbidden = true;
      return inner;
    });
  } catch {
    return { kind: 'unreadable', why: 'it is not JSON' };
  }
  if (forbidden) return { kind: 'unreadable', why: 'it has a key that is never allowed' };
  return isJsonObject(value) ? { kind: 'json', value, text } : { kind: 'unreadable', why: 'it is not a JSON object' };
}
