import type { Api, ApiAnswer, ApiCounts, ApiRequest, ApiResource } from '#adapters/kubernetes/api.ts';
import type { Json, JsonObject } from '#model/json.ts';
import type { Timers } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';

export const CONFIG_MAPS: ApiResource = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  namespaced: true,
  verbs: ['list', 'watch'],
};

interface Written {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: JsonObject;
}

interface Watcher {
  push(line: JsonObject): void;
  finish(failure?: unknown): void;
}

/** An API server of ConfigMaps in memory that can do wrong in the ways real ones do. Versions grow by one with each write. */
export interface MemoryServer {
  readonly api: Api;
  /** Paths of requests and watches, in order, without what is the same in all of them. */
  readonly asked: readonly string[];
  write(name: string, data: Readonly<Record<string, string>>, rest?: JsonObject): JsonObject;
  remove(name: string): void;
  /** Every watcher learns the newest version. */
  bookmark(): void;
  /** What happened until now cannot be told any more. */
  compact(): void;
  /** Watches break as if a cable was pulled, or end as if their time was over. */
  cut(): void;
  end(): void;
  /** A line that every watcher gets as it is. */
  say(line: JsonObject): void;
  /** The next so many requests and watches are answered with this status, or not at all (0). */
  refuse(status: number, times: number): void;
  /** Whether a watch may begin with everything there is; undefined: that is not even refused. */
  knowsInitialEvents: boolean | undefined;
  /** Called before a page of a list is answered. */
  onPage: (page: number) => void;
  watchers(): number;
}

export function memoryServer(): MemoryServer {
  const objects = new Map<string, JsonObject>();
  const log: Written[] = [];
  const watching = new Set<Watcher>();
  const asked: string[] = [];
  const counts = { requests: 0, watches: 0, retries: 0 };
  let version = 100;
  let compacted = 0;
  let births = 0;
  let refusing = { status: 0, times: 0 };

  function refused(): number | undefined {
    if (refusing.times === 0) return undefined;
    refusing = { ...refusing, times: refusing.times - 1 };
    return refusing.status;
  }

  function record(type: Written['type'], object: JsonObject): void {
    log.push({ version, type, object });
    for (const watcher of watching) watcher.push({ type, object });
  }

  function list(query: URLSearchParams): ApiAnswer {
    const [from, at] = (query.get('continue') ?? '0@').split('@');
    const start = Number(from);
    server.onPage(start / Number(query.get('limit')));
    if (at !== '' && Number(at) < compacted)
      return { status: 410, body: status(410, 'The provided continue parameter is too old'), warnings: [] };
    const names = [...objects.keys()].toSorted();
    const end = start + Math.min(2, Number(query.get('limit')));
    const metadata = { resourceVersion: at || String(version), ...(end < names.length ? { continue: `${end}@${at || version}` } : {}) };
    const items = names.slice(start, end).map((name): Json => objects.get(name) ?? null);
    return { status: 200, body: { kind: 'ConfigMapList', metadata, items }, warnings: [] };
  }

  async function* watch(path: string, signal: AbortSignal, opened?: () => void): AsyncGenerator<JsonObject, void> {
    const query = askedFor(path);
    counts.watches += 1;
    const answer = refused();
    if (answer === 0) throw new PortError('transient', 'no answer');
    if (answer !== undefined) return yield { type: 'ERROR', object: status(answer, 'refused') };
    const queue: JsonObject[] = [];
    let wake: (() => void) | undefined;
    let end: { readonly failure: unknown } | undefined;
    const watcher: Watcher = {
      push(line) {
        queue.push(line);
        wake?.();
      },
      finish(failure) {
        end = { failure };
        wake?.();
      },
    };
    const stop = (): void => watcher.finish(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    watching.add(watcher);
    begin(query, queue);
    opened?.();
    try {
      for (;;) {
        yield* queue.splice(0);
        if (end !== undefined) {
          if (end.failure !== undefined) throw end.failure;
          return;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      watching.delete(watcher);
      signal.removeEventListener('abort', stop);
    }
  }

  /** What a watch tells first. */
  function begin(query: URLSearchParams, queue: JsonObject[]): void {
    if (query.get('sendInitialEvents') === 'true') {
      if (server.knowsInitialEvents === undefined) return;
      if (!server.knowsInitialEvents) return void queue.push({ type: 'ERROR', object: status(422, 'sendInitialEvents is forbidden') });
      for (const object of objects.values()) queue.push({ type: 'ADDED', object });
      return void queue.push(bookmarkOf(version, { 'k8s.io/initial-events-end': 'true' }));
    }
    const from = Number(query.get('resourceVersion'));
    if (from < compacted) return void queue.push({ type: 'ERROR', object: status(410, 'too old resource version') });
    for (const { type, object } of log.filter((written) => written.version > from)) queue.push({ type, object });
  }

  function askedFor(path: string): URLSearchParams {
    const [resource, text] = path.split('?');
    const query = new URLSearchParams(text);
    const told = [...query].filter(
      ([name]) => !['timeoutSeconds', 'allowWatchBookmarks', 'resourceVersionMatch', 'labelSelector'].includes(name),
    );
    asked.push(`${resource?.split('/').at(-1)}?${told.map(([name, value]) => `${name}=${value}`).join('&')}`);
    return query;
  }

  const server: MemoryServer = {
    api: {
      async request({ path }: ApiRequest) {
        const query = askedFor(path);
        counts.requests += 1;
        const answer = refused();
        if (answer === 0) throw new PortError('transient', 'no answer');
        return answer === undefined ? list(query) : { status: answer, body: status(answer, 'refused'), warnings: [] };
      },
      watch,
      counts: (): ApiCounts => ({ ...counts }),
      close: async () => undefined,
    },
    asked,
    write(name, data, rest = {}) {
      version += 1;
      const before = objects.get(name);
      const uid = before === undefined ? `uid-${(births += 1)}` : Object(before['metadata']).uid;
      const object = configMap(name, { uid, version, data, rest });
      objects.set(name, object);
      record(before === undefined ? 'ADDED' : 'MODIFIED', object);
      return object;
    },
    remove(name) {
      version += 1;
      const before = objects.get(name) ?? {};
      objects.delete(name);
      record('DELETED', { ...before, metadata: { ...Object(before['metadata']), resourceVersion: String(version) } });
    },
    bookmark: () => server.say(bookmarkOf(version, {})),
    compact() {
      compacted = version + 1;
      version += 1;
      log.length = 0;
    },
    cut() {
      for (const watcher of watching) watcher.finish(new PortError('transient', 'the connection broke'));
    },
    end() {
      for (const watcher of watching) watcher.finish();
    },
    say(line) {
      for (const watcher of watching) watcher.push(line);
    },
    refuse(code, times) {
      refusing = { status: code, times };
    },
    knowsInitialEvents: true,
    onPage: () => undefined,
    watchers: () => watching.size,
  };
  return server;
}

interface ConfigMapParts {
  readonly uid: string;
  readonly version: number;
  readonly data: Readonly<Record<string, string>>;
  readonly rest: JsonObject;
}

/** A ConfigMap whose data is ours, as a server sends it. */
export function configMap(name: string, { uid, version, data, rest }: ConfigMapParts): JsonObject {
  const fields = Object.fromEntries(Object.keys(data).map((key) => [`f:${key}`, {}]));
  const managedFields = [{ manager: 'capstan', operation: 'Apply', time: '2026-11-21T20:00:00Z', fieldsV1: { 'f:data': fields } }];
  const metadata = { name, namespace: 'acme', uid, resourceVersion: String(version), managedFields };
  return { ...rest, metadata: { ...metadata, ...Object(rest['metadata']) }, data };
}

function bookmarkOf(version: number, annotations: JsonObject): JsonObject {
  return { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version), annotations } } };
}

function status(code: number, message: string): JsonObject {
  return { kind: 'Status', status: 'Failure', code, message };
}

/** Time that passes when a test says so. */
export interface HandTimers extends Timers {
  /** Runs what is due first, and says how long it was asked to wait; undefined where nothing waits. */
  next(): number | undefined;
  pending(): number;
}

export function handTimers(): HandTimers {
  const waiting = new Set<{ readonly milliseconds: number; readonly run: () => void }>();
  return {
    after(milliseconds, run) {
      const one = { milliseconds, run };
      waiting.add(one);
      return () => void waiting.delete(one);
    },
    next() {
      const [first] = [...waiting].toSorted((a, b) => a.milliseconds - b.milliseconds);
      if (first === undefined) return undefined;
      waiting.delete(first);
      first.run();
      return first.milliseconds;
    },
    pending: () => waiting.size,
  };
}
