import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import type { Invocation } from './cli.ts';
import { demoCluster, isOwnMachine } from './demo-cluster.ts';
import { openStage } from './demo-stage.ts';
import { STORY } from './demo-story.ts';
import { demoDirectories } from './demo-targets.ts';
import type { DemoTargets } from './demo-targets.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { listenOf } from './forge.ts';
import { untilStopped } from './serve.ts';

/** The whole story on this machine, on real parts; the exit code says whether every step held. */
export async function demo({ options, powers, terminal }: Invocation): Promise<number> {
  const began = performance.now();
  const listen = listenOf(options.listen, '127.0.0.1:0');
  const directory =
    typeof options.directory === 'string' ? resolve(terminal.cwd, options.directory) : await mkdtemp(join(tmpdir(), 'capstan-demo-'));
  const targets = await targetsOf(options, { directory, powers, terminal });
  terminal.say(`Everything happens below ${directory}: a local forge, the service, and ${targets.words}.\n\n`);
  const stage = await openStage({ directory, listen, targets, powers, terminal }).catch(async (error: unknown) => {
    await targets.close();
    throw error;
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

async function targetsOf(
  options: Invocation['options'],
  { directory, powers, terminal }: Pick<Invocation, 'powers' | 'terminal'> & { readonly directory: string },
): Promise<DemoTargets> {
  const { kubernetes, image } = options;
  if (typeof kubernetes !== 'string') {
    for (const name of ['image', 'keep', 'yes'])
      if (options[name] !== undefined) throw new UsageError(`--${name} is for --kubernetes KUBECONFIG`);
    return demoDirectories(directory);
  }
  const kubeconfig = resolve(terminal.cwd, kubernetes);
  const cluster = await powers.openCluster(kubeconfig);
  if (options.yes !== true && !isOwnMachine(cluster.url)) {
    await cluster.close();
    throw new UsageError(`${cluster.url.origin} is not on this machine; if the demo shall make namespaces there, add --yes`);
  }
  return demoCluster({ cluster, kubeconfig, image: typeof image === 'string' ? image : undefined, keep: options.keep === true });
}
