import { readHostileJson, type Shape, shapeMistake } from '#model/hostile-json.ts';
import { isJsonObject, type Json, jsonText, type JsonObject, valueAt } from '#model/json.ts';
import type { TrustedRootMistake } from '#model/trusted-root.ts';

const LIMITS = { bytes: 1024 * 1024, depth: 16 };
const MOST_AUTHORITIES = 64;
const MOST_CERTIFICATES = 16;

const MEDIA_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.1+json',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
]);

const VALID_FOR: Shape = { fields: { start: 'text', end: 'text' } };
const LOGS: Shape = {
  list: {
    fields: {
      baseUrl: 'text',
      hashAlgorithm: 'text',
      publicKey: { fields: { rawBytes: 'base64', keyDetails: 'text', validFor: VALID_FOR } },
      logId: { fields: { keyId: 'base64' } },
      checkpointKeyId: { fields: { keyId: 'base64' } },
      operator: 'text',
    },
  },
  most: MOST_AUTHORITIES,
};
const AUTHORITIES: Shape = {
  list: {
    fields: {
      subject: { fields: { organization: 'text', commonName: 'text' } },
      uri: 'text',
      certChain: { fields: { certificates: { list: { fields: { rawBytes: 'base64' } }, most: MOST_CERTIFICATES } } },
      validFor: VALID_FOR,
      operator: 'text',
    },
  },
  most: MOST_AUTHORITIES,
};
/** sigstore_trustroot.proto of sigstore/protobuf-specs, in its JSON form. */
const ROOT: Shape = {
  fields: { mediaType: 'text', tlogs: LOGS, ctlogs: LOGS, certificateAuthorities: AUTHORITIES, timestampAuthorities: AUTHORITIES },
};
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * The text of a sigstore trusted root, as far as its fields say. A key or certificate without a start of its validity is a mistake: libraries
 * take it as valid since ever.
 */
export function readTrustedRootText(
  bytes: Uint8Array,
): { readonly ok: true; readonly value: JsonObject } | { readonly ok: false; readonly mistakes: readonly TrustedRootMistake[] } {
  const read = readHostileJson(bytes, LIMITS);
  if (!read.ok) return { ok: false, mistakes: [{ pointer: '', reason: read.reason }] };
  const { value } = read;
  if (!isJsonObject(value)) return { ok: false, mistakes: [{ pointer: '', reason: 'is not a JSON object' }] };
  if (!MEDIA_TYPES.has(jsonText(value['mediaType'])))
    return { ok: false, mistakes: [{ pointer: '/mediaType', reason: 'is not that of a sigstore trusted root' }] };
  const mistake = shapeMistake(value, ROOT);
  const mistakes = mistake === undefined ? windowMistakes(value) : [mistake];
  return mistakes.length > 0 ? { ok: false, mistakes } : { ok: true, value };
}

function windowMistakes(value: Json): readonly TrustedRootMistake[] {
  const windows = [
    ...['tlogs', 'ctlogs'].flatMap((list) => pointersOf(value, list, '/publicKey/validFor')),
    ...['certificateAuthorities', 'timestampAuthorities'].flatMap((list) => pointersOf(value, list, '/validFor')),
  ];
  return windows.flatMap((pointer) => {
    const start = jsonText(valueAt(value, `${pointer}/start`));
    const end = valueAt(value, `${pointer}/end`) ?? undefined;
    if (start === '') return [{ pointer: `${pointer}/start`, reason: 'is missing: nothing is trusted since ever' }];
    if (!RFC3339.test(start)) return [{ pointer: `${pointer}/start`, reason: 'is not a time of RFC 3339' }];
    if (end !== undefined && !RFC3339.test(jsonText(end))) return [{ pointer: `${pointer}/end`, reason: 'is not a time of RFC 3339' }];
    return [];
  });
}

function pointersOf(value: Json, list: string, rest: string): readonly string[] {
  const items = valueAt(value, `/${list}`);
  return Array.isArray(items) ? items.map((_, index) => `/${list}/${index}${rest}`) : [];
}
