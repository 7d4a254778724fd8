import { verifyClone } from '#loops/verify.ts';
import { isObjectId } from '#model/digest.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { countOf, outputFormat, printDocument, printProblems, printable, problemDocument } from './output.ts';
import { placeOf } from './repository.ts';

export async function verify({ options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const trustRoot = options.trustRoot as string | undefined;
  if (trustRoot !== undefined && !isObjectId(trustRoot))
    throw new UsageError(`--trust-root "${trustRoot}" is not a commit id of 40 hex digits`);
  const world = await powers.openWorld({ ...placeOf(options), trustRoot }, terminal);
  try {
    const result = await verifyClone(world, { full: options.full === true, report: (line) => terminal.say(`${line}\n`) }, terminal.signal);
    const { commits, records, rendered } = result;
    if (format === 'json')
      printDocument(terminal, 'Verification', {
        commits,
        records,
        rendered,
        full: options.full === true,
        notices: result.notices,
        problems: result.problems.map(problemDocument),
      });
    else {
      printProblems(terminal, result.problems);
      for (const notice of result.notices) terminal.say(`note: ${printable(notice)}\n`);
      terminal.out(
        result.problems.length > 0
          ? `not verified: ${countOf(result.problems.length, 'problem')}\n`
          : `verified: ${countOf(commits, 'commit')}, ${countOf(records, 'record')}, ${countOf(rendered, 'rendering')}${options.full === true ? ' rendered again and equal' : ''}\n`,
      );
    }
    return result.problems.length > 0 ? EXIT.refused : EXIT.ok;
  } finally {
    await world.close();
  }
}
