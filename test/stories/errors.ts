import { PortError, type PortErrorKind } from '#ports/port-error.ts';
import type { Outside } from './outside.ts';
import { tellPolled } from './polled.ts';
import type { Story } from './stories.ts';
import { WRITES, type Call } from './watched-ports.ts';

/** A call that fails once: before anything was done, or after, when only the answer is lost. */
export interface Failure {
  readonly number: number;
  readonly name: string;
  readonly kind: PortErrorKind;
  readonly when: 'before' | 'after';
}

/** Answered in process, or unable to fail. */
const SAFE = /^(clock|ids)\.|\.counts$/;

/** Every failure of every port call of the story: unavailable; where something is written also a lost race and a lost answer. */
export async function enumerateFailures(story: Story): Promise<readonly Failure[]> {
  const calls: Call[] = [];
  await tellPolled(story, () => ({
    through(call, carryOut) {
      if (!SAFE.test(call.name)) calls.push(call);
      return carryOut();
    },
  }));
  return calls.flatMap(({ number, name }) => [
    { number, name, kind: 'transient', when: 'before' },
    ...(WRITES.has(name)
      ? ([
          { number, name, kind: 'conflict', when: 'before' },
          { number, name, kind: 'transient', when: 'after' },
        ] as const)
      : []),
  ]);
}

export async function tellFailing(story: Story, failure: Failure): Promise<Outside> {
  const error = new PortError(failure.kind, 'the network has a bad moment');
  return tellPolled(story, () => ({
    through(call, carryOut) {
      if (call.number !== failure.number) return carryOut();
      if (failure.when === 'before') return Promise.reject(error);
      return Promise.resolve(carryOut()).then(() => Promise.reject(error));
    },
  }));
}
