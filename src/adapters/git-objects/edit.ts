import type { BlobId, TreeId } from '#model/digest.ts';
import { toBlobId, toTreeId } from '#model/digest.ts';
import type { TreeChange, TreeEntry } from '#model/git-objects.ts';
import { objectIdOf } from '#model/git-objects.ts';
import { encodeTree, isTreeName } from '#model/git-tree.ts';
import type { NewObject } from '#ports/object-source.ts';
import { PortError } from '#ports/port-error.ts';

/** A folder of changes: what becomes of each name in it. */
interface Folder {
  /** The path itself is deleted, too: nothing of what was there stays. */
  replaces: boolean;
  readonly children: Map<string, Folder | TreeChange>;
}

export interface EditedTree {
  readonly id: TreeId;
  /** Blobs and trees that follow from the changes; those that exist already may be among them. */
  readonly objects: readonly NewObject[];
}

type OpenTree = (id: TreeId) => Promise<readonly TreeEntry[]>;

/** The tree that follows from `base` and the changes; opens only trees along changed paths, and folders left empty vanish. */
export async function editTree(open: OpenTree, base: TreeId | undefined, changes: readonly TreeChange[]): Promise<EditedTree> {
  const objects: NewObject[] = [];

  function store(type: 'blob' | 'tree', content: Uint8Array): string {
    const id = objectIdOf(type, content);
    objects.push({ id, type, content });
    return id;
  }

  async function rewrite(before: TreeId | undefined, folder: Folder): Promise<TreeId | undefined> {
    const entries = new Map((before === undefined ? [] : await open(before)).map((entry) => [entry.name, entry]));
    for (const [name, change] of folder.children) {
      const old = entries.get(name);
      const next = 'children' in change ? await subfolder(name, old, change) : leaf(name, old, change);
      if (next === undefined) entries.delete(name);
      else entries.set(name, next);
    }
    return entries.size === 0 ? undefined : toTreeId(store('tree', encodeTree([...entries.values()])));
  }

  async function subfolder(name: string, old: TreeEntry | undefined, folder: Folder): Promise<TreeEntry | undefined> {
    const before = old?.kind === 'tree' && !folder.replaces ? old.id : undefined;
    if (before === undefined && onlyDeletes(folder)) return folder.replaces ? undefined : old;
    const id = await rewrite(before, folder);
    return id === undefined ? undefined : { kind: 'tree', name, mode: '40000', id };
  }

  function leaf(name: string, old: TreeEntry | undefined, change: TreeChange): TreeEntry | undefined {
    switch (change.kind) {
      case 'file': {
        const id: BlobId = toBlobId(store('blob', change.content));
        return { kind: 'blob', name, mode: old?.kind === 'blob' && old.mode === '100755' ? '100755' : '100644', id };
      }
      case 'blob':
        return { kind: 'blob', name, mode: change.mode, id: change.id };
      case 'tree':
        return { kind: 'tree', name, mode: '40000', id: change.id };
      case 'delete':
        return undefined;
    }
  }

  if (base !== undefined && changes.length === 0) return { id: base, objects };
  const id = await rewrite(base, nested(changes));
  return { id: id ?? toTreeId(store('tree', new Uint8Array())), objects };
}

function onlyDeletes(folder: Folder): boolean {
  return [...folder.children.values()].every((child) => ('children' in child ? onlyDeletes(child) : child.kind === 'delete'));
}

function nested(changes: readonly TreeChange[]): Folder {
  const root: Folder = { replaces: false, children: new Map() };
  for (const change of changes) {
    const names = change.path.split('/');
    if (!names.every((name) => isTreeName(name) && name.isWellFormed())) {
      throw new PortError('invalid', `the path ${JSON.stringify(change.path.slice(0, 200))} cannot stand in a tree`);
    }
    place(root, names, change);
  }
  return root;
}

function place(root: Folder, names: readonly string[], change: TreeChange): void {
  let folder = root;
  for (const name of names.slice(0, -1)) {
    const child = folder.children.get(name);
    if (child !== undefined && 'children' in child) {
      folder = child;
      continue;
    }
    if (child !== undefined && child.kind !== 'delete') throw clash(change.path);
    const fresh: Folder = { replaces: child !== undefined, children: new Map() };
    folder.children.set(name, fresh);
    folder = fresh;
  }
  const last = names.at(-1) ?? '';
  const there = folder.children.get(last);
  if (there !== undefined) {
    if (change.kind === 'delete' && 'children' in there) {
      there.replaces = true;
      return;
    }
    if (!('children' in there && onlyDeletes(there)) && !('kind' in there && there.kind === 'delete' && change.kind === 'delete'))
      throw clash(change.path);
  }
  folder.children.set(last, change);
}

function clash(path: string): PortError {
  return new PortError('invalid', `two changes meet at ${JSON.stringify(path.slice(0, 200))}`);
}
