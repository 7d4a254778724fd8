import { Command, CommanderError, Option } from 'commander';

import { COMMANDS } from './commands.ts';
import type { CommandRow } from './commands.ts';
import { EXIT, UsageError, exitCodeOf } from './exit-code.ts';
import { printable } from './output.ts';
import type { Powers, Terminal } from './powers.ts';

/** What a command is given: its words, its options, and what it may use. */
export interface Invocation {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly powers: Powers;
  readonly terminal: Terminal;
}

/** Runs one command and answers its exit code (contracts.md section 1). */
export async function runCli(argv: readonly string[], assemble: () => Promise<Powers>, terminal: Terminal): Promise<number> {
  let code: number = EXIT.ok;
  const program = new Command('capstan')
    .description('GitOps repository engine: environments and capsules in git, signed commits, promotion by pull request.')
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .addHelpText('after', '\nExample:\n  $ capstan demo\n\nEvery command has --help with an example.');
  for (const row of COMMANDS) {
    addCommand(program, row, async (words, options) => {
      const run = await row.load();
      code = await run({ words, options, powers: await assemble(), terminal });
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return report(error, terminal);
  }
}

function addCommand(
  program: Command,
  row: CommandRow,
  run: (words: readonly string[], options: Invocation['options']) => Promise<void>,
): void {
  const command = program.command(row.name).description(row.description).exitOverride().showSuggestionAfterError();
  for (const word of row.words) command.argument(word.name, word.description);
  for (const option of row.options) command.addOption(new Option(option.flags, option.description));
  command.addHelpText('after', `\nExample:\n  $ ${row.example}\n`);
  command.action(async (...given: unknown[]) => {
    const words = given
      .slice(0, row.words.length)
      .flat()
      .filter((word) => typeof word === 'string');
    await run(words, command.opts());
  });
}

function report(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const code = terminal.signal.aborted ? EXIT.interrupted : exitCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  terminal.err(`capstan: ${printable(message)}\n`);
  if (error instanceof UsageError) terminal.err("Run 'capstan --help' or 'capstan COMMAND --help'.\n");
  if (terminal.env.CAPSTAN_DEBUG !== undefined && error instanceof Error) terminal.err(`${error.stack ?? ''}\n`);
  return code;
}
