import { expect, test } from 'vitest';

import { configMap } from './memory-server.ts';
import { names, openBench, settle } from './view-bench.ts';

test('our own writes are read at once, are not told, and nothing older replaces them', async () => {
  const { server, view, told } = await openBench((made) => {
    made.write('a', { x: '1' });
  });
  await view.ready();
  const answer = configMap('a', { uid: 'uid-1', version: 105, data: { x: '5' }, rest: {} });

  const noted = view.note(answer);
  server.write('a', { x: '2' });
  await settle();

  expect(noted?.resourceVersion).toBe('105');
  expect(names(view)).toEqual(['a@105']);
  expect(told).toEqual([]);
  expect(view.note(configMap('a', { uid: 'uid-1', version: 104, data: { x: '4' }, rest: {} }))?.resourceVersion).toBe('105');
  await view.stop();
});

test('an event of our own write that comes before its answer is not told, and what others did meanwhile is told after it', async () => {
  const { server, view, told } = await openBench((made) => {
    for (const name of ['a', 'b', 'c', 'd']) made.write(name, { x: '1' });
  });
  await view.ready();

  const done = view.writing();
  const ours = [server.write('a', { x: '2' }), server.write('new', { x: '1' })];
  server.remove('b');
  const theirs = server.write('c', { x: 'theirs' });
  const overtaken = server.write('d', { x: '2' });
  server.write('d', { x: 'theirs' });
  await settle();
  const meanwhile = [...told];
  for (const answer of [...ours, overtaken]) view.note(answer);
  view.note(theirs, 'read');
  view.forget('acme', 'b', 'uid-2');
  done();
  done();
  server.write('a', { x: '3' });
  await settle();

  expect(meanwhile).toEqual([]);
  expect(told).toEqual(['c: 103 -> 108', 'd: 104 -> 110', 'a: 105 -> 111']);
  expect(names(view)).toEqual(['a@111', 'c@108', 'd@110', 'new@106']);
  await view.stop();
});

test('who writes at the same time as another waits for both', async () => {
  const { server, view, told } = await openBench();
  await view.ready();

  const [first, second] = [view.writing(), view.writing()];
  server.write('a', { x: '1' });
  await settle();
  first();
  const between = [...told];
  second();

  expect(between).toEqual([]);
  expect(told).toEqual(['a: - -> 101']);
  await view.stop();
});

test('versions are compared as numbers', async () => {
  const { view } = await openBench();
  await view.ready();

  view.note(configMap('a', { uid: 'uid-1', version: 9, data: { x: '1' }, rest: {} }));
  view.note(configMap('a', { uid: 'uid-1', version: 10, data: { x: '2' }, rest: {} }));

  expect(names(view)).toEqual(['a@10']);
  await view.stop();
});

test('row 92: what we removed does not come back by late news, and its successor of the same name does', async () => {
  const { server, view, told } = await openBench((made) => {
    made.write('a', { x: '1' });
  });
  await view.ready();

  view.forget('acme', 'a', 'uid-1');
  server.write('a', { x: 'late' });
  await settle();
  const late = names(view);
  server.remove('a');
  server.write('a', { x: 'new' });
  await settle();

  expect(late).toEqual([]);
  expect(names(view)).toEqual(['a@104']);
  expect(told).toEqual(['a: - -> 104']);
  await view.stop();
});

test('what a finalizer holds is still there after we removed it', async () => {
  const { server, view } = await openBench((made) => {
    made.write('a', { x: '1' });
  });
  await view.ready();

  view.forget('acme', 'a', 'uid-1');
  server.write('a', { x: '1' }, { metadata: { deletionTimestamp: '2026-11-21T20:00:00Z', finalizers: ['example.com/hold'] } });
  await settle();

  expect(names(view)).toEqual(['a@102']);
  await view.stop();
});
