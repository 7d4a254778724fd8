// One by one: the whole of the package is twice as much to load.
import Range from 'semver/classes/range.js';
import compare from 'semver/functions/compare.js';
import major from 'semver/functions/major.js';
import minor from 'semver/functions/minor.js';
import satisfies from 'semver/functions/satisfies.js';
import valid from 'semver/functions/valid.js';

const LIMIT = 128;
const NUMBER = '(0|[1-9][0-9]{0,14})';
const IDENTIFIER = '(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)';
const VERSION = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}(-${IDENTIFIER}(\\.${IDENTIFIER})*)?$`);
const RANGE = /^[0-9A-Za-z.*^~<>=|-]([0-9A-Za-z.*^~<>=| -]{0,254}[0-9A-Za-z.*])?$/;
const LETTER_V = /(^|[\s<>=^~|])[vV]/;

/** A range of versions, parsed once. Prereleases match only where the range names one of the same major.minor.patch. */
export interface VersionRange {
  readonly text: string;
  readonly parsed: Range;
}

/** SemVer 2.0.0 without build metadata, no `v`, no white space, at most 128 characters of ASCII. */
export function isVersion(text: string): boolean {
  // The `$` of a regular expression without the m flag does not match before a final newline in JavaScript.
  return text.length <= LIMIT && VERSION.test(text) && valid(text) === text;
}

export function isPrerelease(version: string): boolean {
  return version.includes('-');
}

/** SemVer precedence; both must be versions. */
export function compareVersions(a: string, b: string): number {
  return a === b ? 0 : compare(a, b);
}

export function majorOf(version: string): number {
  return major(version);
}

/** Whether a version may break what one before it promised: another major, or below 1.0.0 another minor. */
export function isBreakingBump(before: string, after: string): boolean {
  if (major(before) !== major(after)) return major(after) > major(before);
  return major(after) === 0 && minor(after) > minor(before);
}

/** The first version after one that may break what it promised. */
export function nextBreakingVersion(version: string): string {
  const number = major(version);
  return number === 0 ? `0.${minor(version) + 1}.0` : `${number + 1}.0.0`;
}

/** node-semver's ranges, without `v` and build metadata and never empty; undefined when the text is none. */
export function parseRange(text: string): VersionRange | undefined {
  if (!RANGE.test(text) || LETTER_V.test(text)) return undefined;
  const alternatives = text.split('||');
  if (alternatives.length > 32 || alternatives.some((part) => part.trim() === '')) return undefined;
  try {
    return { text, parsed: new Range(text) };
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

export function isInRange(version: string, range: VersionRange): boolean {
  return range.parsed.test(version);
}

/** The same where prereleases count like any version: what a conflict or an upgrade path covers. */
export function isCovered(version: string, range: VersionRange): boolean {
  return satisfies(version, range.parsed, { includePrerelease: true });
}

/** True when every alternative of `||` has an upper end. */
export function isBoundedAbove(range: VersionRange): boolean {
  return range.parsed.set.every((alternative) =>
    alternative.some((comparator) => comparator.value !== '' && (comparator.operator === '' || comparator.operator.startsWith('<'))),
  );
}

/** Whether some version could lie in both. */
export function rangesIntersect(a: VersionRange, b: VersionRange): boolean {
  return a.parsed.intersects(b.parsed);
}

/** True for a range that names exactly one version (`1.4.2`, `=1.4.2`). */
export function isExactRange(range: VersionRange): boolean {
  return range.parsed.set.length === 1 && range.parsed.set[0]?.length === 1 && /^[0-9]/.test(range.parsed.set[0][0]?.value ?? '');
}
