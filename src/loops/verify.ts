import { checkAuditCommit, checkLockCommit, checkRenderedCommit, parseTrailers } from '#ledger/ledger.ts';
import type { CommitId, TreeId } from '#model/digest.ts';
import type { Commit } from '#model/git-objects.ts';
import type { Instant } from '#model/instant.ts';
import type { Json } from '#model/json.ts';
import { NOWHERE } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { AllowedSigner } from '#model/verdict.ts';
import { isPortError } from '#ports/port-error.ts';
import { pinsOfLock } from '#resolve/resolve.ts';
import { judgeCommit } from '#trust/trust.ts';
import { addedRecords } from './audit-branch.ts';
import { evidenceBranch } from './evidence-branch.ts';
import { createFirstSeen, createWritten } from './first-seen.ts';
import { renderAt } from './rendered-difference.ts';
import type { TrustOf } from './trust-of.ts';
import { forgottenPromotions, lockContents, lostHeads, rewoundBranches } from './verify-witness.ts';
import type { VerifiedLock, WitnessedBranch } from './verify-witness.ts';
import type { World } from './world.ts';

export interface VerifyRequest {
  readonly full: boolean;
  readonly report: (line: string) => void;
  /** Heads that were seen before, by branch: none of them may be lost. */
  readonly seen?: ReadonlyMap<string, CommitId>;
}

export interface VerifyResult {
  readonly commits: number;
  readonly records: number;
  readonly rendered: number;
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
  /** Of main and the engine's branches, as they stand in this clone. */
  readonly heads: ReadonlyMap<string, CommitId>;
}

const LIMIT = 1_000_000;

/** Everything the engine wrote, checked from a clone and nothing else: signatures, trailers against content, the record chain; `full` renders again. */
export async function verifyClone(world: World, request: VerifyRequest, signal?: AbortSignal): Promise<VerifyResult> {
  const main = await world.repository.resolve(world.settings.branch);
  if (main === undefined)
    return nothingToVerify('the default branch is not in this clone', await lostHeads(world, seenBefore(request), new Map()));
  const declarations = await world.reading.declarations(await world.reading.at(main));
  const branches = await engineBranches(
    world,
    declarations.state.environments.map((item) => item.name),
  );
  const evidence = evidenceBranch(declarations.state.project);
  const kept = await world.repository.resolve(evidence);
  const heads = new Map([
    [world.settings.branch, main] as const,
    ...branches.map(({ name, head }) => [name, head] as const),
    ...(kept === undefined ? [] : [[evidence, kept] as const]),
  ]);
  const lost = await lostHeads(world, seenBefore(request), heads);
  if (branches.length === 0) return { ...nothingToVerify('no branch of the engine is in this clone', lost), heads };
  const unreadable = await unreadableAudit(world, branches.find(({ name }) => name === 'audit')?.head);
  if (unreadable !== undefined) return { ...EMPTY, commits: 1, problems: [...lost, unreadable], heads };
  const { trust } = await world.history.upTo(main);
  const { engines } = trust;
  for (const line of trust.described()) request.report(`trust: ${line}`);

  const problems: Problem[] = [...lost];
  let commits = 0;
  const rendered: WitnessedBranch[] = [];
  const written = createWritten(world);
  for (const branch of branches) {
    const chain = [...(await world.repository.firstParents(branch.head, undefined, LIMIT))].reverse();
    const times = branch.name === 'audit' ? await written.ofAudit(chain) : await written.ofRendered(chain);
    request.report(`${branch.name}: ${chain.length} commit${chain.length === 1 ? '' : 's'}`);
    for (const id of chain) {
      signal?.throwIfAborted();
      const commit = await world.repository.commit(id);
      commits += 1;
      problems.push(...signatureProblems(commit, { engines, branch: branch.name, at: times.get(id) ?? world.clock.now() }));
      if (branch.name === 'audit')
        problems.push(...located(branch.name, id, checkAuditCommit(commit.message, await recordsOf(world, commit))));
      else {
        problems.push(...located(branch.name, id, await renderedProblems(world, commit, branch.environment)));
        if (request.full) problems.push(...located(branch.name, id, await renderAgain(world, commit, branch.environment, signal)));
      }
    }
    if (branch.name !== 'audit') rendered.push({ name: branch.name, chain: new Set(chain) });
  }
  const view = await world.ledger.at(heads.get('audit'));
  const mainChain = await world.repository.firstParents(main, undefined, LIMIT);
  const { records } = view;
  const locks = await engineLocks(world, mainChain, engines);
  const current = declarations.state.environments.flatMap(({ lock }) => (lock === undefined ? [] : pinsOfLock(lock.value)));
  problems.push(
    ...view.problems,
    ...untrustedProject(trust),
    ...locks.flatMap((lock) => located('main', lock.commit, checkLockCommit(lock.message, lock.before, lock.after))),
    ...(await rewoundBranches(world, { main: { name: world.settings.branch, chain: new Set(mainChain) }, rendered, records })),
    ...forgottenPromotions(locks, records),
    ...(await lockContents(world, [...locks, { commit: main, message: '', after: current }])),
  );
  const [first] = declarations.state.environments;
  return {
    commits,
    records: records.length,
    rendered: rendered.reduce((sum, { chain }) => sum + chain.size, 0),
    problems,
    heads,
    notices: [
      ...(heads.has('audit') ? [] : ['the branch audit is not in this clone: nothing says whether a branch was cut back']),
      ...(first === undefined ? [] : trust.notices(first).map((notice) => notice.replace(` for ${first.name}`, ''))),
    ],
  };
}

/** Who engines are is what the project says: a change to it that does not count is told, for the one before it judges. */
function untrustedProject(trust: TrustOf): readonly Problem[] {
  const verdict = trust.policy === undefined ? undefined : trust.verdict('environments/project.yaml');
  if (verdict?.kind !== 'unsigned' && verdict?.kind !== 'refused') return [];
  return [
    problem(
      verdict.kind === 'unsigned' ? 'unsigned' : 'signature-refused',
      `main ${verdict.commit.slice(0, 10)}: ${verdict.sentence}`,
      'Sign a commit that makes the change (or takes it back) with a key that a trust entry of the project names.',
    ),
  ];
}

const EMPTY: VerifyResult = { commits: 0, records: 0, rendered: 0, problems: [], notices: [], heads: new Map() };

function nothingToVerify(why: string, problems: readonly Problem[]): VerifyResult {
  return { ...EMPTY, problems, notices: [`there is nothing to verify: ${why}`] };
}

function seenBefore({ seen }: VerifyRequest): ReadonlyMap<string, CommitId> {
  return seen ?? new Map();
}

/** The first commit of `audit` with a record that is none; everything else that is judged rests on the ledger. */
async function unreadableAudit(world: World, head: CommitId | undefined): Promise<Problem | undefined> {
  if (head === undefined) return undefined;
  try {
    await world.ledger.at(head);
    return undefined;
  } catch (error) {
    if (!isPortError(error) || error.kind !== 'invalid') throw error;
  }
  let before: CommitId | undefined;
  for (const id of (await world.repository.firstParents(head, undefined, LIMIT)).toReversed()) {
    try {
      await addedRecords(world.repository, before, id);
    } catch (error) {
      if (!isPortError(error) || error.kind !== 'invalid') throw error;
      return problem(
        'audit-unreadable',
        `audit ${id.slice(0, 10)}: ${error.message}`,
        'Find out who wrote it, and put audit back to the commit before; records are only ever added by the engine.',
      );
    }
    before = id;
  }
  return undefined;
}

interface EngineBranch {
  readonly name: string;
  readonly environment: string;
  readonly head: CommitId;
}

async function engineBranches(world: Pick<World, 'repository'>, environments: readonly string[]): Promise<readonly EngineBranch[]> {
  const found: EngineBranch[] = [];
  for (const [name, environment] of [...environments.map((item) => [`rendered/${item}`, item] as const), ['audit', ''] as const]) {
    const head = await world.repository.resolve(name);
    if (head !== undefined) found.push({ name, environment, head });
  }
  return found;
}

interface Written {
  readonly engines: readonly AllowedSigner[];
  readonly branch: string;
  readonly at: Instant;
}

function signatureProblems(commit: Commit, { engines, branch, at }: Written): readonly Problem[] {
  const verdict = judgeCommit(commit, engines, 'engine', at);
  if (verdict.kind === 'accepted') return [];
  return [
    problem(
      verdict.kind === 'unsigned' ? 'unsigned' : 'signature-refused',
      `${branch} ${commit.id.slice(0, 10)}: ${verdict.sentence}`,
      "Add the engine's key (capstan identity) to spec.trust with `for: [engine]`, or find out who wrote the branch.",
    ),
  ];
}

async function recordsOf(world: Pick<World, 'repository'>, commit: Commit) {
  const [parent] = commit.parents;
  return addedRecords(world.repository, parent, commit.id);
}

async function renderedProblems(world: Pick<World, 'repository'>, commit: Commit, environment: string): Promise<readonly Problem[]> {
  const [parent] = commit.parents;
  const before = parent === undefined ? new Map<string, TreeId>() : await targetTrees(world, (await world.repository.commit(parent)).tree);
  const after = await targetTrees(world, commit.tree);
  const files = new Map<string, Uint8Array>();
  for (const [target, tree] of after) {
    if (before.get(target) !== tree) await addFiles(world, files, { tree, path: target });
  }
  return checkRenderedCommit({
    message: commit.message,
    environment,
    before: await metadataOf(world, before),
    after: await metadataOf(world, after),
    files,
  });
}

async function targetTrees(world: Pick<World, 'repository'>, tree: TreeId): Promise<ReadonlyMap<string, TreeId>> {
  return new Map(
    (await world.repository.tree(tree)).flatMap((entry): [string, TreeId][] => (entry.kind === 'tree' ? [[entry.name, entry.id]] : [])),
  );
}

async function metadataOf(world: Pick<World, 'repository'>, trees: ReadonlyMap<string, TreeId>): Promise<ReadonlyMap<string, Json>> {
  const found = new Map<string, Json>();
  for (const [target, tree] of trees) {
    const entry = (await world.repository.tree(tree)).find((item) => item.name === 'render.metadata');
    if (entry?.kind === 'blob') found.set(target, parsed(await world.repository.blob(entry.id)));
  }
  return found;
}

function parsed(bytes: Uint8Array): Json {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as Json;
  } catch {
    return null;
  }
}

async function addFiles(
  world: Pick<World, 'repository'>,
  files: Map<string, Uint8Array>,
  from: { readonly tree: TreeId; readonly path: string },
): Promise<void> {
  const entries = await world.repository.tree(from.tree);
  const blobs = entries.flatMap((entry) => (entry.kind === 'blob' ? [entry] : []));
  const contents = await world.repository.blobs(blobs.map((entry) => entry.id));
  for (const [index, entry] of blobs.entries()) files.set(`${from.path}/${entry.name}`, contents[index] ?? new Uint8Array());
  for (const entry of entries)
    if (entry.kind === 'tree') await addFiles(world, files, { tree: entry.id, path: `${from.path}/${entry.name}` });
}

/** Renders what the commit says it came from, and compares metadata byte for byte (it names the digest of every object). */
async function renderAgain(world: World, commit: Commit, environment: string, signal?: AbortSignal): Promise<readonly Problem[]> {
  const source = parseTrailers(commit.message).find((trailer) => trailer.key === 'Source-Commit')?.value;
  const revision = source === undefined ? undefined : await world.repository.resolve(source);
  if (revision === undefined)
    return [
      problem(
        'source-missing',
        `the source commit ${source ?? '(none)'} is not in this clone`,
        'Fetch the whole history, then verify again.',
      ),
    ];
  const declarations = await world.reading.declarations(await world.reading.at(revision));
  const rendered = await renderAt(world, declarations, environment, signal);
  if (rendered === undefined || !rendered.result.ok)
    return [
      problem(
        'render-differs',
        `${environment} at ${revision.slice(0, 10)} cannot be rendered again`,
        'Verify with the version of Capstan that wrote it.',
      ),
    ];
  const trees = await targetTrees(world, commit.tree);
  const problems: Problem[] = [];
  for (const target of rendered.result.value.rendering.targets) {
    const tree = trees.get(target.target.name);
    const entry = tree === undefined ? undefined : (await world.repository.tree(tree)).find((item) => item.name === 'render.metadata');
    const text = entry?.kind === 'blob' ? Buffer.from(await world.repository.blob(entry.id)).toString('utf8') : undefined;
    if (text !== target.metadata)
      problems.push(
        problem(
          'render-differs',
          `${environment}/${target.target.name} renders to ${target.digest.slice(0, 12)} again, but the commit holds something else`,
          'Compare with `capstan render`; only the engine writes this branch.',
        ),
      );
  }
  return problems;
}

/** Lock commits that the engine signed on the default branch and on its merged sides. */
async function engineLocks(world: World, chain: readonly CommitId[], engines: readonly AllowedSigner[]): Promise<readonly VerifiedLock[]> {
  const locks: VerifiedLock[] = [];
  const seen = await createFirstSeen(world)(chain.toReversed());
  for (const id of chain) {
    for (const side of [id, ...(await world.repository.commit(id)).parents.slice(1)]) {
      const commit = await world.repository.commit(side);
      const environment = parseTrailers(commit.message).find((trailer) => trailer.key === 'To-Environment')?.value;
      const [parent, ...more] = commit.parents;
      if (
        environment === undefined ||
        parent === undefined ||
        more.length > 0 ||
        judgeCommit(commit, engines, 'engine', seen.get(id) ?? world.clock.now()).kind !== 'accepted'
      )
        continue;
      const [before, after] = [await pinsAt(world, parent, environment), await pinsAt(world, side, environment)];
      locks.push({ commit: side, message: commit.message, before, after });
    }
  }
  return locks;
}

async function pinsAt(world: World, commit: CommitId, environment: string) {
  const { state } = await world.reading.declarations(await world.reading.at(commit));
  const lock = state.environments.find((item) => item.name === environment)?.lock;
  return lock === undefined ? [] : pinsOfLock(lock.value);
}

function located(branch: string, commit: CommitId, problems: readonly Problem[]): readonly Problem[] {
  return problems.map((item) => ({ ...item, message: `${branch} ${commit.slice(0, 10)}: ${item.message}` }));
}

function problem(code: string, message: string, remedy: string): Problem {
  return { code, rule: undefined, severity: 'error', phase: 'sync', message, remedy, place: NOWHERE, related: [] };
}
