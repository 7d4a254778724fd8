import { jsonText } from '#model/json.ts';
import { PortError } from '#ports/port-error.ts';
import { childMap, listItemsOf, refusal } from './answers.ts';
import { objectId } from './held-objects.ts';
import { BEGIN, MOST_OBJECTS, queryOf } from './reading.ts';
import type { Next, Reading } from './reading.ts';
import { distil } from './seen.ts';

const PAGE = 500;

/** Reads everything page by page; whatever is not named any more is gone. */
export async function listAll(reading: Reading): Promise<Next> {
  const { api, resource, options, path, held, signal, tell } = reading;
  const named = new Set<string>();
  let token = '';
  held.begin();
  for (;;) {
    const query = queryOf(options, { limit: String(PAGE), ...(token === '' ? {} : { continue: token }) });
    const { status, body } = await api.request({ method: 'GET', path: `${path}?${query}` }, signal);
    // A server keeps the rest of a list for minutes only.
    if (status === 410 && token !== '') return BEGIN;
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
