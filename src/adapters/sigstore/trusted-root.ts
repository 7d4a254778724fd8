import { X509Certificate } from '@sigstore/core';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import type { TimeRange, X509CertificateChain } from '@sigstore/protobuf-specs';
import { toTrustMaterial } from '@sigstore/verify';
import type { TrustMaterial } from '@sigstore/verify';

import { toInstant } from '#model/instant.ts';
import { readTrustedRootText } from '#model/trusted-root-text.ts';
import type { TrustedRootMistake, TrustedWitness } from '#model/trusted-root.ts';
import { settled } from './certificate.ts';

/** What signatures are checked with; the names of the timestamp authorities stand in the same order as they. */
export interface Material extends Omit<TrustMaterial, 'publicKey'> {
  readonly timestampNames: readonly string[];
}

export type ReadRoot =
  | { readonly ok: true; readonly material: Material; readonly witnesses: readonly TrustedWitness[] }
  | { readonly ok: false; readonly mistakes: readonly TrustedRootMistake[] };

/** A trusted-root file with its keys and certificates. */
export function readTrustedRoot(bytes: Uint8Array): ReadRoot {
  const read = readTrustedRootText(bytes);
  if (!read.ok) return read;
  try {
    const root = TrustedRoot.fromJSON(read.value);
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
