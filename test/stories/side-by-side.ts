import { portsOf, startEngine, type Engine } from './engine.ts';
import { beside, newOutside, type Outside } from './outside.ts';
import { goOnPolling } from './polled.ts';
import type { Story } from './stories.ts';
import { watchedPorts } from './watched-ports.ts';

/** Lets one waiting port call at a time go on, chosen by a seed: the same seed interleaves two engines in the same way. */
function turnstile(seed: number) {
  const waiting: (() => void)[] = [];
  let state = seed;

  function choose(count: number): number {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  }

  return {
    wait: () => new Promise<void>((go) => waiting.push(go)),
    async until(work: Promise<unknown>): Promise<void> {
      let isOver = false;
      const end = work.finally(() => (isOver = true));
      end.catch(() => undefined);
      while (!isOver) {
        // Everything in memory goes on by itself until it asks its next port.
        await new Promise((next) => setImmediate(next));
        waiting.splice(choose(waiting.length), 1)[0]?.();
      }
      await end;
    },
  };
}

/** Calls that answer at once; a turn between them would change nothing. */
const AT_ONCE = /^(clock|ids)\.|\.counts$/;

/** The story with two engines that know nothing of each other and are woken for the same things. */
export async function tellSideBySide(story: Story, seed: number): Promise<Outside> {
  const outside = newOutside();
  await story.begin(outside);
  const turns = turnstile(seed);
  const engines = [outside, beside(outside)].map((own) =>
    startEngine(
      watchedPorts(portsOf(own), {
        through: (call, carryOut) => (AT_ONCE.test(call.name) ? carryOut() : turns.wait().then(carryOut)),
      }),
    ),
  );
  const both = (work: (engine: Engine) => Promise<void>): Promise<void> => turns.until(Promise.all(engines.map(work)));
  for (const step of story.steps) {
    await step.happen(outside);
    await both((engine) => step.wake(engine));
    await both(goOnPolling);
  }
  return outside;
}
