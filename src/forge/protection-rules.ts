import { accountPermission } from './access.ts';
import type { World } from './call.ts';
import { requiredState } from './checks-state.ts';
import type { Account, Protected, Pull } from './records.ts';
import type { At } from './view-commit.ts';

export function protectionOf(world: World, at: At, branch: string): Protected | undefined {
  return world.store.find('protection', at.row.id, branch);
}

/** Whether the rules bind this account; administrators are exempt unless the rule says otherwise. */
function binds(world: World, at: At, rule: Protected, account: Account): boolean {
  return rule.enforceAdmins || !accountPermission(world, account, at.row, at.owner).admin;
}

/** Why a ref may not be moved directly, in GitHub's words; empty if it may. `after` undefined deletes. */
export function pushRefusals(
  world: World,
  at: At,
  account: Account,
  update: { readonly branch: string; readonly after: string | undefined },
): readonly string[] {
  const rule = protectionOf(world, at, update.branch);
  if (rule === undefined) return [];
  if (update.after === undefined) return rule.allowDeletions ? [] : ['Cannot delete this protected branch.'];
  if (!binds(world, at, rule, account)) return [];
  const named = rule.restrictions;
  const allowed =
    named === undefined || named.users.includes(account.login) || inTeams(world, at, named.teams, account) || isApp(named.apps, account);
  return [
    ...(allowed ? [] : ["You're not authorized to push to this branch."]),
    ...(rule.reviews === undefined ? [] : ['Changes must be made through a pull request.']),
    ...checkRefusals(world, at, rule, update.after),
  ];
}

function isApp(slugs: readonly string[], account: Account): boolean {
  return account.type === 'Bot' && slugs.some((slug) => `${slug}[bot]` === account.login);
}

function inTeams(world: World, at: At, slugs: readonly string[], account: Account): boolean {
  return slugs.some((slug) => Object.hasOwn(world.store.find('team', at.owner.id, slug)?.members ?? {}, String(account.id)));
}

function checkRefusals(world: World, at: At, rule: Protected, commit: string): readonly string[] {
  const contexts = rule.checks?.contexts ?? [];
  const open = contexts
    .map((context) => ({ context, state: requiredState(world, at.row.id, { commit, context }) }))
    .filter((check) => check.state !== 'success');
  const [first] = open;
  if (first === undefined) return [];
  if (open.length > 1)
    return [
      `${open.length} of ${contexts.length} required status checks ${open.every((check) => check.state === 'expected') ? 'are expected' : 'have not succeeded'}.`,
    ];
  const word = { expected: 'expected', pending: 'pending' }[first.state] ?? 'failing';
  return [`Required status check "${first.context}" is ${word}.`];
}

/** Why a pull request may not be merged by this account; empty if it may. */
export function mergeRefusals(world: World, at: At, pull: Pull, account: Account): readonly string[] {
  const rule = protectionOf(world, at, pull.baseRef);
  if (rule === undefined || !binds(world, at, rule, account)) return [];
  return [...reviewRefusals(world, at, rule, pull), ...checkRefusals(world, at, rule, pull.headSha)];
}

function reviewRefusals(world: World, at: At, rule: Protected, pull: Pull): readonly string[] {
  if (rule.reviews === undefined) return [];
  const standing = standingReviews(world, at, pull);
  if (standing.some((review) => review.state === 'CHANGES_REQUESTED')) return ['Changes have been requested on this pull request.'];
  const count = standing.filter((review) => review.state === 'APPROVED').length;
  if (count >= rule.reviews.count) return [];
  const noun = rule.reviews.count === 1 ? 'approving review is' : 'approving reviews are';
  return [`At least ${rule.reviews.count} ${noun} required by reviewers with write access.`];
}

/** The last judgement of each reviewer with write access; comments change nothing. */
function standingReviews(world: World, at: At, pull: Pull): readonly { readonly author: number; readonly state: string }[] {
  const last = new Map<number, { readonly author: number; readonly state: string }>();
  for (const review of world.store.list('review', pull.id)) {
    const author = world.store.get('account', review.author);
    const counts = author !== undefined && review.author !== pull.author && accountPermission(world, author, at.row, at.owner).push;
    if (counts && review.state !== 'COMMENTED' && review.state !== 'PENDING') last.set(review.author, review);
  }
  return [...last.values()].filter((review) => review.state !== 'DISMISSED');
}
