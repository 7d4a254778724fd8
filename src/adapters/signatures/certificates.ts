import { X509Certificate } from 'node:crypto';

import type { CommitSignatureCode } from '#model/commit-finding.ts';
import type { Parsed } from '#model/git-objects.ts';
import { type Instant, toInstant } from '#model/instant.ts';
import { readArmour } from './armour.ts';
import { ASN1_LIMITS, certificateAlgorithm, type Known, weaknessOf } from './cms.ts';

const LARGEST_ROOTS = 1024 * 1024;
const ROOTS = 64;
/** Certificates between a signer and its root, and certificates that are tried to find the way. */
const LONGEST_CHAIN = 8;
const TRIED = 64;

const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SUBJECT_NAMES = '2.5.29.17';
const NAME_CONSTRAINTS = '2.5.29.30';
/** Critical extensions whose meaning is known here; a certificate with any other vouches for nothing (RFC 5280 section 4.2). */
const UNDERSTOOD: ReadonlySet<string> = new Set([BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, SUBJECT_NAMES]);
/** Code signing, e-mail protection, any. */
const PURPOSES: ReadonlySet<string> = new Set(['1.3.6.1.5.5.7.3.3', '1.3.6.1.5.5.7.3.4', '2.5.29.37.0']);
const DIGITAL_SIGNATURE = 0x80;
const CONTENT_COMMITMENT = 0x40;
const CERTIFICATE_SIGN = 0x04;

/** Roots of a PEM file; a file that holds anything else is refused whole. */
export async function readRoots(pem: string): Promise<Parsed<readonly Known[]>> {
  if (pem.length > LARGEST_ROOTS) return { ok: false, reason: 'it is larger than 1 MiB' };
  const blocks = readArmour(pem, ['CERTIFICATE'], ROOTS);
  if (!blocks.ok) return blocks;
  const [asn1, pki] = await Promise.all([import('asn1js'), import('pkijs')]);
  const roots: Known[] = [];
  for (const { bytes } of blocks.value) {
    try {
      const { offset, result } = asn1.fromBER(bytes, ASN1_LIMITS);
      if (offset !== bytes.length) return { ok: false, reason: 'a certificate has bytes behind its end' };
      roots.push({ parts: new pki.Certificate({ schema: result }), node: new X509Certificate(bytes) });
    } catch {
      return { ok: false, reason: 'a certificate cannot be read' };
    }
  }
  return roots.length === 0 ? { ok: false, reason: 'it holds no certificate' } : { ok: true, value: roots };
}

export type Chain =
  | { readonly ok: true; readonly goodFrom: Instant; readonly goodBefore: Instant }
  | { readonly ok: false; readonly code: CommitSignatureCode; readonly reason: string };

/**
 * The way from the signer to a root: each certificate signed by the next, which must be an authority and allowed to sign certificates.
 * Times are told, not judged. Revocation lists are not asked for: who may no longer sign is named by --revoked-keys or a trust entry.
 */
export function chainTo(roots: readonly Known[], pool: readonly Known[], signer: Known): Chain {
  const unfit = unfitSigner(signer);
  if (unfit !== undefined) return unfit;
  const tried = { count: 0 };
  const found = wayUp({ roots, pool, tried }, [signer]);
  if (found === undefined) return refusal('untrusted-certificate', 'no chain of certificates leads from the signer to the given root');
  for (const [index, { parts, node }] of found.entries()) {
    // Nobody needs to vouch for a root: it was given.
    const word = index === found.length - 1 ? 'accepted' : certificateAlgorithm(parts.signatureAlgorithm.algorithmId);
    if (word === 'weak') return refusal('weak-hash', 'a certificate of the chain is signed with SHA-1 or MD5');
    if (word === 'unknown')
      return refusal('unsupported-key', 'a certificate of the chain is signed with an algorithm that is not accepted');
    const weak = weaknessOf(node);
    if (weak !== undefined) return weak;
    const strange = strangeExtension(parts);
    if (strange !== undefined) return refusal('untrusted-certificate', strange);
  }
  const from = Math.max(...found.map(({ node }) => node.validFromDate.getTime()));
  const until = Math.min(...found.map(({ node }) => node.validToDate.getTime()));
  return { ok: true, goodFrom: toInstant(from), goodBefore: toInstant(until + 1000) };
}

/** E-mail addresses and URIs of the subject's alternative names. */
export function identitiesOf({ parts }: Known): readonly string[] {
  const names: unknown = parts.extensions?.find((one) => one.extnID === SUBJECT_NAMES)?.parsedValue;
  if (typeof names !== 'object' || names === null || !('altNames' in names) || !Array.isArray(names.altNames)) return [];
  return names.altNames.flatMap((name: unknown) => {
    if (typeof name !== 'object' || name === null || !('type' in name) || !('value' in name)) return [];
    return (name.type === 1 || name.type === 6) && typeof name.value === 'string' ? [name.value] : [];
  });
}

export function fingerprintOf({ node }: Known): string {
  return node.fingerprint256.replaceAll(':', '').toLowerCase();
}

interface Ways {
  readonly roots: readonly Known[];
  readonly pool: readonly Known[];
  readonly tried: { count: number };
}

/** From the last certificate of `way` upwards, depth first; bounded, since everything in the pool came with the signature. */
function wayUp(ways: Ways, way: readonly Known[]): readonly Known[] | undefined {
  const last = way.at(-1);
  if (last === undefined || way.length > LONGEST_CHAIN) return undefined;
  if (ways.roots.some((root) => fingerprintOf(root) === fingerprintOf(last))) return way;
  for (const issuer of [...ways.roots, ...ways.pool]) {
    if (way.some((one) => fingerprintOf(one) === fingerprintOf(issuer))) continue;
    if (ways.tried.count >= TRIED) return undefined;
    if (!last.node.checkIssued(issuer.node) || !isAuthority(issuer, way.length - 1)) continue;
    ways.tried.count += 1;
    if (!isSignedBy(last, issuer)) continue;
    const found = wayUp(ways, [...way, issuer]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isSignedBy(certificate: Known, issuer: Known): boolean {
  try {
    return certificate.node.verify(issuer.node.publicKey);
  } catch {
    return false;
  }
}

/** `below`: authorities between this one and the signer. */
function isAuthority({ parts, node }: Known, below: number): boolean {
  const constraints: unknown = parts.extensions?.find((one) => one.extnID === BASIC_CONSTRAINTS)?.parsedValue;
  const most =
    typeof constraints === 'object' && constraints !== null && 'pathLenConstraint' in constraints
      ? constraints.pathLenConstraint
      : undefined;
  if (most !== undefined && (typeof most !== 'number' || below > most)) return false;
  const usage = usageOf(parts);
  return node.ca && (usage === undefined || (usage & CERTIFICATE_SIGN) !== 0);
}

function unfitSigner({ parts, node }: Known): Extract<Chain, { ok: false }> | undefined {
  const usage = usageOf(parts);
  if (usage !== undefined && (usage & (DIGITAL_SIGNATURE | CONTENT_COMMITMENT)) === 0)
    return refusal('not-a-signing-key', 'its certificate does not say that this key may sign');
  const purposes = node.keyUsage;
  const hasPurposes = parts.extensions?.some((one) => one.extnID === EXTENDED_KEY_USAGE) === true;
  if (hasPurposes && !(purposes ?? []).some((purpose) => PURPOSES.has(purpose)))
    return refusal('not-a-signing-key', 'its certificate is neither for signing code nor for e-mail');
  return undefined;
}

function strangeExtension(parts: Known['parts']): string | undefined {
  for (const { extnID, critical } of parts.extensions ?? []) {
    if (extnID === NAME_CONSTRAINTS) return 'a certificate of the chain constrains names, which is not supported';
    if (critical && !UNDERSTOOD.has(extnID))
      return `a certificate of the chain has the critical extension ${extnID}, which is not supported`;
  }
  return undefined;
}

/** The first eight bits of the key usage; undefined where the certificate does not say. */
function usageOf(parts: Known['parts']): number | undefined {
  const extension = parts.extensions?.find((one) => one.extnID === KEY_USAGE);
  if (extension === undefined) return undefined;
  const bytes = Buffer.from(extension.extnValue.valueBlock.valueHexView);
  // BIT STRING: tag, length, unused bits, bits.
  return bytes[0] === 3 && bytes.length >= 4 ? (bytes[3] ?? 0) : 0;
}

function refusal(code: CommitSignatureCode, reason: string): Extract<Chain, { ok: false }> {
  return { ok: false, code, reason };
}
