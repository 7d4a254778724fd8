import { parseTrailers } from '#ledger/ledger.ts';
import type { CommitId } from '#model/digest.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import { NOWHERE } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { AuditRecord } from '#model/receipt.ts';
import type { Pin } from '#model/resolution.ts';
import { isPortError } from '#ports/port-error.ts';
import type { World } from './world.ts';

/** A branch as this clone has it, by its first parents. */
export interface WitnessedBranch {
  readonly name: string;
  readonly chain: ReadonlySet<CommitId>;
}

export interface Witnesses {
  readonly main: WitnessedBranch;
  /** `rendered/<env>`, those that are here. */
  readonly rendered: readonly WitnessedBranch[];
  readonly records: readonly AuditRecord[];
}

/**
 * A branch that was cut back to an earlier commit of the engine's is in order by itself. The ledger is its witness: each record names the
 * commit of main that it is about and the rendering that it applied, and what a record names must still be where it was.
 */
export async function rewoundBranches(world: World, { main, rendered, records }: Witnesses): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const known = new Set<string>();
  const named = (branch: WitnessedBranch, commit: unknown, record: AuditRecord) => {
    if (typeof commit !== 'string' || known.has(`${branch.name} ${commit}`)) return undefined;
    known.add(`${branch.name} ${commit}`);
    return branch.chain.has(commit as CommitId) ? undefined : { branch, commit: commit as CommitId, record };
  };
  const lost = records.flatMap((record) => {
    const branch = rendered.find(({ name }) => name === `rendered/${jsonText(record.data['environment'])}`);
    const shaped = branch === undefined ? undefined : named(branch, record.data['commit'], record);
    return [shaped ?? [], named(main, record.data['revision'], record) ?? []].flat();
  });
  for (const { branch, commit, record } of lost) {
    // A revision may have come in by a merge made elsewhere: then it is below main, though no first parent.
    if (branch === main && (await isBelow(world, commit, [...main.chain][0]))) continue;
    problems.push(
      problem(
        'branch-rewound',
        `audit record ${record.id} names commit ${commit.slice(0, 10)} of ${branch.name}, which is not on that branch: it was cut back or replaced`,
        `Find a clone that has ${commit.slice(0, 10)} and put ${branch.name} back; only the engine writes it, and only forward.`,
      ),
    );
  }
  return problems;
}

async function isBelow(world: Pick<World, 'repository'>, commit: CommitId, head: CommitId | undefined): Promise<boolean> {
  if (head === undefined) return false;
  return world.repository.isAncestor(commit, head).catch(ifRefused);
}

function ifRefused(error: unknown): false {
  // Not in this clone at all.
  if (isPortError(error)) return false;
  throw error;
}

/** A lock that an engine signed, and what it brings. */
export interface VerifiedLock {
  readonly commit: CommitId;
  readonly message: string;
  readonly before: readonly Pin[];
  readonly after: readonly Pin[];
}

/**
 * The other way round: what was promoted ran elsewhere before, and the ledger told of it. Where it tells of nothing that a promotion brought,
 * it was cut back behind what it allowed. One of the versions is enough: a promotion may bring what only its own environment asks for.
 */
export function forgottenPromotions(locks: readonly VerifiedLock[], records: readonly AuditRecord[]): readonly Problem[] {
  const told = new Map<string, Set<string>>();
  for (const { data } of records) {
    const { to, environment } = data;
    if (!isJsonObject(to) || typeof environment !== 'string') continue;
    const key = [data['capsule'], to['version'], to['sha256']].map((value) => jsonText(value)).join(' ');
    told.set(key, (told.get(key) ?? new Set()).add(environment));
  }
  return locks.flatMap(({ commit, message, before, after }) => {
    const trailers = new Map(parseTrailers(message).map(({ key, value }) => [key, value]));
    const environment = trailers.get('To-Environment');
    if (!trailers.has('From-Environment') || trailers.get('Reason') !== 'promotion') return [];
    const old = new Map(before.map((pin) => [pin.instance, pin.sha256]));
    const brought = after.filter((pin) => old.get(pin.instance) !== pin.sha256);
    const isTold = brought.some((pin) =>
      [...(told.get(`${pin.capsule} ${pin.version} ${pin.sha256}`) ?? [])].some((where) => where !== environment),
    );
    const [first] = brought;
    if (first === undefined || isTold) return [];
    return [
      problem(
        'audit-rewound',
        `main ${commit.slice(0, 10)} promotes ${first.capsule} ${first.version} to ${environment ?? ''}, and audit does not tell that it ever ran anywhere else: records were taken away`,
        'Find a clone with a longer audit branch and put it back; records are only ever added.',
      ),
    ];
  });
}

/** Every lock entry's sha256 against the files of its git tree: a lock with the right tree and another digest speaks of other content. */
export async function lockContents(
  world: Pick<World, 'reading'>,
  locks: readonly Omit<VerifiedLock, 'before'>[],
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const known = new Set<string>();
  for (const { commit, after } of locks) {
    for (const { capsule, version, gitTree, sha256 } of after) {
      const key = `${capsule} ${gitTree} ${sha256}`;
      if (known.has(key)) continue;
      known.add(key);
      const found = await world.reading.capsule(capsule, gitTree).catch(ifRefused);
      // Content of another repository, which this clone does not have.
      if (found === false || found.source === undefined || found.source.sha256 === sha256) continue;
      problems.push(
        problem(
          'lock-content-mismatch',
          `main ${commit.slice(0, 10)} locks ${capsule}@${version} with sha256 ${sha256}; the files of its git tree ${gitTree.slice(0, 10)} have ${found.source.sha256}`,
          'Find out who wrote the lock, and lock again: capstan lock.',
          'V-48',
        ),
      );
    }
  }
  return problems;
}

/** Heads that were seen before and are not below what is here now: what a single clone cannot know, a second look can. */
export async function lostHeads(
  world: Pick<World, 'repository'>,
  seen: ReadonlyMap<string, CommitId>,
  now: ReadonlyMap<string, CommitId>,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const [branch, before] of seen) {
    const head = now.get(branch);
    if (head === before) continue;
    if (head !== undefined && (await isBelow(world, before, head))) continue;
    const what = head === undefined ? 'is gone' : `is at ${head.slice(0, 10)}, which does not follow it`;
    problems.push(
      problem(
        'branch-rewound',
        `${branch} was at ${before.slice(0, 10)} when it was verified before, and ${what}`,
        `Find out who moved ${branch}, and put it back; accepted history is only ever added to.`,
      ),
    );
  }
  return problems;
}

function problem(code: string, message: string, remedy: string, rule?: string): Problem {
  return { code, rule, severity: 'error', phase: 'sync', message, remedy, place: NOWHERE, related: [] };
}
