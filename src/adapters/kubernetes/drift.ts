import { driftChanges } from '#model/drift-change.ts';
import type { FieldChange, PlannedObject, WritingStep } from '#model/plan.ts';
import type { Cluster } from './cluster.ts';
import { readObject } from './look-again.ts';
import { inParallel } from './parallel.ts';
import { told } from './preview.ts';
import { prepareWriting, sendWriting } from './writing.ts';

const AT_ONCE = 32;

/** What others changed: the other way round, what an apply would change of each object. Nothing is written. */
export async function clusterDrift(
  cluster: Cluster,
  objects: readonly PlannedObject[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, readonly FieldChange[]>> {
  const asked = objects.filter(({ key, sealed }) => key.kind !== 'Secret' && sealed === undefined && cluster.allows(key));
  const found = await inParallel(asked, AT_ONCE, async (object) => {
    signal?.throwIfAborted();
    return [object.path, await changesOf(cluster, object, signal)] as const;
  });
  return new Map(found.flatMap(([path, changes]) => (changes === undefined ? [] : [[path, changes]])));
}

async function changesOf(
  cluster: Cluster,
  { key, path, sha256, text }: PlannedObject,
  signal: AbortSignal | undefined,
): Promise<readonly FieldChange[] | undefined> {
  const step: WritingStep = { action: 'update', key, path, sha256, text, basis: undefined, leaves: [], reason: 'drift' };
  const writing = await prepareWriting(cluster, step, signal);
  if (writing.kind === 'refused') return undefined;
  const live = await readObject(cluster, writing.resource, key, signal);
  if (live === undefined) return undefined;
  const answer = await sendWriting(writing, { found: undefined, force: true, dryRun: true, live }, signal);
  return answer.status === 200 ? driftChanges(told(answer.body), told(live)) : undefined;
}
