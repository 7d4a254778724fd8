import { expect, test } from 'vitest';

import { draftRecords, healthyPeriod, healthySince } from '#ledger/ledger.ts';
import { toTargetName } from '#model/names.ts';
import { PROD, EU, GREETER, at, content, told, options, story } from '#test/ledger/told.ts';

test('health counts since its last change, with exactly this content, in every target', () => {
  const us = toTargetName('us-1');
  let { ledger } = story([0, { acted: true, health: 'progressing' }], [30, {}], [100, {}]);
  const where = { environment: PROD, targets: [EU] };
  const what = { instance: GREETER, version: '1.4.1', sha256: content('1.4.1') };

  expect(healthySince(ledger, where, what)).toBe(at(30));
  expect(healthySince(ledger, where, { ...what, sha256: content('1.4.2') })).toBe(undefined);
  expect(healthySince(ledger, { ...where, targets: [EU, us] }, what)).toBe(undefined);
  expect(healthySince(ledger, { ...where, targets: [] }, what)).toBe(undefined);
  ({ ledger } = draftRecords(ledger, [told({ target: 'us-1', acted: true })], options(50)));
  expect(healthySince(ledger, { ...where, targets: [EU, us] }, what)).toBe(at(50));
});

test('not having been able to look withholds health, and does not start it over', () => {
  const looked = story([0, { acted: true }], [100, { health: 'unknown', ending: { kind: 'retry', because: 'timeout' } }]);
  const again = story([0, { acted: true }], [100, { health: 'unknown', ending: { kind: 'retry', because: 'timeout' } }], [200, {}]);
  const where = { environment: PROD, targets: [EU] };
  const what = { instance: GREETER, version: '1.4.1', sha256: content('1.4.1') };

  expect(healthySince(looked.ledger, where, what)).toBe(undefined);
  expect(healthySince(again.ledger, where, what)).toBe(at(0));
});

test('a content that moved on while it was healthy keeps what it reached', () => {
  const place = { environment: PROD, target: EU };
  const of = (version: string) => ({ instance: GREETER, version, sha256: content(version) });
  const moved = story(
    [0, { acted: true }],
    [600, { version: '1.4.2', acted: true, health: 'progressing' }],
    [700, { version: '1.4.2', health: 'degraded' }],
  );
  const back = story([0, { acted: true }], [600, { version: '1.4.2', acted: true }], [700, { acted: true, health: 'progressing' }]);

  expect(healthyPeriod(moved.ledger, place, of('1.4.1'))).toEqual({ since: at(0), until: at(600) });
  expect(healthyPeriod(moved.ledger, place, { ...of('1.4.1'), sha256: content('1.4.2') })).toBe(undefined);
  expect(healthyPeriod(moved.ledger, place, of('1.4.2'))).toBe(undefined);
  expect(healthySince(moved.ledger, { environment: PROD, targets: [EU] }, of('1.4.1'))).toBe(undefined);
  expect(healthyPeriod(back.ledger, place, of('1.4.2'))).toEqual({ since: at(600), until: at(700) });
  expect(healthyPeriod(back.ledger, place, of('1.4.1'))).toBe(undefined);
});

test('a content that was replaced because it was not well has reached nothing', () => {
  const place = { environment: PROD, target: EU };
  const { ledger } = story([0, { acted: true }], [500, { health: 'degraded' }], [600, { version: '1.4.2', acted: true }]);

  expect(healthyPeriod(ledger, place, { instance: GREETER, version: '1.4.1', sha256: content('1.4.1') })).toBe(undefined);
  expect(healthyPeriod(ledger, place, { instance: GREETER, version: '1.4.2', sha256: undefined })).toEqual({
    since: at(600),
    until: undefined,
  });
});
