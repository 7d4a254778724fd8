import { parseTrailers } from '#ledger/ledger.ts';
import type { CommitId, Sha256 } from '#model/digest.ts';
import { branchRef } from '#model/names.ts';
import type { RefName, TargetName } from '#model/names.ts';
import type { ChangeRequest } from '#model/promotion.ts';
import type { Forge } from '#ports/forge.ts';
import { isPortError } from '#ports/port-error.ts';
import { mayOpen } from '#promotion/promotion.ts';
import { draftDrift } from './drift-draft.ts';
import { findingsOf } from './drift-findings.ts';
import type { DriftFinding, DriftSet, SeenDrift } from './drift-findings.ts';
import { driftPolicy } from './drift.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import type { World } from './world.ts';

/** What people decided about drift that is not corrected by itself. */
export type DriftDecision =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'waiting'; readonly reason: string }
  /** Paths and what was found there. */
  | { readonly kind: 'reverted'; readonly paths: ReadonlyMap<TargetName, ReadonlyMap<string, Sha256 | undefined>> };

export interface DriftRequest {
  readonly prepared: PreparedEnvironment;
  readonly refs: ReadonlyMap<RefName, CommitId>;
  readonly seen: readonly SeenDrift[];
}

const NOTHING: DriftDecision = { kind: 'nothing' };

/**
 * `sync.drift.onDetect: pullRequest`: what others changed becomes a pull request that a person merges (git says so from then on) or closes
 * (it is taken back). The branch is named after the drift, so a run that died anywhere is continued by the next one, and a decision holds
 * for exactly what was decided about.
 */
export async function decideDrift(world: World, request: DriftRequest, signal?: AbortSignal): Promise<DriftDecision> {
  const { forge } = world;
  const { environment } = request.prepared;
  if (forge === undefined) return NOTHING;
  const asks = driftPolicy(environment).onDetect === 'pullRequest';
  const prefix = `drift/${environment.name}/`;
  const branches = [...request.refs.keys()].flatMap((ref) => (ref.startsWith(branchRef(prefix)) ? [ref.slice('refs/heads/'.length)] : []));
  const drift = asks ? await findingsOf(world, request.prepared, request.seen, signal) : undefined;
  const found = drift === undefined || drift.findings.length === 0 ? undefined : drift;
  const branch = found === undefined ? undefined : `${prefix}${found.digest}`;
  const refused: DriftFinding[] = [];
  for (const other of branches) {
    if (other === branch) continue;
    const rest = found === undefined ? [] : await refusedIn(world, forge, { ...request, branch: other, findings: found.findings });
    refused.push(...rest);
    if (rest.length === 0) await endProposal(world, forge, { ...request, branch: other, next: branch }, signal);
  }
  if (refused.length > 0) return reverted(request, refused);
  if (found === undefined || branch === undefined) return NOTHING;
  return propose(world, { ...request, forge, drift: found, branch }, signal);
}

/** What is left of a drift that a person closed: a run that took it back died on the way. */
async function refusedIn(
  world: Pick<World, 'repository'>,
  forge: Forge,
  from: Pick<DriftRequest, 'refs'> & { readonly branch: string; readonly findings: readonly DriftFinding[] },
): Promise<readonly DriftFinding[]> {
  const head = from.refs.get(branchRef(from.branch));
  const change = head === undefined ? undefined : await forge.findByHead(from.branch);
  if (head === undefined || change?.state !== 'closed' || mayOpen(change, (await forge.account()).login, false)) return [];
  const trailers = parseTrailers((await world.repository.commit(head)).message);
  const decided = new Set(trailers.flatMap(({ key, value }) => (key === 'Drift' ? [value] : [])));
  return from.findings.filter((finding) => finding.digests.every((digest) => decided.has(digest)));
}

/** Drift that is no more, or has become other drift: its request is closed and its branch goes. */
async function endProposal(
  world: Pick<World, 'repository'>,
  forge: Forge,
  from: Pick<DriftRequest, 'refs'> & { readonly branch: string; readonly next: string | undefined },
  signal?: AbortSignal,
): Promise<void> {
  const { branch, next } = from;
  const change = await forge.findByHead(branch);
  const why = next === undefined ? 'What it speaks of is not there any more.' : `Something else was changed since: see \`${next}\`.`;
  if (change?.state === 'open') await forge.edit(change.number, { state: 'closed', comment: why });
  await world.repository.push([{ ref: branchRef(branch), expected: from.refs.get(branchRef(branch)), next: undefined }], signal);
}

interface Proposal extends DriftRequest {
  readonly forge: Forge;
  readonly drift: DriftSet;
  readonly branch: string;
}

async function propose(world: World, proposal: Proposal, signal?: AbortSignal): Promise<DriftDecision> {
  const { forge, branch, prepared } = proposal;
  const before = await forge.findByHead(branch);
  if (before?.state === 'merged' && !(await hasArrived(world, before, prepared.revision)))
    return { kind: 'waiting', reason: `${before.url} was merged and is not fetched yet` };
  // Merged, and somebody did the same again: that is asked again.
  if (before?.state === 'closed' && !mayOpen(before, (await forge.account()).login, false))
    return reverted(proposal, proposal.drift.findings);

  const there = proposal.refs.get(branchRef(branch));
  const draft = await draftDrift(world, { prepared, findings: proposal.drift.findings, there }, signal);
  if (draft === undefined) {
    if (before?.state === 'open')
      await forge.edit(before.number, {
        state: 'closed',
        comment: 'Git cannot say what is there by patches any more; it is only reported.',
      });
    return NOTHING;
  }
  if (draft.head !== draft.there)
    await world.repository.push([{ ref: branchRef(branch), expected: draft.there, next: draft.head }], signal);
  const change =
    before?.state === 'open' && before.base === world.settings.branch
      ? before
      : await forge.open({ head: branch, base: world.settings.branch, title: draft.title, body: draft.body, labels: ['drift'] });
  if (change.title !== draft.title || change.body !== draft.body) await forge.edit(change.number, { title: draft.title, body: draft.body });
  return { kind: 'waiting', reason: `drift waits for a person: merge ${change.url} to adopt it, close it to revert it` };
}

/** A person closed it: what was found then is taken back. */
function reverted({ seen }: Pick<DriftRequest, 'seen'>, findings: readonly DriftFinding[]): DriftDecision {
  const told = new Set(findings.map((finding) => finding.object.path));
  const paths = seen.map(({ rendering, drift: objects }): [TargetName, ReadonlyMap<string, Sha256 | undefined>] => [
    rendering.target.name,
    new Map(objects.flatMap(({ path, found, action }) => (told.has(path) && action === 'reported' ? [[path, found]] : []))),
  ]);
  return { kind: 'reverted', paths: new Map(paths.filter(([, each]) => each.size > 0)) };
}

async function hasArrived(world: Pick<World, 'repository'>, change: ChangeRequest, main: CommitId): Promise<boolean> {
  if (change.mergeCommit === undefined) return true;
  try {
    return await world.repository.isAncestor(change.mergeCommit, main);
  } catch (error) {
    if (!isPortError(error)) throw error;
    return false;
  }
}
