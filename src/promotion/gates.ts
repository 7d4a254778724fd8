import type { CapsuleSignatureVerdict } from '#model/capsule-verdict.ts';
import type { DesiredEnvironment } from '#model/desired.ts';
import type { CommitId } from '#model/digest.ts';
import type { ContentEvidence } from '#model/evidence.ts';
import type { HealthState } from '#model/health.ts';
import { durationText, instantText, parseDuration, toInstant, type Instant } from '#model/instant.ts';
import type { JsonObject } from '#model/json.ts';
import type { Problem } from '#model/problem.ts';
import type { CheckReading, GateReading, PolicyReading, Review, SignedApprovals } from '#model/promotion.ts';
import type { ChangeSet } from '#model/resolution.ts';
import type { PathVerdict } from '#model/verdict.ts';
import { judgeApprovals, readApproval, type ApprovalRule } from './approval.ts';
import { capsuleEvidence } from './capsule-evidence.ts';
import { classificationProblems, type ArrivingCapsule } from './classification.ts';
import { contentProblems, type ContentAbove } from './content.ts';
import { CRITICAL_APPROVALS, criticalProblems } from './critical.ts';
import { isEvidenceGate, readEvidence } from './evidence-gates.ts';
import type { Risk } from './risk.ts';

/** How one moved instance does in one target above. */
export interface UpstreamHealth {
  readonly environment: string;
  readonly target: string;
  readonly instance: string;
  /** Start of its last unbroken health with exactly the content that moves; undefined if it has none. */
  readonly since: Instant | undefined;
  /** When a newer version took its place there, healthy until then; undefined while it runs. */
  readonly until: Instant | undefined;
  readonly state: HealthState;
}

export interface Released {
  readonly instance: string;
  readonly verdict: PathVerdict | undefined;
  /** Of its own signature (V-83); absent: its capsule requires none. */
  readonly signature?: CapsuleSignatureVerdict;
}

/** What the loop gathered about one change set. */
export interface GateEvidence {
  readonly risk: Risk;
  /** Every moved instance times every target above; empty for an entry environment. */
  readonly upstream: readonly UpstreamHealth[];
  /** Of each release that the change set brings. */
  readonly releases: readonly Released[];
  /** Checks of the pull request's head; undefined while there is none. */
  readonly checks: readonly CheckReading[] | undefined;
  /** Of the policies in force for it, and of those that a gate names. */
  readonly policies: readonly PolicyReading[];
  readonly reviews: readonly Review[];
  /** Signed by people over this very change set; absent where no rule asks for them. */
  readonly signedApprovals?: SignedApprovals;
  /** Heads whose approvals count: the present one, and former ones with equal change set and rendered digest. */
  readonly heads: readonly CommitId[];
  /** Logins that wrote any of it: author of the pull request, authors and committers of its commits, the engine. */
  readonly authors: ReadonlySet<string>;
  /** Logins that wrote the release commits that it moves. */
  readonly releaseAuthors: ReadonlySet<string>;
  /** Whether a login is in a team; undefined when that could not be looked up. */
  readonly isMember: (login: string, team: string) => boolean | undefined;
  /** Judges `when` over the given input; undefined when it cannot be judged. */
  readonly holds: (expression: string, input: JsonObject) => boolean | undefined;
  /** Every capsule that arrives; absent: none is known. */
  readonly capsules?: readonly ArrivingCapsule[];
  /** What the environments above run of it. */
  readonly above?: readonly ContentAbove[];
  /** Statements about each content that arrives; absent where nothing asks for any. */
  readonly attested?: readonly ContentEvidence[];
  /** What cannot be taken back, each as a sentence. */
  readonly irreversible?: readonly string[];
  /** Why the change is made: `except` and emergencies look at it. */
  readonly kind: 'promotion' | 'rollback' | 'emergency' | 'config';
}

export interface GateQuestion {
  readonly environment: DesiredEnvironment;
  readonly changeSet: ChangeSet;
  readonly evidence: GateEvidence;
}

type Gate = NonNullable<DesiredEnvironment['declared']['value']['spec']['gates']>[number];

/** Every gate of the environment, in its order: what is above, declared gates, approvals, windows. Only `passed` lets a change through. */
export function gateReadings({ environment, changeSet, evidence }: GateQuestion, at: Instant): readonly GateReading[] {
  const { spec } = environment.declared.value;
  const readings: GateReading[] = [...ruleReadings({ environment, changeSet, evidence }, at)];
  const gates = spec.gates ?? [];
  const brings = changeSet.moves.some((move) => move.to !== undefined);
  const upstreams = spec.promotion?.from?.environments ?? [];
  if (upstreams.length > 0 && brings) {
    if (!gates.some((gate) => gate.type === 'health')) readings.push(readHealth('health', evidence, spec.promotion?.from?.strategy));
    if (spec.promotion?.soak !== undefined && !gates.some((gate) => gate.type === 'soak' && gate.duration === undefined)) {
      readings.push(readSoak('soak', spec.promotion.soak, { evidence, strategy: spec.promotion.from?.strategy, at }));
    }
  }
  for (const gate of gates) {
    const applies = conditionHolds(gate.when, { environment, changeSet, evidence });
    if (applies === false) continue;
    if (applies === undefined) readings.push(reading(gate, 'inconclusive', 'its condition could not be judged'));
    else readings.push(readDeclared(gate, { environment, changeSet, evidence }, at));
  }
  readings.push(...capsuleEvidence(evidence.capsules ?? [], evidence.attested, at));
  for (const { policy, inForce, status, detail } of evidence.policies) {
    if (!inForce || gates.some((gate) => gate.type === 'policy' && gate.ref === policy && gate.when === undefined)) continue;
    readings.push(reading({ name: `policy-${policy}`, type: 'policy' }, status, detail));
  }
  for (const [index, rule] of (spec.approvals ?? []).entries()) {
    const name = `approval-${index + 1}`;
    const applies = conditionHolds(rule.when, { environment, changeSet, evidence });
    if (applies === false) continue;
    if (applies === undefined) readings.push(reading({ name, type: 'approval' }, 'inconclusive', 'its condition could not be judged'));
    else readings.push(readApproval(name, rule, evidence, at));
  }
  for (const window of spec.windows ?? []) {
    if (window.except?.change?.some((kind) => kind === evidence.kind) === true) continue;
    readings.push(reading({ name: window.name, type: 'window' }, 'waiting', 'not-supported: windows are not honoured yet and hold'));
  }
  return readings;
}

/** Each content is asked for by itself: another one with a bad result hides nothing of it. */
export function withoutEvidence(question: GateQuestion, at: Instant): ReadonlySet<string> {
  const { environment, evidence } = question;
  const gates = (environment.declared.value.spec.gates ?? []).filter(
    (gate) => isEvidenceGate(gate) && conditionHolds(gate.when, question) === true,
  );
  const lacking = (evidence.attested ?? []).filter((content) => {
    const readings = [
      ...gates.map((gate) => readDeclared(gate, { ...question, evidence: { ...evidence, attested: [content] } }, at)),
      ...capsuleEvidence(
        (evidence.capsules ?? []).filter(({ instance }) => instance === content.instance),
        [content],
        at,
      ),
    ];
    return readings.some(({ status }) => status !== 'passed');
  });
  return new Set(lacking.map(({ instance }) => instance));
}

/** Gates that nobody declares: V-45, V-57 and V-58 hold everywhere. What does not concern a change is not shown. */
function ruleReadings({ environment, changeSet, evidence }: GateQuestion, at: Instant): readonly GateReading[] {
  const failed = (name: string, problems: readonly Problem[]): readonly GateReading[] =>
    problems.length === 0 ? [] : [reading({ name, type: name }, 'failed', problems.map(({ message }) => message).join('; '))];
  const rules = [
    ...failed('content', contentProblems(environment, changeSet, evidence.above ?? [])),
    ...failed('classification', classificationProblems(environment, evidence.capsules ?? [])),
    ...signatureReadings(environment, evidence),
  ];
  const { risk, irreversible = [] } = evidence;
  if (risk !== 'critical' || !changeSet.moves.some((move) => move.to !== undefined)) return rules;
  const { counted, against } = judgeApprovals({ separationOfDuties: true }, evidence, at);
  const approvals = against === undefined ? counted.length : 0;
  const [missing] = criticalProblems(environment, { risk, approvals, irreversible: [] });
  return [
    ...rules,
    ...failed('critical-way-back', criticalProblems(environment, { risk, approvals: CRITICAL_APPROVALS, irreversible })),
    reading(
      { name: 'critical', type: 'approval' },
      missing === undefined ? 'passed' : 'waiting',
      missing?.message ?? `${counted.join(', ')} approved; ${counted.length} of ${CRITICAL_APPROVALS}`,
    ),
  ];
}

/** With several capsules it is enough that one of them meets the condition. */
function conditionHolds(when: string | undefined, { environment, changeSet, evidence }: GateQuestion): boolean | undefined {
  if (when === undefined) return true;
  const input = gateInput(environment, changeSet, evidence);
  const arriving = evidence.capsules ?? [];
  if (arriving.length === 0) return evidence.holds(when, input);
  const verdicts = arriving.map(({ capsule, version, spec, labels }) =>
    evidence.holds(when, { ...input, capsule: { name: capsule, type: spec.type, version, risk: spec.security?.risk ?? 'low', labels } }),
  );
  return verdicts.includes(true) ? true : verdicts.includes(undefined) ? undefined : false;
}

/** What `when` sees, beside the capsule. */
function gateInput(environment: DesiredEnvironment, changeSet: ChangeSet, evidence: GateEvidence): JsonObject {
  return {
    change: { id: changeSet.id, risk: evidence.risk, kind: evidence.kind },
    environment: {
      name: environment.name,
      risk: environment.declared.value.spec.risk,
      labels: { ...environment.declared.value.metadata.labels },
    },
  };
}

function readDeclared(gate: Gate, { environment, evidence }: GateQuestion, at: Instant): GateReading {
  const { promotion, risk } = environment.declared.value.spec;
  const strategy = promotion?.from?.strategy;
  const entry = (promotion?.from?.environments ?? []).length === 0;
  switch (gate.type) {
    case 'soak':
      if (entry) return reading(gate, 'passed', 'an entry environment has nothing above it');
      return readSoak(gate.name, gate.duration ?? promotion?.soak ?? '0s', { evidence, strategy, at });
    case 'health':
      return entry ? reading(gate, 'passed', 'an entry environment has nothing above it') : readHealth(gate.name, evidence, strategy);
    case 'signature':
      return readSignature(gate, evidence, risk);
    case 'check':
      return readChecks(gate, evidence);
    case 'approval': {
      const rule: ApprovalRule = { ...gate, required: gate.required ?? 1 };
      return readApproval(gate.name, rule, evidence, at);
    }
    case 'policy':
      return readPolicy(gate, evidence);
    case 'tests':
    case 'scan':
    case 'eval':
    case 'drill':
      return readEvidence({ ...gate, type: gate.type }, evidence.attested, at);
    case 'window':
    case 'slo':
    case 'cost':
    case 'drift':
    case 'compat':
    case 'plan':
    case 'external':
      return reading(gate, 'waiting', `not-supported: gates of type ${gate.type} are not honoured yet and hold`);
  }
}

function reading(
  gate: { readonly name: string; readonly type: string },
  status: GateReading['status'],
  detail: string,
  until?: Instant,
): GateReading {
  return { name: gate.name, type: gate.type, status, detail, until };
}

/** The environments that count: all of them, or with `any` the one where it stands best. */
function chosen(upstream: readonly UpstreamHealth[], strategy: 'all' | 'any' | undefined): readonly UpstreamHealth[] {
  if (strategy !== 'any') return upstream;
  const latest = (group: readonly UpstreamHealth[]): number => Math.max(...group.map((one) => one.since ?? Number.POSITIVE_INFINITY));
  return byEnvironment(upstream).sort((a, b) => latest(a) - latest(b) || 0)[0] ?? [];
}

function byEnvironment(upstream: readonly UpstreamHealth[]): (readonly UpstreamHealth[])[] {
  return [...new Set(upstream.map((one) => one.environment))].map((name) => upstream.filter((one) => one.environment === name));
}

function readHealth(name: string, evidence: GateEvidence, strategy: 'all' | 'any' | undefined): GateReading {
  const looked = chosen(evidence.upstream, strategy);
  const gate = { name, type: 'health' };
  if (looked.length === 0) return reading(gate, 'waiting', 'nothing is known of the environments above');
  const bad = looked.filter((one) => one.since === undefined || one.state !== 'healthy');
  const [first] = bad;
  if (first === undefined) return reading(gate, 'passed', `healthy in ${[...new Set(looked.map((one) => one.environment))].join(', ')}`);
  const more = bad.length > 1 ? ` and ${bad.length - 1} more` : '';
  const state = first.since === undefined && first.state === 'healthy' ? 'not verified' : first.state;
  return reading(
    gate,
    first.state === 'unknown' ? 'inconclusive' : 'waiting',
    `${first.instance} is ${state} in ${first.environment}/${first.target}${more}`,
  );
}

function readSoak(
  name: string,
  text: string,
  { evidence, strategy, at }: { readonly evidence: GateEvidence; readonly strategy: 'all' | 'any' | undefined; readonly at: Instant },
): GateReading {
  const gate = { name, type: 'soak' };
  const wanted = parseDuration(text);
  if (wanted === undefined) return reading(gate, 'inconclusive', `"${text}" is not a duration`);
  const soaks = strategy === 'any' ? byEnvironment(evidence.upstream) : [evidence.upstream];
  const readings = soaks.map((looked) => ({ ...gate, ...soakOf(looked, wanted, at) }));
  // With `any` the environment counts that lets it through, else the one that will first.
  const best = readings.find((one) => one.status === 'passed') ?? readings.sort((a, b) => (a.until ?? Infinity) - (b.until ?? Infinity))[0];
  return best ?? { ...gate, ...soakOf([], wanted, at) };
}

function soakOf(looked: readonly UpstreamHealth[], wanted: number, at: Instant): Pick<GateReading, 'status' | 'detail' | 'until'> {
  const of = durationText(wanted);
  const missing = looked.find((one) => one.since === undefined);
  if (looked.length === 0 || missing !== undefined) {
    const where = missing === undefined ? 'the environments above' : `${missing.environment}/${missing.target}`;
    return { status: 'waiting', detail: `0s of ${of}: not healthy in ${where}`, until: undefined };
  }
  const periods = looked.flatMap((one) => (one.since === undefined ? [] : [{ one, soaked: Math.max(0, (one.until ?? at) - one.since) }]));
  const soaked = Math.min(...periods.map((period) => period.soaked));
  if (soaked >= wanted) return { status: 'passed', detail: `${of} of ${of}`, until: undefined };
  const detail = `${durationText(soaked)} of ${of}`;
  // What was replaced before its time soaks no further, however long one waits.
  const gone = periods.find((period) => period.one.until !== undefined && period.soaked < wanted)?.one;
  if (gone !== undefined)
    return { status: 'waiting', detail: `${detail}: replaced in ${gone.environment}/${gone.target}`, until: undefined };
  const latest = Math.max(...looked.map((one) => (one.until === undefined ? (one.since ?? at) : Number.NEGATIVE_INFINITY)));
  return { status: 'waiting', detail, until: toInstant(latest + wanted) };
}

function readSignature(gate: Gate, evidence: GateEvidence, risk: Risk): GateReading {
  const strict = risk === 'high' || risk === 'critical';
  const notices: string[] = [];
  for (const { instance, verdict, signature } of evidence.releases) {
    if (signature !== undefined && signature.kind !== 'accepted') return ownSignature(gate, signature);
    if (verdict === undefined) return reading(gate, 'inconclusive', `the release of ${instance} was not looked at yet`);
    switch (verdict.kind) {
      case 'accepted':
        notices.push(`${instance} by ${verdict.by}${signature === undefined ? '' : `, its release by ${signature.by}`}`);
        break;
      case 'not-enforced':
        if (strict) return reading(gate, 'failed', `no trust entry names capsules, and risk ${risk} needs one`);
        notices.push(`${instance}: ${signature === undefined ? 'not enforced' : `its release by ${signature.by}`}`);
        break;
      case 'could-not-look':
        return reading(gate, 'inconclusive', `${instance}: could not look: ${verdict.sentence}`);
      case 'unsigned':
      case 'refused':
        return reading(gate, 'failed', `${instance} is ${verdict.kind}: ${verdict.sentence}`);
    }
  }
  return reading(gate, 'passed', notices.join('; ') || 'nothing is released');
}

function ownSignature(gate: { readonly name: string; readonly type: string }, verdict: CapsuleSignatureVerdict): GateReading {
  switch (verdict.kind) {
    case 'accepted':
      return reading(gate, 'passed', verdict.sentence);
    case 'refused':
      // A signature may still come; what is signed wrongly is a refusal.
      return reading(gate, verdict.code === 'unsigned' ? 'waiting' : 'failed', verdict.sentence);
    case 'could-not-look':
      return reading(gate, 'inconclusive', verdict.sentence);
  }
}

/** V-83 holds where no gate is declared that asks for it. */
function signatureReadings(environment: DesiredEnvironment, { releases }: GateEvidence): readonly GateReading[] {
  if ((environment.declared.value.spec.gates ?? []).some((gate) => gate.type === 'signature' && gate.when === undefined)) return [];
  return releases.flatMap(({ signature, instance }) =>
    signature === undefined ? [] : [ownSignature({ name: `signature-${instance}`, type: 'signature' }, signature)],
  );
}

function readPolicy(gate: Gate, evidence: GateEvidence): GateReading {
  if (gate.ref === undefined) return reading(gate, 'inconclusive', 'names no policy');
  const read = evidence.policies.find((one) => one.policy === gate.ref);
  return read === undefined ? reading(gate, 'inconclusive', `policy ${gate.ref} is not declared`) : reading(gate, read.status, read.detail);
}

function readChecks(gate: Gate, evidence: GateEvidence): GateReading {
  const wanted = gate.checks ?? [];
  const byName = new Map((evidence.checks ?? []).map((check) => [check.name, check]));
  const failed = wanted.filter((name) => byName.get(name)?.state === 'failure');
  if (failed.length > 0) return reading(gate, 'failed', `failed: ${failed.join(', ')}`);
  const open = wanted.filter((name) => byName.get(name)?.state !== 'success');
  if (open.length > 0) return reading(gate, 'waiting', `waiting for ${open.join(', ')}`);
  return wanted.length === 0 ? reading(gate, 'inconclusive', 'names no checks') : reading(gate, 'passed', wanted.join(', '));
}

/** What holds a change, for the commit status: at most 140 characters, and the same text until something happens. */
export function waitingText(gates: readonly GateReading[]): string {
  const open = gates.filter((gate) => gate.status !== 'passed');
  if (open.length === 0) return gates.length === 0 ? 'no gates' : `all ${gates.length} gates passed`;
  const parts = open.map((gate) =>
    gate.until === undefined ? `${gate.name}: ${gate.detail}` : `${gate.name} until ${instantText(gate.until)}`,
  );
  const text = parts.join('; ').replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
  // A cut between the halves of a surrogate pair would leave a broken character.
  return text.length <= 140 ? text : `${text.slice(0, 139).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
