import { adoptionCommitMessage } from '#ledger/ledger.ts';
import type { CommitId } from '#model/digest.ts';
import { canonicalJson, valueAt } from '#model/json.ts';
import type { Json } from '#model/json.ts';
import { withPatches } from './adoption-patch.ts';
import { writeEngineCommit } from './branch-writing.ts';
import type { DriftFinding } from './drift-findings.ts';
import { driftBody, driftTitle } from './drift-wording.ts';
import type { PreparedEnvironment } from './prepare-environment.ts';
import { treeDiff } from './tree-diff.ts';
import type { World } from './world.ts';

/** A pull request about drift, not opened yet. */
export interface DriftDraft {
  readonly title: string;
  readonly body: string;
  /** Where the branch stands, and where it should. */
  readonly there: CommitId | undefined;
  readonly head: CommitId;
}

export interface DraftRequest {
  readonly prepared: PreparedEnvironment;
  readonly findings: readonly DriftFinding[];
  /** Where the branch stands. */
  readonly there: CommitId | undefined;
}

/** So many findings are tried one by one where all of them together cannot be rendered. */
const MOST_ALONE = 20;

/** The request as it should be; undefined where git can say nothing of what was changed. */
export async function draftDrift(world: World, request: DraftRequest, signal?: AbortSignal): Promise<DriftDraft | undefined> {
  const { prepared, there } = request;
  const { declared, name } = prepared.environment;
  const before = Buffer.from(await world.repository.blob(declared.blob)).toString('utf8');
  let { findings } = request;
  // Each turn leaves something out, so this ends.
  for (;;) {
    const edited = textWith(before, findings);
    findings = edited.findings;
    if (edited.text === before) return undefined;
    const title = driftTitle({ environment: name, findings });
    const body = driftBody({ environment: name, file: declared.file, findings, needsSignature: needsSignature(world, prepared) });
    const change = { path: declared.file, content: Buffer.from(edited.text, 'utf8') };
    if (there !== undefined && (await isCurrent(world, there, { ...change, main: prepared.revision })))
      return { title, body, there, head: there };
    const head = await writeProposal(world, { prepared, findings, text: edited.text, title });
    const wrong = await unsaid(world, prepared, { head, findings }, signal);
    if (wrong.size === 0) return { title, body, there, head };
    const told = wrong.size > 1 && wrong.size <= MOST_ALONE ? await wrongAlone(world, { prepared, findings, before }, signal) : wrong;
    const reasons = told.size === 0 ? wrong : told;
    findings = findings.map((finding) => {
      const reason = reasons.get(finding);
      return reason === undefined ? finding : leftOut(finding, reason);
    });
  }
}

/** One that cannot be rendered must not keep the others from being proposed. */
async function wrongAlone(
  world: World,
  {
    prepared,
    findings,
    before,
  }: { readonly prepared: PreparedEnvironment; readonly findings: readonly DriftFinding[]; readonly before: string },
  signal?: AbortSignal,
): Promise<ReadonlyMap<DriftFinding, string>> {
  const wrong = new Map<DriftFinding, string>();
  for (const finding of findings) {
    if (finding.adopting.kind !== 'patch') continue;
    const { text } = textWith(before, [finding]);
    const head = await writeProposal(world, { prepared, findings: [finding], text, title: 'one of several' });
    for (const [one, reason] of await unsaid(world, prepared, { head, findings: [finding] }, signal)) wrong.set(one, reason);
  }
  return wrong;
}

/** A commit that no branch names yet. */
async function writeProposal(
  world: World,
  from: {
    readonly prepared: PreparedEnvironment;
    readonly findings: readonly DriftFinding[];
    readonly text: string;
    readonly title: string;
  },
): Promise<CommitId> {
  const { revision, environment } = from.prepared;
  return writeEngineCommit(world, {
    base: (await world.repository.commit(revision)).tree,
    changes: [{ kind: 'file', path: environment.declared.file, content: Buffer.from(from.text, 'utf8') }],
    parents: [revision],
    message: adoptionCommitMessage({
      title: from.title,
      environment: environment.name,
      drift: from.findings.flatMap((finding) => finding.digests),
      runId: world.ids.runId(),
      traceId: world.ids.traceId(),
    }),
  });
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

/** Findings that the rendering of a proposal does not say as they are, and why not. */
async function unsaid(
  world: World,
  prepared: PreparedEnvironment,
  from: { readonly head: CommitId; readonly findings: readonly DriftFinding[] },
  signal?: AbortSignal,
): Promise<ReadonlyMap<DriftFinding, string>> {
  const adopted = from.findings.filter((finding) => finding.adopting.kind === 'patch');
  const { state } = await world.reading.declarations(await world.reading.at(from.head));
  const environment = state.environments.find((item) => item.name === prepared.environment.name);
  const allOf = (reason: string): ReadonlyMap<DriftFinding, string> => new Map(adopted.map((finding) => [finding, reason]));
  if (environment === undefined) return allOf('the environment could not be read with it');
  const rendered = await world.environments.render(
    { state, environment, resolution: prepared.rendered.resolution, occasion: 'reconcile' },
    signal,
  );
  if (!rendered.ok) return allOf(`with it the environment cannot be rendered: ${rendered.problems[0]?.message ?? 'no reason is given'}`);
  const objects = new Map(
    rendered.value.rendering.targets.flatMap(({ target, objects: all }) =>
      all.map((object) => [`${target.name} ${object.path}`, object.object]),
    ),
  );
  const isSaid = ({ object, targets, changes = [] }: DriftFinding): boolean =>
    targets.every((target) =>
      changes.every(({ path, after }) => isSame(valueAt(objects.get(`${target} ${object.path}`), path), after as Json | undefined)),
    );
  return new Map(
    adopted.filter((finding) => !isSaid(finding)).map((finding) => [finding, 'its capsule sets these fields whatever patches say']),
  );
}

function isSame(one: Json | undefined, other: Json | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return canonicalJson(one) === canonicalJson(other);
}
