import { DRILL, EVAL, PROVENANCE, statedTime, TEST_RESULT, VULNERABILITY_SCANS } from '#model/evidence.ts';
import type { Parsed } from '#model/git-objects.ts';
import { type Instant, instantText } from '#model/instant.ts';
import { isJsonObject, type Json } from '#model/json.ts';
import { type Weakness, weaknessesIn } from '#model/weaknesses.ts';

/** Words for what a statement says, as commands take them. */
export const STATEMENT_TYPES = ['tests', 'scan', 'eval', 'drill', 'sbom', 'provenance'] as const;
export type StatementType = (typeof STATEMENT_TYPES)[number];

export interface Predicate {
  readonly predicateType: string;
  readonly predicate: Json;
}

/**
 * What a tool wrote, as the predicate of a statement: reports of Trivy and Grype become in-toto's `vulns`, results say when they
 * were had. `gate` binds it to one gate of that name. What no gate could read later is refused now.
 */
export function toPredicate(
  type: StatementType,
  report: Json,
  { gate, at }: { readonly gate: string | undefined; readonly at: Instant },
): Parsed<Predicate> {
  if (!isJsonObject(report)) return { ok: false, reason: 'it is no JSON object' };
  const bound = gate === undefined ? report : { ...report, gate };
  const timed = statedTime(report) === undefined ? { ...bound, finishedOn: instantText(at) } : bound;
  switch (type) {
    case 'tests':
      return { ok: true, value: { predicateType: TEST_RESULT, predicate: timed } };
    case 'eval':
      return { ok: true, value: { predicateType: EVAL, predicate: timed } };
    case 'drill':
      return { ok: true, value: { predicateType: DRILL, predicate: timed } };
    case 'scan': {
      const found = weaknessesIn(report['scanner'] === undefined ? { scanner: { result: report } } : report);
      if (found === undefined) return { ok: false, reason: 'it is no scan that is understood (in-toto vulns, Trivy or Grype as JSON)' };
      const predicate = report['scanner'] === undefined ? listOf(found, gate, at) : bound;
      return { ok: true, value: { predicateType: VULNERABILITY_SCANS[0], predicate } };
    }
    case 'sbom':
      if (report['bomFormat'] === 'CycloneDX')
        return { ok: true, value: { predicateType: 'https://cyclonedx.org/bom', predicate: report } };
      if (report['spdxVersion'] !== undefined)
        return { ok: true, value: { predicateType: 'https://spdx.dev/Document', predicate: report } };
      return { ok: false, reason: 'it is neither CycloneDX nor SPDX as JSON' };
    case 'provenance':
      return { ok: true, value: { predicateType: PROVENANCE[report['runDetails'] === undefined ? 1 : 0], predicate: report } };
  }
}

/** Reports are long, and statements are not: what was found, and how grave it is. */
function listOf(found: readonly Weakness[], gate: string | undefined, at: Instant): Json {
  const result = found.map(({ id, severity }): Json => ({ id, severity: [{ method: 'scanner', score: severity }] }));
  return { scanner: { result }, metadata: { scanFinishedOn: instantText(at) }, ...(gate === undefined ? {} : { gate }) };
}
