import { jsonText } from '#model/json.ts';
import type { JsonObject } from '#model/json.ts';
import { PortError } from '#ports/port-error.ts';
import { childMap, refusal } from './answers.ts';
import { objectId } from './held-objects.ts';
import { BEGIN, MOST_OBJECTS, queryOf } from './reading.ts';
import type { Next, Reading } from './reading.ts';
import type { SeenObject } from './seen-object.ts';
import { distil } from './seen.ts';

/** The server ends a watch after this long and a little more by chance, so that many watches do not all come back at once. */
const WATCH_SECONDS = 3_600;
/** On the bookmark after the last object of what there was when the watch began (KEP-3157). */
const ALL_TOLD = 'k8s.io/initial-events-end';

interface Watched {
  /** Of the last line; where to go on. */
  version: string;
  /** Ids of what was there when the watch began, until all of it was told. */
  named: Set<string> | undefined;
}

/** Begins with everything there is or goes on from a version; ends where the watch does. An end by the server itself is no failure. */
export async function watchFrom(reading: Reading, start: Exclude<Next, { kind: 'pages' }>): Promise<Next> {
  const { api, path, signal, held, opened, failed } = reading;
  const watched: Watched = start.kind === 'begin' ? { version: '', named: new Set() } : { version: start.from, named: undefined };
  if (watched.named !== undefined) held.begin();
  try {
    const accepted = watched.named === undefined ? opened : undefined;
    for await (const line of api.watch(`${path}?${watchQuery(reading, watched)}`, signal, accepted)) {
      const next = read(reading, watched, line);
      if (next !== undefined) return next;
    }
    // Nothing was wrong, but not everything was told.
    if (watched.named !== undefined) failed(new PortError('transient', `the server stopped telling of ${reading.resource.resource}`));
  } catch (error) {
    failed(error);
  }
  return watched.named === undefined ? { kind: 'watch', from: watched.version } : BEGIN;
}

function watchQuery({ options }: Reading, { version, named }: Watched): string {
  const seconds = WATCH_SECONDS + Math.floor(options.chance() * WATCH_SECONDS);
  const from = named === undefined ? { resourceVersion: version } : { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' };
  return queryOf(options, { watch: 'true', ...from, allowWatchBookmarks: 'true', timeoutSeconds: String(seconds) });
}

/** Takes in one line; what to do next where this watch is of no more use. */
function read(reading: Reading, watched: Watched, line: JsonObject): Next | undefined {
  const { resource, options, held, tell, opened, failed } = reading;
  const object = childMap(line, 'object');
  if (line['type'] === 'ERROR') return afterError(reading, watched, object);
  if (line['type'] === 'BOOKMARK') {
    // A server that does not know how to begin with everything only goes on from now.
    if (watched.named !== undefined && !isAllTold(object)) return { kind: 'pages' };
  } else {
    const seen = alreadyHeld(reading, line, object) ?? distil(resource, object, options.ignore);
    if (seen === undefined) {
      failed(new PortError('invalid', `a watch of ${resource.resource} told of something without a name, uid or version`));
      return BEGIN;
    }
    tell(line['type'] === 'DELETED' ? held.remove(seen) : held.put(seen));
    watched.named?.add(objectId(seen));
  }
  watched.version = jsonText(childMap(object, 'metadata')['resourceVersion']) || watched.version;
  if (watched.named === undefined) {
    opened();
  } else if (line['type'] === 'BOOKMARK') {
    for (const change of held.keepOnly(watched.named, watched.version)) tell(change);
    watched.named = undefined;
    opened();
  } else if (watched.named.size > MOST_OBJECTS) {
    throw new PortError('invalid', `there are more than ${MOST_OBJECTS} ${resource.resource}`);
  }
  return undefined;
}

/** The echo of a write of our own, mostly: its answer was read, and said the same. */
function alreadyHeld({ held }: Reading, line: JsonObject, object: JsonObject): SeenObject | undefined {
  if (line['type'] === 'DELETED') return undefined;
  const metadata = childMap(object, 'metadata');
  const known = held.get(jsonText(metadata['namespace']), jsonText(metadata['name']));
  return known?.uid === metadata['uid'] && known?.resourceVersion === metadata['resourceVersion'] ? known : undefined;
}

function isAllTold(bookmark: JsonObject): boolean {
  return childMap(childMap(bookmark, 'metadata'), 'annotations')[ALL_TOLD] === 'true';
}

function afterError({ resource, failed }: Reading, watched: Watched, status: JsonObject): Next {
  const answered = Number(status['code']);
  // Servers before 1.34, and those that extend one, may refuse to begin with everything (feature gate WatchList).
  if (watched.named !== undefined && (answered === 400 || answered === 422)) return { kind: 'pages' };
  failed(refusal(resource, answered, status));
  // Trouble of the server's own, after which it goes on from where it was; anything else (410: that is too long ago) begins anew.
  const passes = answered === 429 || answered >= 500;
  return passes && watched.named === undefined ? { kind: 'watch', from: watched.version } : BEGIN;
}
