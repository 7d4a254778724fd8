import { portsOf } from './engine.ts';
import { copyOf, digestOf, type Outside } from './outside.ts';
import { tellPolled } from './polled.ts';
import type { Story } from './stories.ts';
import type { Call } from './watched-ports.ts';

/** A read, and what it would have answered before the last thing that happened. */
export interface LateRead {
  readonly number: number;
  readonly name: string;
  readonly answer: unknown;
}

/** What can lag behind; objects by id cannot, they never change. `repository.fetch` lags when the remote does. */
const READS: ReadonlySet<string> = new Set([
  'repository.hasNews',
  'repository.fetch',
  'repository.refs',
  'repository.resolve',
  'forge.findByHead',
  'forge.list',
  'forge.reviews',
  'forge.checks',
  'forge.changeRequestOf',
  'forge.protection',
  'target.observe',
]);

/** Every read of the story whose answer was another one version ago. */
export async function enumerateLateReads(story: Story): Promise<readonly LateRead[]> {
  const found: LateRead[] = [];
  await tellPolled(story, (outside) => {
    let before: Outside | undefined;
    let now = copyOf(outside);
    let digest = digestOf(outside);
    function notice(): void {
      const fresh = digestOf(outside);
      if (fresh === digest) return;
      [before, now, digest] = [now, copyOf(outside), fresh];
    }
    return {
      through(call, carryOut) {
        notice();
        return before !== undefined && READS.has(call.name) ? compare(before, call, carryOut) : carryOut();
      },
    };

    async function compare(then: Outside, call: Call, carryOut: () => unknown): Promise<unknown> {
      const late = await lateAnswer(then, call, outside);
      const answer = await carryOut();
      const { number, name } = call;
      if (late !== undefined && textOf(late.answer) !== textOf(answer)) found.push({ number, name, answer: late.answer });
      return answer;
    }
  });
  return found;
}

/** The same story, with one read answering one version late. */
export async function tellLate(story: Story, late: LateRead): Promise<Outside> {
  return tellPolled(story, () => ({
    through: (call, carryOut) => (call.number === late.number ? Promise.resolve(late.answer) : carryOut()),
  }));
}

async function lateAnswer(before: Outside, call: Call, outside: Outside): Promise<{ readonly answer: unknown } | undefined> {
  // A remote that lags brings nothing: what moved there arrives with the next fetch.
  if (call.name === 'repository.fetch') return { answer: [] };
  const ports = portsOf(copyOf(before));
  const [port, method] = call.name.split('.') as [string, string];
  const late = port === 'target' ? before.targets.get(targetName(outside, call)) : ports[port as 'repository' | 'forge'];
  if (late === undefined) return undefined;
  const asked = (late as unknown as Record<string, (...args: readonly unknown[]) => unknown>)[method];
  try {
    return { answer: await asked?.(...call.args) };
  } catch {
    // What was not there then cannot have answered.
    return undefined;
  }
}

function targetName(outside: Outside, call: Call): string {
  return [...outside.targets].find(([, target]) => target === call.port)?.[0] ?? '';
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (each instanceof Map ? [...each] : each)) ?? '';
}
