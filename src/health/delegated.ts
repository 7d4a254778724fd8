import type { CommitId } from '#model/digest.ts';
import type { InstanceHealth, ObjectHealth, TargetHealth } from '#model/health.ts';
import type { JsonObject } from '#model/json.ts';
import { jsonText } from '#model/json.ts';
import type { LiveObject } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';
import type { TargetRendering } from '#model/rendering.ts';
import { fluxObject } from './flux.ts';
import { plainSentence } from './plain-sentence.ts';
import type { Judgement, Seen } from './seen.ts';
import { HEALTHY, degraded, halted, objectAt, objectsAt, progressing, saying, timeAt, toSeen, told } from './seen.ts';

/** What a tool says of a commit that it was told to put on a target; `live` are its objects by kind. */
export function judgeDelegate(live: ReadonlyMap<string, LiveObject>, commit: CommitId): Judgement {
  const one = (kind: string): Seen | undefined => {
    const found = live.get(kind);
    return found && toSeen(found);
  };
  const application = one('Application');
  if (application !== undefined) return judgeApplication(application, commit);
  const kustomization = one('Kustomization');
  if (kustomization !== undefined) return judgeKustomization(kustomization, one('GitRepository'), commit);
  return progressing('has no status yet');
}

/** Each instance is as the tool says of the whole: it is told once, at the first one. */
export function spread(rendering: TargetRendering, reason: ObjectHealth): TargetHealth {
  const instances = [...rendering.instances.keys()].toSorted(compareText).map((instance, index): InstanceHealth => {
    return { instance, state: reason.state, reasons: index === 0 && reason.state !== 'healthy' ? [reason] : [] };
  });
  return { state: reason.state, instances };
}

/**
 * Argo CD. What is well on the cluster is called Healthy whatever was asked for, a comparison that failed included, and a failed
 * operation stays in the status when a later commit needs none: so each word counts only for the revision that it was said of.
 */
function judgeApplication({ status, conditions, appliedAt }: Seen, commit: CommitId): Judgement {
  const sync = objectAt(status, 'sync');
  const asked = objectAt(objectAt(sync, 'comparedTo'), 'source')['targetRevision'];
  const isCompared = sync['revision'] === commit && asked === commit;
  const reconciled = timeAt(status, 'reconciledAt');
  const error = conditions.find((condition) => jsonText(condition['type']).endsWith('Error'));
  const isRecent = reconciled !== undefined && (appliedAt === undefined || reconciled >= appliedAt);
  if (error !== undefined && isRecent && (asked === commit || asked === undefined))
    return degraded(told('cannot be synced', saying(error)));
  if (!isCompared) return progressing(`has not looked at commit ${short(commit)} yet`);
  const operation = objectAt(status, 'operationState');
  const phase = operationOf(operation) === commit ? jsonText(operation['phase']) : '';
  if (phase === 'Running' || phase === 'Terminating') return progressing(told('is being synced', operation['message']));
  if (sync['status'] !== 'Synced') {
    if (phase === 'Failed' || phase === 'Error') return degraded(told('its sync failed', operation['message']));
    return progressing('is not in sync with its commit yet');
  }
  const health = objectAt(status, 'health');
  const words = [jsonText(health['message']), ...unwell(status)].filter((text) => text !== '').join('; ');
  const state = health['status'];
  if (state === 'Healthy') return HEALTHY;
  if (state === 'Degraded') return degraded(told('what it deploys is degraded', words));
  if (state === 'Suspended') return halted(told('what it deploys is suspended', words));
  if (state === 'Missing' || state === 'Progressing') return progressing(told('what it deploys is on its way', words));
  return { state: 'unknown', reason: told('nobody knows how what it deploys is', words) };
}

/** The commit that an operation was for. */
function operationOf(operation: JsonObject): string {
  const done = jsonText(objectAt(operation, 'syncResult')['revision']);
  return done === '' ? jsonText(objectAt(objectAt(operation, 'operation'), 'sync')['revision']) : done;
}

const NAMED = 3;

/** Objects that Argo CD says more of, where it keeps their health in the Application. */
function unwell(status: JsonObject): readonly string[] {
  const found = objectsAt(status, 'resources').filter((item) => !['', 'Healthy'].includes(jsonText(objectAt(item, 'health')['status'])));
  return found.slice(0, NAMED).map((item) => {
    const words = plainSentence(jsonText(objectAt(item, 'health')['message']), 100);
    return plainSentence(`${jsonText(item['kind'])} ${jsonText(item['name'])}${words === '' ? '' : ` (${words})`}`);
  });
}

/** Flux. A Kustomization does not change with the commit, its source does: only the revisions say what its conditions speak of. */
function judgeKustomization(kustomization: Seen, source: Seen | undefined, commit: CommitId): Judgement {
  const { spec, status } = kustomization;
  const isApplied = isOf(status['lastAppliedRevision'], commit);
  if (isApplied || isOf(status['lastAttemptedRevision'], commit)) {
    const judged = fluxObject(kustomization);
    if (isApplied || judged.state !== 'healthy') return judged;
    return progressing(`is applying commit ${short(commit)}`);
  }
  const fetched = source === undefined ? undefined : fluxObject(source);
  if (fetched?.state === 'degraded') return degraded(`its source ${fetched.reason}`);
  if (spec['suspend'] === true || source?.spec['suspend'] === true) return halted('is suspended');
  return progressing(`has not looked at commit ${short(commit)} yet`);
}

/** `rendered/prod@sha1:<commit>`, `sha1:<commit>`; `rendered/prod/<commit>` before Flux 2.0. */
function isOf(revision: JsonObject[string] | undefined, commit: CommitId): boolean {
  const text = jsonText(revision);
  return text === commit || text.endsWith(`:${commit}`) || text.endsWith(`/${commit}`);
}

function short(commit: CommitId): string {
  return commit.slice(0, 12);
}
