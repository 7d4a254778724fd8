import type { Engine, Ports } from './engine.ts';
import { portsOf, startEngine } from './engine.ts';
import { newOutside, type Outside } from './outside.ts';
import type { Step, Story } from './stories.ts';
import { watchedPorts, type Watch } from './watched-ports.ts';

/** As between two things that people do: polls and looks for drift go on. */
export async function goOnPolling(engine: Engine): Promise<void> {
  await engine.tick();
  await engine.drift();
  await engine.tick();
}

/** One step as it goes on a running service, where polls follow whatever a webhook brought. */
export async function takeStep(step: Step, outside: Outside, engine: Engine): Promise<void> {
  await step.happen(outside);
  await step.wake(engine);
  await goOnPolling(engine);
}

/** The whole story with polls after each step, its ports led through `watch`. */
export async function tellPolled(story: Story, watch: (outside: Outside) => Watch = () => PLAIN): Promise<Outside> {
  const outside = newOutside();
  await story.begin(outside);
  const ports: Ports = watchedPorts(portsOf(outside), watch(outside));
  const engine = startEngine(ports);
  for (const step of story.steps) await takeStep(step, outside, engine);
  return outside;
}

const PLAIN: Watch = { through: (_call, carryOut) => carryOut() };
