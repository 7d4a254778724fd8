import type { Sha256 } from '#model/digest.ts';
import { expressedHealth } from '#model/health-expression.ts';
import type { HealthExpressions } from '#model/health-expression.ts';
import { worstHealth } from '#model/health.ts';
import type { HealthState, InstanceHealth, ObjectHealth, Patience, TargetHealth } from '#model/health.ts';
import type { InstanceName } from '#model/names.ts';
import type { Observation, ReportedHealth } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';
import type { RenderedObject, TargetRendering } from '#model/rendering.ts';
import { plainSentence } from './plain-sentence.ts';

interface Findings {
  readonly found: ReadonlyMap<string, Sha256>;
  readonly reports: ReadonlyMap<string, ReportedHealth>;
  /** What the target is known to hold at a path, by an inventory that was written for this rendering and announces nothing there. */
  readonly held: ReadonlyMap<string, Sha256>;
  readonly complete: boolean;
}

/**
 * How the rendered objects are: their bytes first, then what a consumer reports of exactly these bytes (a report about
 * other bytes is stale and says nothing). No report means healthy. Without `patience` nothing takes too long.
 */
export function assess(rendering: TargetRendering, observation: Observation, patience?: Patience): TargetHealth {
  const objects = assessObjects(rendering, observation, patience);
  const own = new Map<InstanceName, ObjectHealth[]>([...rendering.instances.keys()].map((instance) => [instance, []]));
  for (const { instance, path } of rendering.objects) {
    const health = objects.get(path);
    if (health !== undefined) own.get(instance)?.push(health);
  }
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
  _patience?: Patience,
): ReadonlyMap<string, ObjectHealth> {
  const findings = findingsOf(rendering, observation);
  return new Map(rendering.objects.map((object) => [object.path, assessObject(object, findings)]));
}

/** The instance and, through what it shapes or bundles, every other one whose objects say how it is. */
function answersFor(rendering: TargetRendering, instance: InstanceName): ReadonlySet<InstanceName> {
  const found = new Set([instance]);
  for (const one of found) for (const other of rendering.instances.get(one)?.healthOf ?? []) found.add(other);
  return found;
}

function findingsOf(rendering: TargetRendering, observation: Observation): Findings {
  const { inventory } = observation;
  const settled = inventory?.rendering === rendering.digest ? inventory.objects : [];
  const pending = new Set(settled.filter((object) => object.pending).map((object) => object.path));
  return {
    found: new Map(observation.objects.map((object) => [object.path, object.sha256])),
    reports: new Map(observation.reports.map((report) => [report.path, report])),
    held: new Map(settled.filter((object) => !pending.has(object.path)).map((object) => [object.path, object.sha256])),
    complete: observation.complete,
  };
}

function assessObject(object: RenderedObject, findings: Findings): ObjectHealth {
  const { key, path, sha256 } = object;
  const found = findings.found.get(path);
  const held = findings.held.get(path);
  if (found === undefined) {
    if (!findings.complete) return { key, state: 'unknown', reason: 'could not look: the target answered in part' };
    return held === undefined
      ? { key, state: 'progressing', reason: 'is not there yet' }
      : { key, state: 'degraded', reason: 'is missing: it was removed outside git' };
  }
  if (found !== sha256) {
    // A step that is held back leaves the row with the bytes that were there before: these are nobody else's.
    return held === undefined || held === found
      ? { key, state: 'progressing', reason: 'does not have the wanted content yet' }
      : { key, state: 'degraded', reason: 'was changed outside git' };
  }
  const report = findings.reports.get(path);
  if (object.health !== undefined) return expressed(object, object.health, report);
  if (report === undefined || report.sha256 !== sha256) return { key, state: 'healthy', reason: 'as it should be' };
  return { key, state: report.state, reason: plainSentence(report.reason) || spoken(report.state) };
}

/** Its own words decide: without a status of exactly these bytes nobody can say that it is as it should be. */
function expressed({ key, sha256, object }: RenderedObject, health: HealthExpressions, report: ReportedHealth | undefined): ObjectHealth {
  const status = report?.sha256 === sha256 ? report.status : undefined;
  if (status === undefined) return { key, state: 'progressing', reason: 'its health expressions wait for its status' };
  const { state, reason } = expressedHealth(health, object, status);
  return { key, state, reason: plainSentence(reason) };
}

function spoken(state: HealthState): string {
  return `its consumer reports it ${state}`;
}
