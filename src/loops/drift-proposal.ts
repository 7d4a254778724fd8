import { adoptionCommitMessage, parseTrailers } from '#ledger/ledger.ts';
import type { CommitId, Sha256 } from '#model/digest.ts';
import { canonicalJson, valueAt } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import { branchRef } from '#model/names.ts';
import type { RefName, TargetName } from '#model/names.ts';
import type { ChangeRequest } from '#model/promotion.ts';
import type { Forge } from '#ports/forge.ts';
import { isPortError } from '#ports/port-error.ts';
import { mayOpen } from '#promotion/promotion.ts';
import { withPatches } from './adoption-patch.ts';
import { writeEngineCommit } from './branch-writing.ts';
import { findingsOf } from './drift-findings.ts';
import type { DriftFinding, DriftSet, SeenDrift } from './drift-findings.ts';
import { driftBody, driftTitle } from './drift-wording.ts';
import { driftPolicy } from './drift.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import { treeDiff } from './tree-diff.ts';
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

  const draft = await draftOf(world, proposal, signal);
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

interface Draft {
  readonly title: string;
  readonly body: string;
  /** Where the branch stands, and where it should. */
  readonly there: CommitId | undefined;
  readonly head: CommitId;
}

/** The request as it should be; undefined where git can say nothing of what was changed. */
async function draftOf(world: World, proposal: Proposal, signal?: AbortSignal): Promise<Draft | undefined> {
  const { prepared, refs, branch } = proposal;
  const there = refs.get(branchRef(branch));
  const file = prepared.environment.declared.file;
  const text = Buffer.from(await world.repository.blob(prepared.environment.declared.blob)).toString('utf8');
  let { findings } = proposal.drift;
  // Each turn leaves something out, so this ends.
  for (;;) {
    const edited = textWith(text, findings);
    findings = edited.findings;
    if (edited.text === text) return undefined;
    const title = driftTitle({ environment: prepared.environment.name, findings });
    const words = { environment: prepared.environment.name, file, findings, needsSignature: needsSignature(world, prepared) };
    const change = { path: file, content: Buffer.from(edited.text, 'utf8') };
    if (there !== undefined && (await isCurrent(world, there, { ...change, main: prepared.revision })))
      return { title, body: driftBody(words), there, head: there };
    const head = await writeEngineCommit(world, {
      base: (await world.repository.commit(prepared.revision)).tree,
      changes: [{ kind: 'file', ...change }],
      parents: [prepared.revision],
      message: adoptionCommitMessage({
        title,
        environment: prepared.environment.name,
        drift: findings.flatMap((finding) => finding.digests),
        runId: world.ids.runId(),
        traceId: world.ids.traceId(),
      }),
    });
    const wrong = await unsaid(world, prepared, { head, findings }, signal);
    if (wrong.size === 0) return { title, body: driftBody(words), there, head };
    findings = findings.map((finding) =>
      wrong.has(finding) ? leftOut(finding, 'its capsule sets these fields whatever patches say') : finding,
    );
  }
}

/** Whether commits are judged, and by keys of which the engine's is none. */
function needsSignature(world: Pick<World, 'signer'>, { declarations }: PreparedEnvironment): boolean {
  const entries = (declarations.state.project?.value.spec.trust ?? []).filter((entry) => entry.for.includes('commit'));
  return entries.length > 0 && !entries.some((entry) => keyOf(entry.sshKey) === keyOf(world.signer.publicKey));
}

function keyOf(sshKey: string | undefined): string {
  return (sshKey ?? '').split(' ').slice(0, 2).join(' ');
}

function textWith(text: string, findings: readonly DriftFinding[]): { readonly text: string; readonly findings: readonly DriftFinding[] } {
  let here = text;
  const told = findings.map((finding) => {
    if (finding.adopting.kind !== 'patch') return finding;
    const next = withPatches(here, finding.object.instance, [finding.adopting.patch]);
    if (next === undefined) return leftOut(finding, 'its place in the environment is written in a way that cannot be added to');
    here = next;
    return finding;
  });
  return { text: here, findings: told };
}

function leftOut(finding: DriftFinding, reason: string): DriftFinding {
  return { ...finding, adopting: { kind: 'left', reason } };
}

/** One commit on the environment as it is declared now, and nothing else in it. */
async function isCurrent(
  world: Pick<World, 'repository'>,
  head: CommitId,
  wanted: { readonly path: string; readonly content: Uint8Array; readonly main: CommitId },
): Promise<boolean> {
  const commit = await world.repository.commit(head);
  const [parent, more] = commit.parents;
  if (parent === undefined || more !== undefined) return false;
  if (!(await world.repository.isAncestor(parent, wanted.main))) return false;
  const [changed, another] = await treeDiff(world.repository, (await world.repository.commit(parent)).tree, commit.tree, '');
  if (changed === undefined || another !== undefined || changed.path !== wanted.path) return false;
  const [since] = await environmentChanges(world, parent, wanted);
  if (since !== undefined || changed.after?.kind !== 'blob') return false;
  return Buffer.from(await world.repository.blob(changed.after.id)).equals(wanted.content);
}

async function environmentChanges(
  world: Pick<World, 'repository'>,
  parent: CommitId,
  wanted: { readonly path: string; readonly main: CommitId },
) {
  const [before, now] = await Promise.all([parent, wanted.main].map(async (id) => (await world.repository.commit(id)).tree));
  if (before === undefined || now === undefined) return [];
  const changes = await treeDiff(world.repository, before, now, '');
  return changes.filter((change) => change.path === wanted.path);
}

/** Findings that the rendering of a proposal does not say as they are. */
async function unsaid(
  world: World,
  prepared: PreparedEnvironment,
  from: { readonly head: CommitId; readonly findings: readonly DriftFinding[] },
  signal?: AbortSignal,
): Promise<ReadonlySet<DriftFinding>> {
  const adopted = from.findings.filter((finding) => finding.adopting.kind === 'patch');
  const { state } = await world.reading.declarations(await world.reading.at(from.head));
  const environment = state.environments.find((item) => item.name === prepared.environment.name);
  if (environment === undefined) return new Set(adopted);
  const rendered = await world.environments.render(
    { state, environment, resolution: prepared.rendered.resolution, occasion: 'reconcile' },
    signal,
  );
  if (!rendered.ok) return new Set(adopted);
  const objects = new Map(
    rendered.value.rendering.targets.flatMap(({ target, objects: all }) =>
      all.map((object) => [`${target.name} ${object.path}`, object.object]),
    ),
  );
  const isSaid = ({ object, targets, changes = [] }: DriftFinding): boolean =>
    targets.every((target) =>
      changes.every(({ path, after }) => isSame(valueAt(objects.get(`${target} ${object.path}`), path), after as Json | undefined)),
    );
  return new Set(adopted.filter((finding) => !isSaid(finding)));
}

function isSame(one: Json | undefined, other: Json | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return canonicalJson(one) === canonicalJson(other);
}
