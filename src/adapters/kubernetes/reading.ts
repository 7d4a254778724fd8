import type { DriftIgnore } from '#model/plan.ts';
import type { Chance } from '#ports/machine.ts';
import type { Api, ApiResource } from './api.ts';
import type { HeldObjects, SeenChange } from './held-objects.ts';

/** What is done next: read everything and stay on, read everything in pages (where a server knows no other way), or go on from a version. */
export type Next = { readonly kind: 'begin' } | { readonly kind: 'pages' } | { readonly kind: 'watch'; readonly from: string };

export const BEGIN: Next = { kind: 'begin' };

export interface Selection {
  /** `a=b,c=d`; empty: every object. */
  readonly labelSelector: string;
  readonly ignore: readonly DriftIgnore[];
  readonly chance: Chance;
}

/** One view's objects and how it is told of them. */
export interface Reading {
  readonly api: Api;
  readonly resource: ApiResource;
  readonly options: Selection;
  readonly path: string;
  readonly held: HeldObjects;
  readonly signal: AbortSignal;
  readonly tell: (change: SeenChange | undefined) => void;
  /** Everything is read, and whatever comes now is told. May be called again. */
  readonly opened: () => void;
  readonly failed: (failure: unknown) => void;
}

/** A server that goes on and on is not telling the truth. */
export const MOST_OBJECTS = 500_000;

export function queryOf(options: Selection, query: Readonly<Record<string, string>>): string {
  return new URLSearchParams({ ...query, ...(options.labelSelector === '' ? {} : { labelSelector: options.labelSelector }) }).toString();
}
