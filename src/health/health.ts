import type { Sha256 } from '#model/digest.ts';
import { expressedHealth } from '#model/health-expression.ts';
import type { HealthExpressions } from '#model/health-expression.ts';
import { worstHealth } from '#model/health.ts';
import type { HealthState, InstanceHealth, ObjectHealth, TargetHealth } from '#model/health.ts';
import type { InstanceName } from '#model/names.ts';
import type { Observation, ReportedHealth } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';
import type { RenderedObject, TargetRendering } from '#model/rendering.ts';
import { plainSentence } from './plain-sentence.ts';

interface Findings {
  readonly found: ReadonlyMap<string, Sha256>;
  readonly reports: ReadonlyMap<string, ReportedHealth>;
  /** Paths the target is known to have held, by an inventory that was written for this rendering and announces nothing there. */
  readonly held: ReadonlySet<string>;
  readonly complete: boolean;
}

/**
 * How the rendered objects are: their bytes first, then what a consumer reports of exactly these bytes (a report about
 * other bytes is stale and says nothing). No report means healthy.
 */
export function assess(rendering: TargetRendering, observation: Observation): TargetHealth {
  const findings = findingsOf(rendering, observation);
  const byInstance = Map.groupBy(rendering.objects, (object) => object.instance);
  const own = new Map(
    [...rendering.instances.keys()].map((instance) => [
      instance,
      (byInstance.get(instance) ?? []).map((object) => assessObject(object, findings)),
    ]),
  );
  const instances = [...rendering.instances.keys()].toSorted(compareText).map((instance): InstanceHealth => {
    const objects = [...answersFor(rendering, instance)].flatMap((one) => own.get(one) ?? []);
    return {
      instance,
      state: worstHealth(objects.map((object) => object.state)),
      // Told where the object is: once.
      reasons: (own.get(instance) ?? []).filter((object) => object.state !== 'healthy'),
    };
  });
  return { state: worstHealth(instances.map((instance) => instance.state)), instances };
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
    held: new Set(settled.map((object) => object.path).filter((path) => !pending.has(path))),
    complete: observation.complete,
  };
}

function assessObject(object: RenderedObject, findings: Findings): ObjectHealth {
  const { key, path, sha256 } = object;
  const found = findings.found.get(path);
  if (found === undefined) {
    if (!findings.complete) return { key, state: 'unknown', reason: 'could not look: the target answered in part' };
    return findings.held.has(path)
      ? { key, state: 'degraded', reason: 'is missing: it was removed outside git' }
      : { key, state: 'progressing', reason: 'is not there yet' };
  }
  if (found !== sha256) {
    return findings.held.has(path)
      ? { key, state: 'degraded', reason: 'was changed outside git' }
      : { key, state: 'progressing', reason: 'does not have the wanted content yet' };
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
