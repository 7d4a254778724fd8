import { resolve } from 'node:path';

import type { Invocation } from './cli.ts';
import { EXIT } from './exit-code.ts';

export async function serve({ options, powers, terminal }: Invocation): Promise<number> {
  const running = await powers.serve(resolve(terminal.cwd, typeof options.config === 'string' ? options.config : 'capstan.yaml'), terminal);
  terminal.say(`capstan serves ${running.url}\n`);
  return untilStopped(running, terminal.signal);
}

/** Runs until it ends by itself or the person stops it; then stops it in good order. */
export async function untilStopped(
  running: { readonly ended: Promise<void>; close(): Promise<void> },
  signal: AbortSignal,
): Promise<number> {
  const stopped = new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
  await Promise.race([running.ended, stopped]);
  await running.close();
  return EXIT.ok;
}
