import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { ADA, authorities, base64, ISSUER, jsonBytes, signedEnvelope, signedMessage, statementAbout } from '#test/sigstore-authorities.ts';
import type { Authorities, Loose } from '#test/sigstore-authorities.ts';
import { CONTENT, judgedBy } from './judging.ts';

let acme: Authorities;
let good: readonly Loose[];

beforeAll(async () => {
  acme = await authorities();
  const statement = statementAbout(CONTENT);
  good = [
    (await signedMessage(acme, CONTENT, { timestamp: true })).bundle,
    (await signedEnvelope(acme, statement, { entry: 'dsse/0.0.1' })).bundle,
    (await signedEnvelope(acme, statement, { entry: 'hashedrekord/0.0.2' })).bundle,
  ];
});

/** Refused, or by the one who signed and about what was asked for: whatever was bent then did not matter. */
function expectNoOther(bundle: Uint8Array): string {
  const finding = judgedBy(acme, {}, { bundle });
  if (finding.kind === 'refused') return finding.reason;
  expect(finding.fact.signer).toEqual({ kind: 'keyless', issuer: ISSUER, identity: ADA });
  return 'verified';
}

/** Paths of every value in it. */
function pathsOf(value: Loose, path: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...path, Array.isArray(value) ? Number(key) : key]))];
}

function replaced(value: Loose, path: readonly (string | number)[], by: (old: Loose) => unknown): Loose {
  const [key, ...rest] = path;
  if (key === undefined) return by(value);
  const copy = Array.isArray(value) ? [...value] : { ...value };
  copy[key] = replaced(value[key], rest, by);
  return copy;
}

describe('a bundle that is bent', () => {
  it('in any byte of its text says nothing else, and never throws', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, where, by) => {
        const bytes = jsonBytes(good[which % good.length]);
        const at = where % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ by;
        expectNoOther(bytes);
      }),
      { numRuns: 120, seed: 1 },
    );
  });

  it('in any byte of what is encoded in it says nothing else, and never throws', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, whose, where, by) => {
        const bundle = good[which % good.length];
        const encoded = pathsOf(bundle).filter((path) => /rawBytes|sig|digest|payload|Body|Timestamp|keyId/i.test(String(path.at(-1))));
        const path = encoded[whose % encoded.length] ?? [];
        const bent = replaced(bundle, path, (old) => {
          if (typeof old !== 'string') return old;
          const bytes = Buffer.from(old, 'base64');
          if (bytes.length > 0) bytes[where % bytes.length] = (bytes[where % bytes.length] ?? 0) ^ by;
          return base64(bytes);
        });
        expectNoOther(jsonBytes(bent));
      }),
      { numRuns: 120, seed: 2 },
    );
  });

  it('in any field says nothing else, and never throws', () => {
    const odd = fc.constantFrom<unknown>(
      null,
      0,
      -1,
      1e300,
      true,
      '',
      'x',
      'AAAA',
      [],
      {},
      [null],
      { '': '' },
      '9'.repeat(30),
      '__proto__',
    );
    fc.assert(
      fc.property(fc.nat(), fc.nat(), odd, (which, where, value) => {
        const bundle = good[which % good.length];
        const paths = pathsOf(bundle);
        expectNoOther(jsonBytes(replaced(bundle, paths[where % paths.length] ?? [], () => value)));
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  const DEEP = Buffer.concat([...Array.from({ length: 60_000 }, () => Buffer.from([0x30, 0x83, 0x01, 0x00, 0x00])), Buffer.alloc(8)]);
  const OCTETS = Buffer.concat([...Array.from({ length: 60_000 }, () => Buffer.from([0x04, 0x83, 0x01, 0x00, 0x00])), Buffer.alloc(8)]);
  const WIDE = Buffer.concat([Buffer.from([0x30, 0x83, 0x0a, 0x00, 0x00]), Buffer.alloc(0x0a_00_00, Buffer.from([0x30, 0x00]))]);
  const WIDE_ENOUGH = Buffer.concat([Buffer.from([0x30, 0x82, 0x9c, 0x40]), Buffer.alloc(40_000, Buffer.from([0x30, 0x00]))]);

  it.each([
    ['sequences in each other', DEEP],
    ['octet strings in each other', OCTETS],
    ['300,000 empty sequences', WIDE],
    ['20,000 empty sequences', WIDE_ENOUGH],
    ['an object identifier without end', Buffer.concat([Buffer.from([0x06, 0x83, 0x08, 0x00, 0x00]), Buffer.alloc(0x08_00_00, 0xff)])],
    ['a length of 2^56', Buffer.from('3088ffffffffffffff0000', 'hex')],
    ['no length', Buffer.from('3080', 'hex')],
    ['nothing', Buffer.alloc(0)],
  ])('with %s for a certificate or timestamp is refused in time', (_what, der) => {
    const [bundle] = good;
    const certificate = replaced(bundle, ['verificationMaterial', 'certificate', 'rawBytes'], () => base64(der));
    const stamp = replaced(bundle, ['verificationMaterial', 'timestampVerificationData', 'rfc3161Timestamps', 0, 'signedTimestamp'], () =>
      base64(der),
    );
    const began = performance.now();

    expect([expectNoOther(jsonBytes(certificate)), expectNoOther(jsonBytes(stamp))]).not.toContain('verified');
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
