import type { Capsule } from '#model/declarations.generated.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { toCapsuleName, toInstanceName, type CapsuleName, type EnvironmentName, type InstanceName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import type { Pin, Release, ReleaseIndex } from '#model/resolution.ts';
import type { PathVerdict } from '#model/verdict.ts';
import { compareVersions, isInRange, isPrerelease, parseRange } from '#model/version.ts';
import { upgradeRefusal } from './upgrade-path.ts';

/** An upstream environment as its lock and the ledger tell it. */
export interface Upstream {
  readonly environment: EnvironmentName;
  readonly pins: readonly Pin[];
  /** Applied and healthy in every target of it. */
  readonly isVerified: (pin: Pin) => boolean;
  /** What each of its targets lacks for that, in words. */
  readonly lacks?: (pin: Pin) => readonly string[];
}

export interface CandidateFacts {
  readonly environment: DesiredEnvironment;
  readonly pins: readonly Pin[];
  /** Those of `promotion.from`; empty for an entry environment. */
  readonly upstreams: readonly Upstream[];
  readonly index: ReleaseIndex;
  readonly verdict: (release: Release) => PathVerdict | undefined;
  /** Why nobody may move to this version; undefined if anybody may. */
  readonly quarantined: (capsule: CapsuleName, version: string) => string | undefined;
  /** Instances that resolving with the lock preferred gives; what the lock has beside them leaves. Undefined: nothing leaves. */
  readonly wanted: ReadonlySet<InstanceName> | undefined;
  /** What a release declares, as far as it was read: retired ones are no candidates, and V-23 may ask for another one first. */
  readonly declared?: ((release: Release) => Capsule['spec'] | undefined) | undefined;
  /** Whether the environments above had a release healthy before: a step on the way to what they run now. */
  readonly wasVerified?: ((release: Release) => boolean) | undefined;
}

/** Moves that could be resolved and proposed together. */
export interface Candidate {
  /** What it is named by: an instance, a group, or the environment. */
  readonly group: string;
  /** For `resolveEnvironment`: exact versions, or `newest` where only dependents have a range. */
  readonly move: ReadonlyMap<InstanceName, string>;
  readonly leaves: readonly InstanceName[];
}

export interface Held {
  readonly instance: InstanceName;
  readonly version: string | undefined;
  readonly reason: string;
}

export interface Candidates {
  readonly candidates: readonly Candidate[];
  readonly held: readonly Held[];
  /** Requested instances that cannot enter yet: `resolveEnvironment` leaves them out meanwhile. */
  readonly notYet: ReadonlySet<InstanceName>;
}

interface Wish {
  readonly instance: InstanceName;
  readonly capsule: CapsuleName;
  readonly range: string | undefined;
  readonly policy: 'promote' | 'latest' | 'pinned';
  readonly pin: Pin | undefined;
}

type Offer =
  | { readonly kind: 'move'; readonly version: string; readonly instead?: Pick<Held, 'version' | 'reason'> | undefined }
  | { readonly kind: 'held'; readonly version: string | undefined; readonly reason: string };

export function candidatesOf(facts: CandidateFacts): Candidates {
  const { spec } = facts.environment.declared.value;
  const holds = facts.environment.lock?.value.holds ?? {};
  const moves = new Map<InstanceName, string>();
  const held: Held[] = [];
  const notYet = new Set<InstanceName>();
  for (const wish of wishes(facts)) {
    const offer = facts.upstreams.length === 0 || wish.policy === 'latest' ? released(facts, wish) : promoted(facts, wish);
    const hold = Object.hasOwn(holds, wish.instance) ? holds[wish.instance] : undefined;
    if (wish.pin === undefined && (offer?.kind !== 'move' || hold !== undefined)) notYet.add(wish.instance);
    if (offer === undefined) continue;
    if (offer.kind === 'held') held.push({ instance: wish.instance, version: offer.version, reason: offer.reason });
    else if (hold !== undefined) held.push({ instance: wish.instance, version: offer.version, reason: `held: ${hold.reason}` });
    else {
      moves.set(wish.instance, offer.version);
      if (offer.instead !== undefined) held.push({ instance: wish.instance, ...offer.instead });
    }
  }
  const leaves = facts.pins.map((pin) => pin.instance).filter((instance) => facts.wanted !== undefined && !facts.wanted.has(instance));
  for (const instance of leaves) moves.delete(instance);
  return { candidates: grouped(spec.promotion?.grouping ?? 'capsule', moves, leaves), held, notYet };
}

/** What the environment asks for, then what its lock has for others, by name. */
function wishes(facts: CandidateFacts): readonly Wish[] {
  const pins = new Map(facts.pins.map((pin) => [pin.instance, pin]));
  const found = new Map<InstanceName, Wish>();
  for (const [name, request] of Object.entries(facts.environment.declared.value.spec.capsules ?? {})) {
    if (request.enabled === false) continue;
    const instance = toInstanceName(name);
    const pin = pins.get(instance);
    found.set(instance, {
      instance,
      capsule: toCapsuleName(request.capsule ?? name),
      range: request.version,
      policy: request.updatePolicy ?? 'promote',
      pin,
    });
  }
  for (const pin of facts.pins) {
    if (found.has(pin.instance) || pin.requestedBy.includes('environment')) continue;
    found.set(pin.instance, { instance: pin.instance, capsule: pin.capsule, range: undefined, policy: 'promote', pin });
  }
  return [...found.values()].sort((a, b) => compareText(a.instance, b.instance));
}

/** Entry environments, and `latest`: the newest release in range that is accepted and not quarantined. */
function released(facts: CandidateFacts, wish: Wish): Offer | undefined {
  const fits = inRange(wish);
  const current = wish.pin?.version;
  if (wish.policy === 'pinned' && current !== undefined && fits(current)) return undefined;
  const releases = [...(facts.index.releases.get(wish.capsule)?.values() ?? [])]
    .filter((release) => fits(release.version))
    .filter((release) => current === undefined || !fits(current) || compareVersions(release.version, current) > 0)
    .sort((a, b) => compareVersions(b.version, a.version));
  let first: Offer | undefined;
  let instead: Pick<Held, 'version' | 'reason'> | undefined;
  for (const release of releases) {
    const untaken = untakable(facts, release, current);
    if (untaken !== undefined) instead ??= { version: release.version, reason: untaken };
    const reason = untaken ?? refusal(facts, release);
    // The resolver knows the ranges of dependents; a version of our choice could lie outside of them.
    if (reason === undefined) return { kind: 'move', version: wish.range === undefined ? 'newest' : release.version, instead };
    first ??= { kind: 'held', version: release.version, reason };
  }
  if (first === undefined && current === undefined)
    return { kind: 'held', version: undefined, reason: `no release of ${wish.capsule} is in ${wish.range ?? '*'}` };
  return first;
}

/** Other environments: what is verified in all (or any) of the environments above. */
function promoted(facts: CandidateFacts, wish: Wish): Offer | undefined {
  const { promotion } = facts.environment.declared.value.spec;
  const fits = inRange(wish);
  const current = wish.pin?.version;
  if (wish.policy === 'pinned' && current !== undefined && fits(current)) return undefined;
  const above = facts.upstreams.map((upstream) => ({ upstream, pin: pinAbove(upstream, wish) }));
  const versions = [...new Map(above.flatMap(({ pin }) => (pin === undefined ? [] : [[pin.version, pin] as const]))).values()];
  const newest = versions.sort((a, b) => compareVersions(b.version, a.version));
  if (newest.length === 0) {
    if (wish.range === undefined || current !== undefined) return undefined;
    return { kind: 'held', version: undefined, reason: `${names(facts)} does not run ${wish.capsule}` };
  }
  const backward = promotion?.selection === 'match-upstream' && promotion.backward !== 'deny';
  let first: Offer | undefined;
  for (const pin of newest) {
    if (pin.version === current && pin.sha256 === wish.pin?.sha256) return first;
    const verifiedIn = above.filter(
      (one) => one.pin?.version === pin.version && one.pin.sha256 === pin.sha256 && one.upstream.isVerified(one.pin),
    );
    const enough = promotion?.from?.strategy === 'any' ? verifiedIn.length > 0 : verifiedIn.length === above.length;
    const reason = fits(pin.version)
      ? (notForward(current, pin.version, fits, backward) ?? (enough ? refusalOf(facts, pin) : notVerified(facts, pin)))
      : `${pin.version} is not in ${wish.range ?? '*'}`;
    const release = reason === undefined ? facts.index.releases.get(pin.capsule)?.get(pin.version) : undefined;
    const untaken = release === undefined ? undefined : untakable(facts, release, current);
    if (untaken !== undefined) {
      const instead = { version: pin.version, reason: untaken };
      const step = stepTowards(facts, wish, pin.version);
      if (step !== undefined) return { kind: 'move', version: step.version, instead };
    }
    if (reason === undefined && untaken === undefined) return { kind: 'move', version: pin.version };
    first ??= { kind: 'held', version: pin.version, reason: reason ?? untaken ?? '' };
  }
  return first;
}

/** The newest release below that may come in now and was healthy above before: a version that was skipped here and is needed first. */
function stepTowards(facts: CandidateFacts, wish: Wish, goal: string): Release | undefined {
  const current = wish.pin?.version;
  const fits = inRange(wish);
  if (current === undefined) return undefined;
  return [...(facts.index.releases.get(wish.capsule)?.values() ?? [])]
    .filter(({ version }) => compareVersions(version, current) > 0 && compareVersions(version, goal) < 0 && fits(version))
    .sort((a, b) => compareVersions(b.version, a.version))
    .find(
      (release) =>
        facts.wasVerified?.(release) === true && untakable(facts, release, current) === undefined && refusal(facts, release) === undefined,
    );
}

/** V-23 and V-24: what the release itself says against coming in here. */
function untakable(facts: CandidateFacts, release: Release, current: string | undefined): string | undefined {
  if (facts.declared?.(release)?.lifecycle === 'retired') return `${release.version} is retired`;
  if (current === undefined) return undefined;
  const releases = facts.index.releases.get(release.capsule);
  return upgradeRefusal(
    { environment: facts.environment.name, capsule: release.capsule, from: current, to: release.version },
    {
      versions: [...(releases?.keys() ?? [])],
      declared: (version) => {
        const found = releases?.get(version);
        return found === undefined ? undefined : facts.declared?.(found);
      },
    },
  );
}

function notForward(
  current: string | undefined,
  version: string,
  fits: (version: string) => boolean,
  backward: boolean,
): string | undefined {
  if (current === undefined || backward || !fits(current) || compareVersions(version, current) >= 0) return undefined;
  return `${version} is older than ${current}; going back takes a rollback`;
}

/** More of them say nothing more. */
const MOST_LACKING = 5;

function notVerified(facts: CandidateFacts, pin: Pin): string {
  const lacks = facts.upstreams.flatMap((upstream) => (upstream.isVerified(pin) ? [] : (upstream.lacks?.(pin) ?? [])));
  const more = lacks.length > MOST_LACKING ? [`and ${lacks.length - MOST_LACKING} more`] : [];
  const why = lacks.length === 0 ? '' : `: ${[...lacks.slice(0, MOST_LACKING), ...more].join(', ')}`;
  return `${pin.version} is not verified in ${names(facts)}${why}`;
}

function names(facts: CandidateFacts): string {
  const joint = facts.environment.declared.value.spec.promotion?.from?.strategy === 'any' ? ' or ' : ' and ';
  return facts.upstreams.map((upstream) => upstream.environment).join(joint);
}

/** The same instance upstream, else the only one of the capsule. */
function pinAbove(upstream: Upstream, wish: Wish): Pin | undefined {
  const same = upstream.pins.find((pin) => pin.instance === wish.instance && pin.capsule === wish.capsule);
  if (same !== undefined) return same;
  const others = upstream.pins.filter((pin) => pin.capsule === wish.capsule);
  return others.length === 1 ? others[0] : undefined;
}

function refusalOf(facts: CandidateFacts, pin: Pin): string | undefined {
  const release = facts.index.releases.get(pin.capsule)?.get(pin.version);
  if (release === undefined) return `history has no release ${pin.version} of ${pin.capsule}`;
  // Same version, other content: a release never changes, so one of the two is not what was released.
  if (release.gitTree !== pin.gitTree) return `${pin.version} was released with another content than is locked upstream`;
  return refusal(facts, release);
}

function refusal(facts: CandidateFacts, release: Release): string | undefined {
  const quarantine = facts.quarantined(release.capsule, release.version);
  if (quarantine !== undefined) return `${release.version} is in quarantine: ${quarantine}`;
  const verdict = facts.verdict(release);
  if (verdict === undefined) return `${release.version}: its signature was not looked at yet`;
  switch (verdict.kind) {
    case 'accepted':
    case 'not-enforced':
      return undefined;
    case 'unsigned':
    case 'refused':
    case 'could-not-look':
      return `${release.version} is ${verdict.kind}: ${verdict.sentence}`;
  }
}

function inRange(wish: Wish): (version: string) => boolean {
  if (wish.range === undefined) return (version) => wish.pin === undefined || !isPrerelease(version) || version === wish.pin.version;
  const range = parseRange(wish.range);
  return (version) => range !== undefined && isInRange(version, range);
}

type Grouping = 'capsule' | 'environment' | { readonly groups: { readonly [name: string]: readonly string[] } };

function grouped(grouping: Grouping, moves: ReadonlyMap<InstanceName, string>, leaves: readonly InstanceName[]): readonly Candidate[] {
  const groupOf = (instance: string): string => {
    if (grouping === 'capsule') return instance;
    if (grouping === 'environment') return 'environment';
    return Object.entries(grouping.groups).find(([, members]) => members.includes(instance))?.[0] ?? instance;
  };
  const groups = new Map<string, { move: Map<InstanceName, string>; leaves: InstanceName[] }>();
  const open = (instance: string) => {
    const name = groupOf(instance);
    const group = groups.get(name) ?? { move: new Map<InstanceName, string>(), leaves: [] };
    groups.set(name, group);
    return group;
  };
  for (const [instance, version] of moves) open(instance).move.set(instance, version);
  for (const instance of leaves) open(instance).leaves.push(instance);
  return [...groups].sort(([a], [b]) => compareText(a, b)).map(([group, content]) => ({ group, ...content }));
}
