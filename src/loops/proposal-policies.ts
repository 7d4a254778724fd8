import type { Policy } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import type { JsonObject } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import type { ChangeRequest } from '#model/promotion.ts';
import { judgeRendering, looksAtChange, looksBack, readPolicies } from '#policy/policy.ts';
import { pinsOfLock } from '#resolve/resolve.ts';
import { declaredCapsules, questionsAgainst } from './looking-back.ts';
import { standingApprovals } from './policy-evidence.ts';
import type { Declarations, Snapshot } from './reading.ts';
import { renderAt } from './rendered-difference.ts';
import { treeDiff } from './tree-diff.ts';
import type { World } from './world.ts';

export interface Proposal {
  readonly number: number;
  /** Where the proposal left the default branch. */
  readonly base: Snapshot;
  readonly head: Snapshot & { readonly commit: CommitId };
  /** The default branch as it is: policies come from there, so that no proposal can lift what judges it. */
  readonly main: Snapshot;
}

/**
 * What the check of a snapshot alone cannot judge: policies of the default branch that the proposal changes or takes out, policies that
 * look at who proposes what, and policies that compare with what was there.
 */
export async function judgeProposal(world: World, proposal: Proposal, signal?: AbortSignal): Promise<readonly Problem[]> {
  const [main, base, head] = [
    await world.reading.declarations(proposal.main),
    await world.reading.declarations(proposal.base),
    await world.reading.declarations(proposal.head),
  ];
  const policies = openPolicies(main, head);
  if (policies.length === 0) return [];
  const change = policies.some((policy) => looksAtChange(policy)) ? await changeOf(world, proposal, head) : undefined;
  const problems: Problem[] = [];
  for (const environment of head.state.environments) {
    signal?.throwIfAborted();
    if (isUntouched(environment, base, head)) continue;
    const asked = { environment, at: world.clock.now(), change: { ...change, risk: environment.declared.value.spec.risk ?? 'low' } };
    const readings = readPolicies(policies, { ...asked, on: 'pullRequest', moved: [], lock: null, evidence: [], named: new Set() });
    problems.push(...readings.flatMap((reading) => reading.problems));
    problems.push(...(await judgeObjects(world, { policies, base, head, asked }, signal)));
  }
  return problems;
}

/** Policies with something left to say: those of the default branch, and new ones of the proposal. */
function openPolicies(main: Declarations, head: Declarations): readonly Declared<Policy>[] {
  const names = new Set(main.state.policies.map((policy) => policy.value.metadata.name));
  const judgedAlready = new Set(head.state.policies.map((policy) => policy.blob));
  return [...main.state.policies, ...head.state.policies.filter((policy) => !names.has(policy.value.metadata.name))].filter(
    (policy) => looksBack(policy) || looksAtChange(policy) || !judgedAlready.has(policy.blob),
  );
}

function isUntouched(environment: DesiredEnvironment, base: Declarations, head: Declarations): boolean {
  return base.sharedKey === head.sharedKey && base.environmentTrees.get(environment.name) === head.environmentTrees.get(environment.name);
}

async function judgeObjects(
  world: World,
  from: {
    readonly policies: readonly Declared<Policy>[];
    readonly base: Declarations;
    readonly head: Declarations;
    readonly asked: {
      readonly environment: DesiredEnvironment;
      readonly at: ReturnType<World['clock']['now']>;
      readonly change: JsonObject;
    };
  },
  signal?: AbortSignal,
): Promise<readonly Problem[]> {
  const { environment } = from.asked;
  const now = await renderAt(world, from.head, environment.name, signal);
  if (now?.result.ok !== true) return [];
  const before = await renderAt(world, from.base, environment.name, signal);
  const capsules = await declaredCapsules(world.reading, environment.lock === undefined ? [] : pinsOfLock(environment.lock.value));
  const rendered = { now: now.result.value.rendering, before: before?.result.ok === true ? before.result.value.rendering : undefined };
  return questionsAgainst(environment, rendered).flatMap((question) =>
    (['render', 'pullRequest'] as const).flatMap((on) =>
      judgeRendering(ofObjects(from.policies, on), { ...question, ...from.asked, capsules, on }),
    ),
  );
}

/** On a pull request, a policy that looks at the change and at no object is judged once for the environment. */
function ofObjects(policies: readonly Declared<Policy>[], on: 'render' | 'pullRequest'): readonly Declared<Policy>[] {
  return policies.filter((policy) => {
    if (on === 'render') return !looksAtChange(policy);
    return !policy.value.spec.on.includes('render') || looksAtChange(policy);
  });
}

async function changeOf(world: World, { number, base, head }: Proposal, declared: Declarations): Promise<JsonObject> {
  const { forge } = world;
  const open = forge === undefined ? [] : await forge.list('', world.clock.now());
  const request = open.find((item) => item.number === number);
  const reviews = forge === undefined ? [] : await forge.reviews(number);
  const engine = forge === undefined ? undefined : (await forge.account()).login;
  const authors = new Set(request === undefined || forge === undefined ? [] : [request.author, ...(await forge.commitAuthors(number))]);
  const members = new Map<string, boolean>();
  for (const [name, team] of Object.entries(declared.state.project?.value.spec.teams ?? {})) {
    for (const login of new Set(reviews.map((review) => review.reviewer))) {
      const isListed = team.users?.some((user) => user.toLowerCase() === login.toLowerCase()) === true;
      const isMember = isListed || (team.github !== undefined && (await forge?.isMember(login, team.github)) === true);
      members.set(`${name} ${login}`, isMember);
    }
  }
  const isMember = (login: string, team: string): boolean | undefined => members.get(`${team} ${login}`);
  const files = await treeDiff(world.repository, base.tree, head.tree, '');
  return {
    id: `#${number}`,
    kind: kindOf(request, engine),
    author: request?.author ?? '',
    authors: [...authors],
    approvals: standingApprovals({ reviews, heads: [head.commit], authors, isMember, declarations: declared }),
    files: files.map((file) => file.path),
    moves: [],
  };
}

function kindOf(request: ChangeRequest | undefined, engine: string | undefined): 'promotion' | 'rollback' | 'config' {
  if (request === undefined || request.author !== engine) return 'config';
  if (request.head.startsWith('promote/')) return 'promotion';
  return request.head.startsWith('rollback/') ? 'rollback' : 'config';
}
