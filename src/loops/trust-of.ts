import type { Project } from '#model/declarations.generated.ts';
import type { Declared, DesiredEnvironment } from '#model/desired.ts';
import { placeInFile } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import { visibleText } from '#model/quoted.ts';
import type { Pin, Release } from '#model/resolution.ts';
import type { TrustPolicy } from '#model/trust-policy.ts';
import type { TrustState } from '#model/trust.ts';
import type { AllowedSigner, PathVerdict, TrustPurpose } from '#model/verdict.ts';
import { describePolicy, explainVerdict, heldUnits, policyAfter, verdictOf } from '#trust/trust.ts';
import type { DeclaredTrust } from './trust-policies.ts';

/** Trust in the words the loops ask with. */
export interface TrustOf {
  /** The verdict on the commit that released a version. */
  ofRelease(release: Pick<Release | Pin, 'capsule' | 'version' | 'gitTree'>): PathVerdict;
  /** What stops an environment: its own files, the project and the policies. */
  problemsOf(environment: DesiredEnvironment): readonly Problem[];
  problemOfRelease(environment: DesiredEnvironment, pin: Pin): Problem | undefined;
  /** Sentences that status and receipts must carry: what is not enforced, and a root that is not pinned. */
  notices(environment: DesiredEnvironment): readonly string[];
  /** The forge login that a trust entry gives for the signer of a verdict. */
  userOf(verdict: PathVerdict): string | undefined;
  isCouldNotLook(problem: Problem): boolean;
  /** Units that are not accepted, each with the reason. */
  held(): readonly { readonly path: string; readonly sentence: string }[];
  /** Who may sign what, and where trust starts: a sentence each. */
  described(): readonly string[];
  /** Keys that engines of this project sign with, by the last declaration that was itself accepted. */
  readonly engines: readonly AllowedSigner[];
  /** The last declaration that was itself accepted: who may sign what is read from it alone. */
  readonly project: Declared<Project> | undefined;
  /** The one policy: of the last declaration that was itself accepted; undefined where trust starts nowhere. */
  readonly policy: TrustPolicy | undefined;
  /** The verdict on one unit (`environments/prod/environment.yaml`) or folder. */
  verdict(path: string): PathVerdict;
}

export interface TrustFacts {
  /** Undefined when the trust root is not in this history: then nothing is accepted. */
  readonly state: TrustState | undefined;
  /** What the tip itself declares; it counts if it was accepted. */
  readonly declared: Pick<DeclaredTrust, 'policy' | 'project'>;
  /** `<capsule>@<version> <tree>` -> verdict when it was released. */
  readonly releases: ReadonlyMap<string, PathVerdict>;
  /** The same as it was judged when it was released on a release branch: who signed may have left since. */
  readonly earlier?: ReadonlyMap<string, PathVerdict>;
  readonly isPinned: boolean;
}

/** Purposes whose absence people should know of. */
const UNASKED = ['commit', 'policy', 'capsule', 'image', 'evidence', 'approval', 'engine'] as const;

function startWords({ root, seal }: TrustState, isPinned: boolean): string {
  const start = `starts at ${root.slice(0, 10)}${isPinned ? '' : ', the first commit, which is not pinned'}`;
  if (seal === undefined) return start;
  return `${start}; ${seal.by} sealed what came before ${seal.commit.slice(0, 10)} (${visibleText(seal.reason, 120)})`;
}

const CODES = { unsigned: 'unsigned', refused: 'signature-refused', 'could-not-look': 'could-not-look' } as const;

export function trustOf(facts: TrustFacts): TrustOf {
  const { state } = facts;
  const policy = state === undefined ? undefined : policyAfter(state, facts.declared.policy);
  const project = policy === facts.declared.policy ? facts.declared.project : state?.project;

  function verdict(path: string): PathVerdict {
    if (state === undefined) throw new Error('without a trust root there is no verdict');
    return verdictOf(state, path);
  }

  function isEnforced(purpose: TrustPurpose): boolean {
    return policy?.enforced.has(purpose) === true;
  }

  function ofRelease(release: Pick<Release | Pin, 'capsule' | 'version' | 'gitTree'>): PathVerdict {
    if (!isEnforced('capsule')) return { kind: 'not-enforced' };
    if (state?.rewrittenBy !== undefined) return verdict(`capsules/${release.capsule}`);
    const found = facts.releases.get(`${release.capsule}@${release.version} ${release.gitTree}`);
    if (found?.kind === 'not-enforced')
      return { kind: 'accepted', by: 'the commit that declared trust', commit: state?.root ?? ('' as never) };
    if (found !== undefined) return found;
    return {
      kind: 'refused',
      commit: state?.head ?? ('' as never),
      sentence: `${release.capsule}@${release.version} with this content was never released here`,
    };
  }

  return {
    ofRelease,
    verdict,
    problemsOf(environment) {
      const paths = ['environments/project.yaml', `environments/${environment.name}`, 'policies'];
      const refusals = paths.flatMap((path) => {
        const found = isKnown(state, path) ? verdict(path) : undefined;
        return found === undefined ? [] : (refusalOf(path, found, environment) ?? []);
      });
      return [...refusals, ...missingTrust(environment, isEnforced)];
    },
    problemOfRelease(environment, pin) {
      // What is locked was judged when it came in.
      const before = state?.rewrittenBy === undefined ? facts.earlier?.get(`${pin.capsule}@${pin.version} ${pin.gitTree}`) : undefined;
      return refusalOf(`capsules/${pin.capsule}`, before?.kind === 'accepted' ? before : ofRelease(pin), environment);
    },
    notices(environment) {
      const open = (['commit', 'capsule'] as const).filter((purpose) => !isEnforced(purpose));
      return [
        ...(open.length === 0
          ? []
          : [`trust is not enforced for ${environment.name}: no trust entry of the project is for ${open.join(' or ')}`]),
        ...(facts.isPinned || open.length === 2
          ? []
          : ['the trust root is not pinned: the first commit of the repository is taken as it is']),
      ];
    },
    userOf(found) {
      if (found.kind !== 'accepted') return undefined;
      return policy?.entries.find((item) => item.name === found.by)?.user;
    },
    engines: (policy?.entries ?? []).filter((entry) => entry.purposes.includes('engine') && (entry.namespaces?.includes('git') ?? true)),
    policy,
    project: state === undefined ? undefined : project,
    held: () => (state === undefined ? [] : heldUnits(state)),
    described() {
      if (state === undefined || policy === undefined) return ['starts nowhere: its root is not in this history'];
      const unasked = UNASKED.filter((purpose) => !policy.enforced.has(purpose));
      return [
        startWords(state, facts.isPinned),
        ...describePolicy(policy),
        ...(unasked.length === 0 ? [] : [`nobody is asked for: ${unasked.join(', ')}`]),
      ];
    },
    isCouldNotLook: (problem) => problem.code === CODES['could-not-look'],
  };
}

function isKnown(state: TrustState | undefined, path: string): boolean {
  if (state === undefined) return false;
  if (state.rewrittenBy !== undefined || state.units.has(path)) return true;
  for (const unit of state.units.keys()) if (unit.startsWith(`${path}/`)) return true;
  return false;
}

function refusalOf(path: string, found: PathVerdict, environment: DesiredEnvironment): Problem | undefined {
  switch (found.kind) {
    case 'accepted':
    case 'not-enforced':
      return undefined;
    case 'unsigned':
    case 'refused':
    case 'could-not-look':
      return {
        code: CODES[found.kind],
        rule: undefined,
        severity: 'error',
        phase: 'sync',
        message: `${environment.name}: ${explainVerdict(path, found)}`,
        remedy:
          found.kind === 'could-not-look'
            ? 'Nothing to do: the engine looks again.'
            : 'Sign a commit that makes the change (or takes it back) with a key that a trust entry of the project names.',
        place: placeInFile(path),
        related: [],
      };
  }
}

/** Where risk is high, running without trust is a refusal, not a notice. */
function missingTrust(environment: DesiredEnvironment, isEnforced: (purpose: TrustPurpose) => boolean): readonly Problem[] {
  const { risk } = environment.declared.value.spec;
  if (risk !== 'high' && risk !== 'critical') return [];
  const open = (['commit', 'capsule'] as const).filter((purpose) => !isEnforced(purpose));
  if (open.length === 0) return [];
  return [
    {
      code: 'trust-missing',
      rule: undefined,
      severity: 'error',
      phase: 'sync',
      message: `${environment.name} has risk ${risk}, but no trust entry of the project is for ${open.join(' or ')}: nobody's signature is required`,
      remedy: 'Declare in environments/project.yaml who may sign: spec.trust with sshKey and `for: [commit, capsule]`.',
      place: environment.declared.at('/spec/risk'),
      related: [],
    },
  ];
}
