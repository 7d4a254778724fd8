import { judgeConditions } from './condition-rule.ts';
import type { Judgement, Seen } from './seen.ts';
import { HEALTHY, NOT_SEEN_YET, conditionOf, degraded, halted, isFalse, isTrue, objectAt, progressing, saying, told } from './seen.ts';

/** Kinds of Crossplane itself that are settings: nobody writes a status that says how they are. */
const SETTINGS: ReadonlySet<string> = new Set([
  'Composition',
  'CompositionRevision',
  'EnvironmentConfig',
  'DeploymentRuntimeConfig',
  'ControllerConfig',
  'ProviderConfig',
  'ClusterProviderConfig',
  'ProviderConfigUsage',
  'StoreConfig',
  'ImageConfig',
]);

/**
 * Whether a custom resource is one that Crossplane runs: a managed resource, a claim or a composite. Its kind may be anybody's, so it is
 * known by what Crossplane or a person wrote into it.
 */
export function isCrossplane({ metadata, spec, conditions }: Seen, group: string): boolean {
  return (
    /(?:^|\.)(?:crossplane|upbound)\.io$/u.test(group) ||
    spec['compositionRef'] !== undefined ||
    spec['crossplane'] !== undefined ||
    spec['providerConfigRef'] !== undefined ||
    objectAt(metadata, 'annotations')['crossplane.io/external-name'] !== undefined ||
    (conditionOf(conditions, 'Synced') !== undefined && conditionOf(conditions, 'Ready') !== undefined)
  );
}

/** Managed resources, claims, composites, and by the same conditions packages and definitions (apis/common of crossplane/crossplane-runtime). */
export function crossplaneObject(seen: Seen, kind: string): Judgement {
  const { conditions } = seen;
  const ready = conditionOf(conditions, 'Ready');
  const synced = conditionOf(conditions, 'Synced');
  if (synced?.['reason'] === 'ReconcilePaused') return isTrue(ready) ? HEALTHY : halted('is paused');
  if (isFalse(synced)) return degraded(told('is not synced', saying(synced)));
  const operation = conditionOf(conditions, 'LastAsyncOperation');
  if (isFalse(operation)) return degraded(told('its last change failed', saying(operation)));
  if (ready !== undefined) return isTrue(ready) ? HEALTHY : progressing(told('is not ready yet', saying(ready)));
  if (synced !== undefined) return progressing('is synced and not ready yet');
  if (SETTINGS.has(kind)) return HEALTHY;
  const known = ['Installed', 'Healthy', 'RevisionHealthy', 'Established', 'Offered'];
  const judged = judgeConditions(seen, conditions, { good: known, waiting: ['UnpackingPackage', 'AwaitingVerification'] });
  return judged === NOT_SEEN_YET && conditions.length > 0 ? HEALTHY : judged;
}
