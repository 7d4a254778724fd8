import type { Sha256, TreeId } from '#model/digest.ts';
import { toSha256 } from '#model/digest.ts';
import type { CommitId } from '#model/digest.ts';
import type { TreeChange } from '#model/git-objects.ts';
import { isJsonObject } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import type { Rendering } from '#model/rendering.ts';
import { PortError } from '#ports/port-error.ts';
import type { ObjectReader } from '#ports/repository.ts';

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
  readonly instances: ReadonlyMap<string, { readonly capsule: string; readonly version: string; readonly gitTree: string; readonly sha256: string }>;
  readonly metadata: string;
}

export async function readRenderedHead(reader: ObjectReader, commit: CommitId | undefined): Promise<RenderedHead | undefined> {
  if (commit === undefined) return undefined;
  const { tree, message } = await reader.commit(commit);
  const targets = new Map<string, RenderedTargetHead>();
  for (const entry of await reader.tree(tree)) {
    if (entry.kind !== 'tree') continue;
    const metadata = (await reader.tree(entry.id)).find((item) => item.name === 'render.metadata');
    if (metadata?.kind !== 'blob') continue;
    targets.set(entry.name, parseMetadata(Buffer.from(await reader.blob(metadata.id)).toString('utf8')));
  }
  return { commit, tree, message, targets };
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
    instances.set(name, { capsule: String(value.capsule), version: String(value.version), gitTree: String(value.gitTree), sha256: String(value.sha256) });
    for (const object of value.objects as readonly Json[]) {
      if (isJsonObject(object)) objects.set(String(object.path), toSha256(String(object.sha256)));
    }
  }
  return { objects, instances, metadata: text };
}

/** What moves the branch from `head` to `rendering`: only files whose bytes differ. */
export interface RenderedDifference {
  readonly changes: readonly TreeChange[];
  /** `<target>/<path>` of every object that goes away. */
  readonly deleted: readonly string[];
  readonly before: number;
}

export function renderedDifference(head: RenderedHead | undefined, rendering: Rendering): RenderedDifference {
  const changes: TreeChange[] = [];
  const deleted: string[] = [];
  let before = 0;
  const remaining = new Map(head?.targets ?? []);
  for (const target of rendering.targets) {
    const name = target.target.name;
    const last = remaining.get(name);
    remaining.delete(name);
    before += last?.objects.size ?? 0;
    if (last?.metadata === target.metadata) continue;
    const gone = new Set(last?.objects.keys() ?? []);
    for (const object of target.objects) {
      gone.delete(object.path);
      if (last?.objects.get(object.path) !== object.sha256) changes.push({ kind: 'file', path: `${name}/${object.path}`, content: Buffer.from(object.text, 'utf8') });
    }
    for (const path of gone) {
      deleted.push(`${name}/${path}`);
      changes.push({ kind: 'delete', path: `${name}/${path}` });
    }
    changes.push({ kind: 'file', path: `${name}/render.metadata`, content: Buffer.from(target.metadata, 'utf8') });
  }
  for (const [name, last] of remaining) {
    before += last.objects.size;
    for (const path of last.objects.keys()) deleted.push(`${name}/${path}`);
    for (const path of [...last.objects.keys(), 'render.metadata']) changes.push({ kind: 'delete', path: `${name}/${path}` });
  }
  return { changes, deleted, before };
}
