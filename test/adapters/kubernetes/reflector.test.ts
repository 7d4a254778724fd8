import { expect, test } from 'vitest';

import type { JsonObject } from '#model/json.ts';
import { names, openBench, settle } from './view-bench.ts';

test('one watch reads what is there and goes on from it', async () => {
  const { server, view, told, next } = await openBench((made) => {
    made.write('a', { x: '1' });
    made.write('b', { x: '1' });
    made.write('c', { x: '1' });
  });

  await view.ready();
  const change = next();
  server.write('b', { x: '2' });
  await change;

  expect(names(view)).toEqual(['a@101', 'b@104', 'c@103']);
  expect(told).toEqual(['b: 102 -> 104']);
  expect(server.asked).toEqual(['configmaps?watch=true&sendInitialEvents=true']);
  expect(view.isCurrent()).toBe(true);
  await view.stop();
});

test('a server that cannot begin a watch with everything is read in pages', async () => {
  const { server, view } = await openBench((made) => {
    made.knowsInitialEvents = false;
    for (const name of ['a', 'b', 'c']) made.write(name, { x: '1' });
  });

  await view.ready();

  expect(names(view)).toEqual(['a@101', 'b@102', 'c@103']);
  expect(server.asked).toEqual([
    'configmaps?watch=true&sendInitialEvents=true',
    'configmaps?limit=500',
    'configmaps?limit=500&continue=2@103',
    'configmaps?watch=true&resourceVersion=103',
  ]);
  await view.stop();
});

test('one that does not even know the question is read in pages as soon as it shows', async () => {
  const { server, view } = await openBench((made) => {
    made.knowsInitialEvents = undefined;
    made.write('a', { x: '1' });
  });
  await settle();
  const before = server.asked.length;

  server.bookmark();
  await view.ready();

  expect(before).toBe(1);
  expect(names(view)).toEqual(['a@101']);
  expect(server.asked).toHaveLength(3);
  await view.stop();
});

test('row 91: a list that becomes too old between two pages is begun anew', async () => {
  const { server, timers, view } = await openBench((made) => {
    made.knowsInitialEvents = false;
    for (const name of ['a', 'b', 'c']) made.write(name, { x: '1' });
    made.onPage = (page) => {
      if (page === 0) return;
      made.onPage = () => undefined;
      made.compact();
    };
  });
  const ready = view.ready();
  await settle();
  timers.next();

  await ready;

  expect(names(view)).toEqual(['a@101', 'b@102', 'c@103']);
  expect(server.asked.filter((path) => path.includes('limit'))).toHaveLength(4);
  await view.stop();
});

test('a watch that breaks is resumed from the last version it told, with nothing read again', async () => {
  const { server, timers, view, told } = await openBench((made) => {
    made.write('a', { x: '1' });
  });
  await view.ready();

  server.cut();
  await settle();
  const broken = view.isCurrent();
  server.write('a', { x: '2' });
  server.remove('a');
  server.write('b', { x: '1' });
  timers.next();
  await settle();

  expect(broken).toBe(false);
  expect(view.isCurrent()).toBe(true);
  expect(names(view)).toEqual(['b@104']);
  expect(told).toEqual(['a: 101 -> 102', 'a: 102 -> -', 'b: - -> 104']);
  expect(server.asked).toEqual(['configmaps?watch=true&sendInitialEvents=true', 'configmaps?watch=true&resourceVersion=101']);
  await view.stop();
});

test('row 91: a bookmark moves where a watch is resumed', async () => {
  const { server, timers, view } = await openBench();
  await view.ready();
  server.write('a', { x: '1' });
  server.compact();
  server.bookmark();
  await settle();

  server.cut();
  await settle();
  timers.next();
  await settle();

  expect(server.asked.at(-1)).toBe('configmaps?watch=true&resourceVersion=102');
  expect(view.isCurrent()).toBe(true);
  await view.stop();
});

test('a watch that ends because its time is over is resumed quietly', async () => {
  const { server, timers, view } = await openBench();
  await view.ready();

  server.end();
  await settle();
  const between = view.isCurrent();
  timers.next();
  await settle();

  expect(between).toBe(true);
  expect(server.asked).toHaveLength(2);
  expect(server.watchers()).toBe(1);
  await view.stop();
});

test('row 91: after too long away everything is read anew, and what went away unseen is told', async () => {
  const { server, timers, view, told } = await openBench((made) => {
    for (const name of ['a', 'b', 'c']) made.write(name, { x: '1' });
  });
  await view.ready();

  server.cut();
  await settle();
  server.remove('a');
  server.write('b', { x: '2' });
  server.write('d', { x: '1' });
  server.compact();
  timers.next();
  await settle();
  timers.next();
  await settle();

  expect(names(view)).toEqual(['b@105', 'c@103', 'd@106']);
  expect(told).toEqual(['b: 102 -> 105', 'd: - -> 106', 'a: 101 -> -']);
  expect(view.isCurrent()).toBe(true);
  await view.stop();
});

test('tells only what somebody wants to know: no heartbeat, no field of others', async () => {
  const { server, view, told } = await openBench((made) => {
    made.write('a', { x: '1' }, { status: { ready: 1, at: '2026-11-21T20:00:00Z' } });
  });
  await view.ready();

  server.write('a', { x: '1' }, { status: { ready: 1, at: '2026-11-21T20:01:00Z' } });
  server.write('a', { x: '1' }, { status: { ready: 1, at: '2026-11-21T20:02:00Z' }, metadata: { labels: { of: 'others' } } });
  server.write('a', { x: '1' }, { status: { ready: 2, at: '2026-11-21T20:02:00Z' } });
  await settle();

  expect(told).toEqual(['a: 103 -> 104']);
  expect(names(view)).toEqual(['a@104']);
  await view.stop();
});

test('who waits makes a server that is away be asked at once, and is told what came of it', async () => {
  const { server, timers, view } = await openBench((made) => made.refuse(0, 3));
  await settle();

  const failures = await Promise.all([1, 2].map(async () => await view.ready().catch((error: unknown) => error)));
  const third = await view.ready().catch((error: unknown) => error);
  await view.ready();

  expect(failures).toEqual([1, 2].map(() => expect.objectContaining({ kind: 'transient', message: 'no answer' })));
  expect(third).toMatchObject({ kind: 'transient' });
  expect(server.asked).toHaveLength(4);
  expect(timers.pending()).toBe(1);
  await view.stop();
});

test('waits grow from nothing to half a minute, and a connection that lasted ends that', async () => {
  const { server, timers, view } = await openBench((made) => made.refuse(503, 12));
  const waits: (number | undefined)[] = [];
  for (let attempt = 0; attempt < 12; attempt += 1) {
    await settle();
    waits.push(timers.next());
  }
  await settle();
  const steady = timers.next();
  server.cut();
  await settle();

  expect(waits).toEqual([50, 150, 300, 600, 1200, 2400, 4800, 9600, 19_200, 22_500, 22_500, 22_500]);
  expect(steady).toBe(500);
  expect(timers.next()).toBe(50);
  await view.stop();
});

test('what we may not see is a refusal with the words of the server', async () => {
  const { view } = await openBench((made) => made.refuse(403, 1));

  await expect(view.ready()).rejects.toMatchObject({ kind: 'denied', message: 'the server answered 403 for configmaps: refused' });
  await view.stop();
});

test.each<[string, JsonObject]>([
  ['an object without a name', { type: 'MODIFIED', object: { metadata: { uid: 'u', resourceVersion: '200' } } }],
  ['no object', { type: 'ADDED' }],
  ['nothing', {}],
])('a line that tells %s makes everything be read anew', async (_, line) => {
  const { server, timers, view } = await openBench((made) => {
    made.write('a', { x: '1' });
  });
  await view.ready();

  server.say(line);
  await settle();
  const broken = view.isCurrent();
  timers.next();
  await settle();

  expect(broken).toBe(false);
  expect(view.isCurrent()).toBe(true);
  expect(server.asked).toEqual(['configmaps?watch=true&sendInitialEvents=true', 'configmaps?watch=true&sendInitialEvents=true']);
  expect(names(view)).toEqual(['a@101']);
  await view.stop();
});

test('nothing runs, waits or is told after it was stopped', async () => {
  const { server, timers, view, told } = await openBench();
  await view.ready();
  server.cut();
  await settle();

  await view.stop();
  server.write('a', { x: '1' });
  await settle();

  expect(server.watchers()).toBe(0);
  expect(timers.pending()).toBe(0);
  expect(told).toEqual([]);
  expect(view.isCurrent()).toBe(false);
});

test('who waits can stop waiting', async () => {
  const { view } = await openBench((made) => made.refuse(0, 100));
  const waiting = new AbortController();
  await settle();

  const ready = view.ready(waiting.signal);
  waiting.abort(new Error('enough'));

  await expect(ready).rejects.toThrow('enough');
  await view.stop();
});

test('who waits when it is stopped is told so', async () => {
  const { view } = await openBench((made) => made.refuse(0, 100));
  await settle();
  const ready = view.ready();

  await Promise.all([expect(ready).rejects.toMatchObject({ kind: 'transient' }), view.stop()]);
});
