import { portsOf, startEngine } from './engine.ts';
import { copyOf, digestOf, newOutside, type Outside } from './outside.ts';
import type { Story } from './stories.ts';
import { watchedPorts, type Call } from './watched-ports.ts';

/** A moment at which the engine can die, and what it leaves. */
export interface Moment {
  readonly step: number;
  /** Every call boundary that leaves exactly this: `before 17 repository.push`. */
  readonly where: string[];
  readonly left: Outside;
}

export interface Enumerated {
  readonly calls: readonly Call[];
  /** One for each state that some kill can leave, in the order in which they come. */
  readonly moments: readonly Moment[];
}

/**
 * Tells the story once and notes what a kill before and after each port call, and between the writes of one call, would leave. A killed
 * engine leaves nothing but what is outside, so calls that leave the same are one moment: that makes an exhaustive run affordable.
 */
export async function enumerateKills(story: Story): Promise<Enumerated> {
  const outside = newOutside();
  await story.begin(outside);
  const calls: Call[] = [];
  const moments = new Map<string, Moment>();
  let step = 0;

  function note(where: string): void {
    const key = `${step} ${digestOf(outside)}`;
    const known = moments.get(key);
    if (known === undefined) moments.set(key, { step, where: [where], left: copyOf(outside) });
    else known.where.push(where);
  }

  const ports = watchedPorts(
    portsOf(outside, (where) => note(`within ${calls.length} ${calls.at(-1)?.name}: ${where}`)),
    {
      through(call, carryOut) {
        calls.push(call);
        note(`before ${call.number} ${call.name}`);
        const answer = carryOut();
        if (!(answer instanceof Promise)) return answer;
        return answer.finally(() => note(`after ${call.number} ${call.name}`));
      },
    },
  );
  const engine = startEngine(ports);
  for (const [index, one] of story.steps.entries()) {
    step = index;
    await one.happen(outside);
    await one.wake(engine);
  }
  return { calls, moments: [...moments.values()] };
}

/** A new engine on what a kill left, and the rest of the story. */
export async function goOnFrom(story: Story, moment: Moment): Promise<Outside> {
  const outside = copyOf(moment.left);
  const engine = startEngine(portsOf(outside));
  await engine.start();
  for (const step of story.steps.slice(moment.step + 1)) {
    await step.happen(outside);
    await step.wake(engine);
  }
  return outside;
}
