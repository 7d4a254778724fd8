import { fetchImports } from '#loops/imports.ts';
import { planLock } from '#loops/lock.ts';
import type { Problem } from '#model/problem.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { printable, printProblems } from './output.ts';
import { chooseEnvironments, placeOf, snapshotOf } from './repository.ts';

export async function lock({ words, options, powers, terminal }: Invocation): Promise<number> {
  const world = await powers.openWorld({ ...placeOf(options), readsCheckout: true }, terminal);
  try {
    const at = await snapshotOf(world, undefined);
    const declarations = await at.world.reading.declarations(at.snapshot);
    const problems: Problem[] = declarations.problems.filter((problem) => problem.severity === 'error');
    const head = (await world.repository.resolve(world.settings.branch)) ?? (await world.repository.resolve('HEAD'));
    const failed = head === undefined ? [] : await fetchImports(world, head, terminal.signal);
    for (const { pin, reason } of failed) terminal.err(`import ${pin.name}: ${printable(reason)}\n`);
    const files: { path: string; content: string }[] = [];
    for (const environment of chooseEnvironments(declarations.state.environments, words, options.all === true)) {
      const planned = await planLock(at.world, declarations, environment);
      if (!planned.ok) problems.push(...planned.problems);
      else if (planned.value.before === planned.value.after) terminal.say(`${planned.value.path}: as the engine would write it\n`);
      else files.push({ path: planned.value.path, content: planned.value.after });
    }
    printProblems(terminal, problems);
    if (problems.length > 0) return EXIT.failed;
    if (options.check === true) {
      for (const file of files) terminal.err(`${file.path}: would change\n`);
      return files.length > 0 ? EXIT.failed : EXIT.ok;
    }
    if (files.length > 0 && world.workingDirectory === undefined)
      throw new UsageError(`${world.path} is bare; lock in a checkout, or let the engine promote`);
    await world.workingDirectory?.write(files);
    for (const file of files) terminal.out(`${file.path}\n`);
    return EXIT.ok;
  } finally {
    await world.close();
  }
}
