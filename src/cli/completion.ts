import { didYouMean } from '#model/suggest.ts';
import type { Invocation } from './cli.ts';
import { COMMANDS } from './commands.ts';
import { EXIT, UsageError } from './exit-code.ts';

export async function completion({ words, terminal }: Invocation): Promise<number> {
  terminal.out(script(words[0] ?? ''));
  return EXIT.ok;
}

function script(shell: string): string {
  const names = COMMANDS.map((command) => command.name).join(' ');
  switch (shell) {
    case 'bash':
      return `_capstan() {\n  local word="\${COMP_WORDS[COMP_CWORD]}"\n  if [ "$COMP_CWORD" -eq 1 ]; then\n    COMPREPLY=($(compgen -W "${names}" -- "$word"))\n  else\n    case "\${COMP_WORDS[1]}" in\n${COMMANDS.map((command) => `      ${command.name}) COMPREPLY=($(compgen -W "${[...actionsOf(command), flagsOf(command.options)].join(' ')}" -- "$word")) ;;`).join('\n')}\n    esac\n  fi\n}\ncomplete -F _capstan capstan\n`;
    case 'zsh':
      return `#compdef capstan\n_arguments '1:command:((${COMMANDS.map((command) => `${command.name}\\:"${command.description.replaceAll(/['"`]/g, '')}"`).join(' ')}))' '*:file:_files'\n`;
    case 'fish':
      return COMMANDS.map(
        (command) =>
          `complete -c capstan -n __fish_use_subcommand -a ${command.name} -d ${JSON.stringify(command.description.replaceAll('`', ''))}\n`,
      ).join('');
    default:
      throw new UsageError(
        `no completion for "${shell}"; there is one for bash, zsh and fish${didYouMean(shell, ['bash', 'zsh', 'fish'])}`,
      );
  }
}

function flagsOf(options: readonly { readonly flags: string }[]): string {
  return ['--help', '--quiet', '--verbose', ...options.flatMap((option) => option.flags.match(/--[a-z-]+/g) ?? [])].join(' ');
}

/** First words of a command that is several. */
function actionsOf({ words }: (typeof COMMANDS)[number]): readonly string[] {
  const [first] = words;
  return first?.name === '<action>' ? first.description.split(', ') : [];
}
