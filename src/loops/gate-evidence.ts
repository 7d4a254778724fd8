import { healthyPeriod } from '#ledger/ledger.ts';
import type { Ledger } from './audit-branch.ts';
import type { TrustOf } from './trust-of.ts';
import type { Declarations } from './reading.ts';
import type { World } from './world.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import { evaluateCondition } from '#model/expression.ts';
import type { EnvironmentName } from '#model/names.ts';
import { toEnvironmentName } from '#model/names.ts';
import type { ChangeRequest, CheckReading, Review } from '#model/promotion.ts';
import type { GateEvidence, Risk, UpstreamEvidence } from '#model/promotion-evidence.ts';
import type { Move, Pin } from '#model/resolution.ts';
import { judgeRisk } from '#promotion/promotion.ts';

/** The status that the engine itself publishes; it is never evidence for a gate. */
export const PROMOTE_CHECK = 'capstan/promote';

export interface EvidenceRequest {
  readonly environment: DesiredEnvironment;
  readonly declarations: Declarations;
  readonly moves: readonly Move[];
  /** Where each arriving version comes from. */
  readonly pins: readonly Pin[];
  readonly trust: TrustOf;
  readonly ledger: Ledger;
  readonly change: ChangeRequest | undefined;
}

/** Gathers what the gates of one change look at. Asks the forge only where there is a pull request. */
export async function gatherEvidence(world: Pick<World, 'forge' | 'reading'>, request: EvidenceRequest): Promise<GateEvidence> {
  const arriving = request.pins.filter((pin) => request.moves.some((move) => move.instance === pin.instance && move.to !== undefined));
  const signatures = arriving.map((pin) => ({ instance: pin.instance, version: pin.version, verdict: request.trust.ofRelease(pin) }));
  const risk = await riskOf(world, request, arriving);
  const reviews = request.change === undefined || world.forge === undefined ? undefined : await world.forge.reviews(request.change.number);
  const checks = request.change === undefined || world.forge === undefined ? undefined : await checksOf(world, request.change);
  const account = world.forge === undefined ? undefined : await world.forge.account();
  return {
    environment: request.environment,
    moves: request.moves,
    risk,
    upstreams: upstreamsOf(request),
    signatures,
    checks,
    reviews,
    authors: await authorsOf(world, request, arriving, account?.login),
    engine: account?.login,
    members: await membersOf(world, request, reviews ?? []),
    applies: (when) => when === undefined || appliesTo(when, request, risk),
  };
}

/** A condition that cannot be judged applies: leaving a gate out is the riskier reading. */
function appliesTo(when: string, request: EvidenceRequest, risk: Risk): boolean {
  const judged = evaluateCondition(when, { change: { risk, kind: 'promotion' }, environment: { name: request.environment.name, risk: request.environment.declared.value.spec.risk } });
  return judged.ok ? judged.value : true;
}

async function checksOf(world: Pick<World, 'forge'>, change: ChangeRequest): Promise<readonly CheckReading[]> {
  const checks = (await world.forge?.checks(change.headCommit)) ?? [];
  return checks.filter((check) => check.name !== PROMOTE_CHECK);
}

async function riskOf(world: Pick<World, 'reading'>, request: EvidenceRequest, arriving: readonly Pin[]): Promise<Risk> {
  const loaded = await world.reading.capsules(arriving.map((pin) => ({ name: pin.capsule, tree: pin.gitTree })));
  const moves = request.moves.map((move) => ({ move, capsule: loaded.find((item) => item.source?.name === move.capsule)?.source?.declared.value }));
  return judgeRisk({ environment: request.environment.declared.value.spec.risk, moves });
}

/** Names of the environments a promotion comes from; empty for an entry environment. */
export function upstreamNames(environment: DesiredEnvironment): readonly EnvironmentName[] {
  return (environment.declared.value.spec.promotion?.from?.environments ?? []).map((name) => toEnvironmentName(name));
}

function upstreamsOf(request: EvidenceRequest): readonly UpstreamEvidence[] {
  return upstreamNames(request.environment).flatMap((name) => {
    const upstream = request.declarations.state.environments.find((item) => item.name === name);
    if (upstream === undefined) return [];
    const targets = upstream.targets.map((target) => target.name);
    const periods = request.moves.flatMap((move) => {
      if (move.to === undefined) return [];
      const period = healthyPeriod(request.ledger, { environment: name, targets, instance: move.instance, ...move.to });
      return period === undefined ? [] : [{ instance: move.instance, ...period }];
    });
    const unhealthy = request.moves.flatMap((move) => {
      if (move.to === undefined || periods.some((period) => period.instance === move.instance)) return [];
      return [`${move.instance} ${move.to.version} is not healthy in every target`];
    });
    return [{ environment: name, periods, unhealthy }];
  });
}

/** Everybody who wrote the change or a release it moves, by forge login. */
async function authorsOf(world: Pick<World, 'forge'>, request: EvidenceRequest, arriving: readonly Pin[], engine: string | undefined): Promise<readonly string[]> {
  const authors = new Set<string>();
  if (request.change !== undefined && request.change.author !== engine) authors.add(request.change.author);
  for (const pin of arriving) {
    const user = request.trust.userOf(request.trust.ofRelease(pin));
    if (user !== undefined) authors.add(user);
    const change = world.forge === undefined || request.change === undefined ? undefined : await world.forge.changeRequestOf(pin.commit);
    if (change !== undefined && change.author !== engine) authors.add(change.author);
  }
  return [...authors].sort();
}

async function membersOf(world: Pick<World, 'forge'>, request: EvidenceRequest, reviews: readonly Review[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const { spec } = request.environment.declared.value;
  const wanted = new Set([...(spec.approvals ?? []).flatMap((rule) => rule.teams ?? []), ...(spec.gates ?? []).flatMap((gate) => gate.teams ?? [])]);
  const teams = request.declarations.state.project?.value.spec.teams ?? {};
  const reviewers = [...new Set(reviews.map((review) => review.reviewer))];
  const members = new Map<string, readonly string[]>();
  for (const name of [...wanted].sort()) {
    const team = teams[name];
    const listed = team?.users ?? [];
    const found: string[] = [...listed];
    for (const reviewer of reviewers) {
      if (team?.github !== undefined && !found.includes(reviewer) && (await world.forge?.isMember(reviewer, team.github)) === true) found.push(reviewer);
    }
    members.set(name, found);
  }
  return members;
}
