import type { ReconcileResult } from '#loops/reconcile.ts';
import { instantText } from '#model/instant.ts';
import { keyText } from '#model/kubernetes-object.ts';
import type { Receipt } from '#model/receipt.ts';
import { endingDocument, exitCodeOfEnding, printEnding } from './endings.ts';
import { EXIT } from './exit-code.ts';
import { outputFormat, printDocument, printable, problemDocument, problemText } from './output.ts';
import type { Terminal } from './powers.ts';

/** Prints what a run did and answers its exit code. */
export function printReceipts(from: {
  readonly terminal: Terminal;
  readonly result: ReconcileResult;
  readonly output: string | undefined;
}): number {
  const { terminal, result } = from;
  const format = outputFormat(from.output, ['text', 'json']);
  if (format === 'json') {
    const [only] = result.receipts;
    if (only !== undefined && result.receipts.length === 1) printDocument(terminal, 'Receipt', receiptDocument(only));
    else
      printDocument(terminal, 'ReceiptList', {
        items: result.receipts.map(receiptDocument),
        revision: result.revision ?? null,
        ...endingDocument(result.ending),
      });
  } else {
    for (const receipt of result.receipts) terminal.out(receiptText(receipt));
  }
  for (const notice of result.notices) terminal.say(`note: ${printable(notice)}\n`);
  if (format === 'text') for (const warning of result.warnings) terminal.say(problemText(warning));
  printEnding(terminal, result.ending);
  const outcomes = result.receipts.flatMap((receipt) => receipt.outcomes);
  const isPartly = outcomes.some((item) => item.result === 'failed') && outcomes.some((item) => item.result === 'done');
  if (isPartly) return EXIT.partly;
  // Waiting before anything was applied means that a gate or a person holds it: the run did not do what it was asked for.
  if (result.ending.kind === 'waiting' && result.receipts.length === 0) return EXIT.conflict;
  return exitCodeOfEnding(result.ending);
}

function receiptDocument(receipt: Receipt): object {
  return {
    runId: receipt.runId,
    traceId: receipt.traceId,
    environment: receipt.environment,
    target: receipt.target,
    revision: receipt.revision,
    rendering: receipt.rendering ?? null,
    cause: receipt.cause,
    began: instantText(receipt.began),
    ended: instantText(receipt.ended),
    ...endingDocument(receipt.ending),
    outcomes: receipt.outcomes.map((outcome) => ({
      action: outcome.action,
      key: outcome.key,
      result: outcome.result,
      ...(outcome.problem === undefined ? {} : { problem: problemDocument(outcome.problem) }),
    })),
    health: receipt.health.state,
    driftDetected: receipt.driftDetected,
    trustNotice: receipt.trustNotice ?? null,
    warnings: receipt.warnings.map(problemDocument),
    commit: receipt.commit ?? null,
  };
}

function receiptText(receipt: Receipt): string {
  const done = receipt.outcomes.filter((outcome) => outcome.result === 'done').length;
  const head = `${receipt.environment}/${receipt.target}: ${receipt.ending.kind}, ${receipt.health.state}, ${receipt.outcomes.length === 0 ? 'nothing to do' : `${done} of ${receipt.outcomes.length} steps done`}${receipt.driftDetected ? ', drift' : ''} (run ${receipt.runId})\n`;
  return (
    head +
    receipt.outcomes
      .filter((outcome) => outcome.result !== 'unchanged')
      .map((outcome) => `  ${outcome.action.padEnd(6)} ${outcome.result.padEnd(8)} ${printable(keyText(outcome.key))}\n`)
      .join('')
  );
}
