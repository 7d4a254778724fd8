import type { CommitId } from '#model/digest.ts';
import { issuedAt, type ContentEvidence, type EvidenceFound } from '#model/evidence.ts';
import type { Instant } from '#model/instant.ts';
import { valueAt } from '#model/json.ts';
import { createMemo, type Memo } from '#model/memo.ts';
import { visibleText } from '#model/quoted.ts';
import type { SignatureFact, SignatureFinding } from '#model/signature-finding.ts';
import { isPortError } from '#ports/port-error.ts';
import { judgeFact, judgeFacts } from '#trust/trust.ts';
import { SIGNATURE, type StoredBundle } from './evidence-branch.ts';
import type { EvidenceBeside } from './registry-evidence.ts';
import type { TrustMaterial } from './trust-material.ts';
import type { World } from './world.ts';

/** Findings that follow from bundle, content and policy alone; what could not be looked at is not kept. */
export type Findings = Memo<SignatureFinding>;

export function createFindings(): Findings {
  return createMemo<SignatureFinding>(20_000);
}

export interface AttestedRequest {
  readonly head: CommitId | undefined;
  readonly pins: readonly Pick<ContentEvidence, 'instance' | 'capsule' | 'version' | 'sha256' | 'gitTree'>[];
  readonly material: TrustMaterial;
  /** The unit that the evidence lets change: the lock of the environment. */
  readonly path: string | undefined;
  readonly at: Instant;
  /** What lies beside the artifacts in a registry, by instance; absent: it was not asked. */
  readonly beside?: ReadonlyMap<string, EvidenceBeside>;
}

type AttestedWorld = Pick<World, 'evidence' | 'bundles' | 'findings'>;

/** What signed statements say of contents: reads only what lies under their digests, and verifies offline. */
export async function attestedContents(world: AttestedWorld, request: AttestedRequest): Promise<readonly ContentEvidence[]> {
  const out: ContentEvidence[] = [];
  for (const pin of request.pins) out.push(await attested(world, request, pin));
  return out;
}

interface Verified {
  readonly answers: string;
  readonly fact: SignatureFact;
  /** It names the artifact, of which the content follows. */
  readonly ofArtifact: boolean;
  readonly isUnordered: boolean;
}

type Refused = ContentEvidence['refused'][number];

/** What one place holds. */
interface Held {
  readonly verified: readonly Verified[];
  readonly refused: readonly Refused[];
  readonly unread: string | undefined;
  readonly isCut: boolean;
}

async function attested(world: AttestedWorld, request: AttestedRequest, pin: AttestedRequest['pins'][number]): Promise<ContentEvidence> {
  const { instance, capsule, version, sha256, gitTree } = pin;
  const content = { instance, capsule, version, sha256, gitTree };
  const branch = await onBranch(world, request, sha256);
  const beside = besideArtifact(request.beside?.get(instance));
  // One by one they may be fewer than a threshold asks for.
  const verified = [...branch.verified, ...beside.verified];
  const judged = verified.map((one) => judgedOf(request, content, { one, verified }));
  return {
    ...content,
    found: judged.flatMap((one) => ('signer' in one ? [one] : [])),
    refused: [...branch.refused, ...beside.refused, ...judged.flatMap((one) => ('reason' in one ? [one] : []))],
    unread: branch.unread ?? beside.unread,
    isCut: branch.isCut || beside.isCut,
  };
}

async function onBranch(world: AttestedWorld, { head, material }: AttestedRequest, sha256: string): Promise<Held> {
  const refused: Refused[] = [];
  const verified: Verified[] = [];
  try {
    const { bundles, isCut } = await world.evidence.of(head, sha256);
    for (const stored of bundles.filter(({ form, answers }) => form === 'sigstore' && answers !== SIGNATURE)) {
      const { answers } = stored;
      const finding = await verifiedBundle(world, material, { stored, sha256 });
      if (finding.kind === 'verified') verified.push({ answers, fact: finding.fact, ofArtifact: false, isUnordered: false });
      else refused.push({ answers, reason: reasonOf(finding) });
    }
    return { verified, refused, unread: undefined, isCut };
  } catch (error) {
    if (!isPortError(error)) throw error;
    return { verified: [], refused, unread: error.message, isCut: false };
  }
}

/** Files have names that tell what they are for; bundles in a registry have only the kind of their statement. */
function besideArtifact({ bundles, unread, isCut }: EvidenceBeside = { bundles: [], unread: undefined, isCut: false }): Held {
  return {
    // The one that could not be read may say the contrary.
    verified: (unread === undefined ? bundles : []).flatMap(({ finding, ofArtifact }) =>
      finding.kind === 'verified' ? [{ answers: '', fact: finding.fact, ofArtifact, isUnordered: true }] : [],
    ),
    refused: bundles.flatMap(({ finding, claimed }) =>
      finding.kind === 'verified'
        ? []
        : [{ answers: '', reason: reasonOf(finding), ...(claimed === undefined ? {} : { predicateType: claimed }) }],
    ),
    unread,
    isCut,
  };
}

function reasonOf({ code, reason }: Extract<SignatureFinding, { kind: 'refused' }>): string {
  return `${code}: ${visibleText(reason, 160)}`;
}

/** The finding about one stored bundle, from memory where bundle, content and policy are the same. */
export async function verifiedBundle(
  world: AttestedWorld,
  { credentials, policy, trustedRoot }: TrustMaterial,
  { stored, sha256 }: { readonly stored: StoredBundle; readonly sha256: string },
): Promise<SignatureFinding> {
  if (credentials.length === 0) return { kind: 'refused', code: 'unknown-key', reason: 'spec.trust names nobody who can sign bundles' };
  const key = `${stored.blob} ${sha256} ${policy.digest}`;
  const known = world.findings.get(key);
  if (known !== undefined) return known;
  const bundle = await world.evidence.bytes(stored.blob);
  if (bundle === undefined) return { kind: 'refused', code: 'malformed-bundle', reason: 'it is larger than a bundle may be' };
  const subject = { kind: 'digest', algorithm: 'sha256', hex: sha256 } as const;
  const finding = (await world.bundles()).verify({ bundle, subject, credentials, trustedRoot });
  return finding.kind === 'refused' && finding.code === 'could-not-look' ? finding : world.findings.set(key, finding);
}

interface Among {
  readonly one: Verified;
  readonly verified: readonly Verified[];
}

/** A signature that holds, judged by the policy; a threshold counts whoever signed a statement of the same kind. */
function judgedOf(
  { material: { policy }, path, at }: AttestedRequest,
  { sha256, gitTree }: Pick<ContentEvidence, 'sha256' | 'gitTree'>,
  { one: { fact, answers, ofArtifact, isUnordered }, verified }: Among,
): EvidenceFound | ContentEvidence['refused'][number] {
  const asked = { purpose: 'evidence', path, firstSeen: at } as const;
  const own = judgeFact(fact, policy, asked);
  const alike = verified.filter((other) => other.fact.predicateType === fact.predicateType).map((other) => other.fact);
  const together = own.kind === 'accepted' ? judgeFacts(alike, policy, asked) : own;
  if (own.kind !== 'accepted' || together.kind !== 'accepted') {
    const [code, sentence] = together.kind === 'refused' ? [together.code, together.sentence] : ['unknown-key', together.sentence];
    return { answers, reason: `${code}: ${sentence}`, ...(fact.predicateType === undefined ? {} : { predicateType: fact.predicateType }) };
  }
  const of = fact.subjects.find(({ digest }) => digest['sha256'] === sha256 && digest['gitTree'] === gitTree);
  const named = of ?? fact.subjects[0];
  const signed = valueAt(fact.predicate, '/gate');
  return {
    subject: ofArtifact ? { sha256, gitTree } : { sha256: named?.digest['sha256'] ?? '', gitTree: named?.digest['gitTree'] ?? '' },
    predicateType: fact.predicateType ?? '',
    predicate: fact.predicate,
    answers: typeof signed === 'string' ? signed : answers,
    signer: { name: own.by, for: ['evidence'] },
    issuedAt: issuedAt(fact.signedAt, fact.predicate),
    ...(isUnordered ? { isUnordered } : {}),
  };
}
