import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';

import type { NewObject } from '#ports/object-source.ts';
import type { Children } from './children.ts';

/** From this many objects on one pack is written instead of as many files. */
const PACKED_FROM = 64;
const FAST = { level: 1 };
/** Most objects are this small: what compresses them need not be made ready for more. */
const SMALL_BYTES = 1024;
const SMALL = { ...FAST, windowBits: 10, memLevel: 5, chunkSize: 2 * SMALL_BYTES };

export interface ObjectPlace {
  readonly directory: string;
  /** No remote will have these objects: they must survive power loss here. */
  readonly isOnlyCopy: boolean;
}

/** Stores objects: few as loose files (no child process), many as one pack. */
export async function writeObjects(children: Children, place: ObjectPlace, objects: readonly NewObject[]): Promise<void> {
  if (objects.length >= PACKED_FROM) {
    await children.run(['index-pack', '--stdin'], { doing: 'writing objects', stdin: packOf(objects) });
    return;
  }
  await Promise.all(objects.map(async (object) => await writeLoose(place, object)));
}

/** Written beside its place and renamed, so that nobody ever sees half an object. */
async function writeLoose(place: ObjectPlace, object: NewObject): Promise<void> {
  const folder = join(place.directory, 'objects', object.id.slice(0, 2));
  const header = Buffer.from(`${object.type} ${object.content.byteLength}\0`);
  const temporary = join(folder, `tmp_obj_${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(temporary, deflateSync(Buffer.concat([header, object.content]), FAST), {
      flag: 'wx',
      mode: 0o444,
      flush: place.isOnlyCopy,
    });
    await rename(temporary, join(folder, object.id.slice(2)));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

const PACK_TYPE = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;

/** A version 2 pack of whole objects (gitformat-pack). */
function packOf(objects: readonly NewObject[]): Uint8Array {
  const head = Buffer.alloc(12);
  head.write('PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(objects.length, 8);
  const parts = [
    head,
    ...objects.flatMap((object) => [
      packHeader(object),
      deflateSync(object.content, object.content.byteLength > SMALL_BYTES ? FAST : SMALL),
    ]),
  ];
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return Buffer.concat([...parts, hash.digest()]);
}

/** Type in three bits, length in four and then seven at a time, least significant first. */
function packHeader(object: NewObject): Buffer {
  let rest = Math.floor(object.content.byteLength / 16);
  let byte = (PACK_TYPE[object.type] << 4) | (object.content.byteLength % 16);
  const bytes: number[] = [];
  while (rest > 0) {
    bytes.push(byte | 0x80);
    byte = rest % 128;
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, byte]);
}
