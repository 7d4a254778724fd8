import { expect, test } from 'vitest';

import type { ForeignAnswer } from '#model/foreign.ts';
import { chartRequests, chartUnit, recordedAnswer } from './charts.ts';
import { golden, rendered } from './golden.ts';

test('golden rendering of a chart with hooks and definitions, and of a kustomization with a base', () => {
  const requests = chartRequests();
  const answers = requests.map(([component]): [string, ForeignAnswer] => [
    component,
    { kind: 'rendered', text: recordedAnswer(component) },
  ]);

  expect(requests.map(([component]) => component)).toEqual(['cache', 'edge']);
  const { actual, expected } = golden('render-charts', rendered([{ ...chartUnit(), foreign: new Map(answers) }]));
  expect(Object.keys(expected).length).toBeGreaterThan(5);
  expect(actual).toEqual(expected);
});
