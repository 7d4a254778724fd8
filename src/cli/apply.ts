import { resolve } from 'node:path';

import { reconcile } from '#loops/reconcile.ts';
import { isJsonObject, jsonText } from '#model/json.ts';
import type { Json, JsonObject } from '#model/json.ts';
import { isPortError, PortError } from '#ports/port-error.ts';
import { LARGEST_DOCUMENT, readBounded } from './bounded-file.ts';
import type { Invocation } from './cli.ts';
import { EXIT } from './exit-code.ts';
import { printable } from './output.ts';
import { printReceipts } from './receipts.ts';
import { placeOf } from './repository.ts';

/** Applies a saved plan: refuses if the rendering or what was observed is not what the plan was made from. */
export async function apply({ words, options, powers, terminal }: Invocation): Promise<number> {
  const saved = await readPlan(resolve(terminal.cwd, words[0] ?? ''));
  const world = await powers.openWorld(placeOf(options), terminal);
  try {
    const now = await reconcile(
      world,
      { environment: saved.environment, target: undefined, trigger: 'person', dryRun: true },
      terminal.signal,
    );
    const moved = saved.targets.flatMap((target) => {
      const run = now.runs.find((item) => item.plan.target === target.name);
      if (run === undefined) return [`target ${target.name} cannot be planned any more`];
      if (run.plan.rendering !== target.rendering)
        return [`target ${target.name}: what should be there changed since the plan (another rendering)`];
      return run.plan.basis === target.basis ? [] : [`target ${target.name}: what is there changed since the plan`];
    });
    if (moved.length > 0) {
      for (const reason of moved) terminal.err(`${printable(reason)}\n`);
      terminal.say(`Plan again: capstan plan ${saved.environment} --save ${words[0] ?? 'FILE'}\n`);
      return EXIT.conflict;
    }
    const only = saved.targets.length === 1 ? saved.targets[0]?.name : undefined;
    const result = await reconcile(
      world,
      { environment: saved.environment, target: only, trigger: 'person', dryRun: false },
      terminal.signal,
    );
    return printReceipts({ terminal, result, output: options.output as string | undefined });
  } finally {
    await world.close();
  }
}

function unreadable(error: unknown): never {
  if (!isPortError(error) || error.kind !== 'missing') throw error;
  throw new PortError('missing', `${error.message}; 'capstan plan ENV --save FILE' writes a plan`, error);
}

interface SavedPlan {
  readonly environment: string;
  readonly targets: readonly { readonly name: string; readonly rendering: string; readonly basis: string }[];
}

async function readPlan(path: string): Promise<SavedPlan> {
  const text = (await readBounded(path, LARGEST_DOCUMENT).catch(unreadable)).toString('utf8');
  let parsed: Json;
  try {
    parsed = JSON.parse(text) as Json;
  } catch {
    throw new PortError('invalid', `${path} is not JSON; it must be a file that 'capstan plan --save' wrote`);
  }
  if (
    !isJsonObject(parsed) ||
    parsed.kind !== 'Plan' ||
    parsed.formatVersion !== 1 ||
    typeof parsed.environment !== 'string' ||
    !Array.isArray(parsed.targets)
  ) {
    throw new PortError('invalid', `${path} is not a plan of format version 1; 'capstan plan ENV --save FILE' writes one`);
  }
  const targets = (parsed.targets as readonly Json[]).filter((item): item is JsonObject => isJsonObject(item));
  return {
    environment: parsed.environment,
    targets: targets.map((item) => ({ name: jsonText(item.name), rendering: jsonText(item.rendering), basis: jsonText(item.basis) })),
  };
}
