import { expect, test } from 'vitest';

import { tellPolled } from './polled.ts';
import { tellSideBySide } from './side-by-side.ts';
import { PROMOTE, RECONCILE, ROLLOUT } from './stories.ts';
import { endOf, withoutDoubt } from './telling.ts';

// A hundred interleavings are tried in test/programs/stories.test.ts.
test.each([RECONCILE, PROMOTE, ROLLOUT])(
  'row 100: $name: two engines at once leave the same end, no request twice and no commit twice',
  async (story) => {
    const whole = await endOf(await tellPolled(story));

    for (const seed of [1, 2]) {
      const end = await endOf(await tellSideBySide(story, seed));
      // An engine records what it did where the other has recorded already what it found done.
      expect({ seed, ...withoutDoubt(end) }).toEqual({ seed, ...withoutDoubt(whole) });
    }
  },
);
