import { describe, expect, it } from 'vitest';

import { renderUnit } from '#render/render.ts';
import { unit } from '#test/render/builders.ts';
import type { UnitOptions } from '#test/render/builders.ts';

function texts(yaml: string, options: UnitOptions = {}): Record<string, string> | string[] {
  const result = renderUnit(unit(yaml, options));
  return result.ok
    ? Object.fromEntries(result.value.objects.map((object) => [object.path, object.text]))
    : result.problems.map((problem) => `${problem.code}: ${problem.message}`);
}

const MANIFEST = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{name}}\ndata:\n  greeting: {{config.greeting}}\n';

describe('a template', () => {
  it('gives objects in the target namespace with the engine annotations', () => {
    const rendered = texts('{}', { config: { greeting: 'Hi' }, files: { 'templates/map.yaml.hbs': MANIFEST } });

    expect(rendered).toEqual({
      'web/core_v1_configmap_acme-prod_web.yaml': [
        'apiVersion: v1',
        'data:',
        '  greeting: Hi',
        'kind: ConfigMap',
        'metadata:',
        '  annotations:',
        `    capstan.dev/content: "${unit('{}').pin.sha256.slice(0, 12)}"`,
        '    capstan.dev/instance: web',
        '    capstan.dev/version: "1.0.0"',
        '  name: web',
        '  namespace: acme-prod',
        '',
      ].join('\n'),
    });
  });
});
