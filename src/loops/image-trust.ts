import type { DesiredEnvironment } from '#model/desired.ts';
import { parseImageReference } from '#model/image.ts';
import type { Instant } from '#model/instant.ts';
import { placeInFile, type Problem } from '#model/problem.ts';
import type { GateReading } from '#model/promotion.ts';
import { listed, quoted, visibleText } from '#model/quoted.ts';
import type { ImageUse, Rendering } from '#model/rendering.ts';
import type { SignatureCode, SignatureFact } from '#model/signature-finding.ts';
import { imageUses } from '#render/render.ts';
import { judgeFacts } from '#trust/trust.ts';
import type { RanSince } from './first-seen.ts';
import { createImageFacts, type ImageFacts, type ImageFactsCounts, type ImageFactsWorld } from './image-facts.ts';
import { trustMaterial, type TrustMaterial } from './trust-material.ts';
import type { TrustOf } from './trust-of.ts';
import type { World } from './world.ts';

/** "Unsigned" or "refused" stops a decision; "could not look" is asked again, and is never taken for either. */
export type ImagesJudged =
  /** No trust entry is for images: they run, and status says so. */
  | { readonly kind: 'not-enforced' }
  | {
      readonly kind: 'judged';
      readonly accepted: number;
      readonly refused: readonly RefusedImage[];
      readonly unread: readonly UnreadImage[];
      /** Custom kinds of which nobody knows what they pull. */
      readonly unknownKinds: readonly string[];
    };

export interface RefusedImage {
  readonly use: ImageUse;
  readonly code: SignatureCode | 'image-not-pinned';
  readonly sentence: string;
}

export interface UnreadImage {
  readonly use: ImageUse;
  readonly because: string;
}

export interface ImagesRequest {
  readonly environment: Pick<DesiredEnvironment, 'name'>;
  readonly rendering: Rendering;
  /** As of the commit whose declarations judge. */
  readonly trust: Pick<TrustOf, 'policy' | 'project'>;
}

/** Judges images by their digests; what was accepted once under a policy costs nothing more. */
export interface ImageTrust {
  judge(request: ImagesRequest, signal?: AbortSignal): Promise<ImagesJudged>;
  counts(): ImageFactsCounts;
}

export interface ImageTrustWorld extends ImageFactsWorld, Pick<World, 'machineRoot' | 'clock'> {
  readonly ranSince: RanSince;
}

/** Registries answer beside each other; one is never asked for everything at once. */
const AT_ONCE = 8;
/** A registry that could not be looked at so often is not asked for the rest of a thousand images in turn. */
const PATIENCE = 8;

export function createImageTrust(world: ImageTrustWorld): ImageTrust {
  const facts = createImageFacts(world);
  /** Renderings of which everything is accepted, by the policy that accepted it. */
  const whole = new WeakMap<Rendering, { readonly digest: string; readonly judged: ImagesJudged }>();

  async function judge(request: ImagesRequest, signal?: AbortSignal): Promise<ImagesJudged> {
    const { rendering, trust, environment } = request;
    if (trust.policy?.enforced.has('image') !== true) return { kind: 'not-enforced' };
    const material = await trustMaterial(world, trust);
    const known = whole.get(rendering);
    if (known?.digest === material.policy.digest) return known.judged;
    const { uses, unknownKinds } = imageUses(rendering);
    const since = await world.ranSince();
    const path = `environments/${environment.name}/environment.lock.yaml`;
    const silent = new Map<string, number>();
    const verdicts = await inTurns(uses, (use) => {
      signal?.throwIfAborted();
      const firstSeen = since.get(`${use.capsule}@${use.version}`) ?? world.clock.now();
      return verdictOf(facts, material, { use, path, firstSeen, silent });
    });
    const judged: ImagesJudged = {
      kind: 'judged',
      accepted: verdicts.filter((verdict) => verdict === 'accepted').length,
      refused: verdicts.flatMap((verdict) => (verdict !== 'accepted' && 'code' in verdict ? [verdict] : [])),
      unread: verdicts.flatMap((verdict) => (verdict !== 'accepted' && 'because' in verdict ? [verdict] : [])),
      unknownKinds,
    };
    if (judged.accepted === uses.length) whole.set(rendering, { digest: material.policy.digest, judged });
    return judged;
  }

  return { judge, counts: () => facts.counts() };
}

interface OneImage {
  readonly use: ImageUse;
  readonly path: string;
  readonly firstSeen: Instant;
  /** How often each registry could not be looked at in this run. */
  readonly silent: Map<string, number>;
}

async function verdictOf(
  facts: ImageFacts,
  material: TrustMaterial,
  { use, path, firstSeen, silent }: OneImage,
): Promise<'accepted' | RefusedImage | UnreadImage> {
  const reference = parseImageReference(use.image);
  if ('wrong' in reference) return { use, code: 'image-not-pinned', sentence: `the reference ${reference.wrong}` };
  const { registry, name, digest } = reference;
  if (digest === undefined) return { use, code: 'image-not-pinned', sentence: 'it has no digest, and what a tag names cannot be verified' };
  const judged = (known: readonly SignatureFact[]) => judgeFacts(known, material.policy, { purpose: 'image', path, firstSeen });
  const wanted = {
    mayAsk: (silent.get(registry) ?? 0) < PATIENCE,
    isEnough: (known: readonly SignatureFact[]) => judged(known).kind === 'accepted',
  };
  const found = await facts.of({ repository: { registry, name }, digest }, material, wanted);
  switch (found.kind) {
    case 'unread':
      // Others were looked at meanwhile: what is counted is what stands there now.
      silent.set(registry, (silent.get(registry) ?? 0) + 1);
      return { use, because: found.because };
    case 'refused':
      return { use, code: found.code, sentence: found.sentence };
    case 'verified': {
      const verdict = judged(found.facts);
      if (verdict.kind === 'accepted') return 'accepted';
      return { use, code: verdict.kind === 'refused' ? verdict.code : 'unknown-key', sentence: verdict.sentence };
    }
  }
}

/** What stops an environment: nothing new is decided there, and what runs goes on running. */
export function refusedImages(environment: DesiredEnvironment, refused: readonly RefusedImage[]): readonly Problem[] {
  return refused.map(({ use, code, sentence }) => ({
    code: code === 'unsigned' ? 'image-unsigned' : 'image-refused',
    rule: undefined,
    severity: 'error',
    phase: 'sync',
    message: `image ${quoted(use.image, 300)} of ${use.object} (${use.capsule}@${use.version}) is not accepted in ${environment.name}: ${sentence} (${code})`,
    remedy:
      'Sign this very digest with a key that spec.trust names for images, or release with an image that is signed. What runs goes on running.',
    place: placeInFile(`capsules/${use.capsule}/capsule.yaml`),
    related: [],
  }));
}

/** Why the run is repeated: never "unsigned". */
export function unreadImages(unread: readonly UnreadImage[]): string {
  const [first] = unread;
  const more = unread.length > 1 ? ` (and ${unread.length - 1} more images)` : '';
  return `could not look for signatures of ${quoted(first?.use.image ?? '', 300)}${more}: ${first?.because ?? ''}`;
}

/** The same as a gate of a change; undefined where no trust entry is for images. */
export function imagesGate(judged: ImagesJudged): GateReading | undefined {
  if (judged.kind === 'not-enforced') return undefined;
  const gate = { name: 'image-signatures', type: 'images', until: undefined } as const;
  const [first] = judged.refused;
  if (first !== undefined) {
    const more = judged.refused.length > 1 ? ` (and ${judged.refused.length - 1} more)` : '';
    return { ...gate, status: 'failed', detail: `${visibleText(first.use.image, 200)}: ${first.sentence} (${first.code})${more}` };
  }
  if (judged.unread.length > 0) return { ...gate, status: 'inconclusive', detail: unreadImages(judged.unread) };
  const unknown = unknownKindsNotice(judged.unknownKinds).map((notice) => `; ${notice}`);
  return { ...gate, status: 'passed', detail: `${judged.accepted} of ${judged.accepted} signed${unknown.join('')}` };
}

/** Custom kinds whose images nobody knows, as a notice. */
function unknownKindsNotice(kinds: readonly string[]): readonly string[] {
  return kinds.length === 0 ? [] : [`images of custom kinds are not known and not verified: ${listed(kinds, 5)}`];
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const out = new Map<number, R>();
  const open = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = open.shift(); next !== undefined; next = open.shift()) out.set(next[0], await work(next[1]));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return items.map((_, index) => {
    const made = out.get(index);
    if (made === undefined) throw new Error('an image was not judged');
    return made;
  });
}
