import { isContentDigest } from '#model/image.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import { parseBoundedJson } from '#model/oci-manifest.ts';
import type { SignatureFinding } from '#model/signature-finding.ts';
import { IMAGE_SIGNATURE } from '#model/signature-finding.ts';

/** The payload of an older image signature (containers/image, docs/containers-signature.5.md; cosign, specs/SIGNATURE_SPEC.md). */
export interface SimpleSigning {
  /** `sha256:` with 64 digits. */
  readonly digest: string;
  /** `registry/name` as its signer wrote it. */
  readonly reference: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const TYPE = 'cosign container image signature';
const DEEPEST = 8;

/** The payload, or what is wrong with it (finishes the sentence "the payload ..."). */
export function parseSimpleSigning(bytes: Uint8Array): SimpleSigning | { readonly wrong: string } {
  const payload = parseBoundedJson(bytes, DEEPEST);
  const critical = isJsonObject(payload) ? payload['critical'] : undefined;
  if (!isJsonObject(payload) || !isJsonObject(critical)) return { wrong: 'has no critical part' };
  // Whatever else was signed with the same key is no signature of an image.
  if (critical['type'] !== TYPE) return { wrong: `is not of the type "${TYPE}"` };
  const { identity, image } = critical;
  const digest = isJsonObject(image) ? jsonText(image['docker-manifest-digest']) : '';
  if (!isContentDigest(digest)) return { wrong: 'names no image by a sha256 digest' };
  const optional = payload['optional'] ?? {};
  if (!isJsonObject(optional)) return { wrong: 'has a malformed optional part' };
  return { digest, reference: isJsonObject(identity) ? jsonText(identity['docker-reference']) : '', annotations: textsOf(optional) };
}

/** What a verified signature over such a payload says of the image in question. */
export function imageFinding(finding: SignatureFinding, payload: Uint8Array, digest: string): SignatureFinding {
  if (finding.kind === 'refused') return finding;
  const read = parseSimpleSigning(payload);
  if ('wrong' in read) return { kind: 'refused', code: 'wrong-predicate', reason: `the signed payload ${read.wrong}` };
  if (read.digest !== digest)
    return { kind: 'refused', code: 'wrong-digest', reason: `the signature is about ${read.digest}, not about ${digest}` };
  const { fact } = finding;
  const subjects = [{ name: read.reference, digest: { sha256: digest.slice('sha256:'.length) } }];
  return { kind: 'verified', fact: { ...fact, subjects, predicateType: IMAGE_SIGNATURE, annotations: read.annotations } };
}

/** Tools write times and numbers there, too; only texts can be asked for. */
function textsOf(object: Readonly<Record<string, Json>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(object).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value] as const] : [])));
}
