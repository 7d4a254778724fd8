import type { CapsuleSource } from '#model/desired.ts';
import type { InstanceName } from '#model/names.ts';
import type { Problem } from '#model/problem.ts';
import type { Changelog, PromotionEffect, RenderedEffect, SchemaDifference } from '#model/promotion.ts';
import { visibleText } from '#model/quoted.ts';
import { differenceOf } from '#model/rendered-diff.ts';
import { refused } from '#model/result.ts';
import type { Result } from '#model/result.ts';
import { isPortError } from '#ports/port-error.ts';
import { compareSchemas, readChangelog } from '#promotion/promotion.ts';
import { schemaOfCapsule } from '#resolve/resolve.ts';
import { composedSources } from './composed.ts';
import type { PlannedChange, PromotionScope } from './promotion-drafts.ts';
import type { RenderedEnvironment } from './render-environment.ts';
import { renderAt, renderProposed } from './rendered-difference.ts';
import type { ReadingWorld } from './world.ts';

type EffectScope = Pick<PromotionScope, 'environment' | 'declarations' | 'index'>;

/**
 * What a change does, for whoever approves it. That it cannot be rendered is told and stops nothing: gates and checks judge it, and what
 * cannot be rendered never reaches a target.
 */
export async function effectOf(
  world: ReadingWorld,
  scope: EffectScope,
  item: PlannedChange,
  signal?: AbortSignal,
): Promise<PromotionEffect> {
  const { environment, declarations, index } = scope;
  const now = await answered(async () => {
    const rendered = await renderAt(world, declarations, environment.name, signal);
    return rendered?.result ?? refused([]);
  });
  const proposed = await answered(() => renderProposed(world, { state: declarations.state, environment, pins: item.pins, index }, signal));
  return {
    rendered: renderedEffect(environment.name, now, proposed),
    changelogs: await changelogsOf(world, item),
    schemas:
      now.kind === 'rendered' && proposed.kind === 'rendered' ? await schemasOf(world, item, [now.value, proposed.value]) : undefined,
  };
}

type Answer =
  | { readonly kind: 'rendered'; readonly value: RenderedEnvironment }
  | { readonly kind: 'unknown'; readonly reasons: readonly string[] };

async function answered(render: () => Promise<Result<RenderedEnvironment>>): Promise<Answer> {
  try {
    const result = await render();
    if (result.ok) return { kind: 'rendered', value: result.value };
    return { kind: 'unknown', reasons: [...new Set(result.problems.filter(({ severity }) => severity === 'error').map(reasonOf))].sort() };
  } catch (error) {
    if (!isPortError(error)) throw error;
    // Its words may name what differs each time, and a body is not rewritten for that.
    return { kind: 'unknown', reasons: [`what renders it could not be asked (${error.kind})`] };
  }
}

function reasonOf({ code, rule, message, place }: Problem): string {
  const where = place.file === undefined ? '' : `${place.file}${place.line === undefined ? '' : `:${place.line}`}: `;
  return visibleText(`${where}${message} (${rule ?? code})`, 400);
}

function renderedEffect(environment: string, now: Answer, proposed: Answer): RenderedEffect {
  if (proposed.kind === 'unknown') return { kind: 'unknown', side: 'proposed', reasons: proposed.reasons };
  if (now.kind === 'unknown') return { kind: 'unknown', side: 'now', reasons: now.reasons };
  // What else moves in the lock is in the file itself: moves and their trust are told by the draft.
  const sides = [now, proposed].map(({ value }) => ({ rendering: value.rendering, lock: undefined }));
  const [base, head] = sides;
  return { kind: 'rendered', difference: base === undefined || head === undefined ? undefined : differenceOf(environment, base, head) };
}

async function changelogsOf(world: Pick<ReadingWorld, 'reading'>, { changeSet, pins }: PlannedChange): Promise<readonly Changelog[]> {
  const arriving = changeSet.moves.flatMap((move) => {
    const pin = pins.find(({ instance }) => instance === move.instance);
    return move.to === undefined || pin === undefined ? [] : [{ move, pin, to: move.to.version }];
  });
  const loaded = await world.reading.capsules(arriving.map(({ pin }) => ({ name: pin.capsule, tree: pin.gitTree })));
  return arriving.flatMap(({ move, to }, at) => {
    const bytes = loaded[at]?.source?.contents.get('CHANGELOG.md');
    const read = bytes === undefined ? undefined : readChangelog(bytes, move.from?.version, to);
    return read === undefined || read.sections.length === 0 ? [] : [{ instance: move.instance, capsule: move.capsule, ...read }];
  });
}

/** Of what moves from one version to another; what arrives or leaves brings or takes all its keys. */
async function schemasOf(
  world: Pick<ReadingWorld, 'reading'>,
  { changeSet }: PlannedChange,
  sides: readonly [RenderedEnvironment, RenderedEnvironment],
): Promise<readonly SchemaDifference[]> {
  const moved = changeSet.moves.filter((move) => move.from !== undefined && move.to !== undefined);
  if (moved.length === 0) return [];
  const [before, after] = [
    await composedSources(world.reading, sides[0].resolution.instances),
    await composedSources(world.reading, sides[1].resolution.instances),
  ];
  return moved.flatMap(({ instance }): SchemaDifference[] => {
    const keys = compareSchemas(schemaIn(before, instance), schemaIn(after, instance));
    return keys.length === 0 ? [] : [{ instance, keys }];
  });
}

function schemaIn(sources: ReadonlyMap<InstanceName, CapsuleSource>, instance: InstanceName) {
  const source = sources.get(instance);
  return source === undefined ? undefined : schemaOfCapsule(source)?.value;
}
