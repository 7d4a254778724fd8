import { sha256Of } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import { canonicalJson, valueAt } from '#model/json.ts';
import type { Part } from './part.ts';
import { metadataOf } from './part.ts';
import type { Scope } from './scope.ts';
import type { Role } from './wave.ts';

/** A Job's name has to fit into a label of its pods. */
const LONGEST = 63 - 9;

/**
 * The Job of a hook or migration under a name of its own for each run: what runs cannot be changed in place. A hook runs once for each
 * version and configuration, a migration once for each content of its pods.
 */
export function hookJob(scope: Scope, part: Part, run: { readonly role: Role; readonly job: JsonObject }): JsonObject {
  const job = run.role.kind === 'migration' ? withoutHash(run.job) : run.job;
  const version = run.role.kind === 'migration' ? '' : scope.unit.pin.sha256;
  const digest = sha256Of(`${version} ${canonicalJson(job['spec'] ?? {})}`).slice(0, 8);
  return { ...job, metadata: metadataOf(scope, part, `${part.name.slice(0, LONGEST).replace(/-+$/, '')}-${digest}`) };
}

/** The configuration that a migration does not use must not change its pods. */
function withoutHash(job: JsonObject): JsonObject {
  const labels = valueAt(job, '/spec/template/metadata/labels') ?? {};
  return { ...job, spec: { template: { metadata: { labels }, spec: valueAt(job, '/spec/template/spec') ?? {} } } };
}
