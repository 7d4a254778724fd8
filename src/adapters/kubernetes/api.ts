import type { JsonObject } from '#model/json.ts';

/** One request to an API server. `path` begins with `/api` or `/apis` and carries its query. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Sent as it is. */
  readonly body?: string;
  /** Default for a body: `application/json`. */
  readonly contentType?: string;
  /** Default: `application/json`. */
  readonly accept?: string;
}

/** What the server said: its object, or its `Status` for anything but 2xx. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: JsonObject;
  /** Of the answer's headers: `Warning` texts. */
  readonly warnings: readonly string[];
  /** The same request was sent before and its answer lost: it may have been carried out already. */
  readonly isRepeated?: true;
}

/** Requests to one API server under one identity. Counts what it sends; retries what the server itself asks to repeat (429, 503 with Retry-After). */
export interface Api {
  /** PortError `transient` (unreachable, timed out), `denied` (401), `invalid` (an answer that is none); every HTTP status else is an answer. */
  request(request: ApiRequest, signal?: AbortSignal): Promise<ApiAnswer>;
  /**
   * Lines of a watch as they come; ends when the server ends it, throws PortError `transient` when the connection breaks or is silent too long
   * (a server sends a bookmark about once a minute). `opened` is called once, when the server has accepted the watch and before the first line.
   * Another HTTP status than 200 is one line `{ type: 'ERROR', object: <the server's Status> }` (`code` filled in) and the end; 401 is thrown.
   */
  watch(path: string, signal: AbortSignal, opened?: () => void): AsyncIterable<JsonObject>;
  readonly counts: () => ApiCounts;
  /** Milliseconds that this machine is ahead of the server, as its last answer said. */
  readonly ahead?: () => number | undefined;
  close(): Promise<void>;
}

export interface ApiCounts {
  readonly requests: number;
  readonly watches: number;
  readonly retries: number;
}

/** How a kind is addressed. */
export interface ApiResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural name of the path. */
  readonly resource: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** What kinds a server has; asked once, and again when a kind is not there. */
export interface Discovery {
  /** The resource of a group and kind, of this version if given, else of the group's preferred one; undefined if the server has none. */
  resource(group: string, kind: string, version: string | undefined, signal?: AbortSignal): Promise<ApiResource | undefined>;
  /** Every kind in the version its group prefers. */
  all(signal?: AbortSignal): Promise<readonly ApiResource[]>;
  /** `v1.35.4` */
  serverVersion(signal?: AbortSignal): Promise<string>;
  /** Something known turned out to be gone, or something new to be there: the server is asked again. */
  forget(): void;
}

/** Path of one object, or of all objects of a kind in a namespace (empty: everywhere). */
export function apiPath(resource: ApiResource, namespace: string, name?: string): string {
  const base = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope = resource.namespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${base}${scope}/${resource.resource}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}
