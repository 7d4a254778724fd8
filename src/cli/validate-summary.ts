import type { ValidationResult } from '#loops/check.ts';
import { instantText } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import { compareText } from '#model/problem.ts';
import { listed } from '#model/quoted.ts';
import { countOf } from './output.ts';

/** The numbers of a report, as in its JSON. */
export interface Counts {
  readonly documents: number;
  readonly errors: number;
  readonly warnings: number;
  /** That the baseline knows, and that comments silence. */
  readonly known: number;
  readonly suppressed: number;
  readonly unjudged: readonly { readonly kind: string; readonly objects: number }[];
}

/** What has no schema is told, not counted against anybody. */
export function unjudgedOf({ unjudged }: ValidationResult): Counts['unjudged'] {
  return [...unjudged].sort(([a], [b]) => compareText(a, b)).map(([kind, objects]) => ({ kind, objects }));
}

/** One line for people, and one more for what no schema knows. */
export function summaryText(counts: Counts, affected: ValidationResult['affected'], asOf: Instant | undefined): string {
  const { documents, errors, warnings, known, suppressed } = counts;
  const parts = [
    countOf(documents, 'document'),
    countOf(errors, 'error'),
    countOf(warnings, 'warning'),
    ...(known === 0 ? [] : [`${known} known`]),
    ...(suppressed === 0 ? [] : [`${suppressed} silenced`]),
    ...(affected === undefined
      ? []
      : [`looked closely at ${countOf(affected.environments.size, 'environment')} and ${countOf(affected.capsules.size, 'capsule')}`]),
  ];
  return `${parts.join(', ')}${asOf === undefined ? '' : ` at ${instantText(asOf)}`}\n${unjudgedText(counts.unjudged)}`;
}

function unjudgedText(unjudged: Counts['unjudged']): string {
  if (unjudged.length === 0) return '';
  const objects = unjudged.reduce((sum, one) => sum + one.objects, 0);
  const kinds = listed(
    unjudged.map(({ kind }) => kind),
    6,
  );
  return `${countOf(objects, 'object')} of kinds that no schema here knows: ${kinds}\n`;
}
