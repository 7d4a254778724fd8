import type { CommitId } from '#model/digest.ts';
import type { Forge } from '#ports/forge.ts';
import type { HistoryView } from './main-history.ts';

/** A commit that gave a released version another content, which nobody took back. */
export interface ChangedRelease {
  readonly capsule: string;
  readonly version: string;
  /** The first commit with the other content. */
  readonly commit: CommitId;
  readonly sentence: string;
}

/** The status that says on a commit why no environment takes what it releases. */
export const RELEASE_CHECK = 'capstan/release';

/** What V-07 and V-09 refuse: the first content stays the release, the other one goes nowhere. */
export function changedReleases(view: Pick<HistoryView, 'index' | 'capsules'>): readonly ChangedRelease[] {
  return view.index.conflicts.flatMap(({ release, commit }) => {
    const { capsule, version } = release;
    // A release branch tells only of what it still has.
    const isOnBranch = view.index.branches.size > 0 && view.capsules.get(capsule)?.some((step) => step.commit === commit) !== true;
    const last = isOnBranch ? undefined : view.capsules.get(capsule)?.findLast((step) => step.version === version);
    if (last?.gitTree === release.gitTree) return [];
    const sentence = `${capsule}@${version} was released by ${release.commit.slice(0, 10)} with other content: raise metadata.version, or take the change back`;
    return [{ capsule, version, commit, sentence }];
  });
}

/** Says so where the author looks, whatever the environments think of it. */
export async function publishChanged(forge: Pick<Forge, 'publish'>, changed: readonly ChangedRelease[]): Promise<void> {
  const sentences = new Map<CommitId, string>();
  for (const { commit, sentence } of changed) {
    const before = sentences.get(commit);
    sentences.set(commit, before === undefined ? sentence : `${before}; ${sentence}`);
  }
  for (const [commit, sentence] of sentences)
    await forge.publish(commit, { name: RELEASE_CHECK, state: 'failure', detail: shortened(sentence) });
}

/** Forges keep 140 characters of a status. */
export function shortened(text: string): string {
  return text.length <= 140 ? text : `${text.slice(0, 139)}…`;
}
