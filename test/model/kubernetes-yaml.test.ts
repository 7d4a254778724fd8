import { expect, test } from 'vitest';

import { readKubernetesYaml } from '#model/kubernetes-yaml.ts';

test('a manifest that is no YAML is told in the words of declarations', () => {
  const read = readKubernetesYaml('a:\n   b: 1\n  c: 2\n', 'x.yaml');
  expect(read).toMatchObject({
    ok: false,
    problems: [
      {
        message: 'x.yaml is not YAML: this line starts in another column than the lines it belongs to',
        place: { file: 'x.yaml', line: 3 },
      },
    ],
  });
});
