import { CAPSULE_RELEASE, claimedPredicateType } from '#model/capsule-statement.ts';
import { sha256Of, toTreeId, type CommitId } from '#model/digest.ts';
import { isJsonObject, valueAt, type Json } from '#model/json.ts';
import { createMemo } from '#model/memo.ts';
import { toCapsuleName } from '#model/names.ts';
import { parseBoundedJson } from '#model/oci-manifest.ts';
import { LARGEST_BUNDLE, type SignatureFinding } from '#model/signature-finding.ts';
import { isPortError } from '#ports/port-error.ts';
import { packPin } from './capsule-artifacts.ts';
import type { CapsuleArtifacts } from './capsule-signatures.ts';
import { bundlesBeside, type FoundBundle, type FoundBundles } from './capsule-signing.ts';
import type { TrustMaterial } from './trust-material.ts';
import type { ReadingWorld, World } from './world.ts';

/** A bundle beside an artifact, and what the mathematics say of it. */
export interface BundleBeside {
  readonly finding: SignatureFinding;
  /** What kind of statement it says it is, whoever signed it; undefined where it cannot be read. */
  readonly claimed: string | undefined;
  /** It names the artifact, and thereby all of its content; else it must name both digests of the content. */
  readonly ofArtifact: boolean;
}

export interface EvidenceBeside {
  readonly bundles: readonly BundleBeside[];
  readonly isCut: boolean;
  /** Why not everything could be looked at. */
  readonly unread: string | undefined;
}

/** What a lock names; without the commit of a release it has no artifact. */
interface PinnedContent {
  readonly instance: string;
  readonly capsule: string;
  readonly sha256: string;
  readonly gitTree: string;
  readonly commit: CommitId | undefined;
}

/** Statements that lie beside the artifacts of capsules in a registry, by instance; what has no artifact is not there. */
export interface RegistryEvidence {
  of(pins: readonly PinnedContent[], material: TrustMaterial): Promise<ReadonlyMap<string, EvidenceBeside>>;
  counts(): { readonly asked: number };
}

interface EvidenceWorld extends Pick<World, 'bundles' | 'findings' | 'kept' | 'clock'> {
  readonly repository: ReadingWorld['repository'];
  readonly reading: ReadingWorld['reading'];
  /** Undefined: artifacts lie nowhere, and nothing is asked. */
  readonly artifacts: CapsuleArtifacts | undefined;
}

/** Milliseconds for which a list is not asked for again; a newer and worse statement is seen after that. */
const LIST_IS_FRESH = 60_000;
const FORMAT = 1;
const DEEPEST = 4;

/**
 * Lists are asked for anew, since a newer statement may say the contrary of an older one. The bundles never change: those that held once are
 * kept by the digest of what carries them, and verified again.
 */
export function createRegistryEvidence(world: EvidenceWorld): RegistryEvidence {
  const answers = createMemo<{ readonly at: number; readonly answer: EvidenceBeside }>(500);
  let asked = 0;

  async function listOf(artifacts: CapsuleArtifacts, pin: PinnedContent, artifact: string): Promise<FoundBundles> {
    asked += 1;
    const known = async (place: string) => keptIn(await world.kept.get(keyOf(artifact, place)));
    const registry = await artifacts.registry();
    return bundlesBeside({ registry, clock: world.clock, known }, artifacts.repositoryOf(pin.capsule), artifact);
  }

  async function judged(one: FoundBundle, material: TrustMaterial, { pin, artifact }: OfPin): Promise<BundleBeside> {
    if (one.bytes === undefined) {
      const reason = one.fault ?? 'it cannot be read';
      return { finding: { kind: 'refused', code: 'malformed-bundle', reason }, claimed: undefined, ofArtifact: false };
    }
    const { bytes, place } = one;
    const claimed = claimedPredicateType(bytes);
    if (material.credentials.length === 0) return { finding: NOBODY, claimed, ofArtifact: false };
    const verify = async (hex: string): Promise<SignatureFinding> => {
      const key = `${sha256Of(bytes)} ${hex} ${material.policy.digest}`;
      const known = world.findings.get(key);
      if (known !== undefined) return known;
      const { credentials, trustedRoot } = material;
      const subject = { kind: 'digest', algorithm: 'sha256', hex } as const;
      const finding = (await world.bundles()).verify({ bundle: bytes, subject, credentials, trustedRoot });
      if (finding.kind === 'verified') await world.kept.put(keyOf(artifact, place), keptText(bytes));
      return finding.kind === 'refused' && finding.code === 'could-not-look' ? finding : world.findings.set(key, finding);
    };
    const ofContent = await verify(pin.sha256);
    const isOther = ofContent.kind === 'refused' && ofContent.code === 'wrong-digest';
    const finding = isOther ? await verify(artifact.slice('sha256:'.length)) : ofContent;
    return { finding, claimed, ofArtifact: isOther };
  }

  async function beside(artifacts: CapsuleArtifacts, pin: PinnedContent, material: TrustMaterial): Promise<EvidenceBeside | undefined> {
    try {
      if (pin.commit === undefined) return undefined;
      const named = { capsule: toCapsuleName(pin.capsule), gitTree: toTreeId(pin.gitTree), commit: pin.commit };
      const packed = await packPin(world, named).catch((error: unknown) => {
        // The release commit of an import may be another repository's.
        if (!isPortError(error)) throw error;
        return undefined;
      });
      // An artifact of other files than the lock says binds nothing.
      if (packed?.facts.sha256 !== pin.sha256 || packed.facts.gitTree !== pin.gitTree) return undefined;
      const key = `${packed.digest} ${material.policy.digest}`;
      const now = world.clock.now();
      const known = answers.get(key);
      if (known !== undefined && known.at <= now && now - known.at < LIST_IS_FRESH) return known.answer;
      const { bundles, isCut, unread } = await listOf(artifacts, pin, packed.digest);
      const looked: BundleBeside[] = [];
      for (const one of bundles) looked.push(await judged(one, material, { pin, artifact: packed.digest }));
      // The signature of a release has its own gate.
      const answer = { bundles: looked.filter(({ claimed }) => claimed !== CAPSULE_RELEASE), isCut, unread };
      // What could not be looked at is asked for again.
      return unread === undefined ? answers.set(key, { at: now, answer }).answer : answer;
    } catch (error) {
      if (!isPortError(error)) throw error;
      return { bundles: [], isCut: false, unread: error.message };
    }
  }

  return {
    async of(pins, material) {
      const found = new Map<string, EvidenceBeside>();
      let silent: string | undefined;
      for (const pin of world.artifacts === undefined ? [] : pins) {
        // A registry that does not answer for one is not waited for with all.
        const one =
          silent === undefined && world.artifacts !== undefined
            ? await beside(world.artifacts, pin, material)
            : { bundles: [], isCut: false, unread: silent };
        silent ??= one?.unread;
        if (one !== undefined) found.set(pin.instance, one);
      }
      return found;
    },
    counts: () => ({ asked }),
  };
}

interface OfPin {
  readonly pin: PinnedContent;
  readonly artifact: string;
}

const NOBODY: SignatureFinding = { kind: 'refused', code: 'unknown-key', reason: 'spec.trust names nobody who can sign bundles' };

function keyOf(artifact: string, place: string): string {
  return sha256Of(`evidence ${artifact} ${place}`);
}

function keptText(bytes: Uint8Array): string {
  return JSON.stringify({ formatVersion: FORMAT, bundle: Buffer.from(bytes).toString('base64') });
}

/** Hostile like everything that lies around: bounded, and verified afterwards. */
function keptIn(text: string | undefined): Uint8Array | undefined {
  const value: Json | undefined = text === undefined ? undefined : parseBoundedJson(Buffer.from(text), DEEPEST);
  if (!isJsonObject(value) || value['formatVersion'] !== FORMAT) return undefined;
  const bundle = valueAt(value, '/bundle');
  const bytes = typeof bundle === 'string' ? Buffer.from(bundle, 'base64') : undefined;
  return bytes === undefined || bytes.byteLength > LARGEST_BUNDLE ? undefined : bytes;
}
