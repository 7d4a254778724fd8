import type { CommitId } from '#model/digest.ts';
import { isObjectId } from '#model/digest.ts';
import { parseTag } from '#model/git-tag.ts';
import type { Instant } from '#model/instant.ts';
import type { RevokedKeys } from '#model/revoked-keys.ts';
import type { SignedObject } from '#model/signed-object.ts';
import type { AllowedSigner, SignatureVerdict, TrustPurpose } from '#model/verdict.ts';
import { PortError } from '#ports/port-error.ts';
import { judgeSigned } from '#trust/trust.ts';
import type { Candidates } from './commit-findings.ts';
import { createFirstSeen } from './first-seen.ts';
import { rangeOf } from './merged-sides.ts';
import type { World } from './world.ts';

/** What the caller gives in place of the project's policy. */
export interface GivenTrust {
  readonly signers: readonly AllowedSigner[];
  readonly trustedRoot: Candidates['trustedRoot'];
}

export interface SignatureQuestion {
  /** Undefined: the policy of the default branch, as far as it was accepted. */
  readonly given: GivenTrust | undefined;
  readonly revoked: RevokedKeys;
  /** Undefined: when the ledger first tells of it, else now. */
  readonly firstSeen: Instant | undefined;
}

export interface JudgedObject {
  readonly kind: SignedObject['kind'];
  readonly id: string;
  readonly verdict: ObjectVerdict;
  readonly sentence: string;
}

export type ObjectVerdict =
  | {
      readonly kind: 'accepted';
      /** The trust entry, or the line of the file, that allows it. */
      readonly signer: string;
      readonly identity: string | undefined;
      readonly fingerprint: string;
    }
  | { readonly kind: 'unsigned' | 'refused' | 'could-not-look'; readonly code: string };

type SigningWorld = Pick<World, 'repository' | 'history' | 'ledger' | 'clock' | 'settings' | 'commitFindings'>;

/** Commits of one range that are judged. */
const RANGE = 20_000;
const CHAIN = 1_000_000;
/** What commits and tags are signed for. */
const PURPOSES: readonly TrustPurpose[] = ['commit', 'capsule', 'engine', 'policy'];

/** One verdict for each commit: a single one, or all of `base..head`, oldest last. */
export async function judgeCommits(
  world: SigningWorld,
  question: SignatureQuestion,
  range: { readonly head: CommitId; readonly base: CommitId | undefined },
): Promise<readonly JudgedObject[]> {
  const { repository } = world;
  const { head, base } = range;
  if (base === undefined) return await judgeAll(world, question, [await signedCommit(world, head)]);
  if (await repository.isShallow())
    throw new PortError(
      'invalid',
      'the history of this clone is cut off (shallow), so commits may hide; fetch all of it: git fetch --unshallow',
    );
  if (!(await repository.isAncestor(base, head))) {
    const sentence = `${base.slice(0, 10)} is not an ancestor of ${head.slice(0, 10)}: what was accepted is not what this goes on from`;
    return [{ kind: 'commit', id: head, verdict: { kind: 'refused', code: 'not-an-ancestor' }, sentence }];
  }
  const ids = await rangeOf(repository, head, base, RANGE);
  if (ids === undefined) throw new PortError('invalid', `the range has more than ${RANGE} commits; verify it in parts`);
  const objects: SignedObject[] = [];
  for (const id of ids) objects.push(await signedCommit(world, id));
  return await judgeAll(world, question, objects);
}

/** The verdict on a tag object, which vouches for itself only; undefined where there is no such tag. */
export async function judgeTag(world: SigningWorld, question: SignatureQuestion, name: string): Promise<JudgedObject | undefined> {
  const found = await world.repository.tag(name);
  if (found === undefined) return undefined;
  const tag = { kind: 'tag', id: found.id } as const;
  if (found.kind === 'lightweight') {
    const sentence = `${name} is only a name for ${found.type} ${found.id.slice(0, 10)}: there is no tag object that could be signed`;
    return { ...tag, verdict: { kind: 'refused', code: 'lightweight-tag' }, sentence };
  }
  const parsed = parseTag(found.raw);
  if (!parsed.ok)
    return { ...tag, verdict: { kind: 'refused', code: 'malformed-tag' }, sentence: `tag ${name} cannot be read: ${parsed.reason}` };
  const { object, type, name: own } = parsed.value;
  const isMoved = !isObjectId(name) && own !== name.replace(/^refs\/tags\//, '');
  if (isMoved) {
    const sentence = `the tag object under ${name} was made as ${JSON.stringify(own.slice(0, 200))}: somebody gave it another name`;
    return { ...tag, verdict: { kind: 'refused', code: 'wrong-tag-name' }, sentence };
  }
  const [judged] = await judgeAll(world, question, [{ kind: 'tag', id: found.id, raw: found.raw }]);
  if (judged?.verdict.kind !== 'accepted') return judged;
  return { ...judged, sentence: `${judged.sentence}; it names ${type} ${object.slice(0, 10)}, for which it does not vouch` };
}

async function signedCommit({ repository }: Pick<World, 'repository'>, id: CommitId): Promise<SignedObject> {
  return { kind: 'commit', id, raw: (await repository.commit(id)).raw };
}

async function judgeAll(
  world: SigningWorld,
  { given, revoked, firstSeen }: SignatureQuestion,
  objects: readonly SignedObject[],
): Promise<readonly JudgedObject[]> {
  const { signers, trustedRoot } = given ?? (await policyOf(world));
  const times = firstSeen === undefined ? await seenTimes(world) : undefined;
  const judged: JudgedObject[] = [];
  for (const object of objects) {
    const findings = await world.commitFindings.of([object], { signers, trustedRoot }, object.kind);
    const at = firstSeen ?? times?.get(object.id) ?? world.clock.now();
    const verdict = judgeSigned(object, {
      signers,
      purposes: given === undefined ? PURPOSES : ['commit'],
      firstSeen: at,
      findings,
      trustedRoot: trustedRoot?.sha256,
      revoked,
    });
    judged.push(toJudged(object, verdict));
  }
  return judged;
}

/** The last declaration that was itself accepted: never what a proposal declares. */
async function policyOf({ repository, history, settings }: SigningWorld): Promise<GivenTrust> {
  const main = await repository.resolve(settings.branch);
  const policy = main === undefined ? undefined : (await history.upTo(main)).trust.policy;
  return { signers: policy?.entries ?? [], trustedRoot: policy?.trustedRoot };
}

/** When each commit of the default branch was first seen here, by the ledger. */
async function seenTimes(world: SigningWorld): Promise<ReadonlyMap<string, Instant>> {
  const main = await world.repository.resolve(world.settings.branch);
  if (main === undefined) return new Map();
  return await createFirstSeen(world)([...(await world.repository.firstParents(main, undefined, CHAIN))].reverse());
}

function toJudged({ kind, id }: SignedObject, verdict: SignatureVerdict): JudgedObject {
  return { kind, id, verdict: toVerdict(verdict), sentence: verdict.sentence };
}

function toVerdict(verdict: SignatureVerdict): ObjectVerdict {
  switch (verdict.kind) {
    case 'accepted':
      return { kind: 'accepted', signer: verdict.signer, identity: verdict.identity, fingerprint: verdict.fingerprint };
    case 'unsigned':
      return { kind: 'unsigned', code: 'unsigned' };
    case 'refused':
      return { kind: 'refused', code: verdict.code };
    case 'could-not-look':
      return { kind: 'could-not-look', code: 'could-not-look' };
  }
}
