import { historyRows } from '#ledger/ledger.ts';
import { createLedgerReader } from '#loops/audit-branch.ts';
import type { TreeId } from '#model/digest.ts';
import type { Ending } from '#model/receipt.ts';
import type { Repository } from '#ports/repository.ts';
import { portsOf, startEngine, type Ports } from './engine.ts';
import { newOutside, peopleOf, type Outside } from './outside.ts';
import type { Story } from './stories.ts';

export interface Told {
  readonly outside: Outside;
  readonly endings: ReadonlyMap<string, Ending>;
}

/** The whole story with one engine, whose ports `through` may replace. */
export async function tellStory(story: Story, through: (ports: Ports, outside: Outside) => Ports = (ports) => ports): Promise<Told> {
  const outside = newOutside();
  await story.begin(outside);
  const engine = startEngine(through(portsOf(outside), outside));
  for (const step of story.steps) {
    await step.happen(outside);
    await step.wake(engine);
  }
  return { outside, endings: engine.endings };
}

/** What a story leaves, without what may differ from run to run: times, run ids, and the commits that hold them. */
export interface End {
  /** Tree of every branch that people or consumers read. */
  readonly trees: Readonly<Record<string, string>>;
  /** Files of the evidence branch: what is signed holds times and commits, and so do their names. */
  readonly evidence: readonly string[];
  /** How many commits a branch has along first parents. */
  readonly commits: Readonly<Record<string, number>>;
  readonly targets: Readonly<Record<string, readonly (readonly [string, string])[]>>;
  readonly requests: readonly string[];
  readonly comments: readonly string[];
  /** The last word on the head of each request. One to an entry environment is merged as soon as it is open: whether it was checked is chance. */
  readonly statuses: readonly string[];
  /** `env/target/instance from -> to health`, in the order of the ledger. */
  readonly history: readonly string[];
  /** Breaks of the ledger's chain. */
  readonly problems: readonly string[];
}

export async function endOf(outside: Outside): Promise<End> {
  const { repository } = peopleOf(outside);
  const branches = [...(await repository.refs())].flatMap(([ref, id]) =>
    ref.startsWith('refs/heads/') ? [[ref.slice('refs/heads/'.length), id] as const] : [],
  );
  const trees: Record<string, string> = {};
  const commits: Record<string, number> = {};
  for (const [branch, id] of branches) {
    commits[branch] = (await repository.firstParents(id, undefined, 10_000)).length;
    if (branch !== 'audit' && branch !== 'evidence') trees[branch] = (await repository.commit(id)).tree;
  }
  const requests = [...outside.forge.pulls.values()].map((pull) => pull.request);
  const ledger = await ledgerOf(repository);
  return {
    trees,
    evidence: await evidenceOf(repository),
    commits,
    targets: Object.fromEntries([...outside.targets].sort(byName).map(([name, target]) => [name, [...target.files].sort(byName)] as const)),
    requests: requests.map((request) => `${request.number} ${request.state} ${request.title}`),
    comments: [...outside.forge.pulls.values()].flatMap((pull) => pull.comments),
    statuses: requests.flatMap((request) =>
      [...outside.forge.statuses.values()]
        .filter((status) => status.commit === request.headCommit)
        .filter((status) => status.check.name !== 'capstan/validate' || !request.head.startsWith('promote/dev/'))
        .map(({ check }) => `${request.number} ${check.name} ${check.state}`)
        .sort(),
    ),
    ...ledger,
  };
}

/** What must be equal when `call` went wrong. The order in which environments were worked on is chance. */
export function comparableEnd(end: End, call: string): End {
  return call.startsWith('target') ? withoutDoubt(end) : { ...end, history: [...end.history].sort() };
}

/** What cannot be seen is not called healthy: how often the ledger says so depends on what could be seen. What moved does not. */
export function withoutDoubt(end: End): End {
  const moved = end.history.flatMap((row) => {
    const [, move = '', from, to] = /^(\S+ (\S+) -> (\S+)) \S+$/.exec(row) ?? [];
    return from === to ? [] : [move];
  });
  const { audit: _, ...commits } = end.commits;
  return { ...end, commits, history: moved.sort() };
}

async function evidenceOf(repository: Repository): Promise<readonly string[]> {
  const head = await repository.resolve('evidence');
  return head === undefined ? [] : (await pathsBelow(repository, (await repository.commit(head)).tree)).sort();
}

async function pathsBelow(repository: Repository, tree: TreeId): Promise<string[]> {
  const paths: string[] = [];
  for (const entry of await repository.tree(tree)) {
    const below = entry.kind === 'tree' ? await pathsBelow(repository, entry.id) : [];
    if (entry.kind === 'tree') paths.push(...below.map((path) => `${entry.name}/${path}`));
    else paths.push(entry.name.replace(/-[0-9A-Z]{26}\./, '.'));
  }
  return paths;
}

async function ledgerOf(repository: Repository): Promise<Pick<End, 'history' | 'problems'>> {
  const { records, problems } = await createLedgerReader(repository).at(await repository.resolve('audit'));
  const rows = historyRows(records, {});
  return {
    history: rows.map((row) => {
      const where = [row.environment, row.target, ...(row.instance === undefined ? [] : [row.instance])].join('/');
      return `${where} ${row.instance === undefined ? '' : `${row.from ?? '-'} -> ${row.to ?? '-'} `}${row.health}`;
    }),
    problems: problems.map((problem) => problem.message),
  };
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
