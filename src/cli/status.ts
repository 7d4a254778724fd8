import { statusOf } from '#loops/status.ts';
import type { DriftStatus, EnvironmentStatus } from '#loops/status.ts';
import type { Invocation } from './cli.ts';
import { endingDocument, printEnding } from './endings.ts';
import { EXIT } from './exit-code.ts';
import { outputFormat, printDocument, printable, problemDocument, problemText, tableText } from './output.ts';
import { chooseEnvironments, headOf, placeOf } from './repository.ts';

export async function status({ words, options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    const head = await headOf(world);
    const declarations = await world.reading.declarations(await world.reading.at(head));
    const found: EnvironmentStatus[] = [];
    for (const environment of chooseEnvironments(declarations.state.environments, words, words.length === 0))
      found.push(await statusOf(world, environment.name, terminal.signal));
    if (format === 'json') {
      const documents = found.map(statusDocument);
      const [only] = documents;
      if (only !== undefined && words.length === 1) printDocument(terminal, 'EnvironmentStatus', only);
      else printDocument(terminal, 'EnvironmentStatusList', { items: documents });
      return EXIT.ok;
    }
    terminal.out(
      tableText(
        ['ENVIRONMENT', 'TARGET', 'SYNC', 'HEALTH', 'CAPSULES'],
        found.flatMap((item) => rowsOf(item)),
      ),
    );
    for (const line of (await world.history.upTo(head)).trust.described()) terminal.say(`trust: ${printable(line)}\n`);
    for (const notice of new Set(found.flatMap((item) => item.notices))) terminal.say(`note: ${printable(notice)}\n`);
    for (const warning of new Set(found.flatMap((item) => item.warnings.map((problem) => problemText(problem))))) terminal.say(warning);
    for (const item of found) {
      for (const reason of [
        ...item.waiting,
        ...item.capsules.flatMap((capsule) => capsule.waiting.map((text) => `${capsule.instance}: ${text}`)),
        ...item.targets.flatMap((target) => target.drift.map((object) => driftText(target.name, object))),
      ])
        terminal.out(`${item.environment}: ${printable(reason)}\n`);
      printEnding(terminal, item.ending);
    }
    return EXIT.ok;
  } finally {
    await world.close();
  }
}

const DONE_ABOUT_DRIFT = {
  corrected: 'the next run takes it back',
  reported: 'left as it is',
  fought: 'left as it is: something keeps setting it back',
} as const;

function driftText(target: string, { object, what, changedBy, action }: DriftStatus): string {
  const who = changedBy.length === 0 ? '' : ` by ${changedBy.join(', ')}`;
  return `${object} on ${target} ${what}${who}; ${DONE_ABOUT_DRIFT[action]}`;
}

/** EnvironmentStatus of contracts.md. */
export function statusDocument({ ending, warnings, ...rest }: EnvironmentStatus): object {
  return { ...rest, warnings: warnings.map(problemDocument), ...endingDocument(ending) };
}

function rowsOf(item: EnvironmentStatus): readonly (readonly string[])[] {
  const capsules = item.capsules.map((capsule) => `${capsule.instance}@${capsule.version}`).join(' ');
  if (item.targets.length === 0) return [[item.environment, '-', 'Unknown', item.ending.kind, capsules]];
  return item.targets.map((target) => [
    item.environment,
    target.partition === null ? target.name : `${target.name} (${target.partition})`,
    target.sync,
    target.drifted > 0 ? `${target.health}, ${target.drifted} drifted` : target.health,
    capsules,
  ]);
}
