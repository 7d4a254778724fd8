import { beforeAll, expect, test } from 'vitest';

import { changed, edit, edits, plantedGarden, seen, validated, withLocks, type Change, type Garden } from './garden.ts';
import { renderedDev } from './rendered-dev.ts';
import { library, PACKAGE, WEB } from './rule-changes.ts';

const BASE = 'capsules/base/capsule.yaml';
const EXTENDED: Change = {
  [BASE]: library(
    'base',
    `  components:
    web:
      kind: Deployment
      env:
        FROM:
          config: from
  config:
    schema: config.schema.json
    defaults:
      greeting: Servus
      from: base
`,
  ),
  'capsules/base/config.schema.json':
    '{ "type": "object", "additionalProperties": false, "properties": { "from": { "type": "string" }, "greeting": { "type": "string" } } }\n',
  'capsules/base/templates/inherited.yaml.hbs':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{concat name "-inherited"}}\ndata:\n  from: {{config.from}}\n',
  [PACKAGE]: '{ "version": "1.1.0" }\n',
  [WEB]: edits(
    edit('version: 1.0.0', 'version: 1.1.0'),
    edit('  type: service\n', '  type: service\n  extends:\n    capsule: base\n    version: ^1.0.0\n'),
  ),
};

let extended: Garden;

beforeAll(async () => {
  const grown = await changed(await plantedGarden(), EXTENDED);
  const locks = Object.keys(grown.files).filter((path) => path.endsWith('.lock.yaml'));
  extended = await withLocks(await changed(grown, Object.fromEntries(locks.map((path) => [path, undefined]))));
});

test('what a capsule extends is locked as an instance of its own, and asked for by its child', async () => {
  const { prepared } = await renderedDev(extended);
  expect(prepared.pins.map((pin) => [pin.instance, pin.capsule, pin.version, pin.requestedBy])).toEqual([
    ['redis', 'redis', '7.2.5', ['web']],
    ['web', 'web', '1.1.0', ['environment']],
    ['web.base', 'base', '1.0.0', ['web']],
  ]);
});

test('a child is rendered from the merged declaration, its own files and those of its parent', async () => {
  const { target } = await renderedDev(extended);
  expect(target.objects.map((object) => object.path)).toContain('web/core_v1_configmap_shop-dev_web-inherited.yaml');
  const deployment = target.objects.find((object) => object.path.includes('apps_v1_deployment'))?.text;
  expect(deployment).toContain('        - name: FROM\n          value: base\n        - name: GREETING\n          value: Hello\n');
  expect([...target.instances].map(([name, facts]) => [name, facts.healthOf])).toEqual([
    ['redis', undefined],
    ['web', undefined],
    ['web.base', ['web']],
  ]);
});

test('validate finds nothing wrong with it', async () => {
  expect(seen(await validated(extended))).toEqual([]);
});
