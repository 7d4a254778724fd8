import { PROBLEM_CATALOGUE } from '#model/problem-catalogue.ts';
import { RULES } from '#model/rule-table.ts';
import { didYouMean } from '#model/suggest.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { outputFormat, printDocument, tableText } from './output.ts';

export async function explain({ words, options, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const entries = [...PROBLEM_CATALOGUE].map(([code, entry]) => ({ code, ...entry }));
  const [wanted] = words;
  if (wanted === undefined) {
    if (format === 'json') printDocument(terminal, 'ProblemList', { items: entries });
    else
      terminal.out(
        tableText(
          ['CODE', 'RULE', 'MEANS'],
          entries.map((entry) => [entry.code, entry.rule ?? '', entry.title]),
        ),
      );
    return EXIT.ok;
  }
  const found = entries.filter((entry) => entry.code === wanted.toLowerCase() || entry.rule === wanted.toUpperCase());
  if (found.length === 0)
    throw new UsageError(
      `no problem is called "${wanted}"${didYouMean(wanted, PROBLEM_CATALOGUE.keys()) || "; 'capstan explain' lists them all"}`,
    );
  if (format === 'json') printDocument(terminal, 'ProblemList', { items: found });
  else
    terminal.out(
      ruleText(wanted.toUpperCase()) +
        found
          .map(
            (entry) =>
              `${entry.code}${entry.rule === undefined ? '' : ` (${entry.rule})`}: ${entry.title}\n\n${entry.why}\n\nExample:\n${indent(entry.example)}\n\nWhat to do: ${entry.remedy}\n`,
          )
          .join('\n'),
    );
  return EXIT.ok;
}

/** What the rule itself says, where one was asked for. */
function ruleText(number: string): string {
  const rule = Object.hasOwn(RULES, number) ? RULES[number] : undefined;
  return rule === undefined ? '' : `${number}: ${rule.title} (${rule.severity}; ${rule.phases.join(', ')})\n\n`;
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
