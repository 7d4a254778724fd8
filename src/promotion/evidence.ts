import type { EvidenceFound } from '#model/evidence.ts';
import { durationText, parseDuration, type Instant } from '#model/instant.ts';
import type { Place, Problem } from '#model/problem.ts';
import { listed, visibleText } from '#model/quoted.ts';

export interface EvidenceQuestion {
  readonly gate: { readonly name: string; readonly type: string; readonly maxAge?: string };
  /** Predicate types that answer the gate. */
  readonly predicateTypes: readonly string[];
  readonly subject: { readonly capsule: string; readonly version: string; readonly sha256: string; readonly gitTree: string };
  readonly found: readonly EvidenceFound[];
  readonly place: Place;
}

/** At most so many statements of one subject are looked at; the newest come first. */
export const MOST_EVIDENCE = 64;

/** V-84: one statement that is about exactly this content, of the right kind, young enough, and signed by who may. Else why the newest is none. */
export function evidenceProblems(question: EvidenceQuestion, at: Instant): readonly Problem[] {
  const newest = [...question.found].sort(newestFirst).slice(0, MOST_EVIDENCE);
  const about = newest.filter((one) => isAbout(one, question.subject));
  const [first] = about;
  const { gate, subject } = question;
  if (first === undefined) {
    const other = newest.length === 0 ? '' : `; ${newest.length} of another content`;
    return [problem(question, `there is no ${gate.type} evidence of ${subject.capsule}@${subject.version}${other}`)];
  }
  const mistakes = about.map((one) => mistakesIn(one, question, at));
  if (mistakes.some((found) => found.length === 0)) return [];
  return (mistakes[0] ?? []).map((message) => problem(question, message));
}

/** Those with which nothing is wrong, the newest first. */
export function soundEvidence(question: EvidenceQuestion, at: Instant): readonly EvidenceFound[] {
  return question.found
    .filter((one) => isAbout(one, question.subject) && mistakesIn(one, question, at).length === 0)
    .sort(newestFirst)
    .slice(0, MOST_EVIDENCE);
}

/** What says nothing of its time comes last. */
function newestFirst(a: EvidenceFound, b: EvidenceFound): number {
  return (b.issuedAt ?? Number.NEGATIVE_INFINITY) - (a.issuedAt ?? Number.NEGATIVE_INFINITY) || 0;
}

/** One digest that matches is not enough: a weak one could carry the match. */
function isAbout({ subject: of }: EvidenceFound, subject: EvidenceQuestion['subject']): boolean {
  return of.sha256 === subject.sha256 && of.gitTree === subject.gitTree;
}

function mistakesIn(one: EvidenceFound, { gate, predicateTypes }: EvidenceQuestion, at: Instant): readonly string[] {
  const maxAge = gate.maxAge === undefined ? undefined : parseDuration(gate.maxAge);
  const age = one.issuedAt === undefined ? undefined : at - one.issuedAt;
  return [
    ...(predicateTypes.includes(one.predicateType)
      ? []
      : [`${gate.type} evidence says ${visibleText(one.predicateType, 120)}; gate ${gate.name} wants ${listed(predicateTypes)}`]),
    ...(one.signer === undefined
      ? [`${gate.type} evidence is signed by nobody that spec.trust names`]
      : one.signer.for.includes('evidence')
        ? []
        : [`${gate.type} evidence is signed by ${visibleText(one.signer.name, 60)}, which may not sign evidence`]),
    ...(age !== undefined && age < 0 ? [`${gate.type} evidence is dated ${durationText(-age)} ahead`] : []),
    ...(maxAge !== undefined && age === undefined
      ? [`${gate.type} evidence does not say when it was made; gate allows ${durationText(maxAge)}`]
      : []),
    ...(maxAge !== undefined && age !== undefined && age > maxAge
      ? [`${gate.type} evidence is ${durationText(age)} old; gate allows ${durationText(maxAge)}`]
      : []),
  ];
}

function problem({ place }: EvidenceQuestion, message: string): Problem {
  return {
    code: 'evidence-refused',
    rule: 'V-84',
    severity: 'error',
    phase: 'promote',
    message,
    remedy: 'Run the check again on this very content, and sign its result with a key that spec.trust names for evidence.',
    place,
    related: [],
  };
}
