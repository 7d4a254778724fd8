import { validateSnapshot } from '#loops/check.ts';
import type { Snapshot } from '#loops/reading.ts';
import type { ReadingWorld } from '#loops/world.ts';
import { parseInstant, type Instant } from '#model/instant.ts';
import { compareProblems } from '#model/problem.ts';
import type { Problem } from '#model/problem.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { countOf, printable } from './output.ts';
import type { OpenedWorld, Terminal } from './powers.ts';
import { commitOf, placeOf, snapshotOf } from './repository.ts';
import { compareWithBaseline, writeBaseline } from './validate-baseline.ts';
import type { Compared } from './validate-baseline.ts';
import { reportText } from './validate-formats.ts';
import { parseOutputs, writeOutput } from './validate-outputs.ts';
import type { Output } from './validate-outputs.ts';
import { summaryText, unjudgedOf } from './validate-summary.ts';
import type { Counts } from './validate-summary.ts';

/** What was asked for, beside the repository. */
interface Request {
  readonly outputs: readonly Output[];
  readonly rev: string | undefined;
  readonly base: string | undefined;
  readonly baseline: string | undefined;
  readonly writes: boolean;
  /** The day that is asked about, if it is not today. */
  readonly now: Instant | undefined;
}

/** A tree to look at, and the world that can read it. */
interface Looked {
  readonly world: ReadingWorld;
  readonly snapshot: Snapshot;
  readonly base: Snapshot | undefined;
}

export async function validate({ options, powers, terminal }: Invocation): Promise<number> {
  const request = requestOf(options);
  const opened = await powers.openWorld({ ...placeOf(options), readsCheckout: true, now: request.now }, terminal);
  try {
    if (options.watch === true) {
      const { watchDirectory } = await import('./validate-watch.ts');
      return await watchDirectory(opened, terminal, async (world, snapshot) => {
        await validateOnce(opened, { world, snapshot, base: await baseOf(opened, request, snapshot) }, request, terminal);
      });
    }
    const at = await snapshotOf(opened, request.rev);
    return await validateOnce(opened, { ...at, base: await baseOf(opened, request, at.snapshot) }, request, terminal);
  } finally {
    await opened.close();
  }
}

const MOMENT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** A date, which is its beginning in UTC, or a time with its zone. */
function nowOf(text: string | undefined): Instant | undefined {
  if (text === undefined) return undefined;
  const at = MOMENT.test(text) ? parseInstant(text) : undefined;
  if (at === undefined) throw new UsageError(`--now "${text}" is no time: write 2026-11-04 or 2026-11-04T10:00:00Z`);
  return at;
}

function requestOf(options: Invocation['options']): Request {
  const request = {
    outputs: parseOutputs(options.output as string | undefined),
    rev: options.rev as string | undefined,
    base: options.base as string | undefined,
    baseline: options.baseline as string | undefined,
    writes: options.writeBaseline === true,
    now: nowOf(options.now as string | undefined),
  };
  if (request.writes && request.baseline === undefined)
    throw new UsageError('--write-baseline needs --baseline FILE: it is what is written');
  if (request.writes && request.base !== undefined) throw new UsageError('--write-baseline takes everything; leave --base out');
  if (options.watch === true && request.rev !== undefined) throw new UsageError('--watch looks at the working directory; leave --rev out');
  if (options.watch === true && request.writes) throw new UsageError('--watch only looks; leave --write-baseline out');
  return request;
}

/** Where what is looked at left the base: what others did there since is no concern of it. */
async function baseOf(world: OpenedWorld, { base }: Request, { commit }: Snapshot): Promise<Snapshot | undefined> {
  if (base === undefined) return undefined;
  const named = await commitOf(world, base);
  const head = commit ?? (await world.repository.resolve('HEAD'));
  return world.reading.at((head === undefined ? undefined : await world.repository.mergeBase(named, head)) ?? named);
}

async function validateOnce(opened: OpenedWorld, looked: Looked, request: Request, terminal: Terminal): Promise<number> {
  const report = await validateSnapshot(looked.world, looked.snapshot, terminal.signal, looked.base);
  const all = [...report.problems].sort(compareProblems);
  if (request.writes && request.baseline !== undefined) {
    const known = await writeBaseline(terminal, request.baseline, all);
    const left = all.length - known;
    terminal.say(`${request.baseline} knows ${countOf(known, 'problem')}${left === 0 ? '' : `; ${left} about secrets are not taken`}\n`);
    return EXIT.ok;
  }
  const compared = request.baseline === undefined ? nothingKnown(all) : await compareWithBaseline(terminal, request.baseline, all);
  const problems = [...compared.fresh, ...compared.stale].sort(compareProblems);
  const errors = problems.filter((problem) => problem.severity === 'error').length;
  const counts: Counts = {
    documents: report.documents,
    errors,
    warnings: problems.length - errors,
    known: compared.known,
    suppressed: report.suppressed.length,
    unjudged: unjudgedOf(report),
  };
  for (const output of request.outputs) {
    const told = { problems, counts, report, looked, version: opened.settings.version, root: opened.path };
    await writeOutput(terminal, output, await reportText(output.format, told));
  }
  terminal.say(summaryText(counts, report.affected, request.now));
  for (const note of report.notes) terminal.say(`${printable(note)}\n`);
  return errors > 0 ? EXIT.failed : EXIT.ok;
}

function nothingKnown(problems: readonly Problem[]): Compared {
  return { fresh: problems, known: 0, stale: [] };
}
