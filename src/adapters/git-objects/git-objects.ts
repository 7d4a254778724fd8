import type { CommitId, TreeId } from '#model/digest.ts';
import { toCommitId } from '#model/digest.ts';
import { encodeCommit } from '#model/git-commit.ts';
import type { Commit, TreeChange, TreeEntry } from '#model/git-objects.ts';
import { objectIdOf } from '#model/git-objects.ts';
import type { NewObject, ObjectCounter, ObjectSource } from '#ports/object-source.ts';
import type { CommitDraft, ObjectLimits, ObjectReader } from '#ports/repository.ts';
import { editTree } from './edit.ts';
import { mergeWholeFiles, type WholeFileMerge } from './merge.ts';
import type { CachedReader } from './reader.ts';
import { objectReader } from './reader.ts';
import type { Walked } from './walk.ts';
import { commonAncestor, reaches, walkFirstParents } from './walk.ts';

/** What both git adapters are made of: checked, cached reading, walks and writing over any raw object database. */
export interface ObjectDatabase extends ObjectReader {
  readonly peel: CachedReader['peel'];
  readonly stored: CachedReader['stored'];
  walkFirstParents(from: CommitId, until: CommitId | undefined, steps: number): Promise<Walked>;
  reaches(ancestor: CommitId, descendant: CommitId, steps: number): Promise<boolean | undefined>;
  commonAncestor(a: CommitId, b: CommitId): Promise<CommitId | undefined>;
  mergeWholeFiles(base: CommitId | undefined, ours: CommitId, theirs: CommitId): Promise<WholeFileMerge>;
  writeTree(base: TreeId | undefined, changes: readonly TreeChange[]): Promise<TreeId>;
  writeCommit(draft: CommitDraft, sign: ((payload: Uint8Array) => Promise<string>) | undefined): Promise<CommitId>;
}

export function objectDatabase(source: ObjectSource, limits: ObjectLimits, counter: ObjectCounter): ObjectDatabase {
  const reader = objectReader(source, limits, counter);

  const readCommit = async (id: CommitId): Promise<Commit> => await reader.commit(id);
  const readTree = async (id: TreeId): Promise<readonly TreeEntry[]> => await reader.tree(id);

  async function store(objects: readonly NewObject[]): Promise<void> {
    const distinct = [...new Map(objects.map((object) => [object.id, object])).values()];
    await source.write(distinct);
    for (const object of distinct) reader.remember(object.type, object.id, object.content);
  }

  return {
    ...reader,
    walkFirstParents: async (from, until, steps) => await walkFirstParents(readCommit, from, until, steps),
    reaches: async (ancestor, descendant, steps) => await reaches(readCommit, ancestor, descendant, steps),
    commonAncestor: async (a, b) => await commonAncestor(readCommit, a, b),
    async mergeWholeFiles(base, ours, theirs) {
      const [old, mine, yours] = await Promise.all([
        base === undefined ? undefined : readCommit(base),
        readCommit(ours),
        readCommit(theirs),
      ]);
      return await mergeWholeFiles(readTree, old?.tree, [mine.tree, yours.tree]);
    },
    async writeTree(base, changes) {
      const edited = await editTree(readTree, base, changes);
      await store(edited.objects);
      return edited.id;
    },
    async writeCommit(draft, sign) {
      const edited = await editTree(readTree, draft.base, draft.changes);
      const content = { ...draft, tree: edited.id, committer: draft.committer ?? draft.author };
      const payload = encodeCommit(content, undefined);
      const bytes = sign === undefined ? payload : encodeCommit(content, await sign(payload));
      const id = toCommitId(objectIdOf('commit', bytes));
      await store([...edited.objects, { id, type: 'commit', content: bytes }]);
      return id;
    },
  };
}
