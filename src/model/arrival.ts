import type { JsonObject } from '#model/json.ts';

/** What people have who come to Capstan: raw manifests, or what another tool applies. */
export type SourceKind = 'manifests' | 'kustomize' | 'helm' | 'argocd' | 'flux';

/** A folder of theirs, read into memory: regular files by path. What the reader would not take stands in `unread`. */
export interface Luggage {
  /** Name of the folder, for names. */
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly unread: readonly LeftOut[];
}

/** Something that did not come along, and what to do about it. */
export interface LeftOut {
  readonly file: string;
  /** From 1; undefined: the whole file. */
  readonly line: number | undefined;
  readonly what: string;
  readonly why: string;
}

/** Something that came along, and what it is now. */
export interface Mapped {
  readonly file: string;
  readonly line: number | undefined;
  readonly what: string;
  readonly to: string;
}

export interface ArrivedFile {
  readonly path: string;
  readonly content: Uint8Array | string;
  /** Left as it is where the project has one already. */
  readonly ifAbsent: boolean;
}

/** One document of a manifest that is written: its line there, where it came from, and the objects in it. */
export interface Origin {
  readonly line: number;
  readonly file: string;
  readonly sourceLine: number;
  readonly objects: readonly JsonObject[];
}

/** Everything an import makes of its source. */
export interface Arrival {
  /** By path. */
  readonly files: readonly ArrivedFile[];
  readonly mapped: readonly Mapped[];
  readonly leftOut: readonly LeftOut[];
  /** Path of a written manifest -> its documents, in order. */
  readonly origins: ReadonlyMap<string, readonly Origin[]>;
}
