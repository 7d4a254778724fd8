import type { CommitId } from '#model/digest.ts';
import type { Person } from '#model/git-objects.ts';
import { isPortError } from '#ports/port-error.ts';
import type { CommitDraft, Repository, RefUpdate } from '#ports/repository.ts';
import type { World } from './call.ts';
import type { Account } from './records.ts';

export function person(world: World, account: Account): Person {
  return { name: account.login, email: account.email ?? `${account.login}@users.noreply.localhost`, at: world.clock.now(), zone: '+0000' };
}

/** The forge as committer of what it makes itself. */
export function forgePerson(world: World): Person {
  return { name: world.signer.name, email: world.signer.email, at: world.clock.now(), zone: '+0000' };
}

/** Every commit the forge makes is committed and signed by the forge; who asked for it is the author. */
export function makeCommit(world: World, git: Repository, draft: CommitDraft): Promise<CommitId> {
  return git.writeCommit({ committer: forgePerson(world), ...draft }, (payload) => world.signer.sign(payload));
}

/** Moves a ref if it still is what is expected; false if somebody was faster. */
export async function moveRef(git: Repository, update: RefUpdate): Promise<boolean> {
  try {
    await git.push([update]);
    return true;
  } catch (error) {
    if (isPortError(error) && error.kind === 'conflict') return false;
    throw error;
  }
}
