import { Command, CommanderError, Option } from 'commander';

import { maskOf, NO_MASK } from '#model/secret-mask.ts';
import type { Secret } from '#model/secret.ts';
import type { CommandRow } from './command-row.ts';
import { COMMANDS } from './commands.ts';
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
export async function runCli(argv: readonly string[], assemble: () => Promise<Powers>, given: Terminal): Promise<number> {
  let code: number = EXIT.ok;
  let asked = '';
  const terminal = discreet(given);
  const program = new Command('capstan')
    .description('GitOps repository engine: environments and capsules in git, signed commits, promotion by pull request.')
    .addOption(new Option('-V, --version', 'print the version'))
    .addHelpText('after', '\nExample:\n  $ capstan demo\n\nEvery command has --help with an example.');
  plain(program, terminal);
  for (const row of COMMANDS) {
    addCommand(program, row, {
      terminal,
      run: async (words, options) => {
        asked = `${row.name} `;
        const run = await row.load();
        code = await run({ words, options, powers: await assemble(), terminal: lent(terminal, options) });
      },
    });
  }
  try {
    await program.parseAsync(rewritten(argv), { from: 'user' });
    return code;
  } catch (error) {
    return report(error, asked === '' ? commandIn(argv) : asked, terminal);
  }
}

/** The last line of defence: what a configuration holds does not come out, even where something forgot to be careful. */
function discreet(terminal: Terminal): Terminal {
  let known: readonly Secret[] = [];
  let mask = NO_MASK;
  return {
    ...terminal,
    out: (text) => terminal.out(mask(text)),
    err: (text) => terminal.err(mask(text)),
    say: (text) => terminal.say(mask(text)),
    conceal(secrets) {
      known = [...known, ...secrets];
      mask = maskOf(known);
    },
  };
}

/** No words ask for help; the version is a command. */
function rewritten(argv: readonly string[]): string[] {
  const [first] = argv;
  if (first === undefined) return ['--help'];
  return first === '-V' || first === '--version' ? ['version', ...argv.slice(1)] : [...argv];
}

/** `plan ` if that is what was asked for, so that the hint names its help. */
function commandIn(argv: readonly string[]): string {
  return COMMANDS.some((row) => row.name === argv[0]) ? `${argv[0] ?? ''} ` : '';
}

function lent(terminal: Terminal, options: Invocation['options']): Terminal {
  return { ...terminal, say: options.quiet === true ? () => undefined : terminal.say, isVerbose: options.verbose === true };
}

/** Every message of the parser in the form of our own. */
function plain(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: terminal.out,
      writeErr: terminal.err,
      outputError: (text, write) => write(printable(text.replace(/^error: /, 'capstan: '))),
    });
}

function addCommand(
  program: Command,
  row: CommandRow,
  from: {
    readonly terminal: Terminal;
    readonly run: (words: readonly string[], options: Invocation['options']) => Promise<void>;
  },
): void {
  const command = program.command(row.name).description(row.description);
  plain(command, from.terminal);
  for (const word of row.words) command.argument(word.name, word.description);
  for (const option of row.options) command.addOption(optionOf(option));
  command.addOption(new Option('-q, --quiet', 'say nothing but results and problems'));
  command.addOption(new Option('-v, --verbose', 'tell what happens while it happens'));
  command.addHelpText('after', `\nExample:\n  $ ${row.example}\n`);
  command.action(async (...given: unknown[]) => {
    const words = given
      .slice(0, row.words.length)
      .flat()
      .filter((word) => typeof word === 'string');
    await from.run(words, command.opts());
  });
}

/** What is given several times comes as lines; of another option the last one counts. */
function optionOf({ flags, description, isRepeatable }: CommandRow['options'][number]): Option {
  const option = new Option(flags, description);
  return isRepeatable === true
    ? option.argParser((value, before?: string) => (before === undefined ? value : `${before}\n${value}`))
    : option;
}

function report(error: unknown, command: string, terminal: Terminal): number {
  const hint = `Run 'capstan ${command}--help' for what there is.\n`;
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    terminal.err(hint);
    return EXIT.usage;
  }
  const code = terminal.signal.aborted ? EXIT.interrupted : exitCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  terminal.err(`capstan: ${printable(message)}\n`);
  if (error instanceof UsageError) terminal.err(hint);
  if (terminal.env.CAPSTAN_DEBUG !== undefined && error instanceof Error) terminal.err(`${error.stack ?? ''}\n`);
  return code;
}
