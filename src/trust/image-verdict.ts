import type { AskedOfImage, ImageFindings, ImageVerdict } from '#model/image-verdict.ts';
import { quoted, visibleText } from '#model/quoted.ts';
import type { SignatureCode, SignatureFact, SignatureFinding, SignatureSigner } from '#model/signature-finding.ts';
import { IMAGE_SIGNATURE, MOST_SIGNATURES_LOOKED_AT } from '#model/signature-finding.ts';

type Refused = Extract<SignatureFinding, { kind: 'refused' }>;

/** Among refusals the one is told that came nearest to counting; what could not be read comes first, since it might have counted. */
const NEAREST: readonly SignatureCode[] = [
  'could-not-look',
  'too-many-signatures',
  'wrong-annotation',
  'wrong-repository',
  'wrong-predicate',
  'outside-window',
  'wrong-purpose',
  'too-few-signatures',
  'wrong-identity',
  'wrong-digest',
  'untrusted-certificate',
  'untrusted-log',
  'untrusted-time',
  'bad-signature',
  'unknown-key',
  'legacy-signature',
  'unsupported-bundle',
  'malformed-bundle',
  'unsigned',
];

/** Accepted if one signature is right and is what was asked for; else the reason that is nearest to it. */
export function judgeFindings({ findings, isCut, hasLegacyOnly }: ImageFindings, asked: AskedOfImage): ImageVerdict {
  const judged = findings.map((finding) => (finding.kind === 'verified' ? judgeFact(finding.fact, asked) : finding));
  const [first, ...others] = judged.flatMap((finding) => (finding.kind === 'verified' ? [finding.fact] : []));
  const what = asked.predicateType === IMAGE_SIGNATURE ? 'it is signed' : `it has an attestation ${visibleText(asked.predicateType)}`;
  if (first !== undefined) {
    const signers = [...new Set([first, ...others].map((fact) => signerWords(fact.signer)))];
    return { kind: 'accepted', facts: [first, ...others], sentence: `${what} by ${signers.join(' and by ')}` };
  }
  if (isCut)
    return refusal(
      'too-many-signatures',
      `none of the ${MOST_SIGNATURES_LOOKED_AT} signatures that were looked at counts, and there are more`,
    );
  if (hasLegacyOnly) return refusal('legacy-signature', 'it has a signature of the older format only (the tag sha256-<digest>.sig)');
  const refusals = judged.flatMap((finding) => (finding.kind === 'refused' ? [finding] : []));
  const [nearest] = refusals.toSorted((a, b) => NEAREST.indexOf(a.code) - NEAREST.indexOf(b.code));
  if (nearest === undefined)
    return refusal('unsigned', asked.predicateType === IMAGE_SIGNATURE ? 'nobody signed it' : 'nobody attested it');
  const more = refusals.length === 1 ? '' : ` (${refusals.length} signatures were looked at)`;
  return refusal(nearest.code, `${nearest.reason}${more}`);
}

function judgeFact(fact: SignatureFact, { digest, predicateType, annotations, repository }: AskedOfImage): SignatureFinding {
  const hex = digest.slice('sha256:'.length);
  const about = fact.subjects.filter((subject) => Object.hasOwn(subject.digest, 'sha256') && subject.digest['sha256'] === hex);
  if (about.length === 0) return refused('wrong-digest', `the signature is not about ${digest}`);
  if (fact.predicateType !== predicateType) {
    const found = fact.predicateType === undefined ? 'a signature over plain bytes' : kindWords(fact.predicateType);
    return refused('wrong-predicate', `what was signed is ${found}, not ${kindWords(predicateType)}`);
  }
  for (const [key, wanted] of annotations) {
    const found = Object.hasOwn(fact.annotations, key) ? fact.annotations[key] : undefined;
    if (found !== wanted)
      return refused(
        'wrong-annotation',
        `the signature says ${quoted(key)} is ${found === undefined ? 'nothing' : quoted(found)}, not ${quoted(wanted)}`,
      );
  }
  if (repository !== undefined && !about.some(({ name }) => name === repository))
    return refused('wrong-repository', `the signature does not say that it is about ${quoted(repository)}`);
  return { kind: 'verified', fact };
}

function kindWords(predicateType: string): string {
  return predicateType === IMAGE_SIGNATURE ? 'a signature of an image' : `an attestation ${visibleText(predicateType)}`;
}

function signerWords(signer: SignatureSigner): string {
  return signer.kind === 'key'
    ? `the key sha256:${signer.spkiSha256}`
    : `${visibleText(signer.identity)} (vouched for by ${visibleText(signer.issuer)})`;
}

function refused(code: SignatureCode, reason: string): Refused {
  return { kind: 'refused', code, reason };
}

function refusal(code: SignatureCode, sentence: string): ImageVerdict {
  return { kind: 'refused', code, sentence };
}
