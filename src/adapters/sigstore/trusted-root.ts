import { X509Certificate } from '@sigstore/core';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import type { TimeRange, X509CertificateChain } from '@sigstore/protobuf-specs';
import { toTrustMaterial } from '@sigstore/verify';
import type { TrustMaterial } from '@sigstore/verify';

import { toInstant } from '#model/instant.ts';
import type { Json } from '#model/json.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import type { TrustedRootMistake, TrustedWitness } from '#model/trusted-root.ts';
import { settled } from './certificate.ts';
import { readHostileJson, shapeMistake } from './hostile-json.ts';
import type { Shape } from './hostile-json.ts';

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

/** What signatures are checked with; the names of the timestamp authorities stand in the same order as they. */
export interface Material extends Omit<TrustMaterial, 'publicKey'> {
  readonly timestampNames: readonly string[];
}

export type ReadRoot =
  | { readonly ok: true; readonly material: Material; readonly witnesses: readonly TrustedWitness[] }
  | { readonly ok: false; readonly mistakes: readonly TrustedRootMistake[] };

/** A trusted-root file. A key or certificate without a start of its validity is a mistake: libraries take it as valid since ever. */
export function readTrustedRoot(bytes: Uint8Array): ReadRoot {
  const read = readHostileJson(bytes, LIMITS);
  if (!read.ok) return { ok: false, mistakes: [{ pointer: '', reason: read.reason }] };
  const { value } = read;
  if (!isJsonObject(value)) return { ok: false, mistakes: [{ pointer: '', reason: 'is not a JSON object' }] };
  if (!MEDIA_TYPES.has(jsonText(value['mediaType'])))
    return { ok: false, mistakes: [{ pointer: '/mediaType', reason: 'is not that of a sigstore trusted root' }] };
  const mistake = shapeMistake(value, ROOT);
  const mistakes = mistake === undefined ? windowMistakes(value) : [mistake];
  if (mistakes.length > 0) return { ok: false, mistakes };
  try {
    const root = TrustedRoot.fromJSON(value);
    const timestampNames = root.timestampAuthorities.map(({ uri }) => uri);
    return { ok: true, material: { ...settle(toTrustMaterial(root)), timestampNames }, witnesses: witnessesOf(root) };
  } catch (error) {
    return { ok: false, mistakes: [{ pointer: '', reason: `holds a key or certificate that cannot be read: ${String(error)}` }] };
  }
}

/** These certificates are looked at again with every signature. */
function settle(material: TrustMaterial): TrustMaterial {
  for (const { certChain } of [...material.certificateAuthorities, ...material.timestampAuthorities]) certChain.forEach(settled);
  return material;
}

function witnessesOf(root: TrustedRoot): readonly TrustedWitness[] {
  return [
    ...root.certificateAuthorities.map((item) => witness('certificate-authority', item.uri, item.validFor, item.certChain)),
    ...root.ctlogs.map((item) => witness('certificate-log', item.baseUrl, item.publicKey?.validFor)),
    ...root.tlogs.map((item) => witness('signature-log', item.baseUrl, item.publicKey?.validFor)),
    ...root.timestampAuthorities.map((item) => witness('timestamp-authority', item.uri, item.validFor, item.certChain)),
  ];
}

/** Believed until its window ends, or the first of its certificates. */
function witness(
  kind: TrustedWitness['kind'],
  name: string,
  validFor: TimeRange | undefined,
  chain?: X509CertificateChain,
): TrustedWitness {
  const ends = (chain?.certificates ?? []).map(({ rawBytes }) => X509Certificate.parse(Buffer.from(rawBytes)).notAfter.getTime());
  if (validFor?.end !== undefined) ends.push(validFor.end.getTime());
  const from = toInstant(validFor?.start?.getTime() ?? 0);
  return { kind, name, from, until: ends.length === 0 ? undefined : toInstant(Math.min(...ends)) };
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
