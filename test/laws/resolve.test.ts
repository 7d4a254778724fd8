import fc from 'fast-check';
import { expect, test } from 'vitest';

import { lockCommitMessage, parseTrailers } from '#ledger/ledger.ts';
import type { JsonObject } from '#model/json.ts';
import { mergePatch } from '#model/merge-patch.ts';
import { toEnvironmentName } from '#model/names.ts';
import { parseRange, isInRange } from '#model/version.ts';
import { lockText, resolveEnvironment } from '#resolve/resolve.ts';
import { environment, world, type Shelf } from '#test/resolve/worlds.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
const VERSIONS = ['1.0.0', '1.1.0', '2.0.0', '2.1.0'] as const;
const RANGES = ['*', '^1.0.0', '^2.0.0', '>=1.1.0 <2.1.0', '1.0.0'] as const;

/** Capsules may depend on later names only, so there are no cycles. */
const shelves = fc
  .array(
    fc.record({
      name: fc.integer({ min: 0, max: 4 }),
      version: fc.constantFrom(...VERSIONS),
      needs: fc.array(fc.record({ on: fc.integer({ min: 1, max: 4 }), range: fc.constantFrom(...RANGES), optional: fc.boolean() }), {
        maxLength: 3,
      }),
      conflict: fc.option(fc.record({ name: fc.integer({ min: 0, max: 4 }), range: fc.constantFrom(...RANGES) }), { freq: 3 }),
    }),
    { minLength: 4, maxLength: 16 },
  )
  .map((rows): Shelf => {
    const shelf: Record<string, Record<string, object>> = {};
    for (const { name, version, needs, conflict } of rows) {
      const dependencies: Record<string, object> = {};
      for (const { on, range, optional } of needs) {
        const other = NAMES[name + on];
        if (other !== undefined) dependencies[other] = { capsule: other, version: range, optional };
      }
      const conflicts = conflict === null ? [] : [{ capsule: NAMES[conflict.name] ?? 'a', version: conflict.range }];
      (shelf[NAMES[name] ?? 'a'] ??= {})[version] = { dependencies, conflicts };
    }
    return shelf;
  });
/** The same with parents, children and private dependencies, of later names only as well. */
const composedShelves = fc.tuple(
  shelves,
  fc.array(
    fc.record({
      name: fc.integer({ min: 0, max: 3 }),
      on: fc.integer({ min: 1, max: 4 }),
      range: fc.constantFrom(...RANGES),
      how: fc.constantFrom('extends', 'instances', 'private'),
    }),
    { minLength: 1, maxLength: 5 },
  ),
);

function composedOf(shelf: Shelf, links: readonly { name: number; on: number; range: string; how: string }[]): Shelf {
  const full = Object.fromEntries(NAMES.map((name) => [name, { '1.0.0': {}, '1.1.0': {}, '2.0.0': {}, ...shelf[name] }]));
  const composed: Record<string, Record<string, object>> = structuredClone(full);
  for (const { name, on, range, how } of links) {
    const capsule = NAMES[name + on];
    const versions = composed[NAMES[name] ?? 'a'];
    if (capsule === undefined || versions === undefined) continue;
    for (const [version, spec] of Object.entries(versions)) {
      const { dependencies } = spec as { dependencies?: object };
      if (how === 'extends') versions[version] = { ...spec, extends: { capsule, version: range } };
      if (how === 'instances') versions[version] = { ...spec, instances: { [`${capsule}-child`]: { capsule, version: range } } };
      if (how === 'private')
        versions[version] = { ...spec, dependencies: { ...dependencies, [`${capsule}-own`]: { capsule, version: range, shared: false } } };
    }
  }
  return composed;
}

const requests = fc.dictionary(fc.constantFrom(...NAMES), fc.record({ version: fc.constantFrom(...RANGES) }), { minKeys: 1, maxKeys: 4 });

const reversed = <T>(map: Readonly<Record<string, T>>): Record<string, T> => Object.fromEntries(Object.entries(map).reverse());

test('a resolution does not depend on the order of its inputs', () => {
  let resolved = 0;
  fc.assert(
    fc.property(shelves, requests, (shelf, wanted) => {
      const turned = Object.fromEntries(Object.entries(reversed(shelf)).map(([name, versions]) => [name, reversed(versions)]));
      const one = resolveEnvironment({ environment: environment('dev', wanted), ...world(shelf), locked: [], move: new Map() });
      const two = resolveEnvironment({ environment: environment('dev', reversed(wanted)), ...world(turned), locked: [], move: new Map() });
      if (one.kind === 'resolved') resolved += 1;
      expect(two.kind === 'resolved' ? two.resolution : two.kind).toEqual(one.kind === 'resolved' ? one.resolution : one.kind);
    }),
    { numRuns: 500 },
  );
  expect(resolved).toBeGreaterThan(50);
});

test('neither does one of parents, bundles and private dependencies, and a lock of them reproduces itself', () => {
  let inherited = 0;
  let nested = 0;
  fc.assert(
    fc.property(composedShelves, requests, ([plain, links], wanted) => {
      const shelf = composedOf(plain, links);
      const turned = Object.fromEntries(Object.entries(reversed(shelf)).map(([name, versions]) => [name, reversed(versions)]));
      const one = resolveEnvironment({ environment: environment('dev', wanted), ...world(shelf), locked: [], move: new Map() });
      const two = resolveEnvironment({ environment: environment('dev', reversed(wanted)), ...world(turned), locked: [], move: new Map() });
      expect(two.kind === 'resolved' ? two.resolution : two).toEqual(one.kind === 'resolved' ? one.resolution : one);
      if (one.kind !== 'resolved') return;
      const { instances } = one.resolution;
      inherited += instances.filter((instance) => instance.shapes !== undefined).length;
      nested += instances.filter((instance) => instance.shapes === undefined && instance.pin.instance.includes('.')).length;
      const pins = instances.map((instance) => instance.pin);
      const again = resolveEnvironment({ environment: environment('dev', wanted), ...world(shelf), locked: pins, move: new Map() });
      expect(again.kind === 'resolved' && again.resolution).toEqual(one.resolution);
      for (const { pin, parents = [] } of instances) {
        const line = [pin, ...parents];
        line.slice(1).forEach((parent, at) => {
          const child = line[at];
          const range = shelf[child?.capsule ?? '']?.[child?.version ?? '']?.extends?.version;
          expect([parent.requestedBy, fits(parent.version, range ?? '')]).toEqual([[child?.instance], true]);
        });
      }
    }),
    { numRuns: 500 },
  );
  expect(Math.min(inherited, nested)).toBeGreaterThan(50);
});

test('every range holds, a search by hand finds no solution where none is found, and a lock reproduces itself', () => {
  let unresolvable = 0;
  fc.assert(
    fc.property(shelves, requests, (shelf, wanted) => {
      const where = world(shelf);
      const dev = environment('dev', wanted);
      const answer = resolveEnvironment({ environment: dev, ...where, locked: [], move: new Map() });
      const pins = answer.kind === 'resolved' ? answer.resolution.instances.map((one) => one.pin) : undefined;
      if (pins === undefined) unresolvable += 1;
      const chosen = new Map(pins?.map((pin) => [String(pin.instance), pin.version]));
      const text = lockText('dev', pins ?? [], undefined);
      const again = resolveEnvironment({ environment: dev, ...where, locked: pins ?? [], move: new Map() });

      expect(pins === undefined ? canBeSolved(shelf, wanted) : !holds(shelf, wanted, chosen)).toBe(false);
      expect(lockText('dev', again.kind === 'resolved' ? again.resolution.instances.map((one) => one.pin) : [], text)).toBe(text);
    }),
    { numRuns: 500 },
  );
  expect(unresolvable).toBeGreaterThan(20);
});

type Wanted = Readonly<Record<string, { readonly version: string }>>;

function fits(version: string | undefined, text: string): boolean {
  const range = parseRange(text);
  return version !== undefined && range !== undefined && isInRange(version, range);
}

function holds(shelf: Shelf, wanted: Wanted, chosen: ReadonlyMap<string, string>): boolean {
  if (!Object.entries(wanted).every(([name, { version }]) => fits(chosen.get(name), version))) return false;
  const excludes = ([name, version]: readonly [string, string]): boolean =>
    (shelf[name]?.[version]?.conflicts ?? []).some((one) => one.capsule !== name && fits(chosen.get(one.capsule), one.version));
  if ([...chosen].some(excludes)) return false;
  return [...chosen].every(([name, version]) =>
    Object.values(shelf[name]?.[version]?.dependencies ?? {}).every(
      (need) => need.optional === true || fits(chosen.get(need.capsule ?? ''), need.version ?? '*'),
    ),
  );
}

/** All combinations of versions. */
function canBeSolved(shelf: Shelf, wanted: Wanted): boolean {
  const names = Object.keys(shelf);
  const search = (at: number, chosen: ReadonlyMap<string, string>): boolean => {
    const name = names[at];
    if (name === undefined) return holds(shelf, wanted, chosen);
    return [undefined, ...Object.keys(shelf[name] ?? {})].some((version) =>
      search(at + 1, version === undefined ? chosen : new Map(chosen).set(name, version)),
    );
  };
  return search(0, new Map());
}

test('what goes into trailers comes out of them, and nothing else', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), text, text, (people, title, detail) => {
      const message = lockCommitMessage({
        runId: '01JD0R1W3Z8M5T9Q2B7N4C6XYZ',
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        environment: toEnvironmentName('prod'),
        from: undefined,
        title: `promote: ${title}`,
        capsules: [],
        changeSet: 'cs-35abd357876817cd',
        changeRequest: undefined,
        approvedBy: people,
        gates: [{ name: 'ci', type: 'check', status: 'passed', detail, until: undefined }],
        reason: 'promotion',
      });
      const keys = parseTrailers(message).map((one) => one.key);
      expect(keys).toEqual([
        'Environment',
        'Promotion-Id',
        'To-Environment',
        'Change-Set',
        ...people.map(() => 'Approved-By'),
        'Gate',
        'Idempotency-Key',
        'Run-Id',
        'Trace-Id',
        'Reason',
      ]);
    }),
    { numRuns: 500 },
  );
});

test('a patch applied twice is the same as applied once', () => {
  const json = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);
  fc.assert(
    fc.property(json, json, (target, patch) => {
      const once = mergePatch(target, patch);
      expect(mergePatch(once, patch)).toEqual(once);
    }),
  );
});
