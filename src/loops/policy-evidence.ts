import type { DesiredEnvironment } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import { instantText } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { compareText } from '#model/problem.ts';
import type { ChangeRequest, CheckReading, PolicyReading, Review } from '#model/promotion.ts';
import type { ChangeSet, Pin } from '#model/resolution.ts';
import { readPolicies } from '#policy/policy.ts';
import type { Declarations, LoadedCapsule } from './reading.ts';

/** What the gates of a change look at, as far as policies may see it. */
export interface SeenByPolicies {
  readonly environment: DesiredEnvironment;
  readonly declarations: Declarations;
  readonly changeSet: ChangeSet;
  /** All pins after the change. */
  readonly pins: readonly Pin[];
  readonly capsules: readonly LoadedCapsule[];
  readonly change: ChangeRequest | undefined;
  readonly kind: 'promotion' | 'emergency';
  readonly risk: string;
  readonly reviews: readonly Review[];
  readonly heads: readonly CommitId[];
  /** Logins that wrote the change or a release that it moves, the engine's included. */
  readonly authors: ReadonlySet<string>;
  readonly isMember: (login: string, team: string) => boolean | undefined;
  readonly checks: readonly CheckReading[];
  readonly upstream: readonly {
    readonly environment: string;
    readonly target: string;
    readonly instance: string;
    readonly state: string;
    readonly since: Instant | undefined;
  }[];
  readonly signatures: readonly { readonly instance: string; readonly verdict: string; readonly by: string }[];
}

/** Whether any policy is asked on promotion. */
export function isJudgedOnPromotion(declarations: Declarations): boolean {
  return declarations.state.policies.some((policy) => policy.value.spec.on.includes('promotion'));
}

/** Then every declared team is looked up, for approvals tell the teams of a person. */
export function teamsForPolicies(declarations: Declarations): readonly string[] {
  return isJudgedOnPromotion(declarations) ? Object.keys(declarations.state.project?.value.spec.teams ?? {}) : [];
}

/** The verdicts of the policies on a change of a lock. They come from the default branch, never from the proposal. */
export function promotionPolicies(seen: SeenByPolicies, at: Instant): readonly PolicyReading[] {
  const { environment, declarations, changeSet } = seen;
  const named = (environment.declared.value.spec.gates ?? []).flatMap((gate) => (gate.type === 'policy' ? (gate.ref ?? []) : []));
  return readPolicies(declarations.state.policies, {
    environment,
    on: 'promotion',
    at,
    change: changeOf(seen),
    moved: changeSet.moves.map((move) => movedOf(seen, move)),
    lock: { capsules: Object.fromEntries(seen.pins.map((pin) => [pin.instance, pinInput(pin)])) },
    evidence: evidenceOf(seen),
    named: new Set(named),
  });
}

function changeOf(seen: SeenByPolicies): JsonObject {
  const { change, changeSet, environment } = seen;
  return {
    id: changeSet.id,
    kind: seen.kind,
    risk: seen.risk,
    author: change?.author ?? '',
    authors: [...seen.authors].sort(compareText),
    approvals: standingApprovals(seen),
    files: [environment.lock?.file ?? `environments/${environment.name}/environment.lock.yaml`],
    moves: changeSet.moves.map(({ instance, capsule, from, to }) => ({
      instance,
      capsule,
      from: from === undefined ? null : { ...from },
      to: to === undefined ? null : { ...to },
    })),
  };
}

/** Approvals of this content by people who wrote nothing of it, one for each of them however many teams they are in. */
export function standingApprovals(
  seen: Pick<SeenByPolicies, 'reviews' | 'heads' | 'authors' | 'isMember' | 'declarations'>,
): readonly JsonObject[] {
  const last = new Map<string, Review>();
  for (const review of [...seen.reviews].sort((a, b) => a.at - b.at)) {
    if (review.state !== 'commented') last.set(review.reviewer.toLowerCase(), review);
  }
  const authors = new Set([...seen.authors].map((login) => login.toLowerCase()));
  const known = Object.keys(seen.declarations.state.project?.value.spec.teams ?? {}).sort(compareText);
  return [...last.entries()]
    .filter(([login, review]) => review.state === 'approved' && !authors.has(login) && isOf(seen.heads, review.commit))
    .map(([, review]) => {
      const teams = known.filter((team) => seen.isMember(review.reviewer, team) === true);
      return { user: review.reviewer, team: teams[0] ?? '', teams, at: instantText(review.at) };
    })
    .sort((a, b) => compareText(a.user, b.user));
}

function isOf(heads: readonly CommitId[], commit: CommitId | undefined): boolean {
  return commit !== undefined && heads.includes(commit);
}

function movedOf(seen: SeenByPolicies, move: ChangeSet['moves'][number]) {
  const pin = seen.pins.find((item) => item.instance === move.instance);
  const declared = seen.capsules.find((item) => item.source?.name === move.capsule && item.source.gitTree === pin?.gitTree)?.source
    ?.declared.value;
  const labels = declared?.metadata.labels ?? {};
  const capsule =
    move.to === undefined || pin === undefined
      ? null
      : {
          ...pinInput(pin),
          instance: move.instance,
          name: move.capsule,
          labels,
          type: declared?.spec.type ?? '',
          owner: declared?.spec.owner ?? '',
        };
  const previous = move.from === undefined ? null : { instance: move.instance, name: move.capsule, ...move.from };
  return { capsule, previous, instance: move.instance, name: move.capsule, labels };
}

function pinInput(pin: Pin): JsonObject {
  return { capsule: pin.capsule, version: pin.version, commit: pin.commit, gitTree: pin.gitTree, sha256: pin.sha256 };
}

function evidenceOf(seen: SeenByPolicies): readonly Json[] {
  return [
    ...seen.signatures.map((one) => ({ type: 'signature', ...one })),
    ...seen.checks.map((one) => ({ type: 'check', name: one.name, state: one.state })),
    ...seen.upstream.map(({ since, ...one }) => ({ type: 'health', ...one, since: since === undefined ? null : instantText(since) })),
  ];
}
