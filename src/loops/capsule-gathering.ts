import type { ArtifactFacts } from '#model/capsule-artifact.ts';
import type { CommitId } from '#model/digest.ts';
import type { SignatureFinding } from '#model/signature-finding.ts';
import type { TrustPolicy } from '#model/trust-policy.ts';
import type { BundleQuestion, Bundles } from '#ports/bundles.ts';
import type { Clock } from '#ports/machine.ts';
import { isPortError } from '#ports/port-error.ts';
import type { ImageRepository, Registry } from '#ports/registry.ts';
import { verifiedBundle } from './attested.ts';
import { bundlesBeside, type FoundBundle } from './capsule-signing.ts';
import type { CapsuleFindings } from './capsule-verdict.ts';
import { SIGNATURE } from './evidence-branch.ts';
import type { StoredBundle } from './evidence-branch.ts';
import type { World } from './world.ts';

type Credentials = Pick<BundleQuestion, 'credentials' | 'trustedRoot'>;
/** What one place says; a place that could not be looked at says so. */
export type Gathered = Pick<CapsuleFindings, 'findings' | 'isCut' | 'unread'>;

/** The signatures beside an artifact in a registry or layout. */
export async function signaturesBeside(
  at: { readonly bundles: Bundles; readonly registry: Registry; readonly repository: ImageRepository; readonly clock: Clock },
  credentials: Credentials,
  { facts, artifact }: { readonly facts: Pick<ArtifactFacts, 'sha256'>; readonly artifact: string },
): Promise<Gathered> {
  try {
    const found = await bundlesBeside(at, at.repository, artifact);
    const findings = found.bundles.map((one) => findingOf(at.bundles, credentials, { one, sha256: facts.sha256 }));
    return { findings, isCut: found.isCut, unread: found.unread };
  } catch (error) {
    if (!isPortError(error)) throw error;
    return { findings: [], isCut: false, unread: error.message };
  }
}

function findingOf(
  bundles: Bundles,
  { credentials, trustedRoot }: Credentials,
  { one, sha256 }: { readonly one: FoundBundle; readonly sha256: string },
): SignatureFinding {
  if (one.bytes === undefined) return { kind: 'refused', code: 'malformed-bundle', reason: one.fault ?? 'it cannot be read' };
  if (credentials.length === 0) return NOBODY;
  return bundles.verify({ bundle: one.bytes, subject: { kind: 'digest', algorithm: 'sha256', hex: sha256 }, credentials, trustedRoot });
}

const NOBODY: SignatureFinding = { kind: 'refused', code: 'unknown-key', reason: 'spec.trust names nobody who can sign bundles' };

/** The signatures on the evidence branch; only files that are called so are looked at. */
export async function signaturesInEvidence(
  world: Pick<World, 'evidence' | 'bundles' | 'findings'>,
  material: Credentials & { readonly policy: TrustPolicy | undefined },
  { facts, head }: { readonly facts: Pick<ArtifactFacts, 'sha256'>; readonly head: CommitId | undefined },
): Promise<Gathered> {
  try {
    const { bundles, isCut } = await world.evidence.of(head, facts.sha256);
    const findings: SignatureFinding[] = [];
    for (const stored of bundles.filter(({ answers }) => answers === SIGNATURE))
      findings.push(await storedFinding(world, material, { stored, facts }));
    return { findings, isCut, unread: undefined };
  } catch (error) {
    if (!isPortError(error)) throw error;
    return { findings: [], isCut: false, unread: error.message };
  }
}

/** From memory where a policy names the credentials; those given by hand are tried anew. */
async function storedFinding(
  world: Pick<World, 'evidence' | 'bundles' | 'findings'>,
  { credentials, trustedRoot, policy }: Credentials & { readonly policy: TrustPolicy | undefined },
  { stored, facts: { sha256 } }: { readonly stored: StoredBundle; readonly facts: Pick<ArtifactFacts, 'sha256'> },
): Promise<SignatureFinding> {
  if (policy !== undefined) return verifiedBundle(world, { credentials, trustedRoot, policy }, { stored, sha256 });
  const bytes = await world.evidence.bytes(stored.blob);
  return findingOf(await world.bundles(), { credentials, trustedRoot }, { one: { place: stored.path, bytes }, sha256 });
}
