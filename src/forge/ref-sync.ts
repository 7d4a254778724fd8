import type { CommitId } from '#model/digest.ts';
import { toCommitId } from '#model/digest.ts';
import type { RefName } from '#model/names.ts';
import { toRefName } from '#model/names.ts';
import type { Repository } from '#ports/repository.ts';
import { now } from './access.ts';
import type { World } from './call.ts';
import type { Happening } from './events.ts';
import { raise } from './events.ts';
import { mergeRefusals, protectionOf } from './protection-rules.ts';
import { pullFacts } from './pull-facts.ts';
import { pushPayload } from './push-payload.ts';
import type { Account, Pull, Stored } from './records.ts';
import type { At } from './view-commit.ts';
import { pullView } from './view-pull.ts';

interface Moved {
  readonly name: string;
  readonly row: Stored<'ref'> | undefined;
  readonly before: CommitId | undefined;
  readonly after: CommitId | undefined;
}

/**
 * Compares the refs with those last seen, moves pull requests along and raises the webhooks that follow: after a push, after a merge, and at
 * start for whatever a kill cut off. Hold the repository's queue (`exclusive`) while calling.
 */
export async function syncRefs(world: World, at: At, sender: Account): Promise<void> {
  const git = await world.repositories.open(at.row.id);
  const refs = await git.refs();
  const moves = movesSince(world, at, refs);
  if (moves.length === 0) return;
  const happenings: Happening[] = [];
  for (const move of moves) happenings.push({ event: 'push', payload: await pushPayload(world, at, git, { ...move, sender }) });
  const pulls = await movedPulls(world, at, { git, refs, moves, sender });
  const shown: Happening[] = [];
  for (const { pull, action, extra } of pulls) {
    const facts = await pullFacts(git, pull, mergeRefusals(world, at, pull, sender).length > 0);
    shown.push({
      event: 'pull_request',
      action,
      payload: { number: pull.number, pull_request: pullView(world, at, pull, facts), ...extra },
    });
  }
  world.store.transaction(() => {
    for (const move of moves) saveRef(world, at, move);
    for (const { pull, action } of pulls) {
      world.store.save('pull', pull);
      if (action === 'synchronize' && protectionOf(world, at, pull.baseRef)?.reviews?.dismissStale === true) dismissApprovals(world, pull);
    }
    const row = world.store.get('repository', at.row.id) ?? at.row;
    world.store.save('repository', { ...row, pushedAt: now(world), updatedAt: now(world) });
    for (const happening of [...happenings, ...shown]) raise(world, at, sender, happening);
  });
  world.deliver();
}

function movesSince(world: World, at: At, refs: ReadonlyMap<RefName, CommitId>): readonly Moved[] {
  const known = new Map(world.store.list('ref', at.row.id).map((row) => [row.name, row]));
  const actual = new Map<string, CommitId>([...refs].filter(([name]) => name.startsWith('refs/heads/') || name.startsWith('refs/tags/')));
  return [...new Set([...known.keys(), ...actual.keys()])].flatMap((name) => {
    const row = known.get(name);
    const after = actual.get(name);
    return row?.commit === after ? [] : [{ name, row, before: row === undefined ? undefined : toCommitId(row.commit), after }];
  });
}

function saveRef(world: World, at: At, move: Moved): void {
  if (move.after === undefined) {
    if (move.row !== undefined) world.store.remove('ref', move.row.id);
  } else if (move.row === undefined)
    world.store.insert('ref', { parent: at.row.id, key: move.name }, { name: move.name, commit: move.after });
  else world.store.save('ref', { ...move.row, commit: move.after });
}

interface MovedPull {
  readonly pull: Pull;
  readonly action: 'synchronize' | 'closed';
  readonly extra: Readonly<Record<string, unknown>>;
}

interface Change {
  readonly git: Repository;
  readonly refs: ReadonlyMap<RefName, CommitId>;
  readonly moves: readonly Moved[];
  readonly sender: Account;
}

async function movedPulls(world: World, at: At, change: Change): Promise<readonly MovedPull[]> {
  const result: MovedPull[] = [];
  for (const pull of world.store.list('pull', at.row.id).filter((row) => row.state === 'open')) {
    const head = change.moves.find((move) => move.name === `refs/heads/${pull.headRef}`);
    const base = change.moves.find((move) => move.name === `refs/heads/${pull.baseRef}`);
    if (head === undefined && base === undefined) continue;
    const moved = await movedPull(world, { pull, head, base }, change);
    if (moved !== undefined) result.push(moved);
  }
  return result;
}

async function movedPull(
  world: World,
  of: { readonly pull: Pull; readonly head: Moved | undefined; readonly base: Moved | undefined },
  change: Change,
): Promise<MovedPull | undefined> {
  const { pull, head, base } = of;
  const at = now(world);
  const sha = head?.after ?? toCommitId(pull.headSha);
  const merge = base?.after === undefined ? undefined : await mergeFound(change, { pull, sha, tip: base.after, at });
  const closed = { ...pull, state: 'closed', closedBy: change.sender.id, closedAt: at, updatedAt: at, merging: undefined } as const;
  if (merge !== undefined) {
    return {
      pull: { ...closed, headSha: sha, merge, closedBy: merge.by, baseSha: base?.before ?? pull.baseSha },
      action: 'closed',
      extra: {},
    };
  }
  const gone = (head !== undefined && head.after === undefined) || (base !== undefined && base.after === undefined);
  if (gone) return { pull: closed, action: 'closed', extra: {} };
  if (head?.after === undefined || head.after === pull.headSha) return undefined;
  const ref = toRefName(`refs/pull/${pull.number}/head`);
  await change.git.push([{ ref, expected: change.refs.get(ref), next: head.after }]);
  return {
    pull: { ...pull, headSha: head.after, updatedAt: at, merging: undefined },
    action: 'synchronize',
    extra: { before: pull.headSha, after: head.after },
  };
}

async function mergeFound(
  change: Change,
  of: { readonly pull: Pull; readonly sha: CommitId; readonly tip: CommitId; readonly at: string },
): Promise<Pull['merge']> {
  const { pull, sha, tip, at } = of;
  const merging = pull.merging;
  if (merging !== undefined && (await change.git.isAncestor(toCommitId(merging.commit), tip))) return merging;
  return (await change.git.isAncestor(sha, tip)) ? { commit: tip, by: change.sender.id, at } : undefined;
}

function dismissApprovals(world: World, pull: Pull): void {
  for (const review of world.store.list('review', pull.id)) {
    if (review.state === 'APPROVED') world.store.save('review', { ...review, state: 'DISMISSED' });
  }
}
