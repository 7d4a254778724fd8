import { beforeAll, expect, test } from 'vitest';

import { inheritedRisks } from '#loops/inherited-risk.ts';
import { changed, edit, edits, plantedGarden, seen, validated, withLocks, worldOf, type Change, type Garden } from './garden.ts';
import { renderedDev } from './rendered-dev.ts';
import { library, LOCK, PACKAGE, SCHEMA, WEB } from './rule-changes.ts';

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

/** The garden changed, and locked again from nothing. */
async function grown(from: Garden, change: Change): Promise<Garden> {
  const after = await changed(from, change);
  const locks = Object.keys(after.files).filter((path) => path.endsWith('.lock.yaml'));
  return withLocks(await changed(after, Object.fromEntries(locks.map((path) => [path, undefined]))));
}

beforeAll(async () => {
  extended = await grown(await plantedGarden(), EXTENDED);
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

test('the risk of a change is what it shapes: a parent is as risky as what extends it', async () => {
  const risky = await grown(extended, {
    [WEB]: edits(edit('1.1.0', '1.1.1'), (text) => `${text}  security:\n    risk: high\n`),
    [PACKAGE]: '{ "version": "1.1.1" }\n',
  });
  const world = await worldOf(risky);
  const { prepared } = await renderedDev(risky);
  const moves = prepared.pins.map(({ instance, capsule, version, sha256 }) => ({
    instance,
    capsule,
    from: undefined,
    to: { version, sha256 },
  }));
  expect([...(await inheritedRisks(world.reading, prepared.pins, moves))]).toEqual([
    ['redis', undefined],
    ['web', 'high'],
    ['web.base', 'high'],
  ]);
});

test('a value that a parent gave is refused where the parent wrote it', async () => {
  const narrow = await grown(extended, {
    [WEB]: edit('1.1.0', '1.2.0'),
    [PACKAGE]: '{ "version": "1.2.0" }\n',
    [SCHEMA]: edit('"greeting":', '"from": { "enum": ["child"] },\n    "greeting":'),
  });
  expect(seen(await validated(narrow))).toEqual(['V-77 config-invalid capsules/base/capsule.yaml:18:13']);
});

test('what is wrong with a parent is told once, at the parent, whoever extends it', async () => {
  const broken = await changed(extended, {
    [BASE]: edits(
      edit('version: 1.0.0', 'version: 1.0.1'),
      edit('          config: from\n', '          dependency: nobody\n          output: url\n'),
    ),
    'capsules/base/templates/inherited.yaml.hbs': edit('config.from', 'config.form'),
  });
  expect(seen(await validated(broken))).toEqual([
    'V-18 dependency-undeclared capsules/base/capsule.yaml:12:9',
    'V-88 template-invalid capsules/base/templates/inherited.yaml.hbs:6:11',
  ]);
});

test('V-46 and V-47: a lock without the parent, and with another one than the engine would write', async () => {
  const entry = /^ {2}web\.base:\n(?: {4}.*\n)+/m;
  const lacking = await changed(extended, { [LOCK]: (text) => text.replace(entry, '') });
  expect(seen(await validated(lacking))).toEqual(['V-47 lock-incomplete environments/dev/environment.lock.yaml:5:1']);
  const edited = await changed(extended, { [LOCK]: (text) => text.replace(entry, (all) => all.replace('- web', '- environment')) });
  expect(seen(await validated(edited))).toEqual(['V-46 lock-edited environments/dev/environment.lock.yaml:28:5']);
});
