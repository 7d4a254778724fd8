import { afterAll, expect, test } from 'vitest';

import { workbench } from './capstan-program.ts';

const bench = await workbench();
afterAll(() => bench.close());

test('the demo tells its whole story on this machine, and every step holds', async () => {
  const ended = await bench.capstan(await bench.folder(), 'demo', '--exit', '--directory', await bench.folder());

  const steps = ended.out.split('\n').filter((line) => /^ *\d+\. /.test(line));
  expect({ code: ended.code, steps: steps.map((line) => line.slice(4, 10).trim()), err: ended.code === 0 ? '' : ended.err }).toEqual({
    code: 0,
    steps: Array.from({ length: 12 }, () => 'ok'),
    err: '',
  });
});
