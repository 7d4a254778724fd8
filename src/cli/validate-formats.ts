import type { ValidationResult } from '#loops/check.ts';
import type { Snapshot } from '#loops/reading.ts';
import type { ReadingWorld } from '#loops/world.ts';
import { instantText } from '#model/instant.ts';
import type { Problem } from '#model/problem.ts';
import { documentText, printable, problemDocument } from './output.ts';
import { filesToShow, problemWithExcerpt } from './validate-excerpt.ts';
import type { ValidateFormat } from './validate-outputs.ts';
import type { Counts } from './validate-summary.ts';

/** Everything that a report tells. */
export interface Told {
  /** In the order people see them. */
  readonly problems: readonly Problem[];
  readonly counts: Counts;
  readonly report: ValidationResult;
  readonly looked: { readonly world: ReadingWorld; readonly snapshot: Snapshot; readonly base: Snapshot | undefined };
  readonly version: string;
  readonly root: string;
}

export async function reportText(format: ValidateFormat, told: Told): Promise<string> {
  switch (format) {
    case 'text':
      return problemsText(told);
    case 'json':
      return documentText('ValidationReport', {
        commit: told.looked.snapshot.commit ?? null,
        now: instantText(told.looked.world.clock.now()),
        ...baseDocument(told),
        summary: told.counts,
        problems: told.problems.map(problemDocument),
      });
    case 'sarif':
      // It tells what every code means, which nothing else of a check needs.
      return (await import('./validate-sarif.ts')).sarifText(told);
    case 'junit':
      return junitText(told.problems);
    case 'github':
      return told.problems.map(annotationOf).join('');
  }
}

async function problemsText({ problems, looked: { world, snapshot } }: Told): Promise<string> {
  const files = filesToShow(problems);
  const sources = new Map<string, string | undefined>();
  for (const file of files) sources.set(file, await world.reading.textAt(snapshot, file));
  return problems.map((problem) => problemWithExcerpt(problem, sources)).join('');
}

function baseDocument({ looked, report: { affected } }: Told): object {
  if (affected === undefined) return {};
  const { environments, capsules } = affected;
  return { base: { commit: looked.base?.commit ?? null, environments: [...environments].sort(), capsules: [...capsules].sort() } };
}

/** A workflow command of GitHub Actions: one annotation a problem. */
function annotationOf(problem: Problem): string {
  const { file, line, column } = problem.place;
  const fields = [
    file === undefined ? undefined : `file=${property(file)}`,
    line === undefined ? undefined : `line=${line}`,
    column === undefined ? undefined : `col=${column}`,
    `title=${property(problem.rule ?? problem.code)}`,
  ];
  return `::${problem.severity} ${fields.filter((field) => field !== undefined).join(',')}::${data(`${problem.message}\n${problem.remedy}`)}\n`;
}

function data(text: string): string {
  return printable(text).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** JUnit XML as CI servers read it: one test case a file with problems, failed by its errors; one that passed where nothing is wrong. */
function junitText(problems: readonly Problem[]): string {
  const byFile = Map.groupBy(problems, (problem) => problem.place.file ?? 'repository');
  const cases = [...byFile].map(([file, found]) => {
    const told = found.map((problem) => {
      const where = problem.place.line === undefined ? '' : `${problem.place.line}:${problem.place.column ?? 1}: `;
      return `${where}${problem.severity}: ${problem.message} [${problem.rule ?? problem.code}]\n    ${problem.remedy}`;
    });
    const [first] = found.filter((problem) => problem.severity === 'error');
    const body =
      first === undefined
        ? `<system-out>${xml(told.join('\n'))}</system-out>`
        : `<failure type="${xml(first.code)}" message="${xml(first.message)}">${xml(told.join('\n'))}</failure>`;
    return { failed: first !== undefined, text: `    <testcase classname="capstan.validate" name="${xml(file)}">${body}</testcase>\n` };
  });
  if (cases.length === 0) cases.push({ failed: false, text: '    <testcase classname="capstan.validate" name="repository"></testcase>\n' });
  const counts = `tests="${cases.length}" failures="${cases.filter((item) => item.failed).length}" errors="0"`;
  const body = cases.map((item) => item.text).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts}>\n  <testsuite name="capstan validate" ${counts}>\n${body}  </testsuite>\n</testsuites>\n`;
}

function xml(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
    .replaceAll(/[\uD800-\uDFFF\uFFFE\uFFFF]/gu, '\uFFFD');
}
