import { parseTrailers } from '#ledger/ledger.ts';
import type { Sha256 } from '#model/digest.ts';
import type { TargetHealth } from '#model/health.ts';
import type { Instant } from '#model/instant.ts';
import type { TargetName } from '#model/names.ts';
import type { Observation, TargetPlan } from '#model/plan.ts';
import type { Ending, Reason } from '#model/receipt.ts';
import type { TargetRendering } from '#model/rendering.ts';
import { planRollout } from '#rollout/rollout.ts';
import { atOnce } from './at-once.ts';
import type { Ledger } from './audit-branch.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import { quarantineOf } from './quarantine.ts';
import type { RenderedHead } from './rendered-branch.ts';
import { assessStanding, standingDelegated, standingOn } from './standing.ts';
import type { Standing } from './standing.ts';
import type { SyncRequest, SyncResult } from './sync-target.ts';

/** Whether a target gets its rendering now; see planRollout. */
export type RolloutTurn = NonNullable<ReturnType<ReturnType<typeof planRollout>['turns']['get']>>;
type WaitingTurn = Extract<RolloutTurn, { kind: 'wait' }>;

/** The order over the targets of an environment during one run; every target that was looked at may let others go. */
export interface Rollout {
  readonly order: readonly TargetRendering[];
  /** Those of `left` that may be worked on side by side: what one of them answers decides nothing about another one. Never none. */
  next(left: readonly TargetRendering[]): readonly TargetRendering[];
  /** Undefined where no rollout is declared: then all go at once. */
  turnOf(target: TargetName): RolloutTurn | undefined;
  saw(rendering: TargetRendering, seen: { readonly health: TargetHealth; readonly standing?: Standing | undefined }): void;
}

/** One that does not answer keeps only its own place. */
const TARGETS_AT_ONCE = 8;

export function rolloutOf(prepared: PreparedEnvironment, ledger: Ledger, now: Instant): Rollout {
  const { environment, rendered } = prepared;
  const { targets } = rendered.rendering;
  const declaration = environment.declared.value.spec.rollout;
  if (declaration === undefined) return { order: targets, next: (left) => left, turnOf: () => undefined, saw: () => undefined };

  const byName = new Map<string, TargetRendering>(targets.map((one) => [one.target.name, one]));
  const known = new Map(
    environment.targets.flatMap(({ name, value }) => {
      const wanted = byName.get(name)?.digest;
      const { rendering, health = 'unknown' as const, healthySince } = ledger.targets.get(`${environment.name}/${name}`) ?? {};
      if (wanted === undefined) return [];
      return [[name, { name, labels: value.labels ?? {}, wanted, last: { rendering, health, healthySince }, live: undefined }] as const];
    }),
  );
  const seen = new Map<TargetName, TargetHealth['state']>();
  const begun = new Set<TargetName>();

  const plan = () =>
    planRollout({
      declaration,
      targets: [...known.values()].map((target) => {
        const last = begun.has(target.name) && target.last.rendering !== target.wanted ? newlyBegun(target.wanted) : target.last;
        return { ...target, last, live: seen.get(target.name) };
      }),
      now,
    });

  return {
    order: plan().order.flatMap((name) => byName.get(name) ?? []),
    next(left) {
      const { turns } = plan();
      const batches = (['current', 'go', 'wait'] as const).map((kind) =>
        left.filter(({ target }) => turns.get(target.name)?.kind === kind),
      );
      return batches.find((batch) => batch.length > 0) ?? left;
    },
    turnOf(target) {
      const turn = plan().turns.get(target);
      const refused = turn?.kind === 'go' ? quarantinedOn(prepared, ledger, { target: byName.get(target), now }) : undefined;
      return turn === undefined || refused === undefined
        ? turn
        : { kind: 'wait', partition: turn.partition, reason: refused, until: undefined };
    },
    saw(rendering, { health, standing }) {
      seen.set(rendering.target.name, health.state);
      if (standing === undefined) begun.add(rendering.target.name);
    },
  };
}

/** Works on every target, what lets others go before them; the answers are in the order of `asked`. */
export async function inTurns<R>(
  asked: readonly TargetRendering[],
  rollout: Rollout,
  work: (rendering: TargetRendering) => Promise<R>,
): Promise<readonly R[]> {
  const answers = new Map<TargetRendering, R>();
  for (let left = asked; left.length > 0; left = left.filter((rendering) => !answers.has(rendering))) {
    const batch = rollout.next(left);
    const found = await atOnce(batch, TARGETS_AT_ONCE, async (rendering) => [rendering, await work(rendering)] as const);
    for (const [rendering, answer] of found) answers.set(rendering, answer);
  }
  return asked.flatMap((rendering) => answers.get(rendering) ?? []);
}

/** A version that was put in quarantine after the first targets got it goes no further. */
function quarantinedOn(
  { declarations }: PreparedEnvironment,
  ledger: Ledger,
  { target, now }: { readonly target: TargetRendering | undefined; readonly now: Instant },
): string | undefined {
  if (target === undefined) return undefined;
  const runs = ledger.instances.get(`${target.target.environment}/${target.target.name}`);
  for (const [instance, { capsule, version }] of target.instances) {
    const reason = runs?.get(instance)?.version === version ? undefined : quarantineOf(declarations, capsule, version, now);
    if (reason !== undefined) return `${instance} ${version} is in quarantine: ${reason}`;
  }
  return undefined;
}

/** What was decided when the rendering was written that later partitions get only now: its commit says it. */
export function decidedEarlier(head: RenderedHead | undefined) {
  if (head === undefined) return undefined;
  const trailers = parseTrailers(head.message);
  const all = (key: string): readonly string[] => trailers.filter((trailer) => trailer.key === key).map(({ value }) => value);
  const [changeSet] = all('Change-Set');
  const [changeRequest] = all('Change-Request');
  const reason = REASONS.find((known) => known === all('Reason')[0]) ?? 'config';
  return { reason, decision: { changeSet, changeRequest, onBehalfOf: all('Approved-By') } };
}

const REASONS: readonly Reason[] = ['promotion', 'rollback', 'drift', 'config', 'emergency'];

/** Its time of health is the record's that this run will write. */
function newlyBegun(rendering: Sha256) {
  return { rendering, health: 'progressing', healthySince: undefined } as const;
}

/** Looked at and left as it is; what stands in the way of its plan counts once its turn comes. */
export function waitingTurn(
  { rendering, ledger }: SyncRequest,
  turn: WaitingTurn,
  { plan, observation, isDelegated }: { readonly plan: TargetPlan; readonly observation: Observation; readonly isDelegated: boolean },
): SyncResult {
  const standing = standingOn(ledger, rendering);
  const health = isDelegated ? standingDelegated(rendering, observation, ledger) : assessStanding(rendering, observation, standing);
  return { plan, problems: [], health, held: [], drift: [], outcomes: [], ending: waitingFor(rendering.target.name, turn), standing };
}

/** What it keeps was brought in line again: its drift does not wait for the rendering that is to come. */
export function waitingMended({ rendering, ledger }: SyncRequest, turn: WaitingTurn, mended: SyncResult): SyncResult {
  const waiting = waitingFor(rendering.target.name, turn);
  const { ending } = mended;
  const more = ending.kind === 'waiting' ? ending.reasons : [];
  return {
    ...mended,
    ending: ending.kind === 'stuck' || ending.kind === 'retry' ? ending : { ...waiting, reasons: [...waiting.reasons, ...more] },
    standing: standingOn(ledger, rendering),
  };
}

/** Nothing was to be done there, so nobody has to try again sooner. */
export function waitingUnseen({ rendering, ledger }: SyncRequest, turn: WaitingTurn, message: string): SyncResult {
  const { kind, reasons, until } = waitingFor(rendering.target.name, turn);
  const ending: Ending = { kind, reasons: [...reasons, `${rendering.target.name} cannot be looked at: ${message}`], until };
  const health: TargetHealth = { state: 'unknown', instances: [] };
  return {
    plan: noPlan(rendering),
    problems: [],
    health,
    held: [],
    drift: [],
    outcomes: [],
    ending,
    standing: standingOn(ledger, rendering),
  };
}

/** Where nobody could look. */
export function noPlan({ target: { environment, name }, digest }: TargetRendering): TargetPlan {
  return { environment, target: name, rendering: digest, basis: digest, steps: [], drifted: [], problems: [] };
}

function waitingFor(target: TargetName, turn: WaitingTurn): Extract<Ending, { kind: 'waiting' }> {
  return { kind: 'waiting', reasons: [`${target} keeps what it has: ${turn.reason}`], until: turn.until };
}
