/** What the inbox and its worker say to each other. Bodies travel in one transferred buffer, in the order of `rows`. */
export type InboxRequest =
  | { readonly kind: 'accept'; readonly rows: readonly PackedRow[]; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'pending'; readonly limit: number; readonly except: ReadonlySet<string> }
  | { readonly kind: 'done'; readonly ids: readonly string[] }
  | { readonly kind: 'forget'; readonly before: number }
  | { readonly kind: 'close' };

export interface PackedRow {
  readonly id: string;
  readonly event: string;
  readonly receivedAt: number;
  readonly length: number;
}

export interface StoredRow {
  readonly id: string;
  readonly event: string;
  readonly receivedAt: number;
  readonly body: Uint8Array;
}

export type InboxReply =
  | { readonly kind: 'open' }
  | { readonly kind: 'accepted'; readonly fresh: readonly boolean[] }
  | { readonly kind: 'rows'; readonly rows: readonly StoredRow[] }
  | { readonly kind: 'ok' }
  | { readonly kind: 'failed'; readonly message: string; readonly busy: boolean };
