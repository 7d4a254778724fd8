import { instantText } from '#model/instant.ts';
import type { Ending } from '#model/receipt.ts';
import { EXIT } from './exit-code.ts';
import { printProblems, printable, problemDocument } from './output.ts';
import type { Terminal } from './powers.ts';

/** The ending in one line on stderr, with every problem. */
export function printEnding(terminal: Terminal, ending: Ending): void {
  switch (ending.kind) {
    case 'settled':
      return;
    case 'waiting':
      for (const reason of ending.reasons) terminal.err(`waiting: ${printable(reason)}\n`);
      if (ending.until !== undefined) terminal.err(`next look at ${instantText(ending.until)}\n`);
      return;
    case 'retry':
      terminal.err(`try again: ${printable(ending.because)}\n`);
      return;
    case 'stuck':
      printProblems(terminal, ending.problems);
  }
}

export function endingDocument(ending: Ending): object {
  switch (ending.kind) {
    case 'settled':
      return { ending: 'settled' };
    case 'waiting':
      return { ending: 'waiting', reasons: ending.reasons, until: ending.until === undefined ? null : instantText(ending.until) };
    case 'retry':
      return { ending: 'retry', because: ending.because };
    case 'stuck':
      return { ending: 'stuck', problems: ending.problems.map(problemDocument) };
  }
}

/** Refused by policy, trust or guard; every other problem is a mistake in what is declared. */
const REFUSALS: ReadonlySet<string> = new Set([
  'admission-denied',
  'could-not-look',
  'deletion-budget-exceeded',
  'deletion-unconfirmed',
  'field-conflict',
  'foreign-inventory',
  'foreign-object',
  'gate-not-passed',
  'image-refused',
  'image-unsigned',
  'not-permitted',
  'not-supported',
  'outside-credentials',
  'policy-denied',
  'protected-kind',
  'protection-missing',
  'rollback-impossible',
  'signature-refused',
  'target-emptied',
  'trust-missing',
  'trust-root-unreachable',
  'unsigned',
  'upgrade-path-missing',
  'version-quarantined',
]);

/** Whether a problem with this code exits 3. */
export function isRefusal(code: string): boolean {
  return REFUSALS.has(code);
}

/** 0 settled or waiting (what was asked for is done), 1 invalid, 3 refused by policy, trust or guard, 4 lost race. */
export function exitCodeOfEnding(ending: Ending): number {
  switch (ending.kind) {
    case 'settled':
    case 'waiting':
      return EXIT.ok;
    case 'retry':
      return EXIT.conflict;
    case 'stuck':
      return ending.problems.some((problem) => isRefusal(problem.code)) ? EXIT.refused : EXIT.failed;
  }
}
