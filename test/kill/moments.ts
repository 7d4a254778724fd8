/** A moment of the story: so many milliseconds after a step began. */
export interface Moment {
  readonly step: number;
  readonly after: number;
}

/** Numbers in [0, 1) that follow from the seed alone (mulberry32). */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * As many moments as rounds. Half are spread evenly over the whole time of the undisturbed story; the other half lie in the second
 * after a step began, where most is written while waits are long. In the last step the story only comes to rest.
 */
export function chooseMoments(rounds: number, durations: readonly number[], chance: () => number): readonly Moment[] {
  const total = durations.reduce((sum, one) => sum + one, 0);
  const even = Math.ceil(rounds / 2);
  return Array.from({ length: rounds }, (_, round) => {
    if (round < even) return momentAt(((round + chance()) / even) * total, durations);
    return { step: (round - even) % (durations.length - 1), after: Math.floor(chance() * 1000) };
  });
}

function momentAt(time: number, durations: readonly number[]): Moment {
  let rest = time;
  for (const [step, duration] of durations.entries()) {
    if (rest < duration) return { step, after: Math.floor(rest) };
    rest -= duration;
  }
  return { step: durations.length - 1, after: Math.floor(durations.at(-1) ?? 0) };
}

/** Shuffles the moments into stories of a few kills each; within a story they come in the order of its steps. */
export function dealIntoStories(moments: readonly Moment[], each: number, chance: () => number): readonly (readonly Moment[])[] {
  const open = [...moments];
  const stories: Moment[][] = [];
  while (open.length > 0) {
    const story = Array.from({ length: Math.min(each, open.length) }, () => open.splice(Math.floor(chance() * open.length), 1)).flat();
    stories.push(story.sort((a, b) => a.step - b.step || a.after - b.after));
  }
  return stories;
}
