import { queryAt, queryHistory } from '#loops/ledger-queries.ts';
import { instantText, parseDuration, parseInstant, toInstant } from '#model/instant.ts';
import type { Instant } from '#model/instant.ts';
import type { Invocation } from './cli.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { outputFormat, printDocument, tableText } from './output.ts';
import { placeOf } from './repository.ts';

export async function history({ options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    const environment = options.environment as string | undefined;
    if (typeof options.at === 'string') {
      if (environment === undefined) throw new UsageError('--at answers for one environment: add --environment NAME');
      const at = timeOf('--at', options.at, world.clock.now());
      const items = await queryAt(world, environment, at);
      if (format === 'json') printDocument(terminal, 'RunningList', { environment, at: instantText(at), items });
      else
        terminal.out(
          items.length === 0
            ? `nothing ran in ${environment} then\n`
            : tableText(
                ['TARGET', 'INSTANCE', 'VERSION', 'HEALTH', 'SINCE', 'SHA256'],
                items.map((item) => [item.target, item.instance, item.version, item.health, item.since, item.sha256.slice(0, 12)]),
              ),
        );
      return EXIT.ok;
    }
    const since = typeof options.since === 'string' ? timeOf('--since', options.since, world.clock.now()) : undefined;
    const items = await queryHistory(world, { environment, capsule: options.capsule as string | undefined, since });
    if (format === 'json') printDocument(terminal, 'HistoryList', { items });
    else if (items.length === 0)
      terminal.say(`the ledger has no records${environment === undefined ? '' : ` of ${environment}`} to show\n`);
    else
      terminal.out(
        tableText(
          ['TIME', 'WHERE', 'ACTION', 'FROM', 'TO', 'HEALTH', 'OUTCOME', 'CHANGE'],
          items.map((item) => [
            item.time,
            [item.environment, item.target, item.instance].filter((part) => part !== undefined).join('/'),
            item.action,
            item.from ?? '-',
            item.to ?? '-',
            item.health,
            item.outcome,
            item.changeRequest ?? item.changeSet ?? '-',
          ]),
        ),
      );
    return EXIT.ok;
  } finally {
    await world.close();
  }
}

/** RFC 3339, or the present less a duration. */
function timeOf(option: string, text: string, now: Instant): Instant {
  const before = parseDuration(text);
  const at = before === undefined ? parseInstant(text) : toInstant(now - before);
  if (at === undefined) throw new UsageError(`${option} "${text}" is neither a time (2026-11-04T10:00:00Z) nor a duration (2h)`);
  return at;
}
