import type { EnvironmentGate } from '#model/declarations.generated.ts';
import {
  DRILL,
  EVAL,
  isFor,
  type ContentEvidence,
  type EvidenceFound,
  type Outcome,
  TEST_RESULT,
  testOutcome,
  VULNERABILITY_SCANS,
  wordOutcome,
} from '#model/evidence.ts';
import type { Instant } from '#model/instant.ts';
import { valueAt } from '#model/json.ts';
import { NOWHERE } from '#model/problem.ts';
import type { GateReading } from '#model/promotion.ts';
import { visibleText } from '#model/quoted.ts';
import { evidenceProblems, soundEvidence } from './evidence.ts';
import { judgeWeaknesses } from './weaknesses.ts';

type EvidenceGate = EnvironmentGate & { readonly type: 'tests' | 'scan' | 'eval' | 'drill' };

/** Types of gates that statements answer. */
const TYPES: readonly string[] = ['tests', 'scan', 'eval', 'drill'];

export function isEvidenceGate(gate: EnvironmentGate): gate is EvidenceGate {
  return TYPES.includes(gate.type);
}

/** Words of one content: what passed, what there is not, what was refused, what nobody could look at. */
export interface Answer {
  readonly status: GateReading['status'];
  readonly detail: string;
}

/**
 * A gate over statements: each content that arrives needs one. "No evidence" waits, "evidence refused" and a result that is bad fail,
 * "could not look" is open. What the newest sound statement of each signer says decides: an older one does not make up for it.
 */
export function readEvidence(gate: EvidenceGate, contents: readonly ContentEvidence[] | undefined, at: Instant): GateReading {
  const reading = ({ status, detail }: Answer): GateReading => ({ name: gate.name, type: gate.type, status, detail, until: undefined });
  if (contents === undefined) return reading({ status: 'inconclusive', detail: 'could not look: no evidence was gathered' });
  if (contents.length === 0) return reading({ status: 'passed', detail: 'nothing arrives' });
  const answers = contents.map((content) => answerOf(gate, content, at));
  return reading(gravest(answers));
}

const GRAVITY = { passed: 0, waiting: 1, inconclusive: 2, failed: 3 } as const;

/** The gravest decides; what else does not pass is told, too. */
export function gravest(answers: readonly Answer[]): Answer {
  const [first] = [...answers].sort((a, b) => GRAVITY[b.status] - GRAVITY[a.status]);
  const told = answers.filter((one) => first?.status === 'passed' || one.status !== 'passed');
  return { status: first?.status ?? 'passed', detail: [...new Set(told.map((one) => one.detail))].join('; ') };
}

function answerOf(gate: EvidenceGate, content: ContentEvidence, at: Instant): Answer {
  const predicateTypes = gate.attestation === undefined ? typesOf(gate) : [gate.attestation];
  const asked = { gate, predicateTypes, content };
  if (gate.type !== 'drill' || (gate.kinds ?? []).length === 0) return judged(asked, (one) => outcomeOf(gate, one, at), at);
  const drills = (gate.kinds ?? []).map((kind) => {
    const held = content.found.filter((one) => valueAt(one.predicate, '/kind') === kind);
    const answer = judged({ ...asked, content: { ...content, found: held } }, (one) => outcomeOf(gate, one, at), at);
    return { ...answer, detail: `${kind}: ${answer.detail}` };
  });
  return gravest(drills);
}

export interface Asked {
  readonly gate: Parameters<typeof evidenceProblems>[0]['gate'];
  readonly predicateTypes: readonly string[];
  readonly content: ContentEvidence;
}

/** V-84 first; then what the statements that hold say. */
export function judged({ gate, predicateTypes, content }: Asked, outcome: (one: EvidenceFound) => Outcome, at: Instant): Answer {
  const what = `${content.capsule}@${content.version}`;
  const found = content.found.filter((one) => isFor(one, gate, predicateTypes));
  const question = { gate, predicateTypes, subject: content, found, place: NOWHERE };
  const sound = soundEvidence(question, at);
  // What was read and counts stands, also where the rest could not be looked at.
  if (sound.length === 0 && content.unread !== undefined) return { status: 'inconclusive', detail: `could not look: ${content.unread}` };
  if (sound.length === 0) return missing(question, content, at);
  const bad = newestOfEach(sound).flatMap((one): readonly Answer[] => {
    const { kind, detail } = outcome(one);
    const by = visibleText(one.signer?.name ?? '', 60);
    if (kind === 'unclear')
      return [{ status: 'failed', detail: `evidence refused: the ${gate.type} evidence of ${what} by ${by} ${detail}` }];
    return kind === 'failed' ? [{ status: 'failed', detail: `${what}: ${detail} (${by})` }] : [];
  });
  const [newest] = sound;
  if (bad.length > 0 || newest === undefined) return gravest(bad);
  return { status: 'passed', detail: `${what}: ${outcome(newest).detail} (${visibleText(newest.signer?.name ?? '', 60)})` };
}

/** "No evidence" is said only where there is none: what lies there and does not count is told with its reason. */
function missing(question: Parameters<typeof evidenceProblems>[0], content: ContentEvidence, at: Instant): Answer {
  const broken = content.refused.filter((one) => isFor(one, question.gate, question.predicateTypes));
  const problems = evidenceProblems(question, at).map(({ message }) => message);
  const isNone = question.found.length === 0 && broken.length === 0;
  const cut = content.isCut ? `; not all statements were looked at, there are more` : '';
  if (isNone) return { status: content.isCut ? 'inconclusive' : 'waiting', detail: `no evidence: ${problems.join('; ')}${cut}` };
  const reasons = question.found.length === 0 ? broken.slice(0, 3).map(({ reason }) => reason) : problems;
  return { status: 'failed', detail: `evidence refused: ${content.capsule}@${content.version}: ${reasons.join('; ')}${cut}` };
}

/** Of each signer: a good word of one does not outvote a bad word of another. Several, where nothing tells which of them is the newest. */
function newestOfEach(sound: readonly EvidenceFound[]): readonly EvidenceFound[] {
  const newest = new Map<string, EvidenceFound>();
  for (const one of sound) if (!newest.has(one.signer?.name ?? '')) newest.set(one.signer?.name ?? '', one);
  return sound.filter((one) => {
    const first = newest.get(one.signer?.name ?? '');
    return one === first || (one.issuedAt === first?.issuedAt && (one.isUnordered === true || first?.isUnordered === true));
  });
}

function typesOf({ type }: EvidenceGate): readonly string[] {
  switch (type) {
    case 'tests':
      return [TEST_RESULT];
    case 'scan':
      return VULNERABILITY_SCANS;
    case 'eval':
      return [EVAL];
    case 'drill':
      return [DRILL];
  }
}

function outcomeOf(gate: EvidenceGate, { predicate }: EvidenceFound, at: Instant): Outcome {
  switch (gate.type) {
    case 'tests':
      return testOutcome(predicate, gate.minPassRate ?? 1);
    case 'scan':
      return judgeWeaknesses(predicate, { maxSeverity: gate.maxSeverity, allow: [] }, at);
    case 'eval':
    case 'drill':
      return wordOutcome(valueAt(predicate, '/result'));
  }
}
