import type { Instant } from '#model/instant.ts';
import { parseInstant, toInstant } from '#model/instant.ts';
import { isJsonObject, type Json, valueAt } from '#model/json.ts';

export const TEST_RESULT = 'https://in-toto.io/attestation/test-result/v0.1';
export const PROVENANCE = ['https://slsa.dev/provenance/v1', 'https://slsa.dev/provenance/v0.2'] as const;
export const VERIFICATION_SUMMARY = 'https://slsa.dev/verification_summary/v1';
export const VULNERABILITY_SCANS = [
  'https://in-toto.io/attestation/vulns/v0.1',
  'https://in-toto.io/attestation/vulns/v0.2',
  'https://cosign.sigstore.dev/attestation/vuln/v1',
] as const;
export const EVAL = 'https://capstan.dev/eval/v1';
export const DRILL = 'https://capstan.dev/drill/v1';
export const APPROVAL = 'https://capstan.dev/approval/v1';

/** Lists of what is in it; a version may follow behind a slash. */
const SBOM = { cyclonedx: 'https://cyclonedx.org/bom', spdx: 'https://spdx.dev/Document' } as const;
export type SbomFormat = keyof typeof SBOM;

/** A statement about one content, as it was found; everything in it was checked but what is judged with it. */
export interface EvidenceFound {
  /** Both digests of the subject (in-toto: `sha256` and `gitTree`); empty text for one that the statement does not name. */
  readonly subject: { readonly sha256: string; readonly gitTree: string };
  readonly predicateType: string;
  readonly predicate: Json | undefined;
  /** The gate or type of gate that it was put there for: signed (`gate` of the predicate), else the beginning of its file's name; empty for any. */
  readonly answers: string;
  /** Trust entry of the signer, and what it may sign; undefined is a signer that nobody trusts. */
  readonly signer: { readonly name: string; readonly for: readonly string[] } | undefined;
  /** The earlier of what a log vouches for and what the signer says; undefined where neither says anything. */
  readonly issuedAt: Instant | undefined;
  /** It lies where nothing tells which came first: of two at the same time the worse one counts. */
  readonly isUnordered?: true;
}

/** Evidence of one content that arrives with a change. "There is none", "refused" and "could not look" are different answers. */
export interface ContentEvidence {
  readonly instance: string;
  readonly capsule: string;
  readonly version: string;
  readonly sha256: string;
  readonly gitTree: string;
  readonly found: readonly EvidenceFound[];
  /** What does not count, and why; `answers` as of the file's name. Without one, the kind that it says it is tells whom it concerns. */
  readonly refused: readonly { readonly answers: string; readonly reason: string; readonly predicateType?: string }[];
  /** Why not everything could be read: the branch, or the registry where the artifact lies. */
  readonly unread: string | undefined;
  /** There are more statements than are looked at. */
  readonly isCut: boolean;
}

export function isSbomOf(format: SbomFormat | undefined, predicateType: string): boolean {
  const wanted = format === undefined ? Object.values(SBOM) : [SBOM[format]];
  return wanted.some((type) => predicateType === type || predicateType.startsWith(`${type}/`));
}

const TIMES: readonly string[] = [
  '/finishedOn',
  '/metadata/scanFinishedOn',
  '/metadata/timestamp',
  '/runDetails/metadata/finishedOn',
  '/metadata/buildFinishedOn',
  '/creationInfo/created',
  '/timeVerified',
  '/approvedOn',
];

/** When a statement says that it became true, by the field that its kind has for it; undefined where it has none. */
export function statedTime(predicate: Json | undefined): Instant | undefined {
  for (const pointer of TIMES) {
    const text = valueAt(predicate, pointer);
    const at = typeof text === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(text) ? parseInstant(text) : undefined;
    if (at !== undefined) return at;
  }
  return undefined;
}

/** The earlier one: what is signed late was not true later. */
export function issuedAt(signedAt: Instant | undefined, predicate: Json | undefined): Instant | undefined {
  const stated = statedTime(predicate);
  if (stated === undefined || signedAt === undefined) return stated ?? signedAt;
  return toInstant(Math.min(stated, signedAt));
}

/** Whether a statement may answer a gate: it was made for it by name, or for its type; else its kind is one that answers. */
export function isFor(
  { answers, predicateType }: { readonly answers: string; readonly predicateType?: string },
  gate: { readonly name: string; readonly type: string },
  predicateTypes: readonly string[],
): boolean {
  if (answers === '') return predicateType === undefined || predicateTypes.includes(predicateType);
  return answers === gate.name || answers === gate.type;
}

export type Outcome =
  | { readonly kind: 'passed' | 'failed'; readonly detail: string }
  | { readonly kind: 'unclear'; readonly detail: string };

/** What tests say: with lists of names the share that passed, else their one word. */
export function testOutcome(predicate: Json | undefined, minPassRate: number): Outcome {
  if (!isJsonObject(predicate)) return { kind: 'unclear', detail: 'says nothing' };
  const count = (name: string): number => {
    const list = Object.hasOwn(predicate, name) ? predicate[name] : undefined;
    return Array.isArray(list) ? list.length : 0;
  };
  const [failed, passed] = [count('failedTests'), count('passedTests') + count('warnedTests')];
  const word = Object.hasOwn(predicate, 'result') ? predicate['result'] : undefined;
  if (failed + passed === 0) return wordOutcome(word);
  const rate = passed / (failed + passed);
  const detail = `${passed} of ${passed + failed} passed`;
  // A list may leave out what failed; the word of the same statement does not.
  if (failed === 0 && wordOutcome(word).kind === 'failed') return { kind: 'failed', detail: `${detail}, and it says FAILED` };
  return rate >= minPassRate ? { kind: 'passed', detail } : { kind: 'failed', detail: `${detail}; gate wants ${minPassRate * 100} %` };
}

/** `PASSED`, `WARNED` or `FAILED`, as in-toto's test results have it. */
export function wordOutcome(word: Json | undefined): Outcome {
  if (word === 'PASSED' || word === 'WARNED') return { kind: 'passed', detail: word.toLowerCase() };
  if (word === 'FAILED') return { kind: 'failed', detail: 'failed' };
  return { kind: 'unclear', detail: 'has no result that is understood (PASSED, WARNED or FAILED)' };
}
