import { isJsonObject, type Json, type JsonObject } from '#model/json.ts';

export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** One known weakness; a severity that nobody gave is `unknown`. */
export interface Weakness {
  readonly id: string;
  readonly severity: Severity | 'unknown';
}

export const SEVERITIES: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/** More are not looked at: then nothing is known. */
const MOST = 100_000;

/**
 * What a vulnerability scan found: in-toto's `vulns` statements, and reports of Trivy and Grype as `cosign attest --type vuln` carries them.
 * Undefined for a form that is not understood, which is not the same as nothing found.
 */
export function weaknessesIn(predicate: Json | undefined): readonly Weakness[] | undefined {
  const scanner = at(predicate, 'scanner');
  const result = at(scanner, 'result');
  const found = Array.isArray(result) ? plain(result) : isJsonObject(result) ? (trivy(result) ?? grype(result)) : undefined;
  return found === undefined || found.length > MOST ? undefined : found;
}

function plain(rows: readonly Json[]): readonly Weakness[] | undefined {
  const found = rows.map((row) => {
    const id = at(row, 'id');
    const scores = listAt(row, 'severity').map((item) => severityOf(at(item, 'score')));
    return typeof id === 'string' ? { id, severity: worst(scores) } : undefined;
  });
  return whole(found);
}

function trivy(report: JsonObject): readonly Weakness[] | undefined {
  const results = at(report, 'Results');
  // A report of something without packages has a schema and no results.
  if (results === undefined) return at(report, 'SchemaVersion') === undefined ? undefined : [];
  if (!Array.isArray(results)) return undefined;
  const rows = results.flatMap((item: Json) => listAt(item, 'Vulnerabilities'));
  return whole(rows.map((row) => named(at(row, 'VulnerabilityID'), at(row, 'Severity'))));
}

function grype(report: JsonObject): readonly Weakness[] | undefined {
  const matches = at(report, 'matches');
  if (!Array.isArray(matches)) return undefined;
  return whole(
    matches.map((match: Json) => {
      const weakness = at(match, 'vulnerability');
      return named(at(weakness, 'id'), at(weakness, 'severity'));
    }),
  );
}

function named(id: Json | undefined, severity: Json | undefined): Weakness | undefined {
  return typeof id === 'string' ? { id, severity: severityOf(severity) } : undefined;
}

function whole(found: readonly (Weakness | undefined)[]): readonly Weakness[] | undefined {
  const known = found.flatMap((one) => one ?? []);
  return known.length === found.length ? known : undefined;
}

/** Words of the usual scanners, or a score of the Common Vulnerability Scoring System. */
function severityOf(score: Json | undefined): Weakness['severity'] {
  if (typeof score === 'string' && /^(none|negligible)$/i.test(score)) return 'low';
  const word = typeof score === 'string' ? SEVERITIES.find((one) => one === score.toLowerCase()) : undefined;
  if (word !== undefined) return word;
  const number = typeof score === 'number' ? score : typeof score === 'string' && /^\d{1,2}(\.\d{1,2})?$/.test(score) ? Number(score) : NaN;
  if (!(number >= 0 && number <= 10)) return 'unknown';
  return number >= 9 ? 'critical' : number >= 7 ? 'high' : number >= 4 ? 'medium' : 'low';
}

function worst(severities: readonly Weakness['severity'][]): Weakness['severity'] {
  const known = SEVERITIES.filter((one) => severities.includes(one));
  return known.at(-1) ?? 'unknown';
}

function listAt(value: Json | undefined, key: string): readonly Json[] {
  const list = at(value, key);
  return Array.isArray(list) ? list : [];
}

function at(value: Json | undefined, key: string): Json | undefined {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
