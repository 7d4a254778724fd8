import type { ObjectKey } from '#model/kubernetes-object.ts';
import type { Step, WritingStep } from '#model/plan.ts';
import { compareText } from '#model/problem.ts';
import type { RenderedObject, TargetRendering } from '#model/rendering.ts';

/** What others stand in or are an instance of comes first, whatever its wave. */
const FIRST: Readonly<Record<string, number>> = { Namespace: 0, CustomResourceDefinition: 1 };
const REST = 2;

export function isWriting(step: Step): step is WritingStep {
  return step.action === 'create' || step.action === 'update' || step.action === 'adopt';
}

/** Namespaces and definitions, then waves of instances, then waves inside them, then paths; removals last and in reverse. */
export function inOrder(placed: readonly Step[], removed: readonly Step[], rendering: TargetRendering): readonly Step[] {
  const objects = new Map(rendering.objects.map((object) => [object.path, object]));
  const ranked = placed.map((step) => {
    const object = objects.get(step.path);
    return { step, rank: rankOf(step.key), wave: waveOf(object, rendering), inner: object?.wave ?? 0 };
  });
  ranked.sort((a, b) => a.rank - b.rank || a.wave - b.wave || a.inner - b.inner || compareText(a.step.path, b.step.path));
  const last = removed.toSorted((a, b) => rankOf(b.key) - rankOf(a.key) || compareText(b.path, a.path));
  return [...ranked.map((each) => each.step), ...last];
}

function rankOf(key: ObjectKey): number {
  return Object.hasOwn(FIRST, key.kind) ? (FIRST[key.kind] ?? REST) : REST;
}

function waveOf(object: RenderedObject | undefined, rendering: TargetRendering): number {
  return object === undefined ? 0 : (rendering.instances.get(object.instance)?.wave ?? 0);
}
