import { setTimeout as after } from 'node:timers/promises';

import { reconcile as run } from '#loops/reconcile.ts';
import type { ReconcileRequest } from '#loops/reconcile.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { printable } from './output.ts';
import { printReceipts } from './receipts.ts';
import { reconcileUntilSettled, waitOf } from './reconcile-wait.ts';
import { placeOf } from './repository.ts';

export async function reconcile({ words, options, powers, terminal }: Invocation): Promise<number> {
  const timeout = waitOf(options.wait);
  if (timeout !== undefined && options.dryRun === true) throw new UsageError('--wait and --dry-run: there is nothing to wait for');
  const output = options.output as string | undefined;
  const request: ReconcileRequest = {
    environment: words[0] ?? '',
    target: options.target as string | undefined,
    trigger: 'person',
    dryRun: options.dryRun === true,
  };
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    if (timeout !== undefined) {
      const tell = (phase: string): void => terminal.say(`waiting: ${printable(phase)}\n`);
      const result = await reconcileUntilSettled(world, request, { timeout, tell, sleep }, terminal.signal);
      const code = printReceipts({ terminal, result, output });
      if (terminal.signal.aborted) return EXIT.interrupted;
      if (!result.isLate) return code;
      terminal.err(`${request.environment} is not settled within ${typeof options.wait === 'string' ? options.wait : '5m'}.\n`);
      return code === EXIT.ok ? EXIT.failed : code;
    }
    await world.repository.fetch(terminal.signal);
    return printReceipts({ terminal, result: await run(world, request, terminal.signal), output });
  } finally {
    await world.close();
  }
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  // It ends early by its signal only, and that is no failure.
  await after(milliseconds, undefined, { signal }).catch(() => undefined);
}
