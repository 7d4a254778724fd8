import { reconcile as run } from '#loops/reconcile.ts';
import type { Invocation } from './cli.ts';
import { printReceipts } from './receipts.ts';
import { placeOf } from './repository.ts';

export async function reconcile({ words, options, powers, terminal }: Invocation): Promise<number> {
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    await world.repository.fetch(terminal.signal);
    const result = await run(
      world,
      { environment: words[0] ?? '', target: options.target as string | undefined, trigger: 'person', dryRun: options.dryRun === true },
      terminal.signal,
    );
    return printReceipts({ terminal, result, output: options.output as string | undefined });
  } finally {
    await world.close();
  }
}
