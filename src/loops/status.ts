import type { DesiredEnvironment } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import { keyText } from '#model/kubernetes-object.ts';
import { branchRef } from '#model/names.ts';
import type { DriftedObject } from '#model/plan.ts';
import type { Problem } from '#model/problem.ts';
import type { Ending } from '#model/receipt.ts';
import { pinsOfLock } from '#resolve/resolve.ts';
import { promote } from './promote.ts';
import type { PromoteResult } from './promote.ts';
import { reconcile } from './reconcile.ts';
import { suspension } from './sync-rules.ts';
import type { World } from './world.ts';

export interface CapsuleStatus {
  readonly instance: string;
  readonly capsule: string;
  readonly version: string;
  readonly commit: string;
  readonly gitTree: string;
  readonly sha256: string;
  readonly health: string;
  readonly sync: 'Synced' | 'OutOfSync' | 'Unknown';
  readonly waiting: readonly string[];
}

/** An object that others changed. */
export interface DriftStatus {
  /** `apps/Deployment/shop/web` */
  readonly object: string;
  readonly what: string;
  /** Who holds there what was ours, where the target tells. */
  readonly changedBy: readonly string[];
  /** What a run does about it; `fought`: it is left alone, because something keeps setting it back. */
  readonly action: 'corrected' | 'reported' | 'fought';
}

export interface TargetStatus {
  readonly name: string;
  readonly health: string;
  readonly sync: CapsuleStatus['sync'];
  readonly drifted: number;
  readonly drift: readonly DriftStatus[];
  readonly rendering: string | null;
  /** Its group in the order over the targets; null where no rollout is declared. */
  readonly partition: string | null;
  /** Why it does not get its rendering yet. */
  readonly waiting: string | null;
}

/** EnvironmentStatus of contracts.md: computed from the clone and the targets, nothing remembered. */
export interface EnvironmentStatus {
  readonly environment: string;
  readonly revision: CommitId | null;
  readonly rendered: CommitId | null;
  readonly capsules: readonly CapsuleStatus[];
  readonly targets: readonly TargetStatus[];
  readonly holds: readonly { readonly instance: string; readonly reason: string }[];
  readonly freeze: null;
  readonly notices: readonly string[];
  /** What stands against the declarations and stops nothing. */
  readonly warnings: readonly Problem[];
  readonly waiting: readonly string[];
  readonly ending: Ending;
}

export async function statusOf(world: World, name: string, signal?: AbortSignal): Promise<EnvironmentStatus> {
  const refs = await world.repository.refs();
  const main = refs.get(branchRef(world.settings.branch));
  const result = await reconcile(world, { environment: name, target: undefined, trigger: 'person', dryRun: true }, signal);
  const head = await world.rendered.at(refs.get(branchRef(`rendered/${name}`)));
  const declared =
    main === undefined
      ? undefined
      : (await world.reading.declarations(await world.reading.at(main))).state.environments.find((item) => item.name === name);
  const coming =
    declared === undefined
      ? undefined
      : await promote(world, { environment: name, only: undefined, dryRun: true, byPerson: false }, signal);
  const held = coming?.held ?? [];
  const { targets: fought } = (await world.ledger.at(refs.get(branchRef('audit')))).ledger;
  const suspended = declared === undefined ? undefined : suspension(declared);
  const pins = declared?.lock === undefined ? [] : pinsOfLock(declared.lock.value);
  const targets = result.runs.map(({ plan, health, problems, turn, drift }): TargetStatus => {
    const isSynced =
      problems.length === 0 &&
      drift.length === 0 &&
      plan.steps.every((step) => step.action === 'keep') &&
      head?.targets.has(plan.target) === true;
    return {
      name: plan.target,
      health: health.state,
      sync: isSynced ? 'Synced' : 'OutOfSync',
      drifted: plan.drifted.length,
      drift: drift.map((object) => driftStatus(object, fought.get(`${name}/${plan.target}`)?.fought ?? [])),
      rendering: plan.rendering,
      partition: turn?.partition ?? null,
      waiting: turn?.kind === 'wait' ? turn.reason : null,
    };
  });
  const sync: CapsuleStatus['sync'] =
    targets.length === 0 ? 'Unknown' : targets.every((target) => target.sync === 'Synced') ? 'Synced' : 'OutOfSync';
  return {
    environment: name,
    revision: main ?? null,
    rendered: head?.commit ?? null,
    capsules: pins.map((pin) => ({
      instance: pin.instance,
      capsule: pin.capsule,
      version: pin.version,
      commit: pin.commit,
      gitTree: pin.gitTree,
      sha256: pin.sha256,
      health: worst(result.runs.map((run) => run.health.instances.find((item) => item.instance === pin.instance)?.state ?? 'unknown')),
      sync,
      waiting: held.filter((item) => item.instance === pin.instance).map((item) => item.reason),
    })),
    targets,
    holds: Object.entries(declared?.lock?.value.holds ?? {}).map(([instance, hold]) => ({ instance, reason: hold.reason })),
    freeze: null,
    notices: [...result.notices, ...(await imagesNotice(world, declared, main)), ...(suspended === undefined ? [] : [suspended])],
    warnings: result.warnings,
    waiting: [
      ...held.filter((item) => !pins.some((pin) => pin.instance === item.instance)).map((item) => `${item.instance}: ${item.reason}`),
      ...(coming?.changes ?? []).map(waitingText),
    ],
    ending: result.ending,
  };
}

/** Nothing forces an entry for images; where risk is high, that there is none is said. */
async function imagesNotice(
  world: World,
  environment: DesiredEnvironment | undefined,
  main: CommitId | undefined,
): Promise<readonly string[]> {
  const risk = environment?.declared.value.spec.risk;
  if (main === undefined || (risk !== 'high' && risk !== 'critical')) return [];
  const { policy } = (await world.history.upTo(main)).trust;
  return policy?.enforced.has('image') === true
    ? []
    : [`images of ${environment?.name ?? ''} are not verified: no trust entry of the project is for image`];
}

/** Fights are known to the process that fights, and to the ledger. */
function driftStatus({ key, found, changedBy, action }: DriftedObject, fought: readonly string[]): DriftStatus {
  const object = keyText(key);
  const what = found === undefined ? 'was removed outside git' : 'was changed outside git';
  return { object, what, changedBy, action: fought.includes(object) ? 'fought' : action };
}

/** What may come, and what each of its gates says. */
function waitingText({ draft, waiting }: PromoteResult['changes'][number]): string {
  return `${draft.title}: ${waiting.join('; ') || 'all gates passed'}`;
}

function worst(states: readonly string[]): string {
  for (const state of ['degraded', 'unknown', 'progressing']) if (states.includes(state)) return state;
  return states.length === 0 ? 'unknown' : 'healthy';
}
