import { prepareEnvironment, type PreparedEnvironment } from '#loops/prepare-environment.ts';
import type { TargetRendering } from '#model/rendering.ts';
import { worldOf, type Garden } from './garden.ts';

/** dev as a run would have it, with its first target. */
export async function renderedDev(garden: Garden): Promise<{ readonly prepared: PreparedEnvironment; readonly target: TargetRendering }> {
  const answer = await prepareEnvironment(await worldOf(garden), 'dev', garden.head);
  if (answer.kind === 'ended') throw new Error(JSON.stringify(answer.ending));
  const [target] = answer.prepared.rendered.rendering.targets;
  if (target === undefined) throw new Error('dev has a target');
  return { prepared: answer.prepared, target };
}
