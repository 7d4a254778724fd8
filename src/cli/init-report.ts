import type { ImportedSource } from './init-import.ts';
import { countOf, printable } from './output.ts';

interface Report {
  readonly written: readonly string[];
  readonly kept: readonly string[];
  readonly dryRun: boolean;
  readonly imported: ImportedSource | undefined;
}

/** Lines shown of what was left out; all of it is in the JSON. */
const SHOWN = 40;

export function importDocument({ written, kept, dryRun, imported }: Report): object {
  return {
    source: imported === undefined ? null : { kind: imported.source.kind, path: imported.source.root },
    dryRun,
    written,
    kept,
    mapped: (imported?.mapped ?? []).map((one) => ({ ...one, line: one.line ?? null })),
    leftOut: (imported?.leftOut ?? []).map((one) => ({ ...one, line: one.line ?? null })),
    differences: imported?.differences ?? [],
    notCompared: imported?.notCompared ?? [],
  };
}

/** What came along in one line, and what did not, a line each. */
export function importText({ mapped, leftOut, differences, notCompared, environments }: ImportedSource): string {
  const rows = leftOut.map((one) => `left out: ${one.file}${one.line === undefined ? '' : `:${one.line}`}: ${one.what} ${one.why}\n`);
  const kinds = new Map<string, number>();
  for (const { what } of differences) kinds.set(what, (kinds.get(what) ?? 0) + 1);
  const reasons = new Map<string, number>();
  for (const { why } of notCompared) reasons.set(why, (reasons.get(why) ?? 0) + 1);
  return printable(
    [
      ...rows.slice(0, SHOWN),
      rows.length > SHOWN ? `left out: ${rows.length - SHOWN} more (-o json names all)\n` : '',
      ...[...kinds].map(([what, amount]) => `differs: ${what}, in ${countOf(amount, 'object')}\n`),
      ...[...reasons].map(([why, amount]) => `not compared: ${why} (${countOf(amount, 'capsule')})\n`),
      `${countOf(mapped.length, 'file')} came along to ${environments.join(', ') || 'no environment'}, ${countOf(leftOut.length, 'thing')} did not\n`,
    ].join(''),
  );
}
