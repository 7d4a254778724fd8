import { validateSnapshot } from '#loops/check.ts';
import { instantText, parseInstant, type Instant } from '#model/instant.ts';
import { compareProblems, compareText } from '#model/problem.ts';
import { listed } from '#model/quoted.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { countOf, outputFormat, printDocument, problemDocument, problemText } from './output.ts';
import { placeOf, snapshotOf } from './repository.ts';
import { annotationOf, junitText, sarifText } from './validate-formats.ts';

export async function validate({ options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json', 'sarif', 'junit', 'github']);
  const asked = nowOf(options.now as string | undefined);
  const world = await powers.openWorld({ ...placeOf(options), readsCheckout: true, now: asked }, terminal);
  try {
    const at = await snapshotOf(world, options.rev as string | undefined);
    const now = at.world.clock.now();
    const report = await validateSnapshot(at.world, at.snapshot, terminal.signal);
    const problems = [...report.problems].sort(compareProblems);
    const errors = problems.filter((problem) => problem.severity === 'error').length;
    const unjudged = [...report.unjudged].sort(([a], [b]) => compareText(a, b)).map(([kind, objects]) => ({ kind, objects }));
    const summary = { documents: report.documents, errors, warnings: problems.length - errors, unjudged };
    if (format === 'json')
      printDocument(terminal, 'ValidationReport', {
        commit: at.snapshot.commit ?? null,
        now: instantText(now),
        summary,
        problems: problems.map(problemDocument),
      });
    if (format === 'github') terminal.out(problems.map(annotationOf).join(''));
    if (format === 'sarif') terminal.out(sarifText({ problems, version: world.settings.version, root: world.path }));
    if (format === 'junit') terminal.out(junitText(problems));
    if (format === 'text') terminal.out(problems.map(problemText).join(''));
    terminal.say(
      `${countOf(summary.documents, 'document')}, ${countOf(errors, 'error')}, ${countOf(summary.warnings, 'warning')}${asked === undefined ? '' : ` at ${instantText(now)}`}\n`,
    );
    if (unjudged.length > 0) terminal.say(unjudgedText(unjudged));
    return errors > 0 ? EXIT.failed : EXIT.ok;
  } finally {
    await world.close();
  }
}

/** What has no schema is told, not counted against anybody. */
function unjudgedText(unjudged: readonly { readonly kind: string; readonly objects: number }[]): string {
  const objects = unjudged.reduce((sum, one) => sum + one.objects, 0);
  const kinds = listed(
    unjudged.map(({ kind }) => kind),
    6,
  );
  return `${countOf(objects, 'object')} of kinds that no schema here knows: ${kinds}\n`;
}

const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** A date, which is its beginning in UTC, or a time with its zone. */
function nowOf(text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const at = MOMENT.test(text) ? parseInstant(text) : undefined;
  if (at === undefined) throw new UsageError(`--now "${text}" is no time: write 2026-11-04 or 2026-11-04T10:00:00Z`);
  return at;
}
