import { sha256Of } from '#model/digest.ts';
import type { ImageVerdict } from '#model/image-verdict.ts';
import { isJsonObject, type Json } from '#model/json.ts';
import { createMemo } from '#model/memo.ts';
import { IMAGE_SIGNATURE, LARGEST_BUNDLE, type SignatureCode, type SignatureFact } from '#model/signature-finding.ts';
import type { Bundles } from '#ports/bundles.ts';
import type { Kept } from '#ports/kept.ts';
import type { Clock } from '#ports/machine.ts';
import type { ImageRepository, Registry } from '#ports/registry.ts';
import { judgeImage } from '#trust/trust.ts';
import type { TrustMaterial } from './trust-material.ts';
import { verifyImage } from './verify-image.ts';

/** What the mathematics say of one image under one policy; who may sign is judged each time. */
export type FactsFound =
  | { readonly kind: 'verified'; readonly facts: readonly SignatureFact[] }
  | { readonly kind: 'refused'; readonly code: SignatureCode; readonly sentence: string }
  | { readonly kind: 'unread'; readonly because: string };

export interface PinnedImage {
  readonly repository: ImageRepository;
  readonly digest: string;
}

export interface ImageFactsWorld {
  readonly registry: () => Promise<Registry>;
  readonly bundles: () => Promise<Bundles>;
  /** Signatures that counted once, by image: in front of the network, and believed in nothing. */
  readonly kept: Kept;
  readonly clock: Clock;
}

export interface ImageFacts {
  of(image: PinnedImage, material: TrustMaterial, wanted: FactsWanted): Promise<FactsFound>;
  counts(): ImageFactsCounts;
}

export interface FactsWanted {
  /** Without it only what is at hand is answered. */
  readonly mayAsk: boolean;
  /** Whether facts are accepted. What is at hand and is not may have been joined by further signatures: the registry is asked again. */
  readonly isEnough: (facts: readonly SignatureFact[]) => boolean;
}

export interface ImageFactsCounts {
  /** How often a registry was asked for the signatures of an image. */
  readonly asked: number;
  /** How often kept signatures were verified instead. */
  readonly verified: number;
}

const REMEMBERED = 50_000;
const FORMAT = 1;
const MOST_KEPT = 4;
const ASKED = { predicateType: IMAGE_SIGNATURE, annotations: new Map<string, string>(), repository: undefined };

/**
 * Verified facts are remembered by (image digest, policy digest), which names the trusted root, too. What outlives the process is the signatures
 * themselves: they are verified again, offline, so whoever could write there could only take away. Refusals and silence are asked again.
 */
export function createImageFacts({ registry, bundles, kept, clock }: ImageFactsWorld): ImageFacts {
  const memory = createMemo<readonly SignatureFact[]>(REMEMBERED);
  const counts = { asked: 0, verified: 0 };

  async function fromKept(digest: string, { credentials, trustedRoot }: TrustMaterial): Promise<readonly SignatureFact[] | undefined> {
    const hex = digest.slice('sha256:'.length);
    const found = parseKept(await kept.get(hex));
    if (found.length === 0) return undefined;
    counts.verified += 1;
    const port = await bundles();
    const subject = { kind: 'digest', algorithm: 'sha256', hex } as const;
    const findings = found.map((bundle) => port.verify({ bundle, subject, credentials, trustedRoot }));
    const verdict = judgeImage({ findings, isCut: false, hasLegacyOnly: false }, { ...ASKED, digest });
    return verdict.kind === 'accepted' ? verdict.facts : undefined;
  }

  async function fromRegistry({ repository, digest }: PinnedImage, { credentials, trustedRoot }: TrustMaterial): Promise<FactsFound> {
    counts.asked += 1;
    const seen = new Map<string, Uint8Array>();
    const ports = { registry: noting(await registry(), seen), bundles: await bundles(), clock };
    const verdict = await verifyImage(ports, { repository, digest, credentials, trustedRoot, isLegacyAllowed: false }, ASKED);
    if (verdict.kind === 'accepted') {
      await kept.put(digest.slice('sha256:'.length), keptText(verdict, seen));
      return { kind: 'verified', facts: verdict.facts };
    }
    if (verdict.kind === 'missing' || verdict.code === 'could-not-look') return { kind: 'unread', because: verdict.sentence };
    return verdict;
  }

  async function of(image: PinnedImage, material: TrustMaterial, { mayAsk, isEnough }: FactsWanted): Promise<FactsFound> {
    if (material.credentials.length === 0)
      return { kind: 'refused', code: 'unknown-key', sentence: 'no trust entry has a key that can sign images' };
    const key = `${image.digest} ${material.policy.digest}`;
    const remembered = memory.get(key);
    if (remembered !== undefined && isEnough(remembered)) return { kind: 'verified', facts: remembered };
    const known = await fromKept(image.digest, material);
    if (known !== undefined && isEnough(known)) return { kind: 'verified', facts: memory.set(key, known) };
    if (!mayAsk) return { kind: 'unread', because: `${image.repository.registry} did not answer for other images` };
    const found = await fromRegistry(image, material);
    if (found.kind === 'verified') memory.set(key, found.facts);
    return found;
  }

  return { of, counts: () => ({ ...counts }) };
}

/** The same registry; what is read of it is noted by its digest. */
function noting(registry: Registry, seen: Map<string, Uint8Array>): Registry {
  return {
    ...registry,
    async blob(repository, digest, limit) {
      const bytes = await registry.blob(repository, digest, limit);
      seen.set(sha256Of(bytes), bytes);
      return bytes;
    },
  };
}

function keptText({ facts }: Extract<ImageVerdict, { kind: 'accepted' }>, seen: ReadonlyMap<string, Uint8Array>): string {
  const bundles = facts.slice(0, MOST_KEPT).flatMap(({ bundle }) => seen.get(bundle) ?? []);
  return JSON.stringify({ formatVersion: FORMAT, bundles: bundles.map((bytes) => Buffer.from(bytes).toString('base64')) });
}

/** Hostile like everything that lies around: bounded, and verified afterwards. */
function parseKept(text: string | undefined): readonly Uint8Array[] {
  const value = text === undefined ? undefined : parsed(text);
  if (!isJsonObject(value) || value['formatVersion'] !== FORMAT || !Array.isArray(value['bundles'])) return [];
  const bundles: readonly Json[] = value['bundles'];
  return bundles
    .slice(0, MOST_KEPT)
    .flatMap((bundle) => (typeof bundle === 'string' ? [Buffer.from(bundle, 'base64')] : []))
    .filter((bytes) => bytes.byteLength <= LARGEST_BUNDLE);
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
