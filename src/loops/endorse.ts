import type { CommitId } from '#model/digest.ts';
import { branchRef, type RefName } from '#model/names.ts';
import type { Signer } from '#ports/machine.ts';
import { PortError } from '#ports/port-error.ts';
import { askedOf } from '#trust/trust.ts';
import { changesBetween, levelOf } from './unit-changes.ts';
import { createWalkable } from './walkable.ts';
import type { World } from './world.ts';

/** A path that a signature more would stand under. */
export interface Endorsable {
  readonly path: string;
  readonly purpose: string;
  /** What people must sign there together, and why it is held where it is. */
  readonly asks: readonly string[];
}

/** A commit that changes nothing and is still to be signed and pushed. */
export interface SigningPlan {
  readonly parent: CommitId;
  /** The branch that it goes onto; undefined where the revision is no branch of this repository. */
  readonly ref: RefName | undefined;
  readonly subject: string;
  /** `Endorses: <id>` or `Trust-Seal: <reason>` */
  readonly trailer: string;
  readonly units: readonly Endorsable[];
}

type PlanWorld = Pick<World, 'repository' | 'history' | 'settings'>;

/** What an endorsement of `revision` would stand under: what its branch brings, or on the default branch what is held there. */
export async function planEndorsement(world: PlanWorld, revision: string, parent: CommitId): Promise<SigningPlan> {
  const { repository, settings } = world;
  const main = await repository.resolve(settings.branch);
  if (main === undefined) throw new PortError('missing', `there is no branch ${settings.branch}`);
  if (parent !== main && (await repository.isAncestor(parent, main)))
    throw new PortError(
      'invalid',
      `${parent.slice(0, 10)} is merged and not the head of ${settings.branch}: a signature can be added to the head alone`,
    );
  const { trust } = await world.history.upTo(main);
  const paths = parent === main ? trust.held().map((one) => one.path) : await broughtBy(world, parent, main);
  const policy = trust.policy;
  const reasons = new Map(trust.held().map((one) => [one.path, one.sentence]));
  const units = paths.map((path): Endorsable => {
    const { purpose, asks } = askedOf(policy, path);
    return { path, purpose, asks: [...asks, ...(parent === main ? [reasons.get(path) ?? ''] : [])].filter((text) => text !== '') };
  });
  const subject = `Endorse ${parent.slice(0, 10)}`;
  return { parent, ref: await refOf(world, revision, parent), subject, trailer: `Endorses: ${parent}`, units };
}

/** A seal of the default branch as it stands: everything that is held there is accepted, whoever made it. */
export async function planSeal(world: PlanWorld, reason: string): Promise<SigningPlan> {
  const { repository, settings } = world;
  const main = await repository.resolve(settings.branch);
  if (main === undefined) throw new PortError('missing', `there is no branch ${settings.branch}`);
  const { trust } = await world.history.upTo(main);
  const units = trust
    .held()
    .map((one): Endorsable => ({ path: one.path, purpose: askedOf(trust.policy, one.path).purpose, asks: [one.sentence] }));
  const subject = `Seal ${settings.branch} as it stands`;
  return { parent: main, ref: await refOf(world, settings.branch, main), subject, trailer: `Trust-Seal: ${reason}`, units };
}

/** Signs and pushes it; `signer` is a person. */
export async function signPlan(
  world: Pick<World, 'repository' | 'clock'>,
  plan: SigningPlan,
  signer: Pick<Signer, 'name' | 'email' | 'sign'>,
): Promise<CommitId> {
  if (plan.ref === undefined) throw new PortError('invalid', 'name a branch: a commit alone has no place where a signature can be added');
  const next = await world.repository.writeCommit(
    {
      base: (await world.repository.commit(plan.parent)).tree,
      changes: [],
      parents: [plan.parent],
      author: { name: signer.name, email: signer.email, at: world.clock.now(), zone: '+0000' },
      message: `${plan.subject}\n\n${plan.trailer}\n`,
    },
    (payload) => signer.sign(payload),
  );
  await world.repository.push([{ ref: plan.ref, expected: plan.parent, next }]);
  return next;
}

async function broughtBy({ repository }: PlanWorld, head: CommitId, main: CommitId): Promise<readonly string[]> {
  const reader = { ...repository, ...createWalkable(repository) };
  const base = await repository.mergeBase(head, main);
  const before = base === undefined ? undefined : await levelOf(repository, base);
  const changes = await changesBetween(reader, before, await levelOf(repository, head));
  return changes.map((change) => change.path);
}

async function refOf({ repository }: PlanWorld, revision: string, commit: CommitId): Promise<RefName | undefined> {
  const refs = await repository.refs();
  const wanted = branchRef(revision);
  if (refs.get(wanted) === commit) return wanted;
  const named = [...refs].filter(([ref, id]) => id === commit && ref.startsWith('refs/heads/')).map(([ref]) => ref);
  return named.length === 1 ? named[0] : undefined;
}
