import { validateSnapshot } from '#loops/check.ts';
import { compareProblems } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { Invocation } from './cli.ts';
import { EXIT } from './exit-code.ts';
import { countOf, outputFormat, printDocument, printProblems, printable, problemDocument } from './output.ts';
import { placeOf, snapshotOf } from './repository.ts';

export async function validate({ options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json', 'github']);
  const world = await powers.openWorld({ ...placeOf(options), renders: true }, terminal);
  try {
    const at = await snapshotOf(world, options.rev as string | undefined);
    const report = await validateSnapshot(at.world, at.snapshot, terminal.signal);
    const problems = [...report.problems].sort(compareProblems);
    const errors = problems.filter((problem) => problem.severity === 'error').length;
    const summary = { documents: report.documents, errors, warnings: problems.length - errors };
    if (format === 'json')
      printDocument(terminal, 'ValidationReport', { commit: at.snapshot.commit ?? null, summary, problems: problems.map(problemDocument) });
    if (format === 'github') terminal.out(problems.map(annotation).join(''));
    if (format === 'text') {
      printProblems(terminal, problems);
      terminal.say(`${countOf(summary.documents, 'document')}, ${countOf(errors, 'error')}, ${countOf(summary.warnings, 'warning')}\n`);
    }
    return errors > 0 ? EXIT.failed : EXIT.ok;
  } finally {
    await world.close();
  }
}

/** A workflow command of GitHub Actions: one annotation a problem. */
function annotation(problem: Problem): string {
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
