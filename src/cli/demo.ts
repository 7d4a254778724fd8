import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import type { Invocation } from './cli.ts';
import { openStage } from './demo-stage.ts';
import { STORY } from './demo-story.ts';
import { EXIT } from './exit-code.ts';
import { listenOf } from './forge.ts';
import { untilStopped } from './serve.ts';

/** The whole story on this machine, on real parts; the exit code says whether every step held. */
export async function demo({ options, powers, terminal }: Invocation): Promise<number> {
  const began = performance.now();
  const listen = listenOf(options.listen, '127.0.0.1:0');
  const directory =
    typeof options.directory === 'string' ? resolve(terminal.cwd, options.directory) : await mkdtemp(join(tmpdir(), 'capstan-demo-'));
  terminal.say(`Everything happens below ${directory}: a local forge, the service, and three directories as targets.\n\n`);
  const stage = await openStage({
    directory,
    listen,
    powers,
    terminal,
  });
  let failed = 0;
  try {
    for (const [index, step] of STORY.entries()) {
      if (terminal.signal.aborted) return EXIT.interrupted;
      const start = performance.now();
      const answer = await step.run(stage).then(
        (detail) => ({ held: true, detail }),
        (error: unknown) => ({ held: false, detail: error instanceof Error ? error.message : String(error) }),
      );
      if (!answer.held) failed += 1;
      const seconds = ((performance.now() - start) / 1000).toFixed(2).padStart(6);
      terminal.out(`${String(index + 1).padStart(2)}. ${answer.held ? 'ok  ' : 'FAIL'} ${seconds} s  ${step.title}: ${answer.detail}\n`);
      if (!answer.held && step.isNeeded) break;
    }
    const total = ((performance.now() - began) / 1000).toFixed(1);
    terminal.out(
      failed === 0
        ? `\nAll ${STORY.length} steps held in ${total} s.\n`
        : `\n${failed} of ${STORY.length} steps did not hold (${total} s).\n`,
    );
    if (options.exit === true || !terminal.isTerminal || failed > 0) return failed === 0 ? EXIT.ok : EXIT.failed;
    terminal.say(
      `\nIt stays up: ${stage.forge.url} (token of ada: ${stage.ada.token}), ${stage.service().url}. A clone is at ${stage.clone}. Ctrl-C ends it.\n`,
    );
    return await untilStopped({ ended: stage.forge.ended, close: () => Promise.resolve() }, terminal.signal);
  } finally {
    await stage.close();
  }
}
