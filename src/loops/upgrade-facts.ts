import type { Capsule } from '#model/declarations.generated.ts';
import type { GateReading } from '#model/promotion.ts';
import type { Release, ReleaseIndex } from '#model/resolution.ts';
import { findCandidates, flagIrreversible, readPathGates, refuseUpgrade } from '#promotion/promotion.ts';
import type { EvidenceRequest, Gated } from './gate-evidence.ts';
import type { LoadedCapsule, Reading } from './reading.ts';

type Facts = Parameters<typeof findCandidates>[0];
type Candidates = ReturnType<typeof findCandidates>;

/** What a release declares, once it was read. */
export function declaredBy(reading: Reading): (release: Release) => Capsule['spec'] | undefined {
  return (release) => reading.loaded(release)?.declaration.spec;
}

/** Candidates whose own declarations allow it (V-23, V-24): reads what would be proposed, and asks again while that brings something new. */
export async function findDeclaredCandidates(
  reading: Reading,
  facts: Facts,
  releaseOf: (instance: Parameters<Candidates['notYet']['has']>[0], version: string) => Release | undefined,
): Promise<Candidates> {
  const asked = new Set<Release>();
  for (;;) {
    const found = findCandidates({ ...facts, declared: declaredBy(reading) });
    const unread = found.candidates
      .flatMap((candidate) => [...candidate.move])
      .flatMap(([instance, version]) => releaseOf(instance, version) ?? [])
      .filter((release) => reading.loaded(release) === undefined && !asked.has(release));
    if (unread.length === 0) return found;
    for (const release of unread) asked.add(release);
    await reading.capsules(unread.map((release) => ({ name: release.capsule, tree: release.gitTree })));
  }
}

/** V-23 for a release that the resolver would bring along: refused where no instance of the capsule could take it. */
export function refusedUpgrade(
  reading: Reading,
  from: { readonly environment: string; readonly versions: readonly string[]; readonly index: ReleaseIndex },
  release: Release,
): string | undefined {
  const facts = upgradeFacts(reading, from.index)(release.capsule);
  const refusals = from.versions.map((version) =>
    refuseUpgrade({ environment: from.environment, capsule: release.capsule, from: version, to: release.version }, facts),
  );
  return refusals.every((refusal) => refusal !== undefined) ? refusals[0] : undefined;
}

/** V-23 and V-79 of one change, as gates that stand there only where they hold it. */
export function pathGates(
  reading: Reading,
  request: EvidenceRequest,
  found: { readonly capsules: readonly LoadedCapsule[]; readonly risk: Gated['risk'] },
): readonly GateReading[] {
  const { environment, changeSet, index } = request;
  return readPathGates(
    { name: environment.name, environment: environment.declared.value.spec, risk: found.risk, changeSet, specOf: specIn(found.capsules) },
    upgradeFacts(reading, index),
  );
}

/** V-79, for the text of a pull request. */
export function irreversibleIn(changeSet: EvidenceRequest['changeSet'], capsules: readonly LoadedCapsule[]): readonly string[] {
  return flagIrreversible({ changeSet, specOf: specIn(capsules) });
}

function specIn(capsules: readonly LoadedCapsule[]): (capsule: string) => Capsule['spec'] | undefined {
  return (capsule) => capsules.find((item) => item.source?.name === capsule)?.source?.declared.value.spec;
}

function upgradeFacts(reading: Reading, index: ReleaseIndex): Parameters<typeof readPathGates>[1] {
  const declared = declaredBy(reading);
  const byName = new Map([...index.releases].map(([name, releases]) => [String(name), releases]));
  return (capsule) => ({
    versions: [...(byName.get(capsule)?.keys() ?? [])],
    declared: (version) => {
      const release = byName.get(capsule)?.get(version);
      return release === undefined ? undefined : declared(release);
    },
  });
}
