import type { Bundle } from '@sigstore/bundle';

import { sha256Of } from '#model/digest.ts';
import { matchesIdentity } from '#model/identity-match.ts';
import type { SignatureFinding, SignatureSigner } from '#model/signature-finding.ts';
import type { Credential } from '#model/trust-policy.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import { readBundle } from './bundle-text.ts';
import { certificatesOf, readCertificate } from './certificate.ts';
import { readContent } from './content.ts';
import type { Content } from './content.ts';
import type { SigningKey } from './public-key.ts';
import { isRefusal, refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { checkSignature } from './signed-bytes.ts';
import type { Material, ReadRoot } from './trusted-root.ts';
import { lookAtWitnesses } from './witnesses.ts';
import type { Witnessed } from './witnesses.ts';

/** Roots and keys are the same for thousands of bundles: whoever calls reads each once. */
export interface Openers {
  readonly root: (bytes: Uint8Array) => ReadRoot;
  readonly key: (pem: string) => SigningKey | undefined;
}

interface Signed {
  readonly signer: SignatureSigner;
  readonly witnessed: Witnessed;
}

/**
 * The mathematics are those of @sigstore/verify; around them stands what it leaves to its callers: what a statement is about, whom a log
 * entry names, identities and issuers in full, formats and limits before anything is parsed.
 */
export function verifyBundle(question: BundleQuestion, open: Openers): SignatureFinding {
  const read = readBundle(question.bundle);
  if (isRefusal(read)) return read;
  const { bundle } = read;
  const content = readContent(read, question.subject);
  if (isRefusal(content)) return content;
  const root = question.trustedRoot === undefined ? undefined : open.root(question.trustedRoot);
  if (root !== undefined && !root.ok) {
    const [mistake] = root.mistakes;
    return refuse('could-not-look', `the trusted root cannot be used: ${mistake?.pointer ?? ''} ${mistake?.reason ?? ''}`);
  }
  const chain = certificatesOf(bundle);
  const signed =
    chain.length === 0
      ? byKey(bundle, content, { question, material: root?.material, open })
      : keyless(bundle, content, { question, material: root?.material, open });
  if (isRefusal(signed)) return signed;
  const { subjects, predicateType, predicate, annotations } = content;
  const { signer, witnessed } = signed;
  return {
    kind: 'verified',
    fact: {
      subjects,
      predicateType,
      predicate,
      signer,
      signedAt: witnessed.at,
      seenBy: witnessed.by,
      annotations,
      bundle: sha256Of(question.bundle),
    },
  };
}

interface Given {
  readonly question: BundleQuestion;
  readonly material: Material | undefined;
  readonly open: Openers;
}

/** A key needs nobody's word for it: log entries and timestamps count if the trusted root knows who made them, and then they must be right. */
function byKey(bundle: Bundle, content: Content, { question, material, open }: Given): Signed | Refusal {
  const keys = question.credentials.flatMap((credential) => (credential.kind === 'public-key' ? [open.key(credential.pem)] : []));
  const known = keys.filter((key) => key !== undefined);
  if (known.length === 0)
    return refuse(
      'unknown-key',
      keys.length === 0 ? 'it was signed with a key, and no key is trusted here' : 'the trusted key is of no kind that counts',
    );
  const key = signerAmong(known, bundle, content);
  if (isRefusal(key)) return key;
  const witnessed = lookAtWitnesses(bundle, content, {
    signatory: { kind: 'key', der: key.spki },
    by: { kind: 'key', key },
    material: material ?? NOBODY,
  });
  if (isRefusal(witnessed)) return witnessed;
  return { signer: { kind: 'key', spkiSha256: key.spkiSha256 }, witnessed };
}

const NOBODY: Material = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [], timestampNames: [] };

/** The hint in a bundle is only that: whichever key made the signature signed. */
function signerAmong(keys: readonly SigningKey[], bundle: Bundle, content: Content): SigningKey | Refusal {
  for (const key of keys) {
    const check = checkSignature(key, content.signed, content.signature);
    if (check === 'valid') return key;
    if (check !== 'invalid' && keys.length === 1) return insufficient(check);
  }
  const { content: named } = bundle.verificationMaterial;
  const hint = named.$case === 'publicKey' ? named.publicKey.hint : '';
  const isNamed = keys.some((key) => Buffer.from(key.spkiSha256, 'hex').toString('base64') === hint);
  return isNamed
    ? refuse('bad-signature', 'the signature is not over this content')
    : refuse('unknown-key', 'no trusted key made the signature');
}

function insufficient(check: string): Refusal {
  return check === 'needs-bytes'
    ? refuse('unsupported-bundle', 'an ed25519 signature over plain bytes cannot be checked against a digest alone; give the file')
    : refuse('unsupported-bundle', `this key signs ${check.slice('needs-'.length)} digests; give that digest, or the file`);
}

/** A certificate needs three witnesses: a certificate log, a signature log, and somebody's word for the time. */
function keyless(bundle: Bundle, content: Content, { question, material }: Given): Signed | Refusal {
  const accepted = question.credentials.filter((credential) => credential.kind === 'keyless');
  const certificate = readCertificate(certificatesOf(bundle));
  if (isRefusal(certificate)) return certificate;
  if (accepted.length === 0) return refuse('unknown-key', 'it was signed with a certificate, and only keys are trusted here');
  if (material === undefined) return refuse('untrusted-certificate', 'it was signed with a certificate, and no trusted root is given');
  const check = checkSignature(certificate.key, content.signed, content.signature);
  if (check === 'invalid') return refuse('bad-signature', 'the signature is not over this content');
  if (check !== 'valid') return insufficient(check);
  const witnessed = lookAtWitnesses(bundle, content, {
    signatory: { kind: 'certificate', der: certificate.der },
    by: { kind: 'certificate', certificate: certificate.parsed },
    material,
  });
  if (isRefusal(witnessed)) return witnessed;
  const { issuer, identity } = certificate;
  if (!accepted.some((credential) => isAccepted(credential, issuer, identity)))
    return refuse('wrong-identity', `it was signed by ${identity} (vouched for by ${issuer}), who is not trusted here`);
  return { signer: { kind: 'keyless', issuer, identity }, witnessed };
}

function isAccepted(credential: Extract<Credential, { kind: 'keyless' }>, issuer: string, identity: string): boolean {
  return credential.issuer !== '' && credential.issuer === issuer && matchesIdentity(credential.identity, identity);
}
