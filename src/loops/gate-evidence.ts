import { healthyPeriod } from '#ledger/ledger.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import { evaluateCondition } from '#model/expression.ts';
import type { JsonObject } from '#model/json.ts';
import type { ChangeRequest, CheckReading, GateReading, Review } from '#model/promotion.ts';
import type { ChangeSet, Pin, ReleaseIndex } from '#model/resolution.ts';
import { isPortError } from '#ports/port-error.ts';
import { assessRisk, lackingEvidence, readGates, wantsEvidence } from '#promotion/promotion.ts';
import { changeSetDigest } from '#resolve/resolve.ts';
import { attestedContents } from './attested.ts';
import type { Ledger } from './audit-branch.ts';
import { branchAuthors } from './branch-authors.ts';
import { evidenceBranch } from './evidence-branch.ts';
import { imagesGate } from './image-trust.ts';
import { imageGates } from './images.ts';
import { inheritedRisks } from './inherited-risk.ts';
import { isJudgedOnPromotion, promotionPolicies, teamsForPolicies } from './policy-evidence.ts';
import type { Declarations, LoadedCapsule } from './reading.ts';
import { renderAt, renderProposed } from './rendered-difference.ts';
import { signedApprovals } from './signed-approvals.ts';
import { trustMaterial } from './trust-material.ts';
import type { TrustOf } from './trust-of.ts';
import { undeclaredGates } from './undeclared-gates.ts';
import { irreversibleIn, pathGates } from './upgrade-facts.ts';
import { instanceAbove, upstreamsOf } from './upstream.ts';
import type { ReadingWorld, World } from './world.ts';

/** The status that the engine itself publishes; it is never evidence for a gate. */
export const PROMOTE_CHECK = 'capstan/promote';

export interface EvidenceRequest {
  readonly environment: DesiredEnvironment;
  readonly declarations: Declarations;
  readonly changeSet: ChangeSet;
  /** All pins after the change. */
  readonly pins: readonly Pin[];
  readonly trust: TrustOf;
  readonly index: ReleaseIndex;
  readonly ledger: Ledger;
  readonly change: ChangeRequest | undefined;
  readonly kind: 'promotion' | 'emergency';
}

export interface Gated {
  readonly gates: readonly GateReading[];
  readonly risk: ReturnType<typeof assessRisk>;
  /** Logins whose approval stands. */
  readonly approvedBy: readonly string[];
  /** Reviews that approve, by who wrote nothing of it; the last of each. */
  readonly approvals: readonly Review[];
  /** V-79: what cannot be taken back, in words. */
  readonly irreversible: readonly string[];
}

type GateWorld = ReadingWorld &
  Pick<World, 'commitFindings' | 'forge' | 'signer' | 'evidence' | 'findings' | 'registryEvidence' | 'bundles' | 'images' | 'machineRoot'>;
type Evidence = Parameters<typeof readGates>[0]['evidence'];

/** Gathers what the gates of one change look at, and reads them. Asks the forge only where there is a pull request. */
export async function gateChange(world: GateWorld, request: EvidenceRequest): Promise<Gated> {
  const { forge } = world;
  const { change, changeSet, environment } = request;
  const arriving = request.pins.filter((pin) => changeSet.moves.some((move) => move.instance === pin.instance && move.to !== undefined));
  const capsules = await world.reading.capsules(arriving.map((pin) => ({ name: pin.capsule, tree: pin.gitTree })));
  const risk = riskOf(request, capsules, await inheritedRisks(world.reading, request.pins, changeSet.moves));
  const wanted = wantedOf(request, risk);
  const reviews = change === undefined || forge === undefined || !wanted.reviews ? [] : await forge.reviews(change.number);
  const engine = forge === undefined ? undefined : (await forge.account()).login;
  const authors = new Set([
    ...(engine === undefined ? [] : [engine]),
    ...(change === undefined ? [] : [change.author]),
    ...(change === undefined || !wanted.reviews ? [] : await branchAuthors(world, request.trust, change)),
  ]);
  const signed = await signedOf(world, request);
  const people = [...reviews.map((review) => review.reviewer), ...(signed.signedApprovals?.counted ?? []).map(({ person }) => person)];
  const memberships = await membershipsOf(world, request, people);
  const looked = {
    risk,
    reviews,
    upstream: evidenceAbove(request),
    heads: wanted.reviews ? await headsOf(world, request, reviews) : [],
    releaseAuthors: wanted.reviews ? await releaseAuthorsOf(world, request, arriving, engine) : new Set<string>(),
    isMember: (login: string, team: string) => memberships.get(`${team} ${login.toLowerCase()}`),
    checks: change === undefined || forge === undefined || !wanted.checks ? undefined : await checksOf(forge, change),
  };
  const signatures = await world.capsuleSignatures.verdicts({ pins: arriving, trust: request.trust });
  const releases = arriving.map(({ instance, ...pin }) => {
    const signature = signatures.get(instance);
    return { instance, verdict: request.trust.ofRelease(pin), ...(signature === undefined ? {} : { signature }) };
  });
  const now = world.clock.now();
  const policies = promotionPolicies(
    {
      ...request,
      ...looked,
      capsules,
      checks: looked.checks ?? [],
      authors: new Set([...authors, ...looked.releaseAuthors]),
      signatures: releases.map(({ instance, verdict }) => ({
        instance,
        verdict: verdict.kind,
        by: verdict.kind === 'accepted' ? verdict.by : '',
      })),
    },
    now,
  );
  const known: Evidence = {
    ...looked,
    releases,
    policies,
    authors,
    holds: (expression, input) => holds(expression, input, environment),
    kind: request.kind,
    capsules: arrivingOf(arriving, capsules),
    above: contentAbove(request),
    irreversible: irreversibleIn(changeSet, capsules),
    ...signed,
  };
  const evidence = { ...known, ...(await attestedOf(world, request, { arriving, capsules, evidence: known })) };
  const approving = reviews.filter((review) => review.state === 'approved' && !authors.has(review.reviewer));
  const approved = [...approving.map((review) => review.reviewer), ...(signed.signedApprovals?.counted ?? []).map(({ person }) => person)];
  return {
    gates: [
      ...readGates({ environment, changeSet, evidence }, now),
      ...pathGates(world.reading, request, { capsules, risk }),
      ...imageGates(environment, capsules),
      ...(await signedImages(world, request)),
      ...undeclaredGates(request, capsules),
    ],
    irreversible: irreversibleIn(changeSet, capsules),
    risk,
    approvals: [...new Map(approving.map((review) => [review.reviewer, review])).values()],
    approvedBy: [...new Set(approved)].filter((login) => !authors.has(login)).sort(),
  };
}

/**
 * Statements about what arrives; the evidence branch is looked at only where a gate asks for one, and the registry only for contents for
 * which the branch does not answer it.
 */
async function attestedOf(
  world: GateWorld,
  { environment, trust, declarations, changeSet }: EvidenceRequest,
  {
    arriving,
    capsules,
    evidence,
  }: { readonly arriving: readonly Pin[]; readonly capsules: readonly LoadedCapsule[]; readonly evidence: Evidence },
): Promise<Pick<Evidence, 'attested'>> {
  const specs = capsules.flatMap(({ source }) => source?.declared.value.spec ?? []);
  if (!wantsEvidence(environment, specs)) return {};
  const base = declarations.at.commit;
  if (base === undefined) return {};
  const head = await world.repository.resolve(evidenceBranch(trust.project));
  const material = await trustMaterial(world, trust);
  const at = world.clock.now();
  const request = { head, pins: arriving, material, path: `environments/${environment.name}/environment.lock.yaml`, at };
  const attested = await attestedContents(world, request);
  const lacking = lackingEvidence({ environment, changeSet, evidence: { ...evidence, attested } }, at);
  const beside = await world.registryEvidence.of(
    arriving.filter(({ instance }) => lacking.has(instance)),
    material,
  );
  return { attested: beside.size === 0 ? attested : await attestedContents(world, { ...request, beside }) };
}

/** Approvals with people's own keys; the branch is looked at only where a rule asks for them. */
async function signedOf(world: GateWorld, { environment, trust, changeSet }: EvidenceRequest): Promise<Pick<Evidence, 'signedApprovals'>> {
  const { approvals = [], gates = [] } = environment.declared.value.spec;
  if (![...approvals, ...gates].some((rule) => rule.signed === true) || trust.policy === undefined) return {};
  const head = await world.repository.resolve(evidenceBranch(trust.project));
  const sha256 = changeSetDigest(changeSet.moves);
  const at = world.clock.now();
  return { signedApprovals: await signedApprovals(world, { head, environment: environment.name, sha256, policy: trust.policy, at }) };
}

/** Of the whole environment as it would be: a configuration that comes along may bring images, too. */
async function signedImages(world: GateWorld, request: EvidenceRequest): Promise<readonly GateReading[]> {
  const { environment, declarations, pins, index, trust } = request;
  const revision = declarations.at.commit;
  if (revision === undefined || !request.changeSet.moves.some((move) => move.to !== undefined)) return [];
  if (trust.policy?.enforced.has('image') !== true) return [];
  const rendered = await renderProposed(world, { state: declarations.state, environment, pins, index });
  const gate = { name: 'image-signatures', type: 'images', until: undefined } as const;
  if (!rendered.ok) return [{ ...gate, status: 'inconclusive', detail: 'could not look: what it would be cannot be rendered' }];
  const judged = await world.images.judge({ environment, rendering: rendered.value.rendering, trust });
  const read = imagesGate(judged);
  return read === undefined ? [] : [read];
}

/**
 * Heads whose reviews count: those that bring just this change and render to what the present head renders to. The branch may have been
 * rebuilt on a base that moved; who approved saw the rendering of then.
 */
async function headsOf(world: GateWorld, request: EvidenceRequest, reviews: readonly Review[]): Promise<readonly CommitId[]> {
  const present = request.change?.headCommit;
  const heads: CommitId[] = [];
  for (const commit of new Set([...(present === undefined ? [] : [present]), ...reviews.flatMap((review) => review.commit ?? [])])) {
    if (!(await brings(world, request, commit))) continue;
    if (commit === present || present === undefined || (await rendersAlike(world, request, [present, commit]))) heads.push(commit);
  }
  return heads;
}

/** What cannot be rendered is like nothing. */
async function rendersAlike(world: GateWorld, request: EvidenceRequest, commits: readonly CommitId[]): Promise<boolean> {
  const digests = new Set<string | undefined>();
  for (const commit of commits) {
    const declarations = await world.reading.declarations(await world.reading.at(commit));
    const rendered = await renderAt(world, declarations, request.environment.name);
    digests.add(rendered?.result.ok === true ? rendered.result.value.rendering.digest : undefined);
  }
  return digests.size === 1 && !digests.has(undefined);
}

async function brings(world: Pick<World, 'reading'>, request: EvidenceRequest, commit: CommitId): Promise<boolean> {
  try {
    const { state } = await world.reading.declarations(await world.reading.at(commit));
    const lock = state.environments.find((item) => item.name === request.environment.name)?.lock?.value.capsules ?? {};
    return request.changeSet.moves.every(({ instance, to }) => {
      const [entry, pin] = [lock[instance], request.pins.find((item) => item.instance === instance)];
      if (to === undefined || entry === undefined || pin === undefined) return to === undefined && entry === undefined;
      return entry.capsule === pin.capsule && entry.gitTree === pin.gitTree && entry.sha256 === to.sha256 && entry.version === to.version;
    });
  } catch (error) {
    // A head that is gone brings nothing; one that could not be read just now says nothing against a review of it.
    if (!isPortError(error) || error.kind === 'transient') throw error;
    return false;
  }
}

/** What the forge is asked of a change: reviews where an approval could be asked for, and for the record of what was merged. */
function wantedOf({ environment, change, declarations }: EvidenceRequest, risk: Gated['risk']) {
  const { approvals = [], gates = [] } = environment.declared.value.spec;
  const judged = isJudgedOnPromotion(declarations);
  return {
    reviews:
      judged || risk === 'critical' || approvals.length > 0 || gates.some((gate) => gate.type === 'approval') || change?.state === 'merged',
    checks: judged || gates.some((gate) => gate.type === 'check'),
  };
}

function holds(expression: string, input: JsonObject, environment: DesiredEnvironment): boolean | undefined {
  const judged = evaluateCondition(expression, {
    environment: { name: environment.name, risk: environment.declared.value.spec.risk },
    ...input,
  });
  return judged.ok ? judged.value : undefined;
}

async function checksOf(forge: NonNullable<World['forge']>, change: ChangeRequest): Promise<readonly CheckReading[]> {
  return (await forge.checks(change.headCommit)).filter((check) => check.name !== PROMOTE_CHECK);
}

function riskOf(
  request: EvidenceRequest,
  loaded: readonly LoadedCapsule[],
  inherited: Awaited<ReturnType<typeof inheritedRisks>>,
): Gated['risk'] {
  const moves = request.changeSet.moves.map((move) => {
    const spec = loaded.find((item) => item.source?.name === move.capsule)?.source?.declared.value.spec;
    if (spec === undefined) return { move, facts: undefined };
    const irreversible = irreversibleIn({ ...request.changeSet, moves: [move] }, loaded).length > 0;
    return { move, facts: { capsuleRisk: inherited.get(move.instance), irreversible, newClusterObjects: false } };
  });
  return assessRisk(request.environment, moves);
}

/** Every moved instance times every target above. */
function evidenceAbove(request: EvidenceRequest): Evidence['upstream'] {
  const { ledger } = request;
  return upstreamsOf(request.declarations, request.environment).flatMap((upstream) =>
    upstream.targets.flatMap((target) =>
      request.changeSet.moves.flatMap((move) => {
        if (move.to === undefined) return [];
        const place = { environment: upstream.name, target: target.name };
        const instance = instanceAbove(upstream, move.instance, move.capsule);
        const period = healthyPeriod(ledger, place, { instance, ...move.to });
        const now = ledger.instances.get(`${upstream.name}/${target.name}`)?.get(instance)?.health ?? 'unknown';
        // What was replaced while it was healthy is judged by that, not by what runs there now.
        const state: typeof now = period?.until === undefined ? now : 'healthy';
        return [{ ...place, instance: move.instance, since: period?.since, until: period?.until, state }];
      }),
    ),
  );
}

/** Contents that ran above, healthy, under whatever version. */
function contentAbove({ changeSet, declarations, environment, ledger }: EvidenceRequest): NonNullable<Evidence['above']> {
  return upstreamsOf(declarations, environment).flatMap((upstream) =>
    upstream.targets.flatMap((target) =>
      changeSet.moves.flatMap(({ instance, capsule }) => {
        const state = ledger.instances.get(`${upstream.name}/${target.name}`)?.get(instanceAbove(upstream, instance, capsule));
        return state === undefined ? [] : [{ environment: upstream.name, instance, version: state.version, sha256: state.sha256 }];
      }),
    ),
  );
}

function arrivingOf(pins: readonly Pin[], loaded: readonly LoadedCapsule[]): NonNullable<Evidence['capsules']> {
  return pins.flatMap((pin, index) => {
    const declared = loaded[index]?.source?.declared.value;
    if (declared === undefined) return [];
    return [
      { instance: pin.instance, capsule: pin.capsule, version: pin.version, spec: declared.spec, labels: declared.metadata.labels ?? {} },
    ];
  });
}

/** Everybody who wrote a release that moves, by forge login. */
async function releaseAuthorsOf(
  world: Pick<World, 'forge'>,
  request: EvidenceRequest,
  arriving: readonly Pin[],
  engine: string | undefined,
): Promise<ReadonlySet<string>> {
  const authors = new Set<string>();
  for (const pin of arriving) {
    const verdict = request.trust.ofRelease(pin);
    // An entry without a login is known by its name, also where it approves.
    if (verdict.kind === 'accepted') authors.add(request.trust.userOf(verdict) ?? verdict.by);
    const change = world.forge === undefined || request.change === undefined ? undefined : await world.forge.changeRequestOf(pin.commit);
    if (change !== undefined && change.author !== engine) authors.add(change.author);
  }
  return authors;
}

async function membershipsOf(
  world: Pick<World, 'forge'>,
  request: EvidenceRequest,
  people: readonly string[],
): Promise<ReadonlyMap<string, boolean>> {
  const { spec } = request.environment.declared.value;
  const wanted = new Set([
    ...(spec.approvals ?? []).flatMap((rule) => rule.teams ?? []),
    ...(spec.gates ?? []).flatMap((gate) => gate.teams ?? []),
    ...teamsForPolicies(request.declarations),
  ]);
  const teams = request.declarations.state.project?.value.spec.teams ?? {};
  const known = new Map<string, boolean>();
  for (const name of wanted) {
    const team = teams[name];
    for (const login of new Set(people)) {
      const isListed = team?.users?.some((user) => user.toLowerCase() === login.toLowerCase()) === true;
      const isMember = isListed || (team?.github !== undefined && (await world.forge?.isMember(login, team.github)) === true);
      known.set(`${name} ${login.toLowerCase()}`, isMember);
    }
  }
  return known;
}
