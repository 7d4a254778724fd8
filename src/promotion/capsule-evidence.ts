import type { Capsule } from '#model/declarations.generated.ts';
import {
  type ContentEvidence,
  type EvidenceFound,
  isSbomOf,
  type Outcome,
  PROVENANCE,
  VERIFICATION_SUMMARY,
  VULNERABILITY_SCANS,
} from '#model/evidence.ts';
import type { Instant } from '#model/instant.ts';
import { valueAt } from '#model/json.ts';
import type { GateReading } from '#model/promotion.ts';
import type { ArrivingCapsule } from './classification.ts';
import { type Answer, gravest, judged } from './evidence-gates.ts';
import { judgeWeaknesses } from './weaknesses.ts';

type Security = NonNullable<Capsule['spec']['security']>;

/** A level that a signed provenance shows by itself; what is above says nothing of itself, somebody must have verified it. */
const SHOWN_BY_PROVENANCE = 2;

/** What `security` of an arriving capsule asks for, as gates of the change: each there only where a capsule asks. */
export function capsuleEvidence(
  arriving: readonly ArrivingCapsule[],
  contents: readonly ContentEvidence[] | undefined,
  at: Instant,
): readonly GateReading[] {
  return (['sbom', 'provenance', 'vulnerabilities'] as const).flatMap((name) => {
    const answers = arriving.flatMap(({ instance, spec }): readonly Answer[] => {
      const { security } = spec;
      if (security === undefined || !asks(name, security)) return [];
      const content = contents?.find((one) => one.instance === instance);
      if (content === undefined) return [{ status: 'inconclusive', detail: 'could not look: no evidence was gathered' }];
      return [answerOf(name, security, { content, at })];
    });
    return answers.length === 0 ? [] : [{ name, type: name, ...gravest(answers), until: undefined }];
  });
}

/** Whether a capsule asks for any statement about its content. */
export function asksForEvidence({ security }: Pick<Capsule['spec'], 'security'>): boolean {
  return security !== undefined && (['sbom', 'provenance', 'vulnerabilities'] as const).some((name) => asks(name, security));
}

function asks(name: 'sbom' | 'provenance' | 'vulnerabilities', security: Security): boolean {
  switch (name) {
    case 'sbom':
      return security.sbom?.required === true;
    case 'provenance':
      return (security.provenance?.minSlsaLevel ?? 0) > 0;
    case 'vulnerabilities':
      return security.vulnerabilities?.maxSeverity !== undefined;
  }
}

interface OfContent {
  readonly content: ContentEvidence;
  readonly at: Instant;
}

function answerOf(name: 'sbom' | 'provenance' | 'vulnerabilities', security: Security, { content, at }: OfContent): Answer {
  const gate = { name, type: name === 'vulnerabilities' ? ('scan' as const) : name };
  switch (name) {
    case 'sbom': {
      const types = [...content.found, ...content.refused].flatMap((one) => one.predicateType ?? []);
      const predicateTypes = types.filter((type) => isSbomOf(security.sbom?.format, type));
      const wanted = predicateTypes.length === 0 ? [security.sbom?.format ?? 'cyclonedx or spdx'] : predicateTypes;
      return judged({ gate, predicateTypes: wanted, content }, () => ({ kind: 'passed', detail: 'listed' }), at);
    }
    case 'provenance': {
      const least = security.provenance?.minSlsaLevel ?? 0;
      const predicateTypes = least <= SHOWN_BY_PROVENANCE ? [...PROVENANCE, VERIFICATION_SUMMARY] : [VERIFICATION_SUMMARY];
      return judged({ gate, predicateTypes, content }, (one) => levelOf(one, least), at);
    }
    case 'vulnerabilities': {
      const { maxSeverity, allow = [] } = security.vulnerabilities ?? {};
      const outcome = (one: EvidenceFound): Outcome => judgeWeaknesses(one.predicate, { maxSeverity, allow }, at);
      return judged({ gate, predicateTypes: VULNERABILITY_SCANS, content }, outcome, at);
    }
  }
}

/** A provenance that a trusted builder signed is level 2; more is believed of a verification summary alone. */
function levelOf({ predicateType, predicate }: EvidenceFound, least: number): Outcome {
  if (predicateType !== VERIFICATION_SUMMARY) return { kind: 'passed', detail: `SLSA level ${SHOWN_BY_PROVENANCE}` };
  if (valueAt(predicate, '/verificationResult') !== 'PASSED') return { kind: 'failed', detail: 'its verification did not pass' };
  const levels = valueAt(predicate, '/verifiedLevels');
  const found = (Array.isArray(levels) ? levels : []).flatMap((level) => {
    const [, number] = typeof level === 'string' ? (/^SLSA_BUILD_LEVEL_([0-4])$/.exec(level) ?? []) : [];
    return number === undefined ? [] : [Number(number)];
  });
  const best = Math.max(0, ...found);
  const detail = `SLSA level ${best}`;
  return best >= least ? { kind: 'passed', detail } : { kind: 'failed', detail: `${detail} of at least ${least}` };
}
