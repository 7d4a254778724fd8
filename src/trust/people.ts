import { canonicalJson, type Json } from '#model/json.ts';
import { isOnPaths } from '#model/path-pattern.ts';
import { visibleText } from '#model/quoted.ts';
import { personOf, type Threshold, type TrustEntry, type TrustPolicy } from '#model/trust-policy.ts';
import type { TrustPurpose, Vouching } from '#model/verdict.ts';

/** What signatures are wanted for. */
export interface Wanted {
  readonly purpose: TrustPurpose;
  readonly path: string | undefined;
}

/** Usable entries that may vouch for this, in declared order. */
export function entriesOn({ entries }: TrustPolicy, { purpose, path }: Wanted): readonly TrustEntry[] {
  return entries.filter((entry) => entry.purposes.includes(purpose) && isOnPaths(entry.paths, path));
}

/** Thresholds that hold there; all of them must be met. */
export function thresholdsOn({ thresholds }: TrustPolicy, { purpose, path }: Wanted): readonly Threshold[] {
  return thresholds.filter((threshold) => threshold.purposes.includes(purpose) && isOnPaths(threshold.paths, path));
}

/** What a threshold still lacks, as a sentence; undefined where enough different people signed. `signed` are names of entries. */
export function shortage(policy: TrustPolicy, threshold: Threshold, signed: readonly string[]): string | undefined {
  const counted = signed.filter((name) => threshold.of?.includes(name) ?? true);
  const people = [...new Set(counted.flatMap((name) => personBehind(policy, name) ?? []))];
  if (people.length >= threshold.atLeast) return undefined;
  const found = people.length === 0 ? 'nobody of them signed' : `signed by ${people.join(', ')}`;
  return `${thresholdWords(threshold)}: ${found}`;
}

/** `threshold prod-by-two asks for 2 people of ada, bob, carol` */
export function thresholdWords({ name, atLeast, of }: Threshold): string {
  return `threshold ${name} asks for ${atLeast} people${of === undefined ? '' : ` of ${of.join(', ')}`}`;
}

const PURPOSES: readonly TrustPurpose[] = ['commit', 'policy', 'capsule', 'image', 'evidence', 'approval', 'engine'];

/** Who may sign for what, each enforced purpose as a sentence: `capsule: ada, ci (capsules/web/**); threshold two asks for 2 people`. */
export function policyWords(policy: TrustPolicy): readonly string[] {
  return PURPOSES.filter((purpose) => policy.enforced.has(purpose)).map((purpose) => {
    const entries = policy.entries.filter((entry) => entry.purposes.includes(purpose));
    const names = entries.map(({ name, paths }) => `${name}${wherever(paths)}`);
    const thresholds = policy.thresholds.filter((one) => one.purposes.includes(purpose));
    const who = names.length === 0 ? 'nobody, since no entry for it can be used' : names.join(', ');
    return [`${purpose}: ${who}`, ...thresholds.map((one) => `${thresholdWords(one)}${wherever(one.paths)}`)].join('; ');
  });
}

function wherever(paths: readonly string[] | undefined): string {
  return paths === undefined ? '' : ` (${paths.map((path) => visibleText(path)).join(', ')})`;
}

/** The first that is not met, of those that hold there. */
export function firstShortage(policy: TrustPolicy, thresholds: readonly Threshold[], vouching: readonly Vouching[]): string | undefined {
  const signed = vouching.map((one) => one.by);
  for (const threshold of thresholds) {
    const missing = shortage(policy, threshold, signed);
    if (missing !== undefined) return missing;
  }
  return undefined;
}

/** The person of the first entry with the same credential: two names of one key are one person. */
function personBehind({ entries }: TrustPolicy, name: string): string | undefined {
  const entry = entries.find((one) => one.name === name);
  if (entry === undefined) return undefined;
  const credential = textOf(entry);
  return personOf(entries.find((one) => textOf(one) === credential) ?? entry);
}

function textOf({ credential }: TrustEntry): string {
  return canonicalJson({ ...credential } as unknown as Json);
}
