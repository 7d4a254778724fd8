import { renderedCommitMessage } from '#ledger/ledger.ts';
import type { Sha256, TreeId } from '#model/digest.ts';
import { toSha256 } from '#model/digest.ts';
import type { CommitId } from '#model/digest.ts';
import type { TreeChange } from '#model/git-objects.ts';
import { objectIdOf } from '#model/git-objects.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { ObjectKey } from '#model/kubernetes-object.ts';
import { createMemo } from '#model/memo.ts';
import { branchRef, toTargetName } from '#model/names.ts';
import type { TargetName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { Ending, Reason } from '#model/receipt.ts';
import type { Rendering } from '#model/rendering.ts';
import type { Pin } from '#model/resolution.ts';
import { guardDeletions } from '#plan/plan.ts';
import { PortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';
import { changeSetOf } from '#resolve/resolve.ts';
import { appendToBranch, committedCapsules } from './branch-writing.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import type { Regated } from './regate.ts';
import { deletionBudget, isConfirmed } from './sync-rules.ts';
import type { World } from './world.ts';

/** What the last commit of `rendered/<env>` holds, by its own metadata. */
export interface RenderedHead {
  readonly commit: CommitId;
  readonly tree: TreeId;
  readonly message: string;
  /** By target name. */
  readonly targets: ReadonlyMap<string, RenderedTargetHead>;
}

export interface RenderedTargetHead {
  /** path below the target -> sha256 of its bytes */
  readonly objects: ReadonlyMap<string, Sha256>;
  readonly instances: ReadonlyMap<
    string,
    { readonly capsule: string; readonly version: string; readonly gitTree: string; readonly sha256: string }
  >;
  readonly metadata: string;
}

/** Reads what rendered branches hold; metadata that is known already is neither read nor parsed again. */
export interface RenderedReader {
  at(commit: CommitId | undefined): Promise<RenderedHead | undefined>;
  /** Takes note of metadata that is being written, so that it is not read back. */
  remember(metadata: string): void;
}

export function createRenderedReader(reader: ObjectReader): RenderedReader {
  const parsed = createMemo<RenderedTargetHead>(1000);

  async function targetOf(folder: TreeId): Promise<RenderedTargetHead | undefined> {
    const metadata = (await reader.tree(folder)).find((item) => item.name === 'render.metadata');
    if (metadata?.kind !== 'blob') return undefined;
    const known = parsed.get(metadata.id);
    return known ?? parsed.set(metadata.id, parseMetadata(Buffer.from(await reader.blob(metadata.id)).toString('utf8')));
  }

  async function at(commit: CommitId | undefined): Promise<RenderedHead | undefined> {
    if (commit === undefined) return undefined;
    const { tree, message } = await reader.commit(commit);
    const targets = new Map<string, RenderedTargetHead>();
    for (const entry of await reader.tree(tree)) {
      const target = entry.kind === 'tree' ? await targetOf(entry.id) : undefined;
      if (target !== undefined) targets.set(entry.name, target);
    }
    return { commit, tree, message, targets };
  }

  return {
    at,
    remember: (metadata) => void parsed.set(objectIdOf('blob', Buffer.from(metadata, 'utf8')), parseMetadata(metadata)),
  };
}

function parseMetadata(text: string): RenderedTargetHead {
  let parsed: Json;
  try {
    parsed = JSON.parse(text) as Json;
  } catch (error) {
    throw new PortError('invalid', 'render.metadata of a rendered branch cannot be read', error);
  }
  const objects = new Map<string, Sha256>();
  const instances = new Map<string, { capsule: string; version: string; gitTree: string; sha256: string }>();
  const declared = isJsonObject(parsed) ? parsed.instances : undefined;
  if (!isJsonObject(declared)) throw new PortError('invalid', 'render.metadata of a rendered branch has no instances');
  for (const [name, value] of Object.entries(declared)) {
    if (!isJsonObject(value) || !Array.isArray(value.objects)) continue;
    instances.set(name, {
      capsule: jsonText(value.capsule),
      version: jsonText(value.version),
      gitTree: jsonText(value.gitTree),
      sha256: jsonText(value.sha256),
    });
    for (const object of value.objects as readonly Json[]) {
      if (isJsonObject(object)) objects.set(jsonText(object.path), toSha256(jsonText(object.sha256)));
    }
  }
  return { objects, instances, metadata: text };
}

interface AdvanceRequest {
  readonly prepared: PreparedEnvironment;
  readonly gated: Extract<Regated, { kind: 'passed' }>;
  readonly runId: string;
  readonly traceId: string;
}

export type Advanced =
  | { readonly kind: 'at'; readonly head: RenderedHead; readonly reason: Reason }
  | { readonly kind: 'ended'; readonly ending: Ending };

/**
 * Row 7: moves `rendered/<env>` to the rendering, unless it would delete more than the budget. An equal rendering makes no commit;
 * a lost race is a PortError `conflict` and the run is repeated.
 */
export async function advanceRendered(world: World, request: AdvanceRequest, signal?: AbortSignal): Promise<Advanced> {
  const { prepared, gated } = request;
  const { rendering } = prepared.rendered;
  const { head } = gated;
  const difference = renderedDifference(head, rendering);
  if (difference.changes.length === 0 && head !== undefined) return { kind: 'at', head, reason: gated.reason };
  const problems = guardRendered(prepared, difference);
  if (problems.length > 0) return { kind: 'ended', ending: { kind: 'stuck', problems } };
  const touched = touchedTargets(head, rendering);
  const message = renderedCommitMessage({
    environment: prepared.environment.name,
    targets: touched,
    capsules: committedCapsules(prepared.pins.filter((pin) => isBrought(pin, head, rendering))),
    sourceCommit: prepared.revision,
    changeSet: gated.moves.length === 0 ? undefined : changeSetOf(gated.moves).id,
    changeRequest: gated.change === undefined ? undefined : `${world.settings.repository}#${gated.change.number}`,
    approvedBy: gated.approvedBy,
    gates: gated.gates,
    runId: request.runId,
    traceId: request.traceId,
    reason: gated.reason,
  });
  const commit = await appendToBranch(
    world,
    {
      ref: branchRef(`rendered/${prepared.environment.name}`),
      expected: head?.commit,
      base: head?.tree,
      changes: difference.changes,
      message,
    },
    signal,
  );
  for (const target of rendering.targets) if (touched.includes(target.target.name)) world.rendered.remember(target.metadata);
  const next = await world.rendered.at(commit);
  if (next === undefined) throw new Error('a commit that was just written cannot be read');
  return { kind: 'at', head: next, reason: gated.reason };
}

/** Targets whose files change or go away, by name. */
function touchedTargets(head: RenderedHead | undefined, rendering: Rendering): readonly TargetName[] {
  const moved = rendering.targets
    .filter((target) => head?.targets.get(target.target.name)?.metadata !== target.metadata)
    .map((target) => target.target.name);
  const kept = new Set<string>(rendering.targets.map((target) => target.target.name));
  const gone = [...(head?.targets.keys() ?? [])].filter((name) => !kept.has(name)).map((name) => toTargetName(name));
  return [...moved, ...gone].sort();
}

/** Whether some target did not have this content of the instance yet. */
function isBrought(pin: Pin, head: RenderedHead | undefined, rendering: Rendering): boolean {
  return rendering.targets.some((target) => {
    if (!target.instances.has(pin.instance)) return false;
    const last = head?.targets.get(target.target.name)?.instances.get(pin.instance);
    return last?.gitTree !== pin.gitTree || last.version !== pin.version || last.capsule !== pin.capsule;
  });
}

/** Deletions of every target that was rendered, of one that is no longer declared as well: that is confirmed by the environment's digest. */
function guardRendered(prepared: PreparedEnvironment, difference: RenderedDifference): readonly Problem[] {
  const { environment, rendered } = prepared;
  const digests = new Map<string, Sha256>(rendered.rendering.targets.map((target) => [target.target.name, target.digest]));
  const placed = new Map<string, readonly ObjectKey[]>(
    rendered.rendering.targets.map((target) => [target.target.name, target.objects.map((object) => object.key)]),
  );
  return [...difference.before].flatMap(([name, before]) => {
    const deleted = difference.deleted.filter((item) => item.target === name).map((item) => item.key);
    if (deleted.length === 0) return [];
    const rendering = digests.get(name) ?? rendered.rendering.digest;
    return guardDeletions({
      environment: environment.name,
      target: toTargetName(name),
      rendering,
      before,
      deleted,
      placed: placed.get(name) ?? [],
      budget: deletionBudget(environment),
      confirmed: isConfirmed(environment, rendering),
    });
  });
}

/** What moves the branch from `head` to `rendering`: only files whose bytes differ. */
export interface RenderedDifference {
  readonly changes: readonly TreeChange[];
  /** Every object that goes away; one that only changes its file (an API version bump) does not. */
  readonly deleted: readonly { readonly target: string; readonly key: ObjectKey }[];
  /** target -> objects it had */
  readonly before: ReadonlyMap<string, number>;
}

export function renderedDifference(head: RenderedHead | undefined, rendering: Rendering): RenderedDifference {
  const changes: TreeChange[] = [];
  const deleted: { target: string; key: ObjectKey }[] = [];
  const before = new Map<string, number>();
  const remaining = new Map(head?.targets ?? []);
  for (const target of rendering.targets) {
    const { name } = target.target;
    const last = remaining.get(name);
    remaining.delete(name);
    before.set(name, last?.objects.size ?? 0);
    if (last?.metadata === target.metadata) continue;
    const gone = new Set(last?.objects.keys());
    for (const object of target.objects) {
      gone.delete(object.path);
      if (last?.objects.get(object.path) !== object.sha256)
        changes.push({ kind: 'file', path: `${name}/${object.path}`, content: Buffer.from(object.text, 'utf8') });
    }
    const kept = new Set(target.objects.map((object) => keyText({ ...object.key, kind: object.key.kind.toLowerCase() })));
    for (const path of gone) {
      changes.push({ kind: 'delete', path: `${name}/${path}` });
      const key = keyOfPath(path);
      if (!kept.has(keyText(key))) deleted.push({ target: name, key });
    }
    changes.push({ kind: 'file', path: `${name}/render.metadata`, content: Buffer.from(target.metadata, 'utf8') });
  }
  for (const [name, last] of remaining) {
    before.set(name, last.objects.size);
    for (const path of last.objects.keys()) deleted.push({ target: name, key: keyOfPath(path) });
    for (const path of [...last.objects.keys(), 'render.metadata']) changes.push({ kind: 'delete', path: `${name}/${path}` });
  }
  return { changes, deleted, before };
}

/** The identity that a rendered file's name carries (its kind in lower case). */
function keyOfPath(path: string): ObjectKey {
  const [group = '', , kind = '', namespace = '', name = ''] = (path.split('/').at(-1) ?? '')
    .replace(/\.yaml$/, '')
    .split('_')
    .map((part) => decodeURIComponent(part));
  return { group: group === 'core' ? '' : group, kind, namespace: namespace === '-' ? '' : namespace, name };
}
