import { validateSnapshot } from '#loops/check.ts';
import { compareProblems } from '#model/problem.ts';
import type { Invocation } from './cli.ts';
import { EXIT } from './exit-code.ts';
import { countOf, outputFormat, printDocument, problemDocument, problemText } from './output.ts';
import { placeOf, snapshotOf } from './repository.ts';
import { annotationOf, junitText, sarifText } from './validate-formats.ts';

export async function validate({ options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json', 'sarif', 'junit', 'github']);
  const world = await powers.openWorld({ ...placeOf(options), readsCheckout: true }, terminal);
  try {
    const at = await snapshotOf(world, options.rev as string | undefined);
    const report = await validateSnapshot(at.world, at.snapshot, terminal.signal);
    const problems = [...report.problems].sort(compareProblems);
    const errors = problems.filter((problem) => problem.severity === 'error').length;
    const summary = { documents: report.documents, errors, warnings: problems.length - errors };
    if (format === 'json')
      printDocument(terminal, 'ValidationReport', { commit: at.snapshot.commit ?? null, summary, problems: problems.map(problemDocument) });
    if (format === 'github') terminal.out(problems.map(annotationOf).join(''));
    if (format === 'sarif') terminal.out(sarifText({ problems, version: world.settings.version, root: world.path }));
    if (format === 'junit') terminal.out(junitText(problems));
    if (format === 'text') terminal.out(problems.map(problemText).join(''));
    terminal.say(`${countOf(summary.documents, 'document')}, ${countOf(errors, 'error')}, ${countOf(summary.warnings, 'warning')}\n`);
    return errors > 0 ? EXIT.failed : EXIT.ok;
  } finally {
    await world.close();
  }
}
