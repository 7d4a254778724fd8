import { DECLARATION_PROBLEMS } from '#model/declaration-problems.ts';

/** A problem in full, for `capstan explain`. */
export interface CatalogueEntry {
  /** "V-07", or undefined for problems without a rule number. */
  readonly rule: string | undefined;
  readonly title: string;
  readonly why: string;
  /** What brings it about; empty when there is nothing short to show. */
  readonly example: string;
  readonly remedy: string;
}

/** Codes of the other chapters, sorted; append yours. */
const ENTRIES: Readonly<Record<string, CatalogueEntry>> = {};

/** Every code a person may meet. A test compares it with the codes in the source. */
export const PROBLEM_CATALOGUE: ReadonlyMap<string, CatalogueEntry> = new Map(
  [...Object.entries(DECLARATION_PROBLEMS), ...Object.entries(ENTRIES)].sort(([a], [b]) => (a < b ? -1 : 1)),
);
