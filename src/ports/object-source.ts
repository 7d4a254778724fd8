import type { ObjectType } from '#model/git-objects.ts';

/** What an object database answers to "give me this id". */
export type Found =
  | { readonly kind: 'object'; readonly type: ObjectType; readonly content: Uint8Array }
  /** It is there and longer than asked for; its bytes were not kept. */
  | { readonly kind: 'too-long'; readonly type: ObjectType; readonly bytes: number }
  | { readonly kind: 'missing' };

export interface NewObject {
  readonly id: string;
  readonly type: ObjectType;
  readonly content: Uint8Array;
}

/** The raw object database below both git adapters. */
export interface ObjectSource {
  /** In the order asked for; concurrent calls share an exchange where they can. */
  read(ids: readonly string[], maximumBytes: number): Promise<readonly Found[]>;
  /** Stores those that are not there yet. */
  write(objects: readonly NewObject[]): Promise<void>;
}

/** What was really fetched from the database, cached answers not counted. */
export interface ObjectCounter {
  blobsRead: number;
  treesRead: number;
  commitsRead: number;
}
