import { promote as run } from '#loops/promote.ts';
import type { PromotedChange } from '#loops/promote.ts';
import { instantText } from '#model/instant.ts';
import type { Invocation } from './cli.ts';
import { exitCodeOfEnding } from './endings.ts';
import { outputFormat, printDocument, printProblems, printable, tableText } from './output.ts';
import { effectDocument, effectText } from './promotion-effect.ts';
import { placeOf } from './repository.ts';

export async function promote({ words, options, powers, terminal }: Invocation): Promise<number> {
  const format = outputFormat(options.output as string | undefined, ['text', 'json']);
  const [name, version] = typeof options.capsule === 'string' ? options.capsule.split('@') : [];
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    await world.repository.fetch(terminal.signal);
    const only = name === undefined ? undefined : { name, version };
    const result = await run(
      world,
      { environment: words[0] ?? '', only, dryRun: options.dryRun === true, byPerson: true },
      terminal.signal,
    );
    if (world.forge === undefined && options.dryRun !== true && result.changes.length > 0)
      terminal.say('no forge is configured: the branch stands in this repository, for you to merge\n');
    if (format === 'json') {
      const documents = result.changes.map((change) => draftDocument(change));
      const [first] = documents;
      if (first !== undefined && documents.length === 1) printDocument(terminal, 'PromotionDraft', first);
      else printDocument(terminal, 'PromotionDraftList', { items: documents });
    } else if (result.changes.length > 0 || result.problems.length === 0) {
      terminal.out(result.changes.length === 0 ? `nothing to promote to ${words[0] ?? ''}\n` : result.changes.map(changeText).join('\n'));
    }
    for (const held of result.held) terminal.say(`held: ${printable(`${held.instance}: ${held.reason}`)}\n`);
    printProblems(terminal, result.problems);
    return exitCodeOfEnding(result.ending);
  } finally {
    await world.close();
  }
}

function draftDocument({ draft, change, merged }: PromotedChange): object {
  return {
    environment: draft.environment,
    changeSet: draft.changeSet.id,
    branch: draft.branch,
    title: draft.title,
    moves: draft.changeSet.moves.map((move) => ({
      instance: move.instance,
      capsule: move.capsule,
      from: move.from ?? null,
      to: move.to ?? null,
    })),
    gates: draft.gates.map((gate) => ({ ...gate, until: gate.until === undefined ? null : instantText(gate.until) })),
    files: [{ path: draft.file.path, patch: draft.file.patch }],
    changeRequest: change?.url ?? null,
    merged,
    risk: draft.risk,
    rollback: draft.changeSet.moves.flatMap(({ instance, from }) => (from === undefined ? [] : [{ instance, ...from }])),
    effect: effectDocument(draft.effect),
  };
}

function changeText({ draft, change, waiting, merged }: PromotedChange): string {
  const gates = tableText(
    ['GATE', 'TYPE', 'STATUS', 'DETAIL'],
    draft.gates.map((gate) => [
      gate.name,
      gate.type,
      gate.status,
      `${gate.detail}${gate.until === undefined ? '' : ` (until ${instantText(gate.until)})`}`,
    ]),
  );
  const state = merged
    ? 'merged'
    : waiting.length === 0
      ? 'nothing holds it'
      : waiting.map((reason) => `waits: ${printable(reason)}`).join('\n');
  return `${draft.title}\nbranch ${draft.branch}${change === undefined ? '' : `, ${change.url}`}\n${gates}${effectText(draft.effect)}${state}\n${draft.file.patch}`;
}
