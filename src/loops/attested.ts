import type { CommitId } from '#model/digest.ts';
import { issuedAt, type ContentEvidence, type EvidenceFound } from '#model/evidence.ts';
import type { Instant } from '#model/instant.ts';
import { valueAt } from '#model/json.ts';
import { createMemo, type Memo } from '#model/memo.ts';
import { visibleText } from '#model/quoted.ts';
import type { Pin } from '#model/resolution.ts';
import type { SignatureFact, SignatureFinding } from '#model/signature-finding.ts';
import type { TrustEntry } from '#model/trust-policy.ts';
import type { BundleQuestion } from '#ports/bundles.ts';
import { isPortError } from '#ports/port-error.ts';
import { judgeSigner } from '#trust/trust.ts';
import type { StoredBundle } from './evidence-branch.ts';
import type { TrustMaterial } from './trust-material.ts';
import type { World } from './world.ts';

/** Findings that follow from bundle, content and policy alone; what could not be looked at is not kept. */
export type Findings = Memo<SignatureFinding>;

export function createFindings(): Findings {
  return createMemo<SignatureFinding>(20_000);
}

export interface AttestedRequest {
  readonly head: CommitId | undefined;
  readonly pins: readonly Pick<Pin, 'instance' | 'capsule' | 'version' | 'sha256' | 'gitTree'>[];
  readonly material: TrustMaterial;
  readonly at: Instant;
}

type AttestedWorld = Pick<World, 'evidence' | 'bundles' | 'findings'>;

/** What signed statements say of contents: reads only what lies under their digests, and verifies offline. */
export async function attestedContents(world: AttestedWorld, request: AttestedRequest): Promise<readonly ContentEvidence[]> {
  const out: ContentEvidence[] = [];
  for (const pin of request.pins) out.push(await attested(world, request, pin));
  return out;
}

async function attested(world: AttestedWorld, request: AttestedRequest, pin: AttestedRequest['pins'][number]): Promise<ContentEvidence> {
  const { instance, capsule, version, sha256, gitTree } = pin;
  const content = { instance, capsule, version, sha256, gitTree };
  const found: EvidenceFound[] = [];
  const refused: ContentEvidence['refused'][number][] = [];
  try {
    const { bundles, isCut } = await world.evidence.of(request.head, sha256);
    for (const stored of bundles) {
      const finding = await findingOf(world, request.material, { stored, sha256 });
      const verdict = finding.kind === 'refused' ? finding : signerOf(finding.fact, request);
      if (verdict.kind === 'refused')
        refused.push({ answers: stored.answers, reason: `${verdict.code}: ${visibleText(verdict.reason, 160)}` });
      else if (finding.kind === 'verified') found.push(toFound(finding.fact, { stored, content, entry: verdict.entry }));
    }
    return { ...content, found, refused, unread: undefined, isCut };
  } catch (error) {
    if (!isPortError(error)) throw error;
    return { ...content, found, refused, unread: error.message, isCut: false };
  }
}

async function findingOf(
  world: AttestedWorld,
  material: TrustMaterial,
  { stored, sha256 }: { readonly stored: StoredBundle; readonly sha256: string },
): Promise<SignatureFinding> {
  const credentials = material.signers.flatMap(({ entry: { credential } }): BundleQuestion['credentials'][number][] =>
    credential.kind === 'public-key' || credential.kind === 'keyless' ? [credential] : [],
  );
  if (credentials.length === 0) return { kind: 'refused', code: 'unknown-key', reason: 'spec.trust names nobody who can sign bundles' };
  const key = `${stored.blob} ${sha256} ${material.digest}`;
  const known = world.findings.get(key);
  if (known !== undefined) return known;
  const bundle = await world.evidence.bytes(stored.blob);
  if (bundle === undefined) return { kind: 'refused', code: 'malformed-bundle', reason: 'it is larger than a bundle may be' };
  const finding = (await world.bundles()).verify({
    bundle,
    subject: { kind: 'digest', algorithm: 'sha256', hex: sha256 },
    credentials,
    trustedRoot: material.trustedRoot,
  });
  return finding.kind === 'refused' && finding.code === 'could-not-look' ? finding : world.findings.set(key, finding);
}

function signerOf(fact: SignatureFact, { material: { signers }, at }: AttestedRequest): ReturnType<typeof judgeSigner> {
  return judgeSigner({ signer: fact.signer, signers, purpose: 'evidence', at: fact.signedAt ?? at });
}

interface Context {
  readonly stored: StoredBundle;
  readonly content: Pick<ContentEvidence, 'sha256' | 'gitTree'>;
  readonly entry: TrustEntry;
}

function toFound(fact: SignatureFact, { stored, content, entry }: Context): EvidenceFound {
  const of = fact.subjects.find(({ digest }) => digest['sha256'] === content.sha256 && digest['gitTree'] === content.gitTree);
  const named = of ?? fact.subjects[0];
  const signed = valueAt(fact.predicate, '/gate');
  return {
    subject: { sha256: named?.digest['sha256'] ?? '', gitTree: named?.digest['gitTree'] ?? '' },
    predicateType: fact.predicateType ?? '',
    predicate: fact.predicate,
    answers: typeof signed === 'string' ? signed : stored.answers,
    signer: { name: entry.name, for: entry.purposes },
    issuedAt: issuedAt(fact.signedAt, fact.predicate),
  };
}
