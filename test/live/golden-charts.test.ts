import { dirname } from 'node:path';

import { expect, test } from 'vitest';

import { foreignRenderer } from '#adapters/tools/tools.ts';
import { chartRequests, recordedAnswer, writeRecord } from '#test/golden/charts.ts';
import { programPath } from '#test/servers/built-programs.ts';

/** `CAPSTAN_GOLDEN=write` records what the programs say; explain the difference in the commit. */
test.each(chartRequests())('the golden case holds what the real program says of %s', async (component, request) => {
  const renderer = foreignRenderer({ configured: {}, path: dirname(programPath(request.tool)) });

  const answer = await renderer.render(request);

  if (answer.kind === 'rendered' && process.env['CAPSTAN_GOLDEN'] === 'write') writeRecord(component, answer.text);
  expect(answer).toEqual({ kind: 'rendered', text: recordedAnswer(component) });
});
