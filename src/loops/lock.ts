import type { DesiredEnvironment } from '#model/desired.ts';
import { accepted, refused } from '#model/result.ts';
import type { Result } from '#model/result.ts';
import { lockText, pinsOfLock } from '#resolve/resolve.ts';
import type { Declarations } from './reading.ts';
import { resolvePins } from './render-environment.ts';
import { indexFor } from './rendered-difference.ts';
import { withUnreadable } from './unreadable.ts';
import { unreleasedProblems } from './unreleased.ts';
import type { ReadingWorld } from './world.ts';

/** The lock the engine would write: what is locked stays if it still may, the rest is resolved anew. */
export async function planLock(
  world: ReadingWorld,
  declarations: Declarations,
  environment: DesiredEnvironment,
): Promise<Result<{ readonly path: string; readonly before: string | undefined; readonly after: string }>> {
  const index = await indexFor(world, declarations.at);
  const pins = environment.lock === undefined ? [] : pinsOfLock(environment.lock.value);
  const resolved = await resolvePins(world.reading, { state: declarations.state, environment, pins, index });
  if (!resolved.ok) {
    const { state } = await world.reading.desiredState(declarations.at);
    const unreleased = unreleasedProblems({ at: declarations.at, index, state }, environment, world.settings.branch);
    const problems = await withUnreadable(world, declarations, resolved.problems);
    const unread = problems.filter((problem) => !resolved.problems.includes(problem));
    return refused(unreleased.length > 0 ? [...unread, ...unreleased] : problems);
  }
  const before = environment.lock === undefined ? undefined : await world.reading.text(environment.lock.blob);
  const after = lockText(
    environment.name,
    resolved.value.instances.map((instance) => instance.pin),
    before,
  );
  return accepted({ path: `environments/${environment.name}/environment.lock.yaml`, before, after });
}
