import type { CommitId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';

/** The trailer of a commit that changes nothing and whose signer adds a signature to what its parent brings: the parent's id. */
export const ENDORSES = 'Endorses';
/** The trailer of a commit that changes nothing and accepts everything before it: the reason. */
export const SEAL = 'Trust-Seal';

/** The parent that a commit endorses. The id is the parent's own, so a message that travelled into another commit says nothing. */
export function endorsedBy(commit: Commit): CommitId | undefined {
  const [parent, ...others] = commit.parents;
  return parent !== undefined && others.length === 0 && onlyTrailer(commit.message, ENDORSES) === parent ? parent : undefined;
}

/** The reason that a seal gives. */
export function sealReason(commit: Commit): string | undefined {
  return commit.parents.length === 1 ? onlyTrailer(commit.message, SEAL) : undefined;
}

/** The value of a trailer that occurs once, in the last paragraph. */
function onlyTrailer(message: string, key: string): string | undefined {
  const last =
    message
      .trimEnd()
      .split(/\n\s*\n/)
      .at(-1) ?? '';
  const values = last.split('\n').flatMap((line) => (line.startsWith(`${key}: `) ? [line.slice(key.length + 2).trim()] : []));
  const [value] = values;
  return values.length === 1 && value !== '' ? value : undefined;
}
