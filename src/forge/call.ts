import type { Clock, Journal, CommitSigner } from '#ports/machine.ts';
import type { Repository } from '#ports/repository.ts';
import type { Answer } from './answer.ts';
import type { Body } from './body.ts';
import type { Account, RepositoryRow, Stored } from './records.ts';
import type { Store } from './store.ts';

/** Everything the routes act on. */
export interface World {
  readonly store: Store;
  readonly clock: Clock;
  readonly journal: Journal;
  /** Key of the forge's own, for the commits it makes. */
  readonly signer: CommitSigner;
  readonly repositories: Shelf;
  /** `http://127.0.0.1:3000`, known once the forge listens. */
  readonly url: () => string;
  /** Wakes the sender of webhooks. */
  readonly deliver: () => void;
}

/** The bare repositories below the data directory, opened when first needed. */
export interface Shelf {
  path(repository: number): string;
  create(repository: number, defaultBranch: string): Promise<void>;
  open(repository: number): Promise<Repository>;
  remove(repository: number): Promise<void>;
  /** One writer of refs at a time per repository. */
  exclusive<T>(repository: number, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export type Caller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'user'; readonly account: Account; readonly scopes: readonly string[] }
  | { readonly kind: 'installation'; readonly account: Account; readonly app: Stored<'app'>; readonly installation: Stored<'installation'> }
  | { readonly kind: 'app'; readonly app: Stored<'app'> };

export interface Call {
  readonly world: World;
  readonly caller: Caller;
  readonly params: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  readonly body: Body;
  readonly accept: string;
  /** Path without query, below `/api/v3`. */
  readonly path: string;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** GitHub's path template, `/repos/{owner}/{repo}/git/ref/{ref+}`; `+` takes slashes, too. */
  readonly path: string;
  /** GitHub's name of what the body describes, for 422 answers. */
  readonly resource: string;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
}

/** A repository the caller may see, with what is needed to answer about it. */
export interface Opened {
  readonly row: RepositoryRow;
  readonly owner: Account;
  readonly git: Repository;
}

export function param(call: Call, name: string): string {
  const value = call.params.get(name);
  if (value === undefined) throw new Error(`the route has no parameter ${name}`);
  return value;
}
