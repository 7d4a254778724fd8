import type { CommitId, Sha256 } from '#model/digest.ts';
import { expressedHealth } from '#model/health-expression.ts';
import type { HealthExpressions } from '#model/health-expression.ts';
import { worstHealth } from '#model/health.ts';
import type { HealthState, InstanceHealth, ObjectHealth, Patience, TargetHealth } from '#model/health.ts';
import type { InstanceName } from '#model/names.ts';
import type { LiveObject, ObservedObject, Observation, ReportedHealth } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';
import type { RenderedObject, TargetRendering } from '#model/rendering.ts';
import { judgeDelegate, spread } from './delegated.ts';
import { liveHealth } from './live-health.ts';
import { plainSentence } from './plain-sentence.ts';
import { HEALTHY, listed } from './seen.ts';

/** What is known of a target, to look objects up in. */
interface Findings {
  readonly found: ReadonlyMap<string, ObservedObject>;
  readonly reports: ReadonlyMap<string, ReportedHealth>;
  /** What the target is known to hold at a path, by an inventory that was written for this rendering and announces nothing there. */
  held(path: string): Sha256 | undefined;
  readonly complete: boolean;
  readonly patience: Patience | undefined;
}

/**
 * How the rendered objects are: their bytes first, then what their cluster says of them and what a consumer reports of exactly these bytes
 * (a report about other bytes is stale and says nothing). Neither means healthy. Without `patience` nothing takes too long.
 */
export function assess(rendering: TargetRendering, observation: Observation, patience?: Patience): TargetHealth {
  const findings = findingsOf(rendering, observation, patience);
  const own = new Map<InstanceName, ObjectHealth[]>([...rendering.instances.keys()].map((instance) => [instance, []]));
  for (const object of rendering.objects) own.get(object.instance)?.push(assessObject(object, findings));
  const instances = [...rendering.instances.keys()].toSorted(compareText).map((instance): InstanceHealth => {
    const states = [...answersFor(rendering, instance)].flatMap((one) => own.get(one) ?? []).map((object) => object.state);
    return {
      instance,
      state: worstHealth(states),
      // Told where the object is: once.
      reasons: (own.get(instance) ?? []).filter((object) => object.state !== 'healthy'),
    };
  });
  return { state: worstHealth(instances.map((instance) => instance.state)), instances };
}

/** How each rendered object is, by path. */
export function assessObjects(
  rendering: TargetRendering,
  observation: Observation,
  patience?: Patience,
): ReadonlyMap<string, ObjectHealth> {
  const findings = findingsOf(rendering, observation, patience);
  return new Map(rendering.objects.map((object) => [object.path, assessObject(object, findings)]));
}

/**
 * How a target is that another tool keeps: what the tool says of exactly `commit`; what it says of another one counts as on its way.
 * `delegated` are the tool's own objects. A dry run of what is not written yet has no commit.
 */
export function assessDelegated(
  { rendering, delegated }: { readonly rendering: TargetRendering; readonly delegated: TargetRendering },
  observation: Observation,
  commit: CommitId | undefined,
): TargetHealth {
  const judged = assessObjects(delegated, observation);
  const [first] = delegated.objects;
  const found = new Map(observation.objects.map((object) => [object.path, object]));
  const absent = delegated.objects.find((object) => found.get(object.path)?.sha256 !== object.sha256);
  const health = absent && judged.get(absent.path);
  if (health !== undefined) return spread(rendering, health);
  const { key } = delegated.objects.find((object) => object.key.kind !== 'GitRepository') ?? first ?? NO_OBJECT;
  if (commit === undefined) return spread(rendering, { key, state: 'progressing', reason: 'has no commit yet' });
  const live = delegated.objects.flatMap((object): (readonly [string, LiveObject])[] => {
    const one = found.get(object.path)?.live;
    return one === undefined ? [] : [[object.key.kind, one]];
  });
  const { state, reason } = judgeDelegate(new Map(live), commit);
  return spread(rendering, { key, state, reason });
}

const NO_OBJECT = { key: { group: '', kind: '', namespace: '', name: '' } };

/** The instance and, through what it shapes or bundles, every other one whose objects say how it is. */
function answersFor(rendering: TargetRendering, instance: InstanceName): ReadonlySet<InstanceName> {
  const found = new Set([instance]);
  for (const one of found) for (const other of rendering.instances.get(one)?.healthOf ?? []) found.add(other);
  return found;
}

function findingsOf(rendering: TargetRendering, observation: Observation, patience: Patience | undefined): Findings {
  let held: ReadonlyMap<string, Sha256> | undefined;
  return {
    found: new Map(observation.objects.map((object) => [object.path, object])),
    reports: new Map(observation.reports.map((report) => [report.path, report])),
    // Asked only of what is missing or other than wanted, so mostly never.
    held: (path) => {
      held ??= heldRows(rendering, observation);
      return held.get(path);
    },
    complete: observation.complete,
    patience,
  };
}

function heldRows(rendering: TargetRendering, { inventory }: Observation): ReadonlyMap<string, Sha256> {
  const settled = inventory?.rendering === rendering.digest ? inventory.objects : [];
  const pending = new Set(settled.filter((object) => object.pending).map((object) => object.path));
  return new Map(settled.filter((object) => !pending.has(object.path)).map((object) => [object.path, object.sha256]));
}

function assessObject(object: RenderedObject, findings: Findings): ObjectHealth {
  const { key, path, sha256 } = object;
  const found = findings.found.get(path);
  if (found === undefined) {
    if (!findings.complete) return { key, state: 'unknown', reason: 'could not look: the target answered in part' };
    return findings.held(path) === undefined
      ? { key, state: 'progressing', reason: 'is not there yet' }
      : { key, state: 'degraded', reason: 'is missing: it was removed outside git' };
  }
  if (found.sha256 !== sha256) {
    const held = findings.held(path);
    // A step that is held back leaves the row with the bytes that were there before: these are nobody else's.
    return held === undefined || held === found.sha256
      ? { key, state: 'progressing', reason: 'does not have the wanted content yet' }
      : { key, state: 'degraded', reason: changedOutside(found.live) };
  }
  const { state, reason, lateAt } = assessContent(object, found.live, findings);
  return lateAt === undefined ? { key, state, reason } : { key, state, reason, lateAt };
}

/** Of an object that has the wanted content: the worse of what its cluster and its consumer say. */
function assessContent(object: RenderedObject, live: LiveObject | undefined, findings: Findings): Omit<ObjectHealth, 'key'> {
  const report = findings.reports.get(object.path);
  const reported = report?.sha256 === object.sha256 ? report : undefined;
  if (live !== undefined) {
    const lived = liveHealth(object, live, findings.patience);
    if (reported === undefined || worstHealth([lived.state, reported.state]) === lived.state) return lived;
  } else if (object.health !== undefined) return expressed(object, object.health, reported);
  if (reported === undefined) return HEALTHY;
  return { state: reported.state, reason: plainSentence(reported.reason) || spoken(reported.state) };
}

/** Its own words decide: without a status of exactly these bytes nobody can say that it is as it should be. */
function expressed({ object }: RenderedObject, health: HealthExpressions, report: ReportedHealth | undefined): Omit<ObjectHealth, 'key'> {
  if (report?.status === undefined) return { state: 'progressing', reason: 'its health expressions wait for its status' };
  const { state, reason } = expressedHealth(health, object, report.status);
  return { state, reason: plainSentence(reason) };
}

function changedOutside(live: LiveObject | undefined): string {
  const by = live === undefined ? '' : listed(live.changedBy);
  return by === '' ? 'was changed outside git' : `was changed outside git by ${by}`;
}

function spoken(state: HealthState): string {
  return `its consumer reports it ${state}`;
}
