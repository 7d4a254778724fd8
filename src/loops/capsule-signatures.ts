import type { CapsuleSignatureVerdict } from '#model/capsule-verdict.ts';
import type { CapsuleSource } from '#model/desired.ts';
import { createMemo } from '#model/memo.ts';
import type { Problem } from '#model/problem.ts';
import type { Pin } from '#model/resolution.ts';
import type { Clock } from '#ports/machine.ts';
import { isPortError } from '#ports/port-error.ts';
import type { ImageRepository, Registry } from '#ports/registry.ts';
import type { History } from '#ports/repository.ts';
import { refuseSignature } from '#promotion/promotion.ts';
import { packPin } from './capsule-artifacts.ts';
import { signaturesBeside, signaturesInEvidence, type Gathered } from './capsule-gathering.ts';
import { judgeByPolicy } from './capsule-verdict.ts';
import { evidenceBranch } from './evidence-branch.ts';
import type { RanSince } from './first-seen.ts';
import { trustMaterial, type TrustMaterial } from './trust-material.ts';
import type { TrustOf } from './trust-of.ts';
import type { ReadingWorld, World } from './world.ts';

export interface SignaturesAsked {
  readonly pins: readonly Pin[];
  readonly trust: Pick<TrustOf, 'policy' | 'project'>;
}

/** V-83: the signatures of capsules that require one; the others cost nothing. */
export interface CapsuleSignatures {
  /** By instance; what requires none is not there. */
  verdicts(asked: SignaturesAsked): Promise<ReadonlyMap<string, CapsuleSignatureVerdict>>;
  /** What stops whoever locks them. */
  problems(asked: SignaturesAsked): Promise<readonly Problem[]>;
  counts(): { readonly judged: number };
}

interface SignatureWorld extends Pick<World, 'evidence' | 'bundles' | 'findings' | 'machineRoot'> {
  readonly repository: ReadingWorld['repository'] & Pick<History, 'resolve'>;
  readonly reading: ReadingWorld['reading'];
  readonly clock: Clock;
  readonly ranSince: RanSince;
  /** Where artifacts of capsules lie beside the evidence branch; undefined: nowhere. */
  readonly artifacts: CapsuleArtifacts | undefined;
}

export interface CapsuleArtifacts {
  readonly registry: () => Promise<Registry>;
  readonly repositoryOf: (capsule: string) => ImageRepository;
}

export function createCapsuleSignatures(world: SignatureWorld): CapsuleSignatures {
  /** Only what was accepted: it follows from content, policy and what vouched for the time, and those never change. */
  const acceptedOnce = createMemo<CapsuleSignatureVerdict>(20_000);
  let judged = 0;

  async function requiring({ pins }: SignaturesAsked): Promise<readonly { readonly pin: Pin; readonly source: CapsuleSource }[]> {
    const loaded = await world.reading.capsules(pins.map((pin) => ({ name: pin.capsule, tree: pin.gitTree })));
    return pins.flatMap((pin, index) => {
      const source = loaded[index]?.source;
      return source?.declared.value.spec.security?.signatures?.required === true ? [{ pin, source }] : [];
    });
  }

  async function verdictOf(asked: SignaturesAsked, pin: Pin, source: CapsuleSource): Promise<CapsuleSignatureVerdict> {
    const material = await trustMaterial(world, asked.trust);
    const allowed = source.declared.value.spec.security?.signatures?.identities ?? [];
    const key = `${pin.capsule}@${pin.version} ${pin.sha256} ${pin.gitTree} ${material.policy.digest}`;
    const known = acceptedOnce.get(key);
    if (known !== undefined) return known;
    judged += 1;
    const facts = { name: pin.capsule, version: pin.version, sha256: pin.sha256, gitTree: pin.gitTree };
    // What came to a target was judged then: its key may have expired since.
    const firstSeen = (await world.ranSince()).get(`${pin.capsule}@${pin.version}`) ?? world.clock.now();
    const head = await world.repository.resolve(evidenceBranch(asked.trust.project));
    const inGit = await signaturesInEvidence(world, material, { facts, head });
    const first = judgeByPolicy({ facts, ...inGit }, { policy: material.policy, allowed, firstSeen });
    if (first.kind === 'accepted' || world.artifacts === undefined) return keep(key, first);
    const beside = await besideArtifact(world.artifacts, { pin, material });
    const both = {
      facts,
      findings: [...inGit.findings, ...beside.findings],
      isCut: inGit.isCut || beside.isCut,
      unread: inGit.unread ?? beside.unread,
    };
    return keep(key, judgeByPolicy(both, { policy: material.policy, allowed, firstSeen }));
  }

  /** The artifact packs to the same digest everywhere, so no tag is asked for. */
  async function besideArtifact(
    artifacts: CapsuleArtifacts,
    { pin, material }: { readonly pin: Pin; readonly material: TrustMaterial },
  ): Promise<Gathered> {
    const packed = await packPin(world, pin).catch((error: unknown) => {
      // The release commit of an import may be another repository's.
      if (!isPortError(error)) throw error;
      return undefined;
    });
    if (packed === undefined) return { findings: [], isCut: false, unread: undefined };
    const [bundles, registry] = [await world.bundles(), await artifacts.registry()];
    const at = { bundles, registry, repository: artifacts.repositoryOf(pin.capsule), clock: world.clock };
    return signaturesBeside(at, material, { facts: pin, artifact: packed.digest });
  }

  function keep(key: string, verdict: CapsuleSignatureVerdict): CapsuleSignatureVerdict {
    return verdict.kind === 'accepted' ? acceptedOnce.set(key, verdict) : verdict;
  }

  return {
    async verdicts(asked) {
      const verdicts = new Map<string, CapsuleSignatureVerdict>();
      for (const { pin, source } of await requiring(asked)) verdicts.set(pin.instance, await verdictOf(asked, pin, source));
      return verdicts;
    },
    async problems(asked) {
      const problems: Problem[] = [];
      for (const { pin, source } of await requiring(asked)) {
        const place = source.declared.at('/spec/security/signatures');
        const problem = refuseSignature(await verdictOf(asked, pin, source), place);
        if (problem !== undefined && !problems.some(({ message }) => message === problem.message)) problems.push(problem);
      }
      return problems;
    },
    counts: () => ({ judged }),
  };
}
