import { jsonText } from '#model/json.ts';
import type { JsonObject } from '#model/json.ts';
import type { DriftIgnore } from '#model/plan.ts';
import type { Chance, Timers } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import { childMap, listItemsOf, refusal } from './answers.ts';
import { apiPath } from './api.ts';
import type { Api, ApiResource } from './api.ts';
import { holdObjects, objectId } from './held-objects.ts';
import type { HeldObjects, SeenChange } from './held-objects.ts';
import { createPace } from './pace.ts';
import type { Pace } from './pace.ts';
import type { KindView } from './seen-object.ts';
import { distil } from './seen.ts';
import { waitingRoom } from './waiting-room.ts';

export interface ViewOptions {
  /** Empty: all namespaces. */
  readonly namespace: string;
  /** `a=b,c=d`; empty: every object. */
  readonly labelSelector: string;
  readonly ignore: readonly DriftIgnore[];
  readonly timers: Timers;
  readonly chance: Chance;
}

export interface View extends KindView {
  /** Resolves once the view is current; rejects with the PortError of the next attempt that fails, while the view goes on trying. */
  ready(signal?: AbortSignal): Promise<void>;
  /** Called for each change but the first filling and our own writes (`note`, `forget`); the answer ends it. */
  onChange(listener: (change: SeenChange) => void): () => void;
  /** Ends the watch; nothing is told afterwards. What was seen can still be read. */
  stop(): Promise<void>;
}

/** The server ends a watch after this long, and a little more by chance: so many watches do not all come back at once. */
const WATCH_SECONDS = 3_600;
const PAGE = 500;
/** A server that goes on paging is not telling the truth. */
const MOST_OBJECTS = 500_000;

/** What is done next: read everything, or go on from a version. */
type Next = { readonly kind: 'list' } | { readonly kind: 'watch'; readonly from: string };

const LIST: Next = { kind: 'list' };

interface Reading {
  readonly api: Api;
  readonly resource: ApiResource;
  readonly options: ViewOptions;
  readonly path: string;
  readonly held: HeldObjects;
  readonly signal: AbortSignal;
  readonly tell: (change: SeenChange | undefined) => void;
  readonly opened: () => void;
  readonly failed: (failure: unknown) => void;
}

/** Lists the objects once and keeps them current by a watch until it is stopped. */
export function openView(api: Api, resource: ApiResource, options: ViewOptions): View {
  const held = holdObjects();
  const listeners = new Set<(change: SeenChange) => void>();
  const waiting = waitingRoom();
  const stopping = new AbortController();
  const pace = createPace(options.timers, options.chance);
  let current = false;
  let filled = false;
  const running = run(
    {
      api,
      resource,
      options,
      path: apiPath(resource, options.namespace),
      held,
      signal: stopping.signal,
      tell(change) {
        if (change === undefined || !filled || stopping.signal.aborted) return;
        for (const listener of listeners) listener(change);
      },
      opened() {
        current = true;
        filled = true;
        pace.begun();
        waiting.letIn();
      },
      failed(failure) {
        current = false;
        waiting.turnAway(failure);
      },
    },
    pace,
  );
  return {
    get: (namespace, name) => held.get(namespace, name),
    all: () => held.all(),
    isCurrent: () => current && !stopping.signal.aborted,
    note(body) {
      const seen = distil(resource, childMap({ body: body as JsonObject }, 'body'), options.ignore);
      if (seen !== undefined) held.put(seen);
      return seen && held.get(seen.key.namespace, seen.key.name);
    },
    forget: (namespace, name, uid) => held.forget(namespace, name, uid),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async ready(signal) {
      if (current || stopping.signal.aborted) return;
      pace.hurry();
      await waiting.wait(signal);
    },
    async stop() {
      stopping.abort();
      await running;
      waiting.turnAway(new PortError('transient', `the view of ${resource.resource} was stopped`));
    },
  };
}

async function run(reading: Reading, pace: Pace): Promise<void> {
  let next: Next = LIST;
  while (!reading.signal.aborted) {
    const before: Next = next;
    try {
      next = before.kind === 'list' ? await listAll(reading) : await watchFrom(reading, before.from);
    } catch (error) {
      reading.failed(error);
    }
    if (before.kind === 'watch' || next.kind === 'list') await pace.pause(reading.signal);
  }
}

async function listAll({ api, resource, options, path, held, signal, tell }: Reading): Promise<Next> {
  const named = new Set<string>();
  held.begin();
  let token = '';
  for (;;) {
    const query = queryOf(options, { limit: String(PAGE), ...(token === '' ? {} : { continue: token }) });
    const { status, body } = await api.request({ method: 'GET', path: `${path}?${query}` }, signal);
    // A server keeps the rest of a list for minutes only.
    if (status === 410 && token !== '') return LIST;
    if (status !== 200) throw refusal(resource, status, body);
    for (const item of listItemsOf(body)) {
      const seen = distil(resource, item, options.ignore);
      if (seen === undefined)
        throw new PortError('invalid', `the list of ${resource.resource} holds something without a name, uid or version`);
      named.add(objectId(seen));
      tell(held.put(seen));
    }
    if (named.size > MOST_OBJECTS) throw new PortError('invalid', `there are more than ${MOST_OBJECTS} ${resource.resource}`);
    const metadata = childMap(body, 'metadata');
    const version = jsonText(metadata['resourceVersion']);
    token = jsonText(metadata['continue']);
    if (version === '') throw new PortError('invalid', `the list of ${resource.resource} has no version`);
    if (token !== '') continue;
    for (const change of held.keepOnly(named, version)) tell(change);
    return { kind: 'watch', from: version };
  }
}

/** Ends where the watch does; an end by the server itself is no failure. */
async function watchFrom(reading: Reading, from: string): Promise<Next> {
  const { api, options, path, signal, opened, failed } = reading;
  const seconds = WATCH_SECONDS + Math.floor(options.chance() * WATCH_SECONDS);
  const query = queryOf(options, { watch: 'true', resourceVersion: from, allowWatchBookmarks: 'true', timeoutSeconds: String(seconds) });
  let version = from;
  try {
    for await (const line of api.watch(`${path}?${query}`, signal, opened)) {
      const object = childMap(line, 'object');
      if (line['type'] === 'ERROR') {
        failed(refusal(reading.resource, Number(object['code']), object));
        return isPassing(Number(object['code'])) ? { kind: 'watch', from: version } : LIST;
      }
      if (line['type'] !== 'BOOKMARK' && !take(reading, line, object)) {
        failed(new PortError('invalid', `a watch of ${reading.resource.resource} told of something without a name, uid or version`));
        return LIST;
      }
      version = jsonText(childMap(object, 'metadata')['resourceVersion']) || version;
    }
  } catch (error) {
    failed(error);
  }
  return { kind: 'watch', from: version };
}

/** Trouble of the server's own, after which it goes on from where it was; anything else (410: that is too long ago) begins anew. */
function isPassing(code: number): boolean {
  return code === 429 || code >= 500;
}

function take({ resource, options, held, tell }: Reading, line: JsonObject, object: JsonObject): boolean {
  const seen = distil(resource, object, options.ignore);
  if (seen === undefined) return false;
  tell(line['type'] === 'DELETED' ? held.remove(seen) : held.put(seen));
  return true;
}

function queryOf(options: ViewOptions, query: Readonly<Record<string, string>>): string {
  return new URLSearchParams({ ...query, ...(options.labelSelector === '' ? {} : { labelSelector: options.labelSelector }) }).toString();
}
