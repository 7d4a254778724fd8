import { expect, test } from 'vitest';

import { parseYamlText } from '#model/yaml-text.ts';

function mistakes(text: string): readonly string[] {
  const parsed = parseYamlText(Buffer.from(text), 'a.yaml');
  return parsed.ok
    ? []
    : parsed.problems.map(({ place, message }) => `${place.line}:${place.column} ${message.replace('a.yaml is not YAML: ', '')}`);
}

test.each([
  [
    'a line that is too far to the right',
    'a:\n  b: 1\n   c: 2\n  d: 3\n  e: 4\n',
    ['2:6 this key has a value already, and the next line is indented below it'],
  ],
  [
    'a line too far to the left',
    'a:\n    b: 1\n   c: 2\n    d: 3\n',
    ['3:1 this line starts in another column than the lines it belongs to'],
  ],
  ['a tab', 'a:\n\tb: 1\n  c: 2\n', ['2:1 tabs are not allowed as indentation']],
  ['every tab', 'a:\n\tb: 1\n\tc: 2\n', ['2:1 tabs are not allowed as indentation', '3:1 tabs are not allowed as indentation']],
  [
    'a bracket that is not closed',
    'a: [1, 2\nb: 3\n',
    ['2:1 Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ],
])('one slip is one problem: %s', (_, text, expected) => {
  expect(mistakes(text)).toEqual(expected);
});

test('nothing is said of a text that is indented throughout by three', () => {
  expect(mistakes('a:\n   b: 1\n   c:\n      d: 2\n')).toEqual([]);
});
