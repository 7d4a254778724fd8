import { instantText } from '#model/instant.ts';
import { LARGEST_BUNDLE } from '#model/signature-finding.ts';
import type { SignatureFact, SignatureFinding } from '#model/signature-finding.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { outputFormat, printable, printDocument } from './output.ts';
import { beginningOf, credentialIn, fileAt, trustedRootFor } from './signature-credentials.ts';

const LARGEST_FILE = 512 * 1024 * 1024;
const DIGEST_LENGTH: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
]);

/** 0 accepted, 3 refused, 1 not found or unreadable. Nothing is asked of any network. */
export async function verifyBundle(invocation: Invocation): Promise<number> {
  const { words, options, powers, terminal } = invocation;
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const [wanted = ''] = words;
  if (typeof options.bundle !== 'string' || options.bundle === '') throw new UsageError('which bundle? Give --bundle FILE');
  const digest = digestIn(wanted);
  const bundles = await powers.openBundles();
  const credential = await credentialIn(invocation, bundles);
  const finding = bundles.verify({
    subject: digest ?? { kind: 'bytes', bytes: await fileAt(wanted, terminal, LARGEST_FILE) },
    bundle: await beginningOf(options.bundle, terminal, LARGEST_BUNDLE),
    credentials: [credential],
    trustedRoot: await trustedRootFor(invocation, bundles, credential.kind === 'keyless'),
  });
  const sentence = sentenceOf(wanted, finding);
  if (format === 'json') printDocument(terminal, 'BundleVerdict', { subject: wanted, ...verdictDocument(finding), sentence });
  else terminal.out(`${printable(sentence)}\n`);
  return finding.kind === 'verified' ? EXIT.ok : EXIT.refused;
}

function digestIn(wanted: string): Extract<BundleQuestion['subject'], { kind: 'digest' }> | undefined {
  const [, algorithm = '', hex = ''] = /^(sha\d+):(.*)$/s.exec(wanted) ?? [];
  if (algorithm === '') return undefined;
  if (algorithm !== 'sha256' && algorithm !== 'sha384' && algorithm !== 'sha512')
    throw new UsageError(`digests of ${algorithm} are not known: sha256, sha384, sha512`);
  if (hex.length !== DIGEST_LENGTH.get(algorithm) || !/^[0-9a-f]+$/.test(hex))
    throw new UsageError(
      `"${wanted.slice(0, 200)}" is no digest: ${algorithm}: and ${DIGEST_LENGTH.get(algorithm) ?? 0} lower-case hex digits`,
    );
  return { kind: 'digest', algorithm, hex };
}

/** Who signed what, and who vouches for when; or why not. */
export function sentenceOf(subject: string, finding: SignatureFinding): string {
  if (finding.kind === 'refused') return `${subject} is not accepted: ${finding.reason} (${finding.code})`;
  const { fact } = finding;
  const what =
    fact.predicateType === undefined ? `${subject} was signed` : `${subject}: a statement of type ${fact.predicateType} was signed`;
  return `${what} by ${signerText(fact)}${witnessText(fact)}`;
}

function signerText({ signer }: SignatureFact): string {
  return signer.kind === 'key' ? `the key sha256:${signer.spkiSha256}` : `${signer.identity} (${signer.issuer} vouches for the name)`;
}

function witnessText({ signedAt, seenBy = [] }: SignatureFact): string {
  const by = seenBy.length === 0 ? '' : `, seen by ${seenBy.join(' and ')}`;
  return signedAt === undefined ? `${by}; nobody vouches for when` : ` at ${instantText(signedAt)}${by}`;
}

function verdictDocument(finding: SignatureFinding): object {
  if (finding.kind === 'refused') return { verdict: 'refused', code: finding.code, reason: finding.reason };
  const { signer, signedAt, seenBy = [], predicateType, subjects, annotations, bundle } = finding.fact;
  return {
    verdict: 'accepted',
    code: null,
    signer: signer.kind === 'key' ? { key: signer.spkiSha256 } : { issuer: signer.issuer, identity: signer.identity },
    signedAt: signedAt === undefined ? null : instantText(signedAt),
    seenBy,
    predicateType: predicateType ?? null,
    subjects,
    annotations,
    bundle,
  };
}
