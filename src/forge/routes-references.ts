import type { CommitId } from '#model/digest.ts';
import { isObjectId, toCommitId } from '#model/digest.ts';
import { toRefName } from '#model/names.ts';
import { compareText } from '#model/problem.ts';
import type { Repository } from '#ports/repository.ts';
import { actor, appMust, openRepository } from './access.ts';
import type { Answer } from './answer.ts';
import { created, noContent, notFound, ok, refuse } from './answer.ts';
import { flag, text } from './body.ts';
import type { Call, Opened, Route } from './call.ts';
import { param } from './call.ts';
import { moveRef } from './commit-writer.ts';
import { paged } from './page.ts';
import { protectionOf, pushRefusals } from './protection-rules.ts';
import { syncRefs } from './ref-sync.ts';
import { api, nodeId } from './view-account.ts';
import { repositoryPath } from './view-repository.ts';

export const REFERENCE_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/repos/{owner}/{repo}/git/ref/{ref+}', resource: 'Reference', handle: getReference },
  { method: 'GET', path: '/repos/{owner}/{repo}/git/matching-refs/{ref+}', resource: 'Reference', handle: matchingReferences },
  { method: 'POST', path: '/repos/{owner}/{repo}/git/refs', resource: 'Reference', handle: createReference },
  { method: 'PATCH', path: '/repos/{owner}/{repo}/git/refs/{ref+}', resource: 'Reference', handle: updateReference },
  { method: 'DELETE', path: '/repos/{owner}/{repo}/git/refs/{ref+}', resource: 'Reference', handle: deleteReference },
];

const FORBIDDEN = /[\s~^:?*[\\\p{Cc}]|\.\.|@\{|\/\/|\/$|\.$|\.lock(?:\/|$)|\/\.|^-/u;

export function isRefName(ref: string): boolean {
  return /^refs\/(?:heads|tags)\/./.test(ref) && !FORBIDDEN.test(ref);
}

/** The tip of a branch. */
export async function branchTip(git: Repository, branch: string): Promise<CommitId | undefined> {
  return (await git.refs()).get(toRefName(`refs/heads/${branch}`));
}

function referenceView(call: Call, opened: Opened, ref: string, sha: string) {
  const path = repositoryPath(opened.owner, opened.row);
  return {
    ref,
    node_id: nodeId('Ref', `${opened.row.id}:${ref}`),
    url: api(call.world, `${path}/git/${ref}`),
    object: { sha, type: 'commit', url: api(call.world, `${path}/git/commits/${sha}`) },
  };
}

async function getReference(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const ref = `refs/${param(call, 'ref')}`;
  const sha = (await opened.git.refs()).get(toRefName(ref));
  if (sha === undefined) throw notFound();
  return ok(referenceView(call, opened, ref, sha));
}

async function matchingReferences(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'read');
  const prefix = `refs/${param(call, 'ref')}`;
  const refs = [...(await opened.git.refs())].filter(([name]) => name.startsWith(prefix)).sort(([a], [b]) => compareText(a, b));
  return paged(call, refs, ([name, sha]) => referenceView(call, opened, name, sha));
}

/** A commit the repository has; 422 otherwise. */
async function knownCommit(call: Call, git: Repository): Promise<CommitId> {
  const sha = text(call.body, 'sha');
  if (!isObjectId(sha)) throw refuse(422, 'The sha parameter must be exactly 40 characters and contain only [0-9a-f].');
  const id = toCommitId(sha);
  if ((await git.resolve(sha)) === undefined) throw refuse(422, 'Object does not exist');
  return id;
}

async function createReference(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'write');
  appMust(call, 'contents');
  const ref = text(call.body, 'ref');
  if (!isRefName(ref)) throw refuse(422, 'Reference name is not valid');
  const next = await knownCommit(call, opened.git);
  if ((await opened.git.refs()).has(toRefName(ref))) throw refuse(422, 'Reference already exists');
  await moved(call, opened, { ref, expected: undefined, next }, 'Reference already exists');
  return created(referenceView(call, opened, ref, next));
}

async function updateReference(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'write');
  appMust(call, 'contents');
  const ref = `refs/${param(call, 'ref')}`;
  const next = await knownCommit(call, opened.git);
  const expected = (await opened.git.refs()).get(toRefName(ref));
  if (expected === undefined || !isRefName(ref)) throw refuse(422, 'Reference does not exist');
  const forward = await opened.git.isAncestor(expected, next);
  if (!forward && flag(call.body, 'force') !== true) throw refuse(422, 'Update is not a fast forward');
  const rule = protectionOf(call.world, opened, ref.replace(/^refs\/heads\//, ''));
  if (!forward && rule?.allowForcePushes === false) throw refuse(422, 'Cannot force-push to this branch');
  await moved(call, opened, { ref, expected, next }, 'Reference update failed');
  return ok(referenceView(call, opened, ref, next));
}

async function deleteReference(call: Call): Promise<Answer> {
  const opened = await openRepository(call, 'write');
  appMust(call, 'contents');
  const ref = `refs/${param(call, 'ref')}`;
  const expected = (await opened.git.refs()).get(toRefName(ref));
  if (expected === undefined || !isRefName(ref)) throw refuse(422, 'Reference does not exist');
  await moved(call, opened, { ref, expected, next: undefined }, 'Reference update failed');
  return noContent();
}

async function moved(
  call: Call,
  opened: Opened,
  update: { readonly ref: string; readonly expected: CommitId | undefined; readonly next: CommitId | undefined },
  lost: string,
): Promise<void> {
  const { world } = call;
  const account = actor(call);
  const branch = update.ref.startsWith('refs/heads/') ? update.ref.slice('refs/heads/'.length) : undefined;
  const refused = branch === undefined ? [] : pushRefusals(world, opened, account, { branch, after: update.next });
  if (refused.length > 0) throw refuse(422, refused.join(' '));
  await world.repositories.exclusive(opened.row.id, async () => {
    if (!(await moveRef(opened.git, { ref: toRefName(update.ref), expected: update.expected, next: update.next }))) throw refuse(422, lost);
    await syncRefs(world, opened, account);
  });
}
