import type { Bundle, TransparencyLogEntry } from '@sigstore/bundle';

import { readHostileJson } from '#model/hostile-json.ts';
import type { Json } from '#model/json.ts';
import { isJsonObject, jsonText, valueAt } from '#model/json.ts';
import { LARGEST_BUNDLE } from '#model/signature-finding.ts';
import { namedIn } from './public-key.ts';

/** Where the body of an entry says who signed: as base64 of a PEM text (of old), or as DER of one of two kinds. */
const VERIFIERS: ReadonlyMap<string, { readonly kind: 'pem' | 'der'; readonly pointer: string }> = new Map([
  ['hashedrekord/0.0.1', { kind: 'pem', pointer: '/spec/signature/publicKey/content' }],
  ['dsse/0.0.1', { kind: 'pem', pointer: '/spec/signatures/0/verifier' }],
  ['intoto/0.0.2', { kind: 'pem', pointer: '/spec/content/envelope/signatures/0/publicKey' }],
  ['hashedrekord/0.0.2', { kind: 'der', pointer: '/spec/hashedRekordV002/signature/verifier' }],
  ['dsse/0.0.2', { kind: 'der', pointer: '/spec/dsseV002/signatures/0/verifier' }],
]);

export type Signatory = { readonly kind: 'key' | 'certificate'; readonly der: Buffer };

/** Entries that name another key or certificate than the bundle's; libraries compare digest and signature only. */
export function namesAnother(entries: Bundle['verificationMaterial']['tlogEntries'], signatory: Signatory): boolean {
  return entries.some((entry) => {
    const named = signatoryOf(entry);
    return named === undefined || named.kind !== signatory.kind || !named.der.equals(signatory.der);
  });
}

function signatoryOf({ canonicalizedBody }: Pick<TransparencyLogEntry, 'canonicalizedBody'>): Signatory | undefined {
  const read = readHostileJson(canonicalizedBody, { bytes: LARGEST_BUNDLE, depth: 16 });
  if (!read.ok || !isJsonObject(read.value)) return undefined;
  const verifier = VERIFIERS.get(`${jsonText(read.value['kind'])}/${jsonText(read.value['apiVersion'])}`);
  if (verifier === undefined) return undefined;
  const value = valueAt(read.value, verifier.pointer);
  switch (verifier.kind) {
    case 'pem':
      return namedIn(Buffer.from(jsonText(value), 'base64').toString('latin1'));
    case 'der':
      return inDer(value);
  }
}

function inDer(value: Json | undefined): Signatory | undefined {
  const certificate = jsonText(valueAt(value, '/x509Certificate/rawBytes'));
  const key = jsonText(valueAt(value, '/publicKey/rawBytes'));
  if ((certificate === '') === (key === '')) return undefined;
  return certificate === ''
    ? { kind: 'key', der: Buffer.from(key, 'base64') }
    : { kind: 'certificate', der: Buffer.from(certificate, 'base64') };
}
